/** What the generator says of itself, for the API, the metrics and the terminal. Only gathers; decides nothing. */
import type { BudgetState } from './budget.ts';
import type { LeftOut } from './candidates.ts';
import type { DiscoveryOutcome } from './discover.ts';
import type { EncoderCounts } from './encode.ts';
import type { FeedState } from './feeds/index.ts';
import type { RouteFidelity } from './fidelity.ts';
import type { Plan, PlanItem } from './plan/index.ts';
import type { Refusal } from './refusals.ts';
import type { FillingsStatus, LiveSlots } from './slots/index.ts';
import type { Workshop } from './workshop.ts';

export interface GeneratorStatus {
  readonly budget: Omit<BudgetState, 'pause'> & { readonly pause: BudgetState['pause'] | 'storage-failed' };
  readonly plan: { readonly number: number; readonly atMs: number; readonly items: number; readonly planned: Readonly<Record<string, number>>; readonly refused: Readonly<Record<string, number>>; readonly durationMs: number } | undefined;
  readonly queued: number;
  readonly pending: number;
  readonly fetched: number;
  readonly admitted: Readonly<Record<'generate' | 'capture', number>>;
  readonly freshened: Readonly<Record<'generate' | 'capture', number>>;
  readonly captures: { readonly offered: number; readonly dropped: number };
  readonly removed: number;
  readonly evicted: number;
  readonly refused: Readonly<Partial<Record<Refusal, number>>>;
  readonly waiting: Readonly<Partial<Record<Refusal, number>>>;
  readonly holdings: { readonly records: number; readonly resources: number; readonly bytes: number };
  readonly discovered: { readonly asset: number; readonly feed: number; readonly sitemap: number; readonly link: number; readonly refused: number; readonly forbidden: number };
  readonly discovery: (DiscoveryOutcome & { readonly atMs: number }) | undefined;
  readonly publishFailures: number;
  /** How true shadows are, the least true route first. */
  readonly fidelity: { readonly routes: readonly RouteFidelity[] };
  readonly codings: EncoderCounts;
  /** Changed pages that wait for their assets, and how many went without. */
  readonly companions: { readonly waiting: number; readonly late: number };
  readonly feeds: readonly FeedState[];
  readonly fillings: FillingsStatus;
}

/** What the newest plan was not even asked about, by why. */
export type LeftCounts = Readonly<Record<LeftOut | 'storage-full', number>>;

export interface StatusParts {
  readonly shop: Workshop;
  readonly slots: Pick<LiveSlots, 'feeds' | 'status'>;
  readonly budget: GeneratorStatus['budget'];
  readonly plan: Plan | undefined;
  readonly left: LeftCounts;
  readonly planDurationMs: number;
  readonly queued: number;
  readonly capturesDropped: number;
  readonly discovery: GeneratorStatus['discovery'];
}

export function describe(parts: StatusParts): GeneratorStatus {
  const { plan, left } = parts;
  const { tally, holdings, frontier, ledger, publisher, clock } = parts.shop;
  return {
    budget: parts.budget,
    plan: plan && {
      number: plan.number, atMs: plan.atMs, items: plan.items.length, planned: countBy(plan.items),
      refused: { ...plan.refusedCounts, ...left, fresh: plan.refusedCounts.fresh + left.fresh }, durationMs: parts.planDurationMs,
    },
    queued: parts.queued, pending: publisher.pending, fetched: tally.fetched,
    admitted: tally.admitted, freshened: tally.freshened, captures: { offered: tally.offered, dropped: parts.capturesDropped },
    removed: tally.removed, evicted: tally.evicted, refused: tally.refused, waiting: ledger.waiting(clock.nowMs()),
    holdings: { records: holdings.records, resources: holdings.resources, bytes: holdings.bytes },
    discovered: { ...frontier.counts, refused: frontier.refused, forbidden: left.robots },
    discovery: parts.discovery, publishFailures: publisher.failures,
    fidelity: { routes: parts.shop.fidelity.routes() }, codings: parts.shop.encoder.counts, companions: { waiting: parts.shop.companions.size, late: parts.shop.companions.late },
    feeds: parts.slots.feeds(), fillings: parts.slots.status(),
  };
}

function countBy(items: readonly PlanItem[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { why } of items) counts[why] = (counts[why] ?? 0) + 1;
  return counts;
}

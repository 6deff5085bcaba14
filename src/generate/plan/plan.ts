/**
 * The planner: which copies to make next, and why. A pure function of plain data; no clock, no I/O, no state. Its plan is
 * immutable and numbered; executors refuse a plan older than the one they have.
 *
 * Order: what has no copy at all comes first, by demand per cost; then copies by crawl value per cost (`crawl-value.ts`).
 * First copies take at most `firstCopyPart` of the budget while refreshes are waiting, so that a long list of discovered
 * pages nobody asks for can't let everything else grow old. Every candidate is planned or refused with a reason.
 */
import type { ResourceKey, VariationKey } from '../../kernel/index.ts';
import { crawlValue } from './crawl-value.ts';
import type { Refreshing } from './crawl-value.ts';

/** Why an item is planned. */
export const planReasons = {
  'never-copied': 'There is no copy yet.',
  'too-old': 'The copy is older than the freshness target.',
  'ageing': 'The copy would pass the freshness target during an outage that begins now.',
  'changed': 'The copy is young enough, but the original has probably changed since.',
} as const;
export type PlanReason = keyof typeof planReasons;

/** Why a candidate is not planned. */
export const refusalReasons = {
  'budget': 'Others are worth more for their cost, and the budget is spent.',
  'refresh-budget': 'Refreshes have used their part of the origin\'s requests.',
  'backing-off': 'An attempt failed a short time ago.',
  'fresh': 'The copy is good enough for now.',
  'passing-requests': 'The copy ages, but requests that pass anyway will renew it.',
  'no-demand': 'Nobody is expected to ask for it, and it has a copy.',
} as const;
export type RefusalReason = keyof typeof refusalReasons;

/** One variation of one resource that could be fetched. */
export interface PlanCandidate {
  readonly resource: ResourceKey;
  readonly variation: VariationKey;
  /** People's requests expected a minute, over the protected window. */
  readonly demandPerMinute: number;
  /** What one request is worth beside others; 1 is usual. */
  readonly weight: number;
  /** How often the original changes, as far as known (`ChangeRate`); 0 for not known or never. */
  readonly changesPerMinute: number;
  /** Age of the copy; undefined for none. */
  readonly copyAgeMs: number | undefined;
  /** Requests to the origin that making it takes. */
  readonly cost: number;
  /** Not to be tried before this time (backing off after a failure), epoch ms; 0 for any time. */
  readonly notBeforeMs: number;
  /** How often passing requests will renew the copy while the origin is well; 0 where answers can't be captured. */
  readonly passivePerMinute: number;
}

export interface PlanInput {
  /** One more than the plan before. */
  readonly number: number;
  readonly atMs: number;
  readonly candidates: readonly PlanCandidate[];
  readonly budget: {
    /** Requests to the origin this plan may take altogether. */
    readonly requests: number;
    /** Of these, how many may renew copies that exist. */
    readonly refreshRequests: number;
  };
  readonly goal: {
    /** A copy older than this is too old to be a good answer (`freshness.target`). */
    readonly targetAgeMs: number;
    /** Length of the outage that copies should outlast within their target. */
    readonly outageMs: number;
    /** What an outdated copy costs: growing with each change it missed (usual), or the same after the first. */
    readonly penalty?: 'harmonic' | 'binary';
  };
  /** Most refusals listed one by one; all are counted. */
  readonly refusalsMax?: number;
}

export interface PlanItem {
  readonly resource: ResourceKey;
  readonly variation: VariationKey;
  readonly why: PlanReason;
  /** Crawl value, or expected requests a minute for a first copy. Comparable within one reason's order only. */
  readonly value: number;
  readonly cost: number;
}

export interface PlanRefusal {
  readonly resource: ResourceKey;
  readonly variation: VariationKey;
  readonly reason: RefusalReason;
  readonly value: number;
}

export interface Plan {
  readonly number: number;
  readonly atMs: number;
  /** Most urgent first. */
  readonly items: readonly PlanItem[];
  /** The first refusals, most valuable first. */
  readonly refused: readonly PlanRefusal[];
  readonly refusedCounts: Readonly<Record<RefusalReason, number>>;
}

/** Of the budget, what first copies may take while copies that exist are waiting to be renewed. */
const firstCopyPart = 0.8;
/** Below this many worthwhile protected requests a minute a refresh isn't worth a request to the origin. */
const valueMin = 1e-9;
const refusalsMaxDefault = 1000;

interface Ranked {
  readonly candidate: PlanCandidate;
  readonly value: number;
  /** Value per cost: what is sorted by. */
  readonly rank: number;
}

/** Makes the plan. 100,000 candidates take about 60 ms. */
export function makePlan(input: PlanInput): Plan {
  const refusedCounts = { 'budget': 0, 'refresh-budget': 0, 'backing-off': 0, 'fresh': 0, 'passing-requests': 0, 'no-demand': 0 };
  const refused: PlanRefusal[] = [];
  const refusalsMax = input.refusalsMax ?? refusalsMaxDefault;
  const refuse = (candidate: PlanCandidate, reason: RefusalReason, value: number): void => {
    refusedCounts[reason]++;
    if (refused.length < refusalsMax) refused.push({ resource: candidate.resource, variation: candidate.variation, reason, value });
  };

  const firsts: Ranked[] = [];
  const refreshes: Ranked[] = [];
  const later: { readonly candidate: PlanCandidate; readonly reason: RefusalReason }[] = [];
  for (const candidate of input.candidates) {
    const verdict = judge(candidate, input);
    if (typeof verdict === 'string') later.push({ candidate, reason: verdict });
    else if (candidate.copyAgeMs === undefined) firsts.push(verdict);
    else refreshes.push(verdict);
  }

  const items: PlanItem[] = [];
  let left = input.budget.requests;
  let refreshesLeft = Math.min(left, input.budget.refreshRequests);
  const kept = refreshes.length > 0 ? Math.max(0, Math.min(refreshesLeft, Math.floor(left) - Math.ceil(left * firstCopyPart))) : 0;
  for (const { candidate, value } of sorted(firsts)) {
    if (candidate.cost > left - kept) {
      refuse(candidate, 'budget', value);
      continue;
    }
    left -= candidate.cost;
    items.push(item(candidate, 'never-copied', value));
  }
  for (const { candidate, value } of sorted(refreshes)) {
    if (candidate.cost > left) refuse(candidate, 'budget', value);
    else if (candidate.cost > refreshesLeft) refuse(candidate, 'refresh-budget', value);
    else {
      left -= candidate.cost;
      refreshesLeft -= candidate.cost;
      items.push(item(candidate, whyRefresh(candidate.copyAgeMs ?? 0, input.goal), value));
    }
  }
  for (const { candidate, reason } of later) refuse(candidate, reason, 0);
  return Object.freeze({
    number: input.number, atMs: input.atMs, items: Object.freeze(items), refused: Object.freeze(refused), refusedCounts: Object.freeze(refusedCounts),
  });
}

/** A candidate's value, or why it has none now. */
function judge(candidate: PlanCandidate, input: PlanInput): Ranked | RefusalReason {
  if (candidate.notBeforeMs > input.atMs) return 'backing-off';
  const cost = Math.max(1e-3, candidate.cost);
  const worth = candidate.demandPerMinute * candidate.weight;
  if (candidate.copyAgeMs === undefined) return { candidate, value: worth, rank: worth / cost };
  if (!(worth > 0)) return 'no-demand';
  const refreshing: Refreshing = {
    ageMin: candidate.copyAgeMs / 60_000,
    worthPerMinute: worth,
    changesPerMinute: candidate.changesPerMinute,
    passivePerMinute: candidate.passivePerMinute,
    targetAgeMin: input.goal.targetAgeMs / 60_000,
    outageMin: input.goal.outageMs / 60_000,
    penalty: input.goal.penalty ?? 'harmonic',
  };
  const value = crawlValue(refreshing);
  if (value > valueMin) return { candidate, value, rank: value / cost };
  if (candidate.passivePerMinute > 0 && crawlValue({ ...refreshing, passivePerMinute: 0 }) > valueMin) return 'passing-requests';
  return 'fresh';
}

/** Highest rank first; equal ranks in the order they came, so that equal input gives an equal plan. */
function sorted(ranked: Ranked[]): Ranked[] {
  return ranked.sort((a, b) => b.rank - a.rank);
}

function item(candidate: PlanCandidate, why: PlanReason, value: number): PlanItem {
  return { resource: candidate.resource, variation: candidate.variation, why, value, cost: candidate.cost };
}

function whyRefresh(ageMs: number, goal: PlanInput['goal']): PlanReason {
  if (ageMs > goal.targetAgeMs) return 'too-old';
  return ageMs > goal.targetAgeMs - goal.outageMs ? 'ageing' : 'changed';
}

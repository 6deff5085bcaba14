/**
 * Plans, one after the other: gathers what could be fetched, has the planner choose, keeps the plan and what it left out, and turns it into jobs. When to
 * plan and whether to fetch at all is the generator's.
 */
import type { ResourceKey } from '../kernel/index.ts';
import type { Budget } from './budget.ts';
import { collectCandidates, targetId, toRenew, type Outlook } from './candidates.ts';
import type { FirstAsked } from './first-asked.ts';
import type { Job } from './make-copy.ts';
import { makePlan, PlanJournal, type Plan, type PlanItem } from './plan/index.ts';
import type { LeftCounts } from './status.ts';
import type { Workshop } from './workshop.ts';

/** Planning takes at most this part of the time: a big site is planned less often. */
const planPart = 0.1;
/** From this part of the storage budget on, what is wanted less than what had to go is not fetched. */
const nearlyFullPart = 0.85;
/** The outage copies are kept young enough for, at most half the freshness target. */
const outageMs = 15 * 60_000;

/** Requests expected a minute from which on a first copy is wanted: what was only discovered counts so much where such things have been seen to be asked for. */
const wantedMin = 2e-3;

export interface PlanningParts {
  readonly shop: Workshop;
  readonly outlook: Outlook;
  readonly budget: Budget;
  readonly firstAsked: FirstAsked;
  readonly planMs: number;
  /** Targets being fetched right now. */
  readonly inFlight: { has(id: string): boolean };
  /** Resources whose answers passing requests are known to renew. */
  readonly captured: () => ReadonlySet<ResourceKey>;
}

export class Planning {
  /** The last plans. */
  readonly journal = new PlanJournal();
  readonly #parts: PlanningParts;
  #newest: Plan | undefined;
  #durationMs = 0;
  #demand: ReadonlyMap<ResourceKey, number> = new Map();
  #left: LeftCounts = { 'robots': 0, 'awaiting-capture': 0, 'fresh': 0, 'storage-full': 0 };
  /** What is wanted less had to go for want of room. */
  storageDemandBelow = -1;

  constructor(parts: PlanningParts) {
    this.#parts = parts;
  }

  get newest(): Plan | undefined {
    return this.#newest;
  }

  /** What the newest plan took. */
  get durationMs(): number {
    return this.#durationMs;
  }

  /** What the newest plan was not even asked about. */
  get left(): LeftCounts {
    return this.#left;
  }

  /** Requests expected a minute by resource, as the newest plan saw them. */
  get demand(): ReadonlyMap<ResourceKey, number> {
    return this.#demand;
  }

  /** From one plan to the next. */
  get everyMs(): number {
    return Math.max(this.#parts.planMs, this.#durationMs / planPart);
  }

  plan(): { readonly number: number; readonly jobs: readonly Job[] } {
    const { shop: { config, clock, holdings, ledger, changes, frontier, site, discoverer, invalidations, companions, holds }, outlook, budget, firstAsked, inFlight, captured } = this.#parts;
    const startedMs = clock.monotonicMs();
    const nowMs = clock.nowMs();
    const waiting = companions.targets();
    const candidates = collectCandidates({
      outlook, frontier, holdings, ledger, changes, site, inFlight: { has: (id) => inFlight.has(id) || waiting.has(id) },
      allows: (resource) => discoverer.allows(resource), held: (resource) => holds.has(resource, holdings.of(resource)), invalidated: invalidations.open, outdates: invalidations.outdated, captured: captured(),
      firstAsked, targetMs: config.freshness.targetMs, effort: (section) => budget.own.effort(section), surge: budget.surging,
    }, nowMs);
    const spanMs = 2 * this.everyMs;
    const list = holdings.bytes < config.budgets.storageBytes * nearlyFullPart
      ? candidates.list
      : candidates.list.filter((candidate) => candidate.copyAgeMs !== undefined || (candidates.demand.get(candidate.resource) ?? 0) > this.storageDemandBelow);
    const plan = makePlan({
      number: (this.#newest?.number ?? 0) + 1, atMs: nowMs, candidates: list,
      budget: { requests: budget.capacity(spanMs), refreshRequests: budget.refreshCapacity(spanMs) },
      goal: { targetAgeMs: config.freshness.targetMs, outageMs: Math.min(outageMs, config.freshness.targetMs / 2) },
      refusalsMax: 100, surge: budget.surging,
    });
    this.#demand = candidates.demand;
    this.#left = { ...candidates.left, 'storage-full': candidates.list.length - list.length };
    this.#newest = plan;
    this.journal.add(plan);
    this.#settleInvalidations(nowMs);
    this.#durationMs = clock.monotonicMs() - startedMs;
    return { number: plan.number, jobs: plan.items.flatMap((item) => this.#jobsOf(item, nowMs)) };
  }

  /** A copy for each set of further headers there is one for, or the first. */
  #jobsOf({ resource, variation, value }: PlanItem, nowMs: number): Job[] {
    const { holdings, config, invalidations } = this.#parts.shop;
    const held = holdings.variation(resource, variation);
    if (held.length === 0) return [{ resource, variation, varied: [], kind: value >= wantedMin ? 'wanted' : 'first' }];
    return toRenew(held, config.freshness.targetMs, nowMs, invalidations.outdated).map((copy) => ({ resource, variation, varied: copy.vary, kind: 'refresh' }));
  }

  /** What was declared wrong is settled when there is a newer copy of every variation, or none can be had for now. */
  #settleInvalidations(nowMs: number): void {
    const { invalidations, holdings, ledger, site } = this.#parts.shop;
    for (const resource of invalidations.open) {
      const done = site.variations(resource, []).every(({ variation }) => {
        const held = holdings.variation(resource, variation);
        return (held.length > 0 && !held.some(invalidations.outdated)) || !ledger.mayTry(targetId(resource, variation), nowMs);
      });
      if (done) invalidations.settle(resource);
    }
  }
}

/**
 * The Shadow Resource Generator's loop: plan about once a second, fetch within the budget, publish what came of it, take in
 * what edges report, keep within storage. Owns the order of things and the timers; what is worth fetching is the planner's,
 * what may be kept is admission's, how fast is the budget's. Never fetches while the origin is unwell, and gives up what it
 * was fetching when the origin falls.
 */
import type { ShadowRecord } from '../catalog/shadow-record.ts';
import type { Config } from '../config/types.ts';
import type { RefusedAnswer } from '../http/index.ts';
import type { FeedKey, Filling } from '../compose/types.ts';
import { freshSeed, seededRandom, type Clock, type Log, type Random, type ResourceKey } from '../kernel/index.ts';
import type { BlobStore } from '../store/blob-store.ts';
import { Budget, type OriginCondition } from './budget.ts';
import { collectCandidates, demandedMax, targetId, toRenew, type Outlook } from './candidates.ts';
import { releaseCompanions } from './accept.ts';
import { Companions } from './companions.ts';
import { coverageOf, type Coverage } from './coverage.ts';
import { Curator, type Archive } from './curator/index.ts';
import { Discoverer } from './discover.ts';
import { DiscoveryRounds } from './discovery-rounds.ts';
import { chooseEvictions } from './evict.ts';
import { Encoder, isWorthCoding } from './encode.ts';
import { Executor } from './executor.ts';
import type { FeedState, FeedValue } from './feeds/index.ts';
import { createFetcher, type Fetcher } from './fetch.ts';
import { Fidelity } from './fidelity.ts';
import { FirstAsked } from './first-asked.ts';
import { Frontier } from './frontier.ts';
import { Holdings } from './holdings.ts';
import { CaptureQueue, takeInvalidation, takeRefusal, type BodyOf } from './intake.ts';
import { Levers } from './levers.ts';
import type { Job } from './make-copy.ts';
import { emptyMemory, writeMemory, type Memory } from './memory.ts';
import { usualPace, type Pace } from './pace.ts';
import { makePlan, PlanJournal, type Plan, type PlanItem } from './plan/index.ts';
import { Publisher, type CatalogWriter } from './publisher.ts';
import { chooseSample, sampleEveryMs } from './sample.ts';
import { Schedule } from './schedule.ts';
import { Site } from './site.ts';
import { LiveSlots, type HeardTimes } from './slots/index.ts';
import { describe, type GeneratorStatus, type LeftCounts } from './status.ts';
import { Invalidations, Tally, type Workshop } from './workshop.ts';

export interface GeneratorParts {
  readonly config: Config;
  readonly outlook: Outlook;
  readonly catalog: CatalogWriter;
  /** What the newest catalog version holds. */
  readonly records: Iterable<ShadowRecord>;
  readonly fillings?: Iterable<Filling> | undefined;
  readonly blobs: BlobStore;
  /** Bodies in the edge's local store. */
  readonly bodyOf: BodyOf;
  readonly clock: Clock;
  readonly log: Log;
  readonly random?: Random | undefined;
  readonly onPublished: (version: number) => void;
  /** When each feed was last heard; about once a second, when something changed. */
  readonly onHeard?: ((heard: HeardTimes) => void) | undefined;
  /** What an earlier run wrote with `remember`, read again. */
  readonly memory?: Memory | undefined;
  readonly pace?: Pace | undefined;
}

/** Planning takes at most this part of the time: a big site is planned less often. */
const planPart = 0.1;
const collectEveryMs = 600_000;
/** Changed fillings are published at most this often. */
const fillEveryMs = 200;
/** From this part of the storage budget on, what is wanted less than what had to go is not fetched. */
const nearlyFullPart = 0.85;
/** The outage copies are kept young enough for, at most half the freshness target. */
const outageMs = 15 * 60_000;

export class Generator {
  /** What an operator can set. */
  readonly levers: Levers;
  /** The last plans. */
  readonly plans = new PlanJournal();
  readonly #parts: GeneratorParts;
  readonly #shop: Workshop;
  readonly #slots: LiveSlots;
  readonly #budget: Budget;
  readonly #captures: CaptureQueue;
  readonly #rounds: DiscoveryRounds;
  readonly #executor: Executor;
  readonly #firstAsked: FirstAsked;
  readonly #schedule: Schedule;
  readonly #pace: Pace;
  #fetcher: Fetcher;
  #plan: Plan | undefined;
  #planDurationMs = 0;
  #demand: ReadonlyMap<ResourceKey, number> = new Map();
  #left: LeftCounts = { 'robots': 0, 'awaiting-capture': 0, 'fresh': 0, 'storage-full': 0 };
  #storageDemandBelow = -1;
  #samples = 0;

  constructor(parts: GeneratorParts) {
    this.#parts = parts;
    const { config, clock, log } = parts;
    this.#schedule = new Schedule(clock, log);
    this.#pace = parts.pace ?? usualPace;
    this.#budget = new Budget(config.budgets, clock);
    this.levers = new Levers(this.#budget, clock, config.budgets);
    this.#fetcher = createFetcher(config, clock);
    this.#rounds = new DiscoveryRounds({ budget: this.#budget, schedule: this.#schedule, clock, log });
    const site = new Site(config);
    const holdings = new Holdings(parts.records);
    const frontier = new Frontier();
    const { ledger, changes, history, passing, feeds } = parts.memory ?? emptyMemory();
    this.#slots = new LiveSlots({
      config, clock, log, random: parts.random ?? seededRandom(freshSeed()), schedule: this.#schedule, fillings: parts.fillings ?? [], feeds,
      shares: (resource) => parts.outlook.variationShares(clock.nowMs(), resource),
      fill: (filling) => { this.#shop.publisher.fill(filling); }, unfill: (id) => { this.#shop.publisher.unfill(id); },
      unpublishedFeeds: () => this.#shop.publisher.unpublishedFeeds(), onHeard: (heard) => parts.onHeard?.(heard),
    });
    this.#firstAsked = new FirstAsked(this.#pace.passiveFirstMs);
    const companions = new Companions();
    const publisher = new Publisher({
      catalog: parts.catalog, blobs: parts.blobs, holdings, clock, log, slots: this.#slots, onPublished: parts.onPublished, renewalsMs: this.#pace.renewalsMs, waiting: () => companions.bodies(),
    });
    this.#shop = {
      site, config, clock, log, holdings, frontier, companions, publisher, blobs: parts.blobs,
      ledger, changes, history, fidelity: new Fidelity(), invalidations: new Invalidations(), tally: new Tally(),
      encoder: new Encoder({
        blobs: parts.blobs, holdings, publisher, schedule: this.#schedule, clock, log, site: () => this.#shop.site, codings: () => this.#shop.config.generate.codings,
        wanted: (record) => isWorthCoding(record, frontier, this.#demand),
      }),
      discoverer: new Discoverer({ fetcher: (request) => this.#fetcher(request), pay: (fetch) => this.#rounds.pay(fetch), frontier, log }, site, config.generate.userAgent),
    };
    this.#executor = new Executor({ shop: this.#shop, budget: this.#budget, schedule: this.#schedule, fetcher: (request) => this.#fetcher(request) });
    this.#captures = new CaptureQueue(this.#shop, parts.bodyOf, this.#schedule, passing);
    for (const [resource] of holdings.byResource()) this.#slots.want(resource);
  }

  start(): void {
    this.#slots.start();
    this.#rounds.run(this.#shop.discoverer, () => this.#shop.config.generate.discover, () => { this.#planNow(); });
    this.#schedule.every(() => this.#planNow(), () => Math.max(this.#pace.planMs, this.#planDurationMs / planPart));
    this.#schedule.every(() => {
      releaseCompanions(this.#shop);
      return this.#shop.publisher.publishDue();
    }, () => this.#pace.publishMs);
    this.#schedule.every(() => { this.#sample(); }, () => sampleEveryMs, sampleEveryMs);
    this.#schedule.every(() => this.#shop.publisher.publishFillings(), () => fillEveryMs);
    this.#schedule.every(() => { this.#evict(); }, () => this.#pace.evictMs);
    this.#schedule.every(() => this.#collect(), () => collectEveryMs, collectEveryMs);
  }

  observeOrigin(condition: OriginCondition): void {
    this.#budget.observeOrigin(condition);
    const pause = this.#budget.pause();
    if (pause === 'origin-down' || pause === 'origin-failing') this.#executor.giveUp();
  }

  captured(records: readonly ShadowRecord[]): void {
    this.#captures.offer(records);
  }

  /** What passing answers said must not be kept is not asked for in vain. */
  refused(refusals: readonly RefusedAnswer[]): void {
    for (const refusal of refusals) takeRefusal(this.#shop, refusal);
  }

  invalidated(resources: readonly ResourceKey[]): void {
    takeInvalidation(this.#shop, resources);
  }

  /** Takes a new configuration: what is running finishes under the old one. */
  configure(config: Config): void {
    this.#slots.configure(config);
    this.#shop.config = config;
    this.#shop.site = new Site(config);
    this.#shop.discoverer.configure(this.#shop.site, config.generate.userAgent);
    this.#fetcher = createFetcher(config, this.#parts.clock);
    this.levers.configure(config.budgets);
    this.#executor.clear();
  }

  coverage(nowMs: number): Coverage {
    const { site, holdings, config } = this.#shop;
    return coverageOf(this.#parts.outlook, site, holdings, config.freshness.targetMs, nowMs, demandedMax);
  }

  status(): GeneratorStatus {
    return describe({
      shop: this.#shop, slots: this.#slots, budget: this.#budgetState(), plan: this.#plan, left: this.#left, planDurationMs: this.#planDurationMs, queued: this.#executor.queued,
      capturesDropped: this.#captures.dropped, discovery: this.#rounds.last,
    });
  }

  /** The operator's eye and hand on what there is. */
  curate(archive: Archive): Curator {
    return new Curator({
      shop: this.#shop, archive, blobs: this.#parts.blobs, perMinute: (resource) => this.#demand.get(resource) ?? 0, heardMs: (feed) => this.#slots.value(feed)?.heardMs,
    });
  }

  /** Of each instance of each feed. */
  feeds(): readonly FeedState[] {
    return this.#slots.feeds();
  }

  feedValue(key: FeedKey): FeedValue | undefined {
    return this.#slots.value(key);
  }

  /** What was learned and is not in the catalog, for the next start (`parts.memory`). */
  remember(): Uint8Array {
    return writeMemory({ ledger: this.#shop.ledger, changes: this.#shop.changes, history: this.#shop.history, passing: this.#captures.seen, feeds: this.#slots.snapshot() });
  }

  /** Ends fetching at once, considers and publishes what is there. */
  async close(): Promise<void> {
    const closed = this.#schedule.close();
    this.#executor.giveUp();
    await Promise.all([closed, this.#slots.close()]);
    await this.#shop.publisher.publish();
  }

  #planNow(): void {
    const { config, clock, holdings, ledger, changes, frontier, site, discoverer, invalidations } = this.#shop;
    if (this.#budget.pause() !== undefined || this.#shop.publisher.resting) {
      this.#executor.clear();
      return;
    }
    const startedMs = clock.monotonicMs();
    const nowMs = clock.nowMs();
    const waiting = this.#shop.companions.targets();
    const candidates = collectCandidates({
      outlook: this.#parts.outlook, frontier, holdings, ledger, changes, site, inFlight: { has: (id) => this.#executor.inFlight.has(id) || waiting.has(id) },
      allows: (resource) => discoverer.allows(resource), invalidated: invalidations.open, captured: this.#captures.seen,
      firstAsked: this.#firstAsked, targetMs: config.freshness.targetMs, effort: (section) => this.#budget.effort(section),
    }, nowMs);
    this.#demand = candidates.demand;
    const spanMs = 2 * Math.max(this.#pace.planMs, this.#planDurationMs / planPart);
    const list = holdings.bytes < config.budgets.storageBytes * nearlyFullPart
      ? candidates.list
      : candidates.list.filter((candidate) => candidate.copyAgeMs !== undefined || (candidates.demand.get(candidate.resource) ?? 0) > this.#storageDemandBelow);
    this.#left = { ...candidates.left, 'storage-full': candidates.list.length - list.length };
    this.#plan = makePlan({
      number: (this.#plan?.number ?? 0) + 1, atMs: nowMs, candidates: list,
      budget: { requests: this.#budget.capacity(spanMs), refreshRequests: this.#budget.refreshCapacity(spanMs) },
      goal: { targetAgeMs: config.freshness.targetMs, outageMs: Math.min(outageMs, config.freshness.targetMs / 2) },
      refusalsMax: 100, surge: this.#budget.surging,
    });
    this.#settleInvalidations(nowMs);
    this.#planDurationMs = clock.monotonicMs() - startedMs;
    this.plans.add(this.#plan);
    this.#executor.take(this.#plan.number, this.#plan.items.flatMap((item) => this.#jobsOf(item, nowMs)));
  }

  /** A copy for each set of further headers there is one for, or the first. */
  #jobsOf({ resource, variation }: PlanItem, nowMs: number): Job[] {
    const held = this.#shop.holdings.variation(resource, variation);
    if (held.length === 0) return [{ resource, variation, varied: [], kind: 'first' }];
    return toRenew(held, this.#shop.config.freshness.targetMs, nowMs).map((copy) => ({ resource, variation, varied: copy.vary, kind: 'refresh' }));
  }

  /** A copy is fetched once more now and then, out of turn, to see whether it still shows what the origin does. */
  #sample(): void {
    const { holdings, config, publisher, companions } = this.#shop;
    if (!config.generate.fidelity || this.#budget.pause() !== undefined || publisher.resting) return;
    const record = chooseSample(holdings, this.#demand, ++this.#samples);
    if (record && !companions.targets().has(targetId(record.resource, record.variation))) this.#executor.doNow({ resource: record.resource, variation: record.variation, varied: record.vary, kind: 'refresh', afresh: true });
  }

  #evict(): void {
    this.#slots.makeRoom(this.#demand);
    const { holdings, config, publisher, tally, log } = this.#shop;
    if (holdings.bytes <= config.budgets.storageBytes) return;
    const eviction = chooseEvictions(holdings.all(), this.#demand, holdings.bytes, config.budgets.storageBytes);
    for (const record of eviction.records) publisher.remove(record);
    tally.evicted += eviction.records.length;
    this.#storageDemandBelow = eviction.demandBelow;
    log.warn('storage-budget-used-up', { removed: eviction.records.length, bytesMax: config.budgets.storageBytes });
  }

  async #collect(): Promise<void> {
    const freed = await this.#shop.publisher.collect();
    if (freed.blobs > 0) this.#shop.log.info('blobs-collected', { ...freed });
  }

  #settleInvalidations(nowMs: number): void {
    const { invalidations, holdings, ledger, site } = this.#shop;
    for (const resource of invalidations.open) {
      const done = site.variations(resource, []).every(({ variation }) => holdings.variation(resource, variation).length > 0 || !ledger.mayTry(targetId(resource, variation), nowMs));
      if (done) invalidations.settle(resource);
    }
  }

  #budgetState(): GeneratorStatus['budget'] {
    const state = this.#budget.state();
    return state.pause === undefined && this.#shop.publisher.resting ? { ...state, pause: 'storage-failed', ratePerSecond: 0 } : state;
  }
}

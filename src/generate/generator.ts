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
import { demandedMax, targetId, type Outlook } from './candidates.ts';
import { releaseCompanions } from './accept.ts';
import { Companions } from './companions.ts';
import { coverageOf, type Coverage } from './coverage.ts';
import { Curator, type Archive } from './curator/index.ts';
import { Discoverer } from './discover.ts';
import { DiscoveryRounds } from './discovery-rounds.ts';
import { chooseEvictions } from './evict.ts';
import { Encoder, isWorthCoding } from './encode.ts';
import { Executor } from './executor.ts';
import type { FeedState, FeedValue, ValueOutlook } from './feeds/index.ts';
import { createFetcher, type Fetcher } from './fetch.ts';
import { Fidelity } from './fidelity.ts';
import { FirstAsked } from './first-asked.ts';
import { Frontier } from './frontier.ts';
import { Holdings } from './holdings.ts';
import { Holds } from './holds.ts';
import { CaptureQueue, takeInvalidation, takeRefusal, type BodyOf } from './intake.ts';
import { Levers } from './levers.ts';
import { emptyMemory, writeMemory, type Memory } from './memory.ts';
import { usualPace, type Pace } from './pace.ts';
import type { PlanJournal } from './plan/index.ts';
import { Planning } from './planning.ts';
import { Publisher, type CatalogWriter } from './publisher.ts';
import { chooseSample, sampleEveryMs } from './sample.ts';
import { Schedule } from './schedule.ts';
import { Site } from './site.ts';
import { LiveSlots, type HeardTimes } from './slots/index.ts';
import { describe, type GeneratorStatus } from './status.ts';
import { Invalidations, Tally, type Workshop } from './workshop.ts';

export interface GeneratorParts {
  readonly config: Config;
  readonly outlook: Outlook;
  /** What feeds will say next; without it nothing is prepared before it comes. */
  readonly values?: ValueOutlook | undefined;
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

const collectEveryMs = 600_000;
/** How often it is looked whether this process gets its turn. */
const lagEveryMs = 50;
/** Changed fillings are published at most this often. */
const fillEveryMs = 200;

export class Generator {
  /** What an operator can set. */
  readonly levers: Levers;
  readonly #parts: GeneratorParts;
  readonly #shop: Workshop;
  readonly #slots: LiveSlots;
  readonly #budget: Budget;
  readonly #captures: CaptureQueue;
  readonly #rounds: DiscoveryRounds;
  readonly #executor: Executor;
  readonly #planning: Planning;
  readonly #schedule: Schedule;
  readonly #pace: Pace;
  #fetcher: Fetcher;
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
      config, clock, log, random: parts.random ?? seededRandom(freshSeed()), schedule: this.#schedule, fillings: parts.fillings ?? [], feeds, values: parts.values,
      shares: (resource) => parts.outlook.variationShares(clock.nowMs(), resource),
      fill: (filling) => { this.#shop.publisher.fill(filling); }, unfill: (id) => { this.#shop.publisher.unfill(id); },
      onReady: () => { this.#schedule.track(() => this.#shop.publisher.publishFillings(fillEveryMs)); },
      unpublishedFeeds: () => this.#shop.publisher.unpublishedFeeds(), onHeard: (heard) => parts.onHeard?.(heard),
    });
    const companions = new Companions();
    const publisher = new Publisher({
      catalog: parts.catalog, blobs: parts.blobs, holdings, clock, log, slots: this.#slots, onPublished: parts.onPublished, renewalsMs: this.#pace.renewalsMs, waiting: () => companions.bodies(),
    });
    this.#shop = {
      site, config, clock, log, holdings, frontier, companions, publisher, blobs: parts.blobs,
      ledger, changes, history, fidelity: new Fidelity(), invalidations: new Invalidations(), holds: new Holds(() => parts.catalog.rules(), clock), tally: new Tally(),
      encoder: new Encoder({
        blobs: parts.blobs, holdings, publisher, schedule: this.#schedule, clock, log, site: () => this.#shop.site, codings: () => this.#shop.config.generate.codings,
        wanted: (record) => isWorthCoding(record, frontier, this.#planning.demand),
      }),
      discoverer: new Discoverer({ fetcher: (request) => this.#fetcher(request), pay: (fetch) => this.#rounds.pay(fetch), frontier, clock, log }, site, config.generate.userAgent),
    };
    this.#executor = new Executor({ shop: this.#shop, budget: this.#budget, schedule: this.#schedule, fetcher: (request) => this.#fetcher(request) });
    this.#captures = new CaptureQueue(this.#shop, parts.bodyOf, this.#schedule, passing);
    this.#planning = new Planning({
      shop: this.#shop, outlook: parts.outlook, budget: this.#budget, firstAsked: new FirstAsked(this.#pace.passiveFirstMs), planMs: this.#pace.planMs,
      inFlight: this.#executor.inFlight, captured: () => this.#captures.seen,
    });
    for (const [resource] of holdings.byResource()) this.#slots.want(resource);
  }

  start(): void {
    this.#slots.start();
    this.#rounds.run(this.#shop.discoverer, () => this.#shop.config.generate.discover, () => { this.#planNow(); });
    this.#schedule.every(() => this.#planNow(), () => this.#planning.everyMs);
    this.#schedule.every(() => {
      releaseCompanions(this.#shop);
      return this.#shop.publisher.publishDue();
    }, () => this.#pace.publishMs);
    this.#schedule.every(() => { this.#sample(); }, () => sampleEveryMs, sampleEveryMs);
    this.#schedule.every(() => this.#shop.publisher.publishFillings(fillEveryMs), () => fillEveryMs);
    this.#watchLag();
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
      shop: this.#shop, slots: this.#slots, budget: this.#budgetState(), plan: this.#planning.newest, left: this.#planning.left, planDurationMs: this.#planning.durationMs, queued: this.#executor.queued,
      capturesDropped: this.#captures.dropped, discovery: this.#rounds.last,
    });
  }

  /** The last plans. */
  get plans(): PlanJournal {
    return this.#planning.journal;
  }

  /** The operator's eye and hand on what there is. */
  curate(archive: Archive): Curator {
    return new Curator({
      shop: this.#shop, archive, blobs: this.#parts.blobs, perMinute: (resource) => this.#planning.demand.get(resource) ?? 0, heardMs: (feed) => this.#slots.value(feed)?.heardMs,
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

  #watchLag(): void {
    const dueMs = this.#parts.clock.monotonicMs() + lagEveryMs;
    this.#schedule.after(lagEveryMs, () => {
      this.#budget.own.late(Math.max(0, this.#parts.clock.monotonicMs() - dueMs));
      this.#watchLag();
    });
  }

  #planNow(): void {
    if (this.#budget.pause() !== undefined || this.#shop.publisher.resting) {
      this.#executor.clear();
      return;
    }
    const { number, jobs } = this.#planning.plan();
    this.#executor.take(number, jobs);
  }

  /** A copy is fetched once more now and then, out of turn, to see whether it still shows what the origin does; never while planned ones wait. */
  #sample(): void {
    const { holdings, config, publisher, companions } = this.#shop;
    if (!config.generate.fidelity || this.#budget.pause() !== undefined || publisher.resting || this.#executor.queued > 0) return;
    const record = chooseSample(holdings, this.#planning.demand, ++this.#samples);
    if (record && !companions.targets().has(targetId(record.resource, record.variation))) this.#executor.doNow({ resource: record.resource, variation: record.variation, varied: record.vary, kind: 'refresh', afresh: true });
  }

  #evict(): void {
    this.#slots.makeRoom(this.#planning.demand);
    const { holdings, config, publisher, tally, log } = this.#shop;
    if (holdings.bytes <= config.budgets.storageBytes) return;
    const eviction = chooseEvictions(holdings.all(), this.#planning.demand, holdings.bytes, config.budgets.storageBytes);
    for (const record of eviction.records) publisher.remove(record);
    tally.evicted += eviction.records.length;
    this.#planning.storageDemandBelow = eviction.demandBelow;
    log.warn('storage-budget-used-up', { removed: eviction.records.length, bytesMax: config.budgets.storageBytes });
  }

  async #collect(): Promise<void> {
    const freed = await this.#shop.publisher.collect();
    if (freed.blobs > 0) this.#shop.log.info('blobs-collected', { ...freed });
  }

  #budgetState(): GeneratorStatus['budget'] {
    const state = this.#budget.state();
    return state.pause === undefined && this.#shop.publisher.resting ? { ...state, pause: 'storage-failed', ratePerSecond: 0 } : state;
  }
}

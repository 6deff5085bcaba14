/**
 * How much the generator may ask of the origin right now. Never more than configured, over any second; less while the origin slows down;
 * nothing while it is unwell. Three things hold it back, each enough alone:
 * - people's latency, as edges report it: additive increase, multiplicative decrease (Chiu & Jain 1989);
 * - the wait its own requests meet (`own-latency.ts`): beside people's r requests a second that wait x times as long as they are served, g more
 *   lengthen everybody's time by about x·g/r (exact for one server, more for several), so g ≤ `gentlePart` · r / x (`beside-people.ts`); concurrency falls first;
 * - own failures and own slow requests: a rest, longer each time.
 * Refreshes are also held to a share of the origin's requests; first copies are not, because a missing copy is an error page in an outage.
 * Clocked, without timers and I/O: the caller asks, and reports what became of it. Long because its rules bind each other and are read together.
 */
import type { Clock } from '../kernel/index.ts';
import { gentleRate, latencyVerdict, slower, type OriginCondition } from './beside-people.ts';
import { OwnLatency } from './own-latency.ts';
import { RecentStarts } from './recent-starts.ts';
import { Surge } from './surge.ts';
import { burst, TokenBucket } from './token-bucket.ts';

export type { OriginCondition };

export interface BudgetLimits {
  readonly originRequestsPerSecond: number;
  readonly originShare: number;
  readonly generateConcurrency: number;
}

/** What a request is for; see `tryTake`. */
export type Kind = 'wanted' | 'first' | 'refresh';

/** Why nothing may be asked now. */
export type Pause = 'origin-strained' | 'origin-failing' | 'origin-down' | 'origin-recovering' | 'own-failures' | 'own-latency' | 'paused';

export interface BudgetState {
  readonly ratePerSecond: number;
  readonly limitPerSecond: number;
  readonly inUse: number;
  readonly concurrency: number;
  readonly pause: Pause | undefined;
  /** Widened because a failure is expected, or an operator asked. */
  readonly surge: boolean;
  /** Time own requests waited at the origin over the time they were served. */
  readonly wait: number;
}

/** A report older than this says nothing any more: the edge is gone or cut off. */
export const reportValidMs = 5000;
/**
 * While recovering, generation runs at a quarter once shadows carry no more than this share. Before that it rests, and after a
 * while makes one request at a time, at the trickle: without visitors the share has no reason to fall, and copies are missing.
 */
const recoveringShareMax = 0.5;
const recoveringFactor = 0.25;
const recoveringRestMs = 15_000;
const adjustEveryMs = 1000;
/** The rate begins at this part of the limit: what is usual is to be seen before much is asked. */
const startPart = 0.25;
const decrease = 0.7;
const mildDecrease = 0.85;
const increase = 0.1;
/** Never backed off below this part of the limit, nor, while requests wait, below this part of people's: a trickle keeps measuring. */
const floorPart = 0.05;
const floorPeoplePart = 0.001;
const floorPerSecond = 0.2;
/** Waits up to this are short enough for the whole trickle. */
const trickleWaitMs = 10;
/** From this wait on one request at a time. */
const oneAtATimeWait = 0.3;
const wantedOneAtATimeWait = 2;
/** Of people's rate over the wait, what first copies of what they will ask for may add: a twentieth of their latency, where waits are as in one queue. */
const wantedPart = 0.05;
/** Own failures in a row before resting; first rest, longest rest. */
const failuresMax = 3;
const restMs = 2000;
const restMaxMs = 60_000;
const slowRestMs = 1000;
const slowRestMaxMs = 30_000;
/** Refreshes a second that are always allowed: a site nobody visits at night still has copies by morning. */
const refreshFloorPerSecond = 0.2;
/** A surge doubles the limit, and bears this latency beside the usual; half the limit while the origin is strained. */
const surgeFactor = 2;
const surgeBearsFactor = 3;
const surgeBearsMs = 100;
const surgeStrainedFactor = 0.5;

export class Budget {
  readonly #clock: Clock;
  readonly #own = new OwnLatency();
  readonly #surge = new Surge();
  readonly #starts = new RecentStarts();
  #limits: BudgetLimits;
  #rate: number;
  /** Of requests for copies people are expected to ask for, as long as nothing says that the origin suffers. */
  #wantedRate: number;
  readonly #any: TokenBucket;
  readonly #wanted: TokenBucket;
  readonly #refresh = new TokenBucket(1);
  #refilledMs: number;
  #adjustedMs: number;
  #inUse = 0;
  #condition: OriginCondition | undefined;
  #failuresInRow = 0;
  #slowRests = 0;
  #restUntilMs = 0;
  #slowRestUntilMs = 0;
  #paused = false;

  constructor(limits: BudgetLimits, clock: Clock) {
    this.#clock = clock;
    this.#limits = limits;
    this.#rate = limits.originRequestsPerSecond * startPart;
    this.#wantedRate = limits.originRequestsPerSecond;
    this.#any = new TokenBucket(burst(this.#rate));
    this.#wanted = new TokenBucket(burst(this.#rate));
    this.#refilledMs = clock.monotonicMs();
    this.#adjustedMs = this.#refilledMs;
  }

  /** Takes new limits at once; a rate that had backed off keeps its proportion. */
  configure(limits: BudgetLimits): void {
    const part = this.#limits.originRequestsPerSecond > 0 ? this.#rate / this.#limits.originRequestsPerSecond : 1;
    this.#limits = limits;
    this.#rate = limits.originRequestsPerSecond * part;
    this.#wantedRate = limits.originRequestsPerSecond * part;
    for (const bucket of [this.#any, this.#wanted]) bucket.bound(this.#rate);
  }

  /** An operator's stop. */
  setPaused(paused: boolean): void {
    this.#paused = paused;
  }

  /** An operator's word that a failure is coming; epoch ms. */
  surge(untilMs: number): void {
    this.#surge.ask(this.#clock.monotonicMs() + untilMs - this.#clock.nowMs());
  }

  observeOrigin(condition: OriginCondition): void {
    this.#condition = condition;
    this.#surge.expect(condition.failureExpected, this.#clock.monotonicMs() + reportValidMs);
  }

  pause(): Pause | undefined {
    if (this.#paused) return 'paused';
    const condition = this.#current();
    if (condition) {
      const { state, sinceMs } = condition.view;
      if (state === 'strained' && !this.surging) return 'origin-strained';
      if (state === 'failing') return 'origin-failing';
      if (state === 'down') return 'origin-down';
      if (this.#recovering() === 'early' && this.#clock.nowMs() - sinceMs < recoveringRestMs) return 'origin-recovering';
    }
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#restUntilMs) return 'own-failures';
    return this.#isOwnStrain(nowMs) ? 'own-latency' : undefined;
  }

  /** Whether the budget is widened now: never while people wait longer than a surge is worth. */
  get surging(): boolean {
    const condition = this.#current();
    if (this.#paused || condition?.view.state === 'failing' || condition?.view.state === 'down' || condition?.view.state === 'recovering') return false;
    return !slower(condition, surgeBearsFactor, surgeBearsMs) && this.#surge.isOn(this.#clock.monotonicMs());
  }

  /**
   * Takes one request's worth, or says no. Every yes is given back with `finish`. `wanted`: the first copy of what people are expected to ask for, without
   * which they get an error page in an outage; each is asked for once, so that it is no lasting load. `first`: of what nobody has asked for.
   */
  tryTake(kind: Kind): boolean {
    if (this.pause() !== undefined || this.#inUse >= this.#concurrency(kind)) return false;
    this.#refill();
    const surging = this.surging;
    const bucket = kind === 'wanted' ? this.#wanted : this.#any;
    if (bucket.isEmpty || (kind === 'refresh' && this.#refresh.isEmpty && !surging)) return false;
    const nowMs = this.#clock.monotonicMs();
    if (!this.#starts.add(nowMs, this.#limit())) return false;
    this.#any.take();
    if (kind === 'wanted') this.#wanted.take();
    if (kind === 'refresh' && !surging) this.#refresh.take();
    this.#inUse++;
    this.#own.started(nowMs);
    return true;
  }

  /** What became of a request for something of a section: its latency, or that the origin failed it; `undefined` says nothing of the origin. */
  finish(outcome: { readonly latencyMs: number } | 'failed' | undefined, section = ''): void {
    this.#inUse--;
    const nowMs = this.#clock.monotonicMs();
    this.#own.ended(nowMs, section, typeof outcome === 'object' ? outcome.latencyMs : undefined);
    if (outcome === undefined) return;
    if (outcome === 'failed') {
      this.#failuresInRow++;
      if (this.#failuresInRow < failuresMax) return;
      const doublings = Math.min(10, this.#failuresInRow - failuresMax);
      this.#restUntilMs = nowMs + Math.min(restMaxMs, restMs * 2 ** doublings);
      this.#rate = Math.max(this.#floor(), this.#rate * decrease);
      return;
    }
    this.#failuresInRow = 0;
    if (!this.#own.isStrained(nowMs) && nowMs >= this.#slowRestUntilMs) this.#slowRests = 0;
  }

  /** What own requests tell of the origin. */
  get own(): Pick<OwnLatency, 'late' | 'effort'> {
    return this.#own;
  }

  /** How many requests may begin within the next `spanMs`, roughly: what is worth planning. Not all may be for what nobody has asked for. */
  capacity(spanMs: number): number {
    if (this.pause() !== undefined) return 0;
    this.#refill();
    return Math.max(0, Math.floor(Math.max(this.#any.tokens + (this.#effectiveRate() * spanMs) / 1000, this.#wanted.tokens + (this.#firstsRate() * spanMs) / 1000)));
  }

  /** How many of these may renew copies. */
  refreshCapacity(spanMs: number): number {
    if (this.surging) return this.capacity(spanMs);
    if (this.pause() !== undefined) return 0;
    this.#refill();
    return Math.max(0, Math.floor(this.#refresh.tokens + (Math.min(this.#effectiveRate(), this.#refreshRate()) * spanMs) / 1000));
  }

  state(): BudgetState {
    const pause = this.pause();
    return {
      ratePerSecond: pause === undefined ? this.#effectiveRate() : 0, limitPerSecond: this.#limits.originRequestsPerSecond,
      inUse: this.#inUse, concurrency: this.#concurrency('first'), pause, surge: this.surging, wait: this.#wait(),
    };
  }

  #current(): OriginCondition | undefined {
    const condition = this.#condition;
    return condition && this.#clock.nowMs() - condition.atMs <= reportValidMs ? condition : undefined;
  }

  /** Never above it, over any second. */
  #limit(): number {
    return this.#limits.originRequestsPerSecond * (this.surging ? surgeFactor : 1);
  }

  #wait(): number {
    return this.#own.wait(this.#current()?.latencyP95Ms);
  }

  #floor(): number {
    const { originRequestsPerSecond } = this.#limits;
    const people = this.#current()?.requestsPerSecond ?? 0;
    const trickle = originRequestsPerSecond * floorPart;
    return people > 0 && this.#own.waitMs(this.#current()?.latencyP95Ms) > trickleWaitMs ? Math.min(trickle, Math.max(floorPerSecond, people * floorPeoplePart)) : trickle;
  }

  #effectiveRate(): number {
    const recovering = this.#recovering();
    if (recovering === 'early') return Math.min(this.#rate, this.#floor());
    if (recovering === 'late') return Math.min(this.#rate, this.#limits.originRequestsPerSecond * recoveringFactor);
    if (this.surging) return this.#limit() * (this.#current()?.view.state === 'strained' ? surgeStrainedFactor / surgeFactor : 1);
    return Math.min(this.#rate, Math.max(this.#floor(), gentleRate(this.#current()?.requestsPerSecond ?? 0, this.#wait(), this.#limits.originRequestsPerSecond)));
  }

  /** First copies of what is wanted: as long as requests wait less than they are served, it is the operator's limit that counts. */
  #firstsRate(): number {
    if (this.#recovering() !== undefined || this.surging) return this.#effectiveRate();
    const wait = this.#wait();
    const people = this.#current()?.requestsPerSecond ?? 0;
    const bearable = wait > 0 && people > 0 ? (wantedPart * people) / wait : Number.POSITIVE_INFINITY;
    return Math.max(this.#effectiveRate(), Math.min(this.#wantedRate, bearable));
  }

  #recovering(): 'early' | 'late' | undefined {
    const view = this.#current()?.view;
    if (view?.state !== 'recovering') return undefined;
    return view.share > recoveringShareMax ? 'early' : 'late';
  }

  /** After failures and slow answers, and early in recovery, one request at a time tries the origin; the longer they wait, the fewer at once. */
  #concurrency(kind: Kind): number {
    if (this.#failuresInRow >= failuresMax || this.#slowRests > 0 || this.#recovering() === 'early') return 1;
    const { generateConcurrency } = this.#limits;
    return this.surging ? generateConcurrency : Math.max(1, Math.floor(generateConcurrency * (1 - this.#wait() / (kind === 'wanted' ? wantedOneAtATimeWait : oneAtATimeWait))));
  }

  /** Begins a rest when own requests are slow, and ends it; while one is under way for too long it goes on. */
  #isOwnStrain(nowMs: number): boolean {
    if (nowMs < this.#slowRestUntilMs) return true;
    if (!this.#own.isStrained(nowMs)) return false;
    this.#slowRestUntilMs = nowMs + Math.min(slowRestMaxMs, slowRestMs * 2 ** Math.min(10, this.#slowRests));
    this.#slowRests++;
    this.#own.rested();
    this.#rate = Math.max(this.#floor(), this.#rate * decrease);
    return true;
  }

  #refill(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#adjustedMs >= adjustEveryMs) this.#adjust(nowMs);
    const seconds = (nowMs - this.#refilledMs) / 1000;
    this.#refilledMs = nowMs;
    const rate = this.#effectiveRate();
    this.#any.refill(rate, seconds);
    this.#wanted.refill(this.#firstsRate(), seconds);
    this.#refresh.refill(Math.min(rate, this.#refreshRate()), seconds);
  }

  /** With people's rate h and refreshes r at the origin, r / (h + r) ≤ share gives r ≤ h · share / (1 − share). */
  #refreshRate(): number {
    const { originShare, originRequestsPerSecond } = this.#limits;
    if (originShare >= 1) return originRequestsPerSecond;
    const people = this.#current()?.requestsPerSecond ?? 0;
    return Math.max(refreshFloorPerSecond, (people * originShare) / (1 - originShare));
  }

  #adjust(nowMs: number): void {
    this.#adjustedMs = nowMs;
    const condition = this.#current();
    const limit = this.#limits.originRequestsPerSecond;
    const verdict = latencyVerdict(condition);
    const factor = verdict === 'congested' ? decrease : verdict === 'slightly' ? mildDecrease : undefined;
    this.#rate = factor === undefined ? Math.min(limit, this.#rate + limit * increase) : Math.max(this.#floor(), this.#rate * factor);
    this.#wantedRate = verdict === 'congested' ? Math.max(this.#floor(), this.#wantedRate * decrease) : Math.min(limit, this.#wantedRate + limit * increase);
  }
}

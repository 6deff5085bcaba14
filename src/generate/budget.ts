/**
 * How much the generator may ask of the origin right now. Never more than configured; less while the origin slows down;
 * nothing while it is unwell. Additive increase, multiplicative decrease (Chiu & Jain 1989) on latency relative to what is
 * usual, both people's (reported by edges) and the generator's own. Refreshes are also held to a share of the origin's
 * requests; first copies are not, because a missing copy is an error page in an outage.
 * Clocked, without timers and I/O: the caller asks, and reports what became of it.
 */
import type { Clock } from '../kernel/index.ts';

/** What an edge says of the origin; a subset of the bus's report. */
export interface OriginCondition {
  readonly atMs: number;
  readonly view: { readonly state: 'healthy' | 'strained' | 'failing' | 'down' | 'recovering'; readonly share: number; readonly sinceMs: number };
  readonly latencyP95Ms: number | undefined;
  readonly usualP95Ms: number | undefined;
  readonly requestsPerSecond: number;
}

export interface BudgetLimits {
  readonly originRequestsPerSecond: number;
  readonly originShare: number;
  readonly generateConcurrency: number;
}

/** Why nothing may be asked now. */
export type Pause = 'origin-strained' | 'origin-failing' | 'origin-down' | 'origin-recovering' | 'own-failures' | 'paused';

export interface BudgetState {
  readonly ratePerSecond: number;
  readonly limitPerSecond: number;
  readonly inUse: number;
  readonly concurrency: number;
  readonly pause: Pause | undefined;
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
const decrease = 0.7;
const increase = 0.1;
/** Never backed off below this part of the limit: a trickle keeps measuring. */
const floorPart = 0.05;
/** Congested when latency exceeds twice the usual and 50 ms on top: jitter of fast origins is no congestion. */
const congestedFactor = 2;
const congestedMarginMs = 50;
/** Own failures in a row before resting, first rest, longest rest. */
const failuresMax = 3;
const restMs = 2000;
const restMaxMs = 60_000;
/** Refreshes a second that are always allowed: a site nobody visits at night still has copies by morning. */
const refreshFloorPerSecond = 0.2;

export class Budget {
  readonly #clock: Clock;
  #limits: BudgetLimits;
  #rate: number;
  #tokens: number;
  #refreshTokens: number;
  #refilledMs: number;
  #adjustedMs: number;
  #inUse = 0;
  #condition: OriginCondition | undefined;
  #latencySumMs = 0;
  #latencies = 0;
  #usualMs: number | undefined;
  #failuresInRow = 0;
  #restUntilMs = 0;
  #paused = false;

  constructor(limits: BudgetLimits, clock: Clock) {
    this.#clock = clock;
    this.#limits = limits;
    this.#rate = limits.originRequestsPerSecond;
    this.#tokens = burst(limits.originRequestsPerSecond);
    this.#refreshTokens = 1;
    this.#refilledMs = clock.monotonicMs();
    this.#adjustedMs = this.#refilledMs;
  }

  /** Takes new limits at once; a rate that had backed off keeps its proportion. */
  configure(limits: BudgetLimits): void {
    const part = this.#limits.originRequestsPerSecond > 0 ? this.#rate / this.#limits.originRequestsPerSecond : 1;
    this.#limits = limits;
    this.#rate = limits.originRequestsPerSecond * part;
    this.#tokens = Math.min(this.#tokens, burst(this.#rate));
  }

  /** An operator's stop. */
  setPaused(paused: boolean): void {
    this.#paused = paused;
  }

  observeOrigin(condition: OriginCondition): void {
    this.#condition = condition;
  }

  pause(): Pause | undefined {
    if (this.#paused) return 'paused';
    const condition = this.#current();
    if (condition) {
      const { state, sinceMs } = condition.view;
      if (state === 'strained') return 'origin-strained';
      if (state === 'failing') return 'origin-failing';
      if (state === 'down') return 'origin-down';
      if (this.#recovering() === 'early' && this.#clock.nowMs() - sinceMs < recoveringRestMs) return 'origin-recovering';
    }
    return this.#clock.monotonicMs() < this.#restUntilMs ? 'own-failures' : undefined;
  }

  /** Takes one request's worth, or says no. Every yes is given back with `finish`. */
  tryTake(kind: 'first' | 'refresh'): boolean {
    if (this.pause() !== undefined || this.#inUse >= this.#concurrency()) return false;
    this.#refill();
    if (this.#tokens < 1 || (kind === 'refresh' && this.#refreshTokens < 1)) return false;
    this.#tokens -= 1;
    if (kind === 'refresh') this.#refreshTokens -= 1;
    this.#inUse++;
    return true;
  }

  /** What became of a request: its latency, or that the origin failed it; `undefined` says nothing of the origin. */
  finish(outcome: { readonly latencyMs: number } | 'failed' | undefined): void {
    this.#inUse--;
    if (outcome === undefined) return;
    if (outcome === 'failed') {
      this.#failuresInRow++;
      if (this.#failuresInRow < failuresMax) return;
      const doublings = Math.min(10, this.#failuresInRow - failuresMax);
      this.#restUntilMs = this.#clock.monotonicMs() + Math.min(restMaxMs, restMs * 2 ** doublings);
      this.#rate = Math.max(this.#floor(), this.#rate * decrease);
      return;
    }
    this.#failuresInRow = 0;
    this.#latencySumMs += outcome.latencyMs;
    this.#latencies++;
  }

  /** How many requests may begin within the next `spanMs`, roughly: what is worth planning. */
  capacity(spanMs: number): number {
    if (this.pause() !== undefined) return 0;
    this.#refill();
    return Math.max(0, Math.floor(this.#tokens + (this.#effectiveRate() * spanMs) / 1000));
  }

  /** How many of these may renew copies. */
  refreshCapacity(spanMs: number): number {
    if (this.pause() !== undefined) return 0;
    this.#refill();
    return Math.max(0, Math.floor(this.#refreshTokens + (Math.min(this.#effectiveRate(), this.#refreshRate()) * spanMs) / 1000));
  }

  state(): BudgetState {
    return {
      ratePerSecond: this.pause() === undefined ? this.#effectiveRate() : 0,
      limitPerSecond: this.#limits.originRequestsPerSecond,
      inUse: this.#inUse, concurrency: this.#limits.generateConcurrency, pause: this.pause(),
    };
  }

  #current(): OriginCondition | undefined {
    const condition = this.#condition;
    return condition && this.#clock.nowMs() - condition.atMs <= reportValidMs ? condition : undefined;
  }

  #floor(): number {
    return this.#limits.originRequestsPerSecond * floorPart;
  }

  #effectiveRate(): number {
    const recovering = this.#recovering();
    if (recovering === undefined) return this.#rate;
    return Math.min(this.#rate, recovering === 'early' ? this.#floor() : this.#limits.originRequestsPerSecond * recoveringFactor);
  }

  #recovering(): 'early' | 'late' | undefined {
    const view = this.#current()?.view;
    if (view?.state !== 'recovering') return undefined;
    return view.share > recoveringShareMax ? 'early' : 'late';
  }

  /** After failures and early in recovery one request at a time tries the origin. */
  #concurrency(): number {
    return this.#failuresInRow >= failuresMax || this.#recovering() === 'early' ? 1 : this.#limits.generateConcurrency;
  }

  #refill(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#adjustedMs >= adjustEveryMs) this.#adjust(nowMs);
    const seconds = (nowMs - this.#refilledMs) / 1000;
    this.#refilledMs = nowMs;
    const rate = this.#effectiveRate();
    this.#tokens = Math.min(burst(rate), this.#tokens + rate * seconds);
    const refreshRate = Math.min(rate, this.#refreshRate());
    this.#refreshTokens = Math.min(burst(refreshRate), this.#refreshTokens + refreshRate * seconds);
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
    const own = this.#latencies > 0 ? this.#latencySumMs / this.#latencies : undefined;
    this.#latencySumMs = 0;
    this.#latencies = 0;
    const condition = this.#current();
    const slow = slower(condition?.latencyP95Ms, condition?.usualP95Ms) || slower(own, this.#usualMs);
    if (own !== undefined) {
      const weight = slow ? 0.01 : 0.1; // learns a lasting change, but not from the very congestion it looks for
      this.#usualMs = this.#usualMs === undefined ? own : this.#usualMs + weight * (own - this.#usualMs);
    }
    const limit = this.#limits.originRequestsPerSecond;
    this.#rate = slow ? Math.max(this.#floor(), this.#rate * decrease) : Math.min(limit, this.#rate + limit * increase);
  }
}

function slower(latencyMs: number | undefined, usualMs: number | undefined): boolean {
  return latencyMs !== undefined && usualMs !== undefined && latencyMs > usualMs * congestedFactor + congestedMarginMs;
}

/** A fifth of a second's worth, at least one: enough to be woken late, too little to be a thump. */
function burst(rate: number): number {
  return rate > 0 ? Math.max(1, rate / 5) : 0;
}

/**
 * What probes say, and when the next is due. A probe counts as good only when it is about as fast as usual; one that keeps
 * failing while people's requests are answered well is a broken probe and is not believed until it works again.
 */
import { LogHistogram } from './log-histogram.ts';
import type { AttemptOutcome, OriginAttempt } from './types.ts';

const probesToFail = 3;
const probesToConfirm = 2;
const eagerEveryMs = 250;
const usualWeight = 5;
const slowFactor = 5;
const slowMinMs = 250;
const disbelievedAfter = 3;
const contradictingAnswers = 21;
/** A good trial is worth this many good answers: three in a row outweigh the probe. */
const trialWorth = 7;
/** Where probes answer, but badly or slowly, a request is tried this often, in case only the probe is broken; and where they time out. */
const unhealthyTrialEveryMs = 10_000;
const timedOutTrialEveryMs = 60_000;
const trialEveryMs = 1000;

export class ProbeLog {
  readonly #intervalMs: number;
  readonly #timeoutMs: number;
  readonly #usual = new LogHistogram();
  #askedMs = Number.NEGATIVE_INFINITY;
  #answeredMs = Number.NEGATIVE_INFINITY;
  #failedInARow = 0;
  #unreachableInARow = 0;
  #failingSinceMs = Number.POSITIVE_INFINITY;
  #contradictions = 0;
  #believed = true;
  #lastGoodMs = Number.NEGATIVE_INFINITY;
  #lastSlowMs = Number.NEGATIVE_INFINITY;
  #lastBadMs = Number.NEGATIVE_INFINITY;
  #lastBad: AttemptOutcome = 'ok';

  constructor(intervalMs: number, timeoutMs: number) {
    this.#intervalMs = intervalMs;
    this.#timeoutMs = timeoutMs;
  }

  /** Why probes alone prove a failure; undefined while they do not. Where other signs are bad too fewer do, and one of an origin that was never seen well. */
  failureBecause(isDoubtful: boolean, isProven: boolean): string | undefined {
    const failed = this.#believed ? this.#failedInARow : 0;
    if (failed === 0 || (isProven && failed < (isDoubtful ? probesToConfirm : probesToFail))) return undefined;
    return failed === 1 ? 'the first probe failed' : `${failed} probes failed`;
  }

  get confirmUnreachable(): boolean {
    return this.unreachableInARow >= probesToConfirm;
  }

  /** Refused or unanswered, as opposed to answered badly. */
  get unreachableInARow(): number {
    return this.#believed ? this.#unreachableInARow : 0;
  }

  /** When the present row of failures began. */
  get failingSinceMs(): number {
    return this.#failingSinceMs;
  }

  get believed(): boolean {
    return this.#believed;
  }

  get lastGoodMs(): number {
    return this.#lastGoodMs;
  }

  /** How often, from what probes have said since then, a request may try the origin; a probe that is not believed has no say. */
  trialEveryMs(sinceMs: number): number {
    if (!this.#believed || (this.#lastGoodMs >= sinceMs && this.#lastGoodMs > this.#lastBadMs)) return trialEveryMs;
    if (this.#lastSlowMs >= sinceMs && this.#lastSlowMs > this.#lastBadMs) return unhealthyTrialEveryMs;
    if (this.#lastBadMs < sinceMs || this.#lastBad === 'refused') return Number.POSITIVE_INFINITY;
    return this.#lastBad === 'timeout' ? timedOutTrialEveryMs : unhealthyTrialEveryMs;
  }

  /** Whether to probe now; saying yes counts as having probed. `eager`: do not wait for the next turn. */
  take(nowMs: number, eager: boolean): boolean {
    const underWay = this.#askedMs > this.#answeredMs && nowMs - this.#askedMs < this.#timeoutMs + eagerEveryMs;
    if (underWay || nowMs - this.#askedMs < (eager ? Math.min(eagerEveryMs, this.#intervalMs) : this.#intervalMs)) return false;
    this.#askedMs = nowMs;
    return true;
  }

  observe(attempt: OriginAttempt, originWell: boolean): 'good' | 'slow' | 'bad' {
    this.#answeredMs = attempt.atMs;
    if (attempt.outcome !== 'ok') return this.#failed(attempt);
    this.#failedInARow = 0;
    this.#unreachableInARow = 0;
    this.#failingSinceMs = Number.POSITIVE_INFINITY;
    this.#contradictions = 0;
    this.#believed = true;
    const usualMs = this.#usual.total >= usualWeight ? this.#usual.quantile(0.95) : undefined;
    if (usualMs !== undefined && attempt.latencyMs > Math.max(slowMinMs, usualMs * slowFactor)) {
      this.#lastSlowMs = attempt.atMs;
      return 'slow';
    }
    if (originWell) this.#usual.add(attempt.latencyMs);
    this.#lastGoodMs = attempt.atMs;
    return 'good';
  }

  /** What is usual from now on. */
  relearn(latencies: LogHistogram): void {
    this.#usual.clear();
    this.#usual.merge(latencies);
  }

  /** A person's request was answered well. */
  contradicted(byTrial: boolean): void {
    if (this.#failedInARow === 0) return;
    this.#contradictions += byTrial ? trialWorth : 1;
    if (this.#failedInARow >= disbelievedAfter && this.#contradictions >= contradictingAnswers) this.#believed = false;
  }

  #failed(attempt: OriginAttempt): 'bad' {
    this.#lastBadMs = attempt.atMs;
    this.#lastBad = attempt.outcome;
    if (this.#failedInARow === 0) this.#failingSinceMs = attempt.atMs;
    this.#failedInARow++;
    this.#unreachableInARow = attempt.outcome === 'refused' || attempt.outcome === 'timeout' ? this.#unreachableInARow + 1 : 0;
    return 'bad';
  }
}

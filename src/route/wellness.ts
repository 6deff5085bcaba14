/**
 * The opposite test to suspicion: whether an origin that failed answers well again, and for long enough. Every return that
 * did not last doubles the time it must now hold, up to a minute; each quiet five minutes take one doubling back.
 */
import type { EvidenceWeights } from './suspicion.ts';

const holdMs = 3000; // one failed probe of 2 s fits in; an origin that is up for 2 s of every 4 never passes
const holdMaxMs = 60_000;
const setbacksMax = 5;
const forgetAfterMs = 300_000;
const goodNeeded = 3;
const trialsNeeded = 2;
/** The score of this many good answers is the most that is saved up: more, and a relapse would count too little. */
const goodSaved = 12;

export class Wellness {
  readonly #weights: EvidenceWeights;
  #score = 0;
  #sinceMs: number | undefined;
  #goodTrials = 0;
  #goodAnswers = 0;
  #setbacks = 0;
  #remembersMs = 0;

  constructor(weights: EvidenceWeights) {
    this.#weights = weights;
  }

  /** When the present run of good answers began. */
  get sinceMs(): number | undefined {
    return this.#sinceMs;
  }

  get holdMs(): number {
    return Math.min(holdMaxMs, holdMs * 2 ** this.#setbacks);
  }

  /** A good probe, or (`real`) a good answer to a person's request. */
  good(nowMs: number, real: boolean): void {
    this.#sinceMs ??= nowMs;
    this.#goodAnswers++;
    if (real) this.#goodTrials++;
    this.#score = Math.min(this.#weights.good * goodSaved, this.#score + this.#weights.good);
  }

  bad(nowMs: number): void {
    if (this.#sinceMs === undefined) return;
    this.#score -= this.#weights.bad;
    if (this.#score > 0) return;
    if (this.#goodAnswers >= 2) this.setback(nowMs);
    this.restart();
  }

  restart(): void {
    this.#score = 0;
    this.#sinceMs = undefined;
    this.#goodTrials = 0;
    this.#goodAnswers = 0;
  }

  /** A return that did not last. */
  setback(nowMs: number): void {
    this.#setbacks = Math.min(setbacksMax, this.#setbacks + 1);
    this.#remembersMs = nowMs;
  }

  /** Called while the origin is well. */
  forget(nowMs: number): void {
    if (this.#setbacks === 0 || nowMs - this.#remembersMs < forgetAfterMs) return;
    this.#setbacks--;
    this.#remembersMs = nowMs;
  }

  /**
   * `triedMs`: when a person's request last tried the origin. Where none has for as long as must be held, for want of visitors,
   * probes must do; unless they must not. One visitor at night is not waited for until the next.
   */
  ready(nowMs: number, triedMs: number, trialsOnly: boolean): boolean {
    if (this.#sinceMs === undefined || nowMs - this.#sinceMs < this.holdMs) return false;
    if (this.#score < this.#weights.good * goodNeeded * 0.99) return false;
    return (!trialsOnly && nowMs - Math.max(triedMs, this.#sinceMs) >= this.holdMs) || this.#goodTrials >= trialsNeeded;
  }

  /** The shortest time until `ready` can be. */
  remainingMs(nowMs: number): number {
    return this.#sinceMs === undefined ? this.holdMs : Math.max(0, this.holdMs - (nowMs - this.#sinceMs));
  }
}

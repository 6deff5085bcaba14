/**
 * What Foreshadow is compared with: planners that, each minute, refresh the resources of highest score among those whose copy
 * would be too old at the end of an outage that starts now. They differ in the score alone: recent popularity, an
 * exponentially weighted rate of one hour, the mean rate of the hours around the outage (semi-clairvoyant), and the very
 * requests of the outage (clairvoyant).
 */
import { largest } from '../selection.ts';
import { Copies } from './copies.ts';
import type { Timeline } from './timeline.ts';
import { SlidingCounts } from './timeline.ts';
import type { TraceMinute } from './hour-bucket.ts';
import { isDemand } from './hour-bucket.ts';

export const rivalNames = ['passive', 'popular', 'ewma', 'semiClairvoyant', 'clairvoyant'] as const;
export type RivalName = (typeof rivalNames)[number];

/** Minutes that the rivals look back and ahead. */
export function reachOf(outageMin: number): { readonly behind: number; readonly ahead: number } {
  return { behind: 121, ahead: outageMin + 121 };
}

/** The rivals' scores of one minute, by resource. */
export class RivalScores {
  readonly #popular = new SlidingCounts(-29, 0);
  readonly #hoursBefore = new SlidingCounts(-119, 0);
  readonly #hoursAfter: SlidingCounts;
  readonly #outage: SlidingCounts;
  #ewma = new Float64Array(0);
  #around = new Float64Array(0);

  constructor(outageMin: number) {
    this.#outage = new SlidingCounts(1, outageMin);
    this.#hoursAfter = new SlidingCounts(outageMin + 1, outageMin + 120);
  }

  /** Scores as of the end of `minute`. */
  moveTo(minute: number, timeline: Timeline, keys: number): void {
    for (const counts of [this.#popular, this.#hoursBefore, this.#hoursAfter, this.#outage]) counts.moveTo(minute, timeline, keys);
    if (this.#ewma.length < keys) {
      const wider = new Float64Array(Math.max(keys, this.#ewma.length * 2));
      wider.set(this.#ewma);
      this.#ewma = wider;
      this.#around = new Float64Array(wider.length);
    }
    const kept = Math.exp(-1 / 60);
    for (let i = 0; i < keys; i++) this.#ewma[i] = (this.#ewma[i] ?? 0) * kept;
    addDemand(this.#ewma, timeline.at(minute));
    for (let i = 0; i < keys; i++) this.#around[i] = (this.#hoursBefore.counts[i] ?? 0) + (this.#hoursAfter.counts[i] ?? 0);
  }

  of(rival: RivalName): Float64Array | undefined {
    switch (rival) {
      case 'passive': return undefined;
      case 'popular': return this.#popular.counts;
      case 'ewma': return this.#ewma;
      case 'semiClairvoyant': return this.#around;
      case 'clairvoyant': return this.#outage.counts;
    }
  }
}

function addDemand(scores: Float64Array, minute: TraceMinute | undefined): void {
  if (!minute) return;
  for (let i = 0; i < minute.resource.length; i++) {
    const key = minute.resource[i] ?? 0;
    if (((minute.flags[i] ?? 0) & isDemand) !== 0) scores[key] = (scores[key] ?? 0) + 1;
  }
}

/** A rival's copies, and its refreshing of them. */
export class Rival {
  readonly name: RivalName;
  readonly copies = new Copies();
  #keys = new Int32Array(0);
  #scores = new Float64Array(0);

  constructor(name: RivalName) {
    this.name = name;
  }

  refresh(scores: Float64Array | undefined, atMs: number, keys: number, budget: number, tooOldMs: number): void {
    if (!scores) return;
    if (this.#keys.length < keys) {
      this.#keys = new Int32Array(keys * 2);
      this.#scores = new Float64Array(keys * 2);
    }
    const eligible = this.#keys;
    const own = this.#scores;
    const madeMs = this.copies.madeMs;
    let length = 0;
    for (let key = 0; key < keys; key++) {
      const score = scores[key] ?? 0;
      // Below this an exponentially weighted score is a key nobody has asked for in half a day.
      if (!(score > 1e-6) || atMs - (madeMs[key] ?? 0) <= tooOldMs) continue;
      eligible[length] = key;
      own[length++] = score;
    }
    for (const place of largest(own, length, budget)) this.copies.refresh(eligible[place] ?? 0, atMs);
  }
}

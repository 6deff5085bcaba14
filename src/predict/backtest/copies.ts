/**
 * The copies one policy has, and what they are worth in an outage: when each resource's copy was made, and whether by a
 * refresh or by a request that passed.
 */
import type { TraceMinute } from './hour-bucket.ts';
import { captures, isDemand } from './hour-bucket.ts';

const minuteMs = 60_000;
/** Ages in whole minutes up to a day, and a last bin for older. */
const ageBins = 1441;

/** What became of the requests of one outage under one policy. */
export interface OutageScore {
  requests: number;
  /** Answered by a copy young enough. */
  covered: number;
  /** Of these, by a copy that a refresh had made. */
  byRefresh: number;
  /** Answered by a copy of any age. */
  answered: number;
}

export class Copies {
  /** When each resource's copy was made, epoch ms; −Infinity for none. */
  madeMs = new Float64Array(0);
  #byRefresh = new Uint8Array(0);
  /** Of all scored requests that had a copy: how many had one of so many minutes. */
  readonly ages = new Float64Array(ageBins);

  grow(keys: number): void {
    if (this.madeMs.length >= keys) return;
    const capacity = Math.max(1024, keys, this.madeMs.length * 2);
    const madeMs = new Float64Array(capacity).fill(-Infinity);
    madeMs.set(this.madeMs);
    this.madeMs = madeMs;
    const byRefresh = new Uint8Array(capacity);
    byRefresh.set(this.#byRefresh);
    this.#byRefresh = byRefresh;
  }

  /** Requests that pass renew what they get. */
  capture(minute: TraceMinute): void {
    for (let i = 0; i < minute.resource.length; i++) {
      if (((minute.flags[i] ?? 0) & captures) !== 0) this.#made(minute.resource[i] ?? 0, minute.timeMs[i] ?? 0, 0);
    }
  }

  refresh(key: number, atMs: number): void {
    this.#made(key, atMs, 1);
  }

  /** Adds to `score` what copies as they are now would have done for these requests, had the origin been down. */
  score(minute: TraceMinute, freshForMs: number, score: OutageScore): void {
    for (let i = 0; i < minute.resource.length; i++) {
      if (((minute.flags[i] ?? 0) & isDemand) === 0) continue;
      const key = minute.resource[i] ?? 0;
      const ageMs = (minute.timeMs[i] ?? 0) - (this.madeMs[key] ?? -Infinity);
      score.requests++;
      if (ageMs === Infinity) continue;
      score.answered++;
      const bin = Math.min(ageBins - 1, Math.floor(ageMs / minuteMs));
      this.ages[bin] = (this.ages[bin] ?? 0) + 1;
      if (ageMs > freshForMs) continue;
      score.covered++;
      if (this.#byRefresh[key] === 1) score.byRefresh++;
    }
  }

  /** How many copies are at most so old. */
  youngerThan(ageMs: number, nowMs: number): number {
    let count = 0;
    for (let key = 0; key < this.madeMs.length; key++) if (nowMs - (this.madeMs[key] ?? -Infinity) <= ageMs) count++;
    return count;
  }

  /** Lets a copy go. */
  drop(key: number): void {
    this.madeMs[key] = -Infinity;
  }

  #made(key: number, atMs: number, byRefresh: number): void {
    if (atMs < (this.madeMs[key] ?? -Infinity)) return;
    this.madeMs[key] = atMs;
    this.#byRefresh[key] = byRefresh;
  }
}

/**
 * Why requests of the played outages found no copy young enough: of each the first reason below that fits. Counted for the whole, by hour of the
 * day, and for each resource, so that the report can name what was missed most.
 */
import type { Copies } from './copies.ts';
import type { TraceMinute } from './hour-bucket.ts';
import { isDemand } from './hour-bucket.ts';

export const missReasons = ['never-seen', 'seen-once', 'burst', 'too-rare', 'budget'] as const;
export type MissReason = (typeof missReasons)[number];

/** A burst: at least so many requests in the outage, and so many times what was expected. */
const burstLeast = 4;
const burstTimes = 5;

export interface MissedResource {
  readonly key: number;
  readonly missed: number;
  /** The most frequent reason. */
  readonly why: MissReason;
}

/** What is known at the start of an outage. */
export interface OutageStart {
  readonly copies: Copies;
  readonly freshForMs: number;
  readonly outageMin: number;
  /** Requests a minute expected of each resource. */
  readonly expected: Float64Array;
  /** The least requests a minute expected of a resource that was refreshed in the time a copy stays young. */
  readonly leastRefreshedPerMinute: number;
}

export class Misses {
  /** Requests of each resource so far, up to 2. */
  #seen = new Uint8Array(1024);
  /** Missed requests of each resource, one number a reason. */
  #missed = new Uint32Array(1024 * missReasons.length);
  readonly totals = new Float64Array(missReasons.length);

  /** Takes the requests of a minute that has ended. */
  endMinute(requests: TraceMinute): void {
    for (let i = 0; i < requests.resource.length; i++) {
      if (((requests.flags[i] ?? 0) & isDemand) === 0) continue;
      const key = requests.resource[i] ?? 0;
      if (key >= this.#seen.length) this.#grow(key + 1);
      if ((this.#seen[key] ?? 0) < 2) this.#seen[key] = (this.#seen[key] ?? 0) + 1;
    }
  }

  /** Takes the requests of an outage, as copies and forecasts were at its start. */
  outage(minutes: readonly TraceMinute[], start: OutageStart): void {
    const counts = new Map<number, number>();
    const missed = new Map<number, number>();
    for (const requests of minutes) {
      for (let i = 0; i < requests.resource.length; i++) {
        if (((requests.flags[i] ?? 0) & isDemand) === 0) continue;
        const key = requests.resource[i] ?? 0;
        counts.set(key, (counts.get(key) ?? 0) + 1);
        if ((requests.timeMs[i] ?? 0) - (start.copies.madeMs[key] ?? -Infinity) > start.freshForMs) missed.set(key, (missed.get(key) ?? 0) + 1);
      }
    }
    for (const [key, count] of missed) {
      if (key >= this.#seen.length) this.#grow(key + 1);
      const why = missReasons.indexOf(this.#why(key, counts.get(key) ?? 0, start));
      this.totals[why] = (this.totals[why] ?? 0) + count;
      const at = key * missReasons.length + why;
      this.#missed[at] = (this.#missed[at] ?? 0) + count;
    }
  }

  /** The resources most requests of which were missed, most first. */
  most(limit: number): MissedResource[] {
    const list: MissedResource[] = [];
    for (let key = 0; key < this.#seen.length; key++) {
      const own = this.#missed.subarray(key * missReasons.length, (key + 1) * missReasons.length);
      const missed = own.reduce((sum, count) => sum + count, 0);
      if (missed === 0 || (list.length >= limit && missed <= (list.at(-1)?.missed ?? 0))) continue;
      list.push({ key, missed, why: missReasons[own.indexOf(Math.max(...own))] ?? 'budget' });
      list.sort((a, b) => b.missed - a.missed || a.key - b.key);
      if (list.length > limit) list.pop();
    }
    return list;
  }

  #why(key: number, count: number, { expected, outageMin, leastRefreshedPerMinute }: OutageStart): MissReason {
    const seen = this.#seen[key] ?? 0;
    if (seen === 0) return 'never-seen';
    if (seen === 1) return 'seen-once';
    const perMinute = expected[key] ?? 0;
    if (count >= burstLeast && count >= burstTimes * perMinute * outageMin) return 'burst';
    return perMinute < leastRefreshedPerMinute ? 'too-rare' : 'budget';
  }

  #grow(keys: number): void {
    const capacity = Math.max(keys, this.#seen.length * 2);
    const seen = new Uint8Array(capacity);
    seen.set(this.#seen);
    this.#seen = seen;
    const missed = new Uint32Array(capacity * missReasons.length);
    missed.set(this.#missed);
    this.#missed = missed;
  }
}

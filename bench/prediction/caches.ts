/**
 * Caches with a limited number of places, as they are usually run: what is asked for comes in, and the least recently or least frequently used goes. Their copies
 * are renewed by passing requests, and by refreshes in their own order of worth where they have a budget for it.
 */
import { widenedDoubles } from '../../src/predict/state/columns.ts';
import { Copies, captures } from '../../src/predict/backtest/index.ts';
import type { TraceMinute } from '../../src/predict/backtest/index.ts';

export type CacheKind = 'LRU' | 'LFU';

export class BoundedCache {
  readonly copies = new Copies();
  readonly #kind: CacheKind;
  readonly #places: number;
  /** In order of use, the least recent first. */
  readonly #inside = new Map<number, true>();
  #uses = new Float64Array(1024);
  /** Number of the last use of each resource. */
  #last = new Float64Array(1024);
  #clock = 0;

  constructor(kind: CacheKind, places: number) {
    this.#kind = kind;
    this.#places = Math.max(1, places);
  }

  take(requests: TraceMinute, keys: number): void {
    this.copies.grow(keys);
    if (this.#uses.length < keys) {
      this.#uses = widenedDoubles(this.#uses, keys * 2);
      this.#last = widenedDoubles(this.#last, keys * 2);
    }
    this.copies.capture(requests);
    for (let i = 0; i < requests.resource.length; i++) {
      if (((requests.flags[i] ?? 0) & captures) === 0) continue;
      const key = requests.resource[i] ?? 0;
      this.#uses[key] = (this.#uses[key] ?? 0) + 1;
      this.#last[key] = ++this.#clock;
      this.#inside.delete(key);
      this.#inside.set(key, true);
      if (this.#inside.size > this.#places) this.#evict(key);
    }
  }

  /** Worth of what is inside, by the cache's own order; 0 for what is not. */
  scores(into: Float64Array): void {
    into.fill(0);
    const worth = this.#kind === 'LRU' ? this.#last : this.#uses;
    for (const key of this.#inside.keys()) into[key] = worth[key] ?? 0;
  }

  /** The newcomer stays: it has just been fetched. */
  #evict(newcomer: number): void {
    let victim = -1;
    for (const key of this.#inside.keys()) {
      if (key === newcomer) continue;
      if (victim < 0 || (this.#uses[key] ?? 0) < (this.#uses[victim] ?? 0)) victim = key;
      if (this.#kind === 'LRU') break;
    }
    if (victim < 0) return;
    this.#inside.delete(victim);
    this.copies.drop(victim);
  }
}

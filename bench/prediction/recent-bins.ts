/** Requests of every resource in the last bins of time: what models of single series are fitted to. */
import { isDemand } from '../../src/predict/backtest/index.ts';
import type { TraceMinute } from '../../src/predict/backtest/index.ts';

export class RecentBins {
  readonly #stepMs: number;
  readonly #most: number;
  /** The newest last; a bin without requests is an empty map. */
  readonly #bins: Map<number, number>[] = [];
  #newest = -1;

  constructor(stepMs: number, most: number) {
    this.#stepMs = stepMs;
    this.#most = most;
  }

  take(requests: TraceMinute): void {
    const bin = Math.floor(requests.minuteMs / this.#stepMs);
    if (this.#newest < 0) this.#newest = bin - 1;
    while (this.#newest < bin) {
      this.#bins.push(new Map());
      if (this.#bins.length > this.#most) this.#bins.shift();
      this.#newest++;
    }
    const counts = this.#bins.at(-1);
    for (let i = 0; counts && i < requests.resource.length; i++) {
      if (((requests.flags[i] ?? 0) & isDemand) === 0) continue;
      const key = requests.resource[i] ?? 0;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }

  /** The resources asked for most in the last `bins`. */
  top(limit: number, bins: number): number[] {
    const sums = new Map<number, number>();
    for (const counts of this.#bins.slice(-bins)) for (const [key, count] of counts) sums.set(key, (sums.get(key) ?? 0) + count);
    return [...sums].sort(([a, m], [b, n]) => n - m || a - b).slice(0, limit).map(([key]) => key);
  }

  /** A resource's counts, oldest first. */
  series(key: number): number[] {
    return this.#bins.map((counts) => counts.get(key) ?? 0);
  }
}

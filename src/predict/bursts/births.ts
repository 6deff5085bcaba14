/**
 * What becomes of young keys. A key seen for the first time a moment ago has no day behind it, and its base rate divides a few requests by a time it did not
 * exist in. How far that is off is learned from the keys born before it on this site: the ratio of what came in 15 minutes to what was
 * given, by age, number of requests and what was given. Only everywhere: in regions the base rates of young keys were right on average, and corrections by
 * these cells made them worse.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import type { Batch } from '../stage.ts';
import type { EngineState } from '../state/state.ts';
import { bucketOf } from './persistence.ts';
import { Ratios } from './ratios.ts';
import { none } from './watch-list.ts';
import type { WatchList } from './watch-list.ts';

const minuteMs = 60_000;
/** Young are keys up to this age. */
const youngMs = 1440 * minuteMs;
/** What is asked for in the first hour of a site's life may be old. */
const settleMs = 60 * minuteMs;
/** Upper ends of the buckets. */
const agesMin = [5, 15, 45, 160, 480, Infinity] as const;
const requests = [1, 3, Infinity] as const;
const means = [0.003, 0.01, 0.03, 0.1, 0.3, 1, Infinity] as const;
const learnedMin = 15;
const parents = agesMin.length * requests.length;

export class Births {
  readonly #state: EngineState;
  readonly #ratios = new Ratios({ cells: parents * means.length, parents, horizons: 1, pseudo: 10, evidenceMax: 60, prior: () => 1 });
  /** Of the last sample: each row's cell (−1: not young), and its expected requests. */
  #cells = new Int32Array(0);
  #given = new Float64Array(0);

  constructor(state: EngineState) {
    this.#state = state;
  }

  get bytes(): number {
    return this.#ratios.bytes + 12 * this.#cells.length;
  }

  /** Corrects rows of the site's level. */
  apply(batch: Batch, perMinute: Float64Array, nowMs: number, list: WatchList): void {
    for (let i = 0; i < batch.length; i++) {
      const key = batch.keys[i] ?? 0;
      if (!this.young(key, nowMs) || spoken(list, key)) continue;
      const given = perMinute[i] ?? 0;
      perMinute[i] = given * this.#ratios.of(this.#cell(key, given, nowMs), 0);
    }
  }

  prepare(batch: Batch, perMinute: Float64Array, nowMs: number, list: WatchList): void {
    this.#cells = new Int32Array(batch.length).fill(none);
    this.#given = new Float64Array(batch.length);
    for (let i = 0; i < batch.length; i++) {
      const key = batch.keys[i] ?? 0;
      if (!this.young(key, nowMs) || spoken(list, key)) continue;
      const given = perMinute[i] ?? 0;
      this.#cells[i] = this.#cell(key, given, nowMs);
      this.#given[i] = given * learnedMin;
    }
  }

  /** Requests that came within 15 minutes for each row of the last `prepare`. */
  learn(counts: Float64Array): void {
    for (let i = 0; i < counts.length; i++) {
      const cell = this.#cells[i] ?? none;
      if (cell !== none) this.#ratios.learn(cell, 0, 0, this.#given[i] ?? 0, counts[i] ?? 0);
    }
  }

  /** Whether the key was first asked for within a day, by all that is known. */
  young(key: number, nowMs: number): boolean {
    const { byResource, beganMs } = this.#state;
    const first = byResource.firstSeenAt(key);
    return nowMs - first <= youngMs && first - beganMs > settleMs;
  }

  write(writer: ByteWriter): void {
    this.#ratios.write(writer);
  }

  read(reader: ByteReader): void {
    this.#ratios.read(reader);
  }

  #cell(key: number, given: number, nowMs: number): number {
    const { byResource } = this.#state;
    return bucketOf(agesMin, (nowMs - byResource.firstSeenAt(key)) / minuteMs)
      + agesMin.length * bucketOf(requests, byResource.totals[key] ?? 0) + parents * bucketOf(means, given * learnedMin);
  }
}

/** Whether the burst part says something about the key. */
function spoken(list: WatchList, key: number): boolean {
  const place = list.placeOf(key);
  return place !== none && list.speaks(place);
}

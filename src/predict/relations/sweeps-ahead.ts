/**
 * What comes next in a list that a visitor goes through. Between where a sweep stood and where it stands lie known keys; which part of them it asked for, by how much they are asked
 * for at all, says how probable each of the next ones is, and its pace how far it comes within a horizon. How often sweeps go on is left to the
 * weight that the stage learns for them.
 */
import type { ResourceKey } from '../../kernel/index.ts';
import { horizonsMin } from '../forecaster.ts';
import type { ObservedSweep } from '../stage.ts';
import { widenedDoubles, widenedInts } from '../state/columns.ts';
import type { KeyTable } from '../state/key-table.ts';
import { KeyOrder } from './key-order.ts';

/** Sweeps looked ahead of at once: the fastest. */
export const sweepsFollowedMax = 8;
/** Keys ahead of one sweep. */
export const keysAheadMax = 2_000;
/** Keys looked at of those that a sweep has passed; of more, some spread evenly. */
export const keysPassedMax = 32_768;
/** Upper ends of the classes of keys by requests a minute: who lists a site's pages also lists those that nobody asks for any more, or does not. */
const rateClasses = [1e-4, 5e-4, 2e-3, 1e-2, Infinity] as const;
/** Keys by which a class's part is held towards the whole. */
const priorKeys = 5;
/** Beyond this many times the usual pace's reach nothing is expected any more. */
const reachPart = 1.5;
const horizons = horizonsMin.length;
const placesMin = 1024;

/** Good until the next minute. */
export interface Ahead {
  readonly length: number;
  readonly keys: Int32Array;
  /** −1 for a region never seen. */
  readonly regions: Int32Array;
  /** P(asked for by the sweep) within each horizon, did it surely go on: one row after the other. */
  readonly within: Float64Array;
}

export const nothingAhead: Ahead = { length: 0, keys: new Int32Array(0), regions: new Int32Array(0), within: new Float64Array(0) };

export interface SweepView {
  readonly rateOf: (key: number) => number;
  readonly lastSeenMs: (key: number) => number;
  readonly nowMs: number;
}

export class SweepsAhead {
  readonly #order: KeyOrder;
  #length = 0;
  #keys = new Int32Array(0);
  #regions = new Int32Array(0);
  #within = new Float64Array(0);

  constructor(resources: KeyTable<ResourceKey>) {
    this.#order = new KeyOrder(resources);
  }

  get bytes(): number {
    return this.#order.bytes + this.#keys.byteLength + this.#regions.byteLength + this.#within.byteLength;
  }

  forget(key: number): void {
    this.#order.forget(key);
  }

  of(sweeps: readonly ObservedSweep[], view: SweepView): Ahead {
    if (sweeps.length === 0) return nothingAhead;
    this.#order.renew();
    this.#length = 0;
    for (const sweep of sweeps.slice(0, sweepsFollowedMax)) this.#lookAhead(sweep, view);
    return { length: this.#length, keys: this.#keys, regions: this.#regions, within: this.#within };
  }

  #lookAhead(sweep: ObservedSweep, view: SweepView): void {
    const from = this.#order.positionOf(sweep.from);
    const to = this.#order.positionOf(sweep.to);
    if (from < 0 || to < 0) return;
    const passed = Math.abs(to - from) + 1;
    const parts = this.#partsAsked(Math.min(from, to), passed, sweep, view);
    const perMinute = sweep.asked / (sweep.seconds / 60);
    const farthest = reachPart * perMinute * (horizonsMin.at(-1) ?? 0);
    const wanted = Math.min(keysAheadMax, Math.ceil((farthest * (passed + 1)) / sweep.asked));
    const towards = from < to ? 1 : -1;
    let before = 0;
    for (let step = 1; step <= wanted; step++) {
      const position = to + towards * step;
      if (position < 0 || position >= this.#order.length) break;
      const key = this.#order.keyAt(position);
      const probability = parts[classOf(view.rateOf(key))] ?? 0;
      before += probability;
      if (before > farthest) break;
      this.#add(key, sweep.region, probability, before / perMinute);
    }
  }

  /** `dueMin`: when the sweep comes there at its usual pace. P(so far within a horizon) falls with the fourth power of that: half at the pace's reach. */
  #add(key: number, region: number, probability: number, dueMin: number): void {
    if (this.#length === this.#keys.length) this.#grow();
    const row = this.#length++;
    this.#keys[row] = key;
    this.#regions[row] = region;
    for (let h = 0; h < horizons; h++) {
      const late = dueMin / (horizonsMin[h] ?? 1);
      this.#within[row * horizons + h] = probability / (1 + late * late * (late * late));
    }
  }

  /** Which part of the keys of each class the sweep has asked for on its way. Who else asked for them then is taken off by their rates. */
  #partsAsked(low: number, passed: number, sweep: ObservedSweep, { rateOf, lastSeenMs, nowMs }: SweepView): Float64Array {
    const keys = new Float64Array(rateClasses.length);
    const hits = new Float64Array(rateClasses.length);
    const sinceMs = nowMs - sweep.seconds * 1000;
    const stride = Math.ceil(passed / keysPassedMax);
    for (let position = low; position < low + passed; position += stride) {
      const key = this.#order.keyAt(position);
      const rate = rateOf(key);
      const own = classOf(rate);
      keys[own] = (keys[own] ?? 0) + 1;
      if (lastSeenMs(key) >= sinceMs) hits[own] = (hits[own] ?? 0) + Math.exp((-rate * sweep.seconds) / 60);
    }
    const all = Math.min(1, sweep.asked / passed);
    return keys.map((count, own) => Math.min(1, ((hits[own] ?? 0) + priorKeys * all) / (count + priorKeys)));
  }

  #grow(): void {
    const length = Math.max(placesMin, this.#keys.length * 2);
    this.#keys = widenedInts(this.#keys, length);
    this.#regions = widenedInts(this.#regions, length);
    this.#within = widenedDoubles(this.#within, length * horizons);
  }
}

function classOf(rate: number): number {
  let own = 0;
  while (own < rateClasses.length - 1 && rate >= (rateClasses[own] ?? Infinity)) own++;
  return own;
}

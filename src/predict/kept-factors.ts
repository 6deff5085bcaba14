/**
 * What a stage multiplies rates by, kept for a few minutes where the same keys are asked about again and again: plans are made every few seconds, and trees
 * cost most of one. A key's factor is found when the key is first asked about in a slot of `keptMs`, and holds to the slot's end.
 */
import { pickedDoubles, pickedInts } from './state/columns.ts';

const keptMs = 5 * 60_000;

export type FindFactors = (keys: Int32Array, perMinute: Float64Array) => Float64Array;

export class KeptFactors {
  #slot = -1;
  /** Ascending. */
  #keys = new Int32Array(0);
  #factors = new Float64Array(0);

  get bytes(): number {
    return this.#keys.byteLength + this.#factors.byteLength;
  }

  /** Keys will be other keys'. */
  drop(): void {
    this.#keys = new Int32Array(0);
  }

  /** A factor for each of these keys, which are in ascending order. `find` is asked about those that are new. */
  of(keys: Int32Array, perMinute: Float64Array, nowMs: number, find: FindFactors): Float64Array {
    const slot = Math.floor(nowMs / keptMs);
    if (slot !== this.#slot) this.drop();
    this.#slot = slot;
    const factors = new Float64Array(keys.length);
    const unknown = new Int32Array(keys.length);
    let count = 0;
    for (let row = 0, at = 0; row < keys.length; row++) {
      const key = keys[row] ?? 0;
      while (at < this.#keys.length && (this.#keys[at] ?? 0) < key) at++;
      if (this.#keys[at] === key) factors[row] = this.#factors[at] ?? 1;
      else unknown[count++] = row;
    }
    if (count > 0) {
      const rows = unknown.subarray(0, count);
      const found = find(pickedInts(keys, rows), pickedDoubles(perMinute, rows));
      for (let i = 0; i < count; i++) factors[rows[i] ?? 0] = found[i] ?? 1;
    }
    this.#keys = keys.slice();
    this.#factors = factors.slice();
    return factors;
  }
}

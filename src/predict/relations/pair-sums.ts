/**
 * Sums for pairs of numbers, some columns each: an open-addressing table of rows, and the rows side by side in the order in which they came. Grows as it fills;
 * thrown away after use.
 */
import { widenedDoubles, widenedInts } from '../state/columns.ts';

const placesMin = 1024;

export class PairSums {
  readonly columns: number;
  /** 1 + row; 0 for nothing here. */
  #places: Int32Array;
  #firsts: Int32Array;
  #seconds: Int32Array;
  #sums: Float64Array;
  #size = 0;

  /** `expected`: about how many pairs there will be. */
  constructor(columns: number, expected: number) {
    this.columns = columns;
    const places = 2 ** Math.ceil(Math.log2(Math.max(placesMin, 2.5 * expected)));
    this.#places = new Int32Array(places);
    this.#firsts = new Int32Array(places / 2);
    this.#seconds = new Int32Array(places / 2);
    this.#sums = new Float64Array((places / 2) * columns);
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return 4 * (this.#places.length + 2 * this.#firsts.length) + this.#sums.byteLength;
  }

  get sums(): Float64Array {
    return this.#sums;
  }

  firstAt(row: number): number {
    return this.#firsts[row] ?? 0;
  }

  secondAt(row: number): number {
    return this.#seconds[row] ?? 0;
  }

  /** Where to find the pair's columns in `sums`, from here on; −1 when it was never added. */
  find(first: number, second: number): number {
    const row = (this.#places[this.#placeOf(first, second)] ?? 0) - 1;
    return row < 0 ? -1 : row * this.columns;
  }

  /** The same, made now if it was not there. `sums` may be another array afterwards. */
  place(first: number, second: number): number {
    const place = this.#placeOf(first, second);
    const row = (this.#places[place] ?? 0) - 1;
    if (row >= 0) return row * this.columns;
    this.#firsts[this.#size] = first;
    this.#seconds[this.#size] = second;
    this.#places[place] = ++this.#size;
    if (this.#size === this.#firsts.length) this.#grow();
    return (this.#size - 1) * this.columns;
  }

  /** The place the pair has, or the free one it would get. */
  #placeOf(first: number, second: number): number {
    const places = this.#places;
    const mask = places.length - 1;
    let place = hash(first, second) & mask;
    for (let row = (places[place] ?? 0) - 1; row >= 0; row = (places[place] ?? 0) - 1) {
      if (this.#firsts[row] === first && this.#seconds[row] === second) break;
      place = (place + 1) & mask;
    }
    return place;
  }

  #grow(): void {
    const places = this.#places.length * 2;
    this.#firsts = widenedInts(this.#firsts, this.#firsts.length * 2);
    this.#seconds = widenedInts(this.#seconds, this.#seconds.length * 2);
    this.#sums = widenedDoubles(this.#sums, this.#sums.length * 2);
    this.#places = new Int32Array(places);
    for (let row = 0; row < this.#size; row++) this.#places[this.#placeOf(this.#firsts[row] ?? 0, this.#seconds[row] ?? 0)] = row + 1;
  }
}

function hash(first: number, second: number): number {
  let mixed = Math.imul(first, 0x9e3779b1) ^ Math.imul(second + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}

/**
 * Rows with known outcomes that the trees learn from: the newest so many of one level, in the order of time. Features take a byte each
 * (`feature-codes.ts`). Of rows nobody asked for, which are most and say little, only a part is kept, more
 * where more was expected; each stands for those left out by its weight, which goes into offset and count (w times the Poisson deviance of y and μ is that of wy and wμ).
 */
import type { Random } from '../../kernel/index.ts';
import { featuresOf } from './features.ts';
import type { Level } from '../stage.ts';

/** Part of the rows without outcome that is kept at least, and how much of the expected count adds to it. */
const keptLeast = 0.05;
const keptMore = 0.7;
const rowsFirst = 8192;

/** Samples as plain data: `codes` row by row, counts and log expectations with the weights in them, the oldest first. */
export interface SampleRows {
  readonly level: Level;
  readonly codes: Uint8Array;
  readonly counts: Float32Array;
  readonly offsets: Float32Array;
}

export class Samples {
  readonly #level: Level;
  readonly #rowsMax: number;
  readonly #width: number;
  #codes = new Uint8Array(0);
  #counts = new Float32Array(0);
  #offsets = new Float32Array(0);
  #length = 0;
  /** Where the next row goes once all room is in use. */
  #next = 0;

  constructor(level: Level, rowsMax: number) {
    this.#level = level;
    this.#rowsMax = rowsMax;
    this.#width = featuresOf[level].length;
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#codes.length + this.#counts.length * 8;
  }

  /** Takes the rows of one checkpoint. `columns`: codes of their features; `offsets`: log of what was expected. */
  add(columns: readonly Uint8Array[], offsets: Float64Array, counts: Float64Array, random: Random): void {
    for (let row = 0; row < counts.length; row++) {
      const offset = offsets[row] ?? 0;
      const count = counts[row] ?? 0;
      if (!(offset > -Infinity && count >= 0)) continue;
      const kept = count > 0 ? 1 : Math.min(1, keptLeast + keptMore * Math.exp(offset));
      if (kept < 1 && random.next() >= kept) continue;
      const to = this.#place();
      for (let feature = 0; feature < this.#width; feature++) this.#codes[to * this.#width + feature] = columns[feature]?.[row] ?? 0;
      this.#counts[to] = count / kept;
      this.#offsets[to] = offset - Math.log(kept);
    }
  }

  /** All rows, the oldest first, as copies. */
  rows(): SampleRows {
    const order = <Column extends Uint8Array | Float32Array>(column: Column, into: Column, width: number): Column => {
      const split = this.#length < this.#rowsMax ? 0 : this.#next * width;
      into.set(column.subarray(split, this.#length * width), 0);
      into.set(column.subarray(0, split), this.#length * width - split);
      return into;
    };
    return {
      level: this.#level,
      codes: order(this.#codes, new Uint8Array(this.#length * this.#width), this.#width),
      counts: order(this.#counts, new Float32Array(this.#length), 1),
      offsets: order(this.#offsets, new Float32Array(this.#length), 1),
    };
  }

  #place(): number {
    if (this.#length < this.#rowsMax) {
      if (this.#length >= this.#counts.length) this.#grow(Math.min(this.#rowsMax, Math.max(rowsFirst, this.#counts.length * 2)));
      return this.#length++;
    }
    const to = this.#next;
    this.#next = (this.#next + 1) % this.#rowsMax;
    return to;
  }

  #grow(rows: number): void {
    const codes = new Uint8Array(rows * this.#width);
    codes.set(this.#codes);
    const counts = new Float32Array(rows);
    counts.set(this.#counts);
    const offsets = new Float32Array(rows);
    offsets.set(this.#offsets);
    [this.#codes, this.#counts, this.#offsets] = [codes, counts, offsets];
  }
}

/**
 * Sums for keys, some columns each: what is summed of those that something is known of, and nothing for all the others. Keys get rows as they come, so that what is
 * added up lies side by side whatever the size of the site; several sums may share the rows. 4 bytes for each key below the highest, and the columns.
 */
import { widenedDoubles, widenedInts } from '../state/columns.ts';

const rowsMin = 256;
const growth = 1.25;

export class KeyRows {
  /** By key: 1 + its row, 0 for none. */
  #rows = new Int32Array(0);
  #keys = new Int32Array(0);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return 4 * (this.#rows.length + this.#keys.length);
  }

  keyAt(row: number): number {
    return this.#keys[row] ?? -1;
  }

  /** The key's row; −1 when it has none. */
  find(key: number): number {
    return (this.#rows[key] ?? 0) - 1;
  }

  /** The same, given now if it had none. */
  place(key: number): number {
    const row = (this.#rows[key] ?? 0) - 1;
    return row >= 0 ? row : this.#add(key);
  }

  /** No key has a row any more. */
  clear(): void {
    for (let row = 0; row < this.#size; row++) this.#rows[this.#keys[row] ?? 0] = 0;
    this.#size = 0;
  }

  #add(key: number): number {
    if (key >= this.#rows.length) this.#rows = wider(this.#rows, key + 1);
    if (this.#size === this.#keys.length) this.#keys = wider(this.#keys, this.#size + 1);
    const row = this.#size++;
    this.#keys[row] = key;
    this.#rows[key] = row + 1;
    return row;
  }
}

export class KeySums {
  readonly rows: KeyRows;
  readonly columns: number;
  #sums = new Float64Array(0);

  constructor(columns: number, rows: KeyRows) {
    this.columns = columns;
    this.rows = rows;
  }

  get bytes(): number {
    return this.#sums.byteLength;
  }

  get sums(): Float64Array {
    return this.#sums;
  }

  /** Where to find the key's columns in `sums`, from here on; −1 when nothing was added to it. */
  find(key: number): number {
    const at = this.rows.find(key) * this.columns;
    return at < this.#sums.length ? Math.max(-1, at) : -1;
  }

  /** The same, made now if it was not there. `sums` may be another array afterwards. */
  place(key: number): number {
    const at = this.rows.place(key) * this.columns;
    if (at >= this.#sums.length) this.#grow(at + this.columns);
    return at;
  }

  /** Makes the key's columns 0. */
  clear(key: number): void {
    const at = this.find(key);
    if (at >= 0) this.#sums.fill(0, at, at + this.columns);
  }

  /** Makes all columns 0. */
  reset(): void {
    this.#sums.fill(0);
  }

  #grow(needed: number): void {
    this.#sums = widenedDoubles(this.#sums, Math.max(rowsMin * this.columns, this.columns * Math.ceil((needed / this.columns) * growth)));
  }
}

function wider(column: Int32Array, needed: number): Int32Array<ArrayBuffer> {
  return widenedInts(column, Math.max(rowsMin, Math.ceil(needed * growth)));
}

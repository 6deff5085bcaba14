/**
 * Sums for pairs of numbers, some columns each, in one open-addressing hash table of typed arrays: what a moment's forecast needs for the rows something is
 * known about, and nothing for all the others. Grows as it fills; thrown away after use.
 */
const empty = -1;

export class PairSums {
  readonly #columns: number;
  #first: Int32Array;
  #second: Int32Array;
  #sums: Float64Array;
  #size = 0;

  /** `expected`: about how many pairs there will be. Growing there cost a third of a backtest. */
  constructor(columns: number, expected: number) {
    this.#columns = columns;
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(1024, 2.5 * expected)));
    this.#first = new Int32Array(capacity).fill(empty);
    this.#second = new Int32Array(capacity);
    this.#sums = new Float64Array(capacity * columns);
  }

  get size(): number {
    return this.#size;
  }

  /** Where to find the pair's columns in `sums`, from here on; −1 when it was never added. */
  find(first: number, second: number): number {
    const mask = this.#first.length - 1;
    let at = hash(first, second) & mask;
    while (this.#first[at] !== empty) {
      if (this.#first[at] === first && this.#second[at] === second) return at * this.#columns;
      at = (at + 1) & mask;
    }
    return -1;
  }

  /** The same, made now if it was not there. `sums` may be another array afterwards. */
  place(first: number, second: number): number {
    if (this.#size * 2 >= this.#first.length) this.#grow();
    const mask = this.#first.length - 1;
    let at = hash(first, second) & mask;
    while (this.#first[at] !== empty) {
      if (this.#first[at] === first && this.#second[at] === second) return at * this.#columns;
      at = (at + 1) & mask;
    }
    this.#first[at] = first;
    this.#second[at] = second;
    this.#size++;
    return at * this.#columns;
  }

  /** Makes the pair's columns 0. */
  clear(first: number, second: number): void {
    const at = this.find(first, second);
    if (at >= 0) this.#sums.fill(0, at, at + this.#columns);
  }

  get sums(): Float64Array {
    return this.#sums;
  }

  /** Every pair, with where its columns are. */
  forEach(visit: (first: number, second: number, at: number) => void): void {
    for (let at = 0; at < this.#first.length; at++) {
      const first = this.#first[at] ?? empty;
      if (first !== empty) visit(first, this.#second[at] ?? 0, at * this.#columns);
    }
  }

  #grow(): void {
    const first = this.#first;
    const second = this.#second;
    const sums = this.#sums;
    this.#first = new Int32Array(first.length * 2).fill(empty);
    this.#second = new Int32Array(first.length * 2);
    this.#sums = new Float64Array(first.length * 2 * this.#columns);
    this.#size = 0;
    for (let at = 0; at < first.length; at++) {
      if (first[at] === empty) continue;
      const to = this.place(first[at] ?? 0, second[at] ?? 0);
      for (let column = 0; column < this.#columns; column++) this.#sums[to + column] = sums[at * this.#columns + column] ?? 0;
    }
  }
}

function hash(first: number, second: number): number {
  let mixed = Math.imul(first, 0x9e3779b1) ^ Math.imul(second + 1, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
  return mixed ^ (mixed >>> 13);
}

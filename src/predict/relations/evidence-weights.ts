/**
 * How far edges of different evidence are to be believed: one weight for each class of edges, learned from what came. Least squares of (what came − what was expected
 * without) on what the edges of each class promise, each row weighed by its expected variance, older rows fading; held near a first guess while
 * there is little. Weights are never negative and never above 1.5.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';

/** Evidence halves in three days of half hours. */
const keep = 2 ** (-1 / 144);
/** What the first guess counts for, in rows whose promise is one standard deviation. */
const priorInformation = 30;
const weightMax = 1.5;
const dispersion = 0.5;
const sweeps = 40;

export class EvidenceWeights {
  readonly values: Float64Array;
  readonly #first: Float64Array;
  readonly #squares: Float64Array;
  readonly #products: Float64Array;

  constructor(first: readonly number[]) {
    this.#first = Float64Array.from(first);
    this.values = this.#first.slice();
    this.#squares = new Float64Array(first.length * first.length);
    this.#products = new Float64Array(first.length);
  }

  /** `promises`: one row after the other, one number a class, in requests; `expected` and `came`: of each row. */
  learn(promises: Float64Array, expected: Float64Array, came: Float64Array): void {
    const classes = this.values.length;
    for (let i = 0; i < this.#squares.length; i++) this.#squares[i] = (this.#squares[i] ?? 0) * keep;
    for (let i = 0; i < classes; i++) this.#products[i] = (this.#products[i] ?? 0) * keep;
    for (let row = 0; row < came.length; row++) {
      let promised = 0;
      for (let i = 0; i < classes; i++) promised += Math.max(0, promises[row * classes + i] ?? 0);
      const mean = expected[row] ?? 0;
      if (promised === 0 || !(mean > 0)) continue;
      const likely = mean + promised / 2;
      const inverse = 1 / (likely + dispersion * likely * likely);
      const beyond = (came[row] ?? 0) - mean;
      for (let i = 0; i < classes; i++) {
        const own = (promises[row * classes + i] ?? 0) * inverse;
        if (own === 0) continue;
        this.#products[i] = (this.#products[i] ?? 0) + own * beyond;
        for (let j = 0; j < classes; j++) this.#squares[i * classes + j] = (this.#squares[i * classes + j] ?? 0) + own * (promises[row * classes + j] ?? 0);
      }
    }
    this.#solve();
  }

  write(writer: ByteWriter): void {
    for (const value of this.#squares) writer.double(value);
    for (const value of this.#products) writer.double(value);
  }

  read(reader: ByteReader): void {
    for (const column of [this.#squares, this.#products]) for (let i = 0; i < column.length; i++) {
      const value = reader.double();
      column[i] = Number.isFinite(value) ? value : 0;
    }
    this.#solve();
  }

  /** Coordinate descent within the bounds; exact enough after a few dozen rounds of so few weights. */
  #solve(): void {
    const classes = this.values.length;
    for (let round = 0; round < sweeps; round++) {
      for (let i = 0; i < classes; i++) {
        let rest = (this.#products[i] ?? 0) + priorInformation * (this.#first[i] ?? 0);
        for (let j = 0; j < classes; j++) if (j !== i) rest -= (this.#squares[i * classes + j] ?? 0) * (this.values[j] ?? 0);
        const best = rest / ((this.#squares[i * classes + i] ?? 0) + priorInformation);
        this.values[i] = best < 0 ? 0 : best > weightMax ? weightMax : best;
      }
    }
  }
}

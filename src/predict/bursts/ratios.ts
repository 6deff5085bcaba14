/**
 * Learned ratios of what came to what was expected, by cell, at each horizon. A cell shrinks to the parent it shares with others (its number modulo
 * `parents`), and a parent to a prior. Weighted by the inverse of a negative binomial's variance over its mean, so that one large crowd
 * does not speak for all.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';

const dispersion = 0.5;
const ratioMax = 8;

export interface RatioShape {
  readonly cells: number;
  readonly parents: number;
  readonly horizons: number;
  /** Weight of the parent's ratio, in weighted requests. */
  readonly pseudo: number;
  /** Beyond this much evidence in a cell, in the same unit, older evidence fades. */
  readonly evidenceMax: number;
  readonly prior: (parent: number, horizon: number) => number;
}

export class Ratios {
  readonly #shape: RatioShape;
  readonly #came: Float64Array;
  readonly #expected: Float64Array;
  readonly #parentCame: Float64Array;
  readonly #parentExpected: Float64Array;

  constructor(shape: RatioShape) {
    this.#shape = shape;
    this.#came = new Float64Array(shape.cells * shape.horizons);
    this.#expected = new Float64Array(shape.cells * shape.horizons);
    this.#parentCame = new Float64Array(shape.parents * shape.horizons);
    this.#parentExpected = new Float64Array(shape.parents * shape.horizons);
  }

  get bytes(): number {
    return 16 * (this.#came.length + this.#parentCame.length);
  }

  of(cell: number, horizon: number): number {
    const { parents, horizons, pseudo, prior } = this.#shape;
    const parent = cell % parents;
    const above = parent * horizons + horizon;
    const at = cell * horizons + horizon;
    const ofParent = posterior(this.#parentCame[above] ?? 0, this.#parentExpected[above] ?? 0, prior(parent, horizon), pseudo);
    return posterior(this.#came[at] ?? 0, this.#expected[at] ?? 0, ofParent, pseudo);
  }

  /** `count` came where `certain` was expected, and a change by `change` thought possible (of any sign): the ratio is the part of it that is true. */
  learn(cell: number, horizon: number, certain: number, change: number, count: number): void {
    const { parents, horizons, evidenceMax } = this.#shape;
    const weight = Math.sign(change) / (1 + dispersion * Math.max(certain, certain + change));
    add(this.#came, this.#expected, cell * horizons + horizon, weight * (count - certain), weight * change, evidenceMax);
    add(this.#parentCame, this.#parentExpected, (cell % parents) * horizons + horizon, weight * (count - certain), weight * change, evidenceMax);
  }

  write(writer: ByteWriter): void {
    for (const column of this.#columns()) for (const value of column) writer.double(value);
  }

  read(reader: ByteReader): void {
    for (const column of this.#columns()) {
      for (let i = 0; i < column.length; i++) {
        const value = reader.double();
        column[i] = Number.isFinite(value) ? value : 0;
      }
    }
  }

  #columns(): readonly Float64Array[] {
    return [this.#came, this.#expected, this.#parentCame, this.#parentExpected];
  }
}

function posterior(came: number, expected: number, prior: number, pseudo: number): number {
  const ratio = (came + pseudo * prior) / (Math.max(0, expected) + pseudo);
  return ratio < 0 ? 0 : ratio > ratioMax ? ratioMax : ratio;
}

function add(came: Float64Array, expected: Float64Array, at: number, more: number, moreExpected: number, evidenceMax: number): void {
  const keep = (expected[at] ?? 0) > evidenceMax ? 0.5 : 1;
  came[at] = (came[at] ?? 0) * keep + more;
  expected[at] = (expected[at] ?? 0) * keep + moreExpected;
}

/**
 * What rows of one group (a class of routes, a region) came to, beside what was expected of them: a decayed ratio for each group, shrunk to 1 by some
 * pseudo-requests. It stands for the group in the features, so that trees can use groups there are hundreds of.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';

/** Pseudo-requests towards no difference. */
const prior = 20;
/** Evidence halves in two days of half hours. */
const keep = 2 ** (-1 / 96);

export class Encoding {
  readonly #came: Float64Array;
  readonly #expected: Float64Array;
  /** As of the last half hour. */
  readonly #logs: Float64Array;

  constructor(groups: number) {
    this.#came = new Float64Array(groups);
    this.#expected = new Float64Array(groups);
    this.#logs = new Float64Array(groups);
  }

  /** Log of what came over what was expected; 0 for a group that is not known. */
  logRatio(group: number): number {
    return this.#logs[group] ?? 0;
  }

  add(group: number, expected: number, came: number): void {
    if (!(group >= 0 && group < this.#came.length)) return;
    this.#came[group] = (this.#came[group] ?? 0) + came;
    this.#expected[group] = (this.#expected[group] ?? 0) + expected;
  }

  /** Lets older evidence fade, and tells what is known by now; once for every half hour of outcomes. */
  fade(): void {
    for (let group = 0; group < this.#came.length; group++) {
      this.#came[group] = (this.#came[group] ?? 0) * keep;
      this.#expected[group] = (this.#expected[group] ?? 0) * keep;
    }
    this.#compare();
  }

  #compare(): void {
    for (let group = 0; group < this.#logs.length; group++) this.#logs[group] = Math.log(((this.#came[group] ?? 0) + prior) / ((this.#expected[group] ?? 0) + prior));
  }

  write(writer: ByteWriter): void {
    let length = this.#expected.length;
    while (length > 0 && this.#expected[length - 1] === 0 && this.#came[length - 1] === 0) length--;
    writer.uint(length);
    for (const column of [this.#came, this.#expected]) for (let group = 0; group < length; group++) writer.double(column[group] ?? 0);
  }

  read(reader: ByteReader): void {
    const length = reader.length(16);
    for (const column of [this.#came, this.#expected]) {
      for (let group = 0; group < length; group++) {
        const value = reader.double();
        if (group < column.length) column[group] = Number.isFinite(value) && value > 0 ? value : 0;
      }
    }
    this.#compare();
  }
}

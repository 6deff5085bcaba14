/**
 * How long after one resource visitors ask for the next: the shares of lags of 1 to 30 minutes among all steps, decayed over days. From it follows which part of
 * what a request leads to is still to come.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { journeyMin } from '../../demand/index.ts';

/** Of counts, with each minute: evidence halves in two days. */
const keepPerMinute = 2 ** (-1 / 2880);
/** Steps that the first guess counts for: lags fall by a fifth from minute to minute. */
const priorSteps = 20;

export class LagProfile {
  readonly #counts = new Float64Array(journeyMin + 1);
  /** Share of steps that come within so many minutes. */
  readonly #within = new Float64Array(2 * journeyMin + 32).fill(1);

  constructor() {
    const prior = 0.8;
    for (let lag = 1; lag <= journeyMin; lag++) this.#counts[lag] = priorSteps * (1 - prior) * prior ** (lag - 1);
    this.settle();
  }

  add(lagMin: number, count: number): void {
    const lag = lagMin < 1 ? 1 : lagMin > journeyMin ? journeyMin : lagMin;
    this.#counts[lag] = (this.#counts[lag] ?? 0) + count;
  }

  /** After each minute's steps. */
  settle(): void {
    let sum = 0;
    for (let lag = 1; lag <= journeyMin; lag++) {
      const count = (this.#counts[lag] ?? 0) * keepPerMinute;
      this.#counts[lag] = count;
      sum += count;
      this.#within[lag] = sum;
    }
    for (let lag = 1; lag <= journeyMin; lag++) this.#within[lag] = (this.#within[lag] ?? 0) / sum;
    this.#within[0] = 0;
  }

  /** The part of what a request leads to that comes in the next `horizonMin` minutes, when its own minute began `ageMin` minutes ago (1: the minute just over). */
  coming(ageMin: number, horizonMin: number): number {
    return ageMin > journeyMin ? 0 : (this.#within[ageMin + horizonMin - 1] ?? 1) - (this.#within[ageMin - 1] ?? 1);
  }

  /** Minutes' worth of a steady rate that is still to come within the horizon. */
  usually(horizonMin: number): number {
    let sum = 0;
    for (let ageMin = 1; ageMin <= journeyMin; ageMin++) sum += this.coming(ageMin, horizonMin);
    return sum;
  }

  write(writer: ByteWriter): void {
    for (const count of this.#counts) writer.double(count);
  }

  read(reader: ByteReader): void {
    for (let lag = 0; lag <= journeyMin; lag++) {
      const count = reader.double();
      this.#counts[lag] = Number.isFinite(count) && count > 0 ? count : 1e-9;
    }
    this.settle();
  }
}

/**
 * How wide forecasts of totals must be to be true: for each series and horizon a dispersion from how far what came lay from what was expected, and the two levels at which its
 * negative binomial is read, moved after every outcome so that in the long run one in twenty falls below and one in twenty above (adaptive conformal
 * inference; Gibbs & Candès 2021).
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { quantiles } from '../distribution/negative-binomial.ts';
import { horizonsMin } from '../forecaster.ts';

/** Part of outcomes that is to fall outside on either side. */
const outside = 0.05;
/** How far one outcome moves a level, as a part of `outside`'s logarithm: a level settles in about two days of forecasts every 5 minutes. */
const learning = 0.05;
const deepest = 1e-5;
const shallowest = 0.4;
/** Evidence of the dispersion halves in two days. */
const keep = 2 ** (-1 / 576);
/** Columns: sum of squares beyond Poisson's, sum of squared means, level below, level above. */
const columns = 4;
const width = horizonsMin.length * columns;

export interface Interval {
  readonly q05: number;
  readonly q95: number;
}

export class IntervalLevels {
  readonly #values: Float64Array;

  constructor(slots: number) {
    this.#values = new Float64Array(slots * width);
    for (let slot = 0; slot < slots; slot++) this.clear(slot);
  }

  clear(slot: number): void {
    for (let at = slot * width; at < (slot + 1) * width; at += columns) {
      // As if a mean of 10 had been missed by three quarters of itself.
      this.#values.set([50, 100, outside, outside], at);
    }
  }

  interval(slot: number, horizon: number, mean: number): Interval {
    const at = slot * width + horizon * columns;
    const [below = outside, above = outside] = this.#values.subarray(at + 2, at + 4);
    const [q05 = 0, q95 = 0] = quantiles(mean, this.#dispersion(at), [below, 1 - above]);
    return { q05, q95 };
  }

  /** Takes what came of what was expected, and of the interval told then. */
  learn(slot: number, horizon: number, mean: number, { q05, q95 }: Interval, count: number): void {
    const at = slot * width + horizon * columns;
    const values = this.#values;
    values[at] = (values[at] ?? 0) * keep + (count - mean) ** 2 - mean;
    values[at + 1] = (values[at + 1] ?? 0) * keep + mean * mean;
    values[at + 2] = moved(values[at + 2] ?? outside, count < q05);
    values[at + 3] = moved(values[at + 3] ?? outside, count > q95);
  }

  write(writer: ByteWriter, slots: readonly number[]): void {
    for (const slot of slots) for (let i = slot * width; i < (slot + 1) * width; i++) writer.double(this.#values[i] ?? 0);
  }

  read(reader: ByteReader, slots: readonly number[]): void {
    for (const slot of slots) {
      for (let i = slot * width; i < (slot + 1) * width; i++) {
        const value = reader.double();
        this.#values[i] = Number.isFinite(value) ? value : 0;
      }
      for (let at = slot * width; at < (slot + 1) * width; at += columns) for (const i of [at + 2, at + 3]) this.#values[i] = Math.min(shallowest, Math.max(deepest, this.#values[i] ?? outside));
    }
  }

  #dispersion(at: number): number {
    return Math.min(4, Math.max(1e-4, (this.#values[at] ?? 0) / Math.max(1e-9, this.#values[at + 1] ?? 0)));
  }
}

/** A level after one more outcome: deeper after a miss, shallower after none; on average where it is when `outside` of them miss. */
function moved(level: number, missed: boolean): number {
  return Math.min(shallowest, Math.max(deepest, level * Math.exp(learning * (outside - (missed ? 1 : 0)))));
}

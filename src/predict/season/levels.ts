/**
 * How high each series stands against its path, minute by minute: decayed sums of what came and of what the path says, at several scales of time. Their ratios are
 * blended in several ways; which blend is believed at which horizon is told by how well each has forecast the series in the last day, by the likelihood of a
 * negative binomial.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { horizonsMin } from '../forecaster.ts';
import { slotCount } from './slots.ts';

const scalesMin = [5, 20, 60, 240, 1440] as const;
const scales = scalesMin.length;
/** Weights of the scales; and, last, shapes of cascades (each longer scale a gamma prior of the shorter) in requests. The first is believed until more is known. */
const mixtures = [[0.25, 0.4, 0.35, 0, 0], [0.5, 0.5, 0, 0, 0], [0.1, 0.25, 0.4, 0.25, 0], [0, 0.2, 0.3, 0.3, 0.2], [0, 0, 0.2, 0.3, 0.5]] as const;
const shapes = [4, 16, 64] as const;
export const blendCount = mixtures.length + shapes.length;
/** Evidence halves in a day of forecasts made every 5 minutes. */
const keep = 2 ** (-1 / 288);
const dispersion = 0.2;
const column = horizonsMin.length * blendCount;

export class Levels {
  /** By slot and scale: requests, and what the path says, decayed. */
  readonly #came = new Float64Array(slotCount * scales);
  readonly #said = new Float64Array(slotCount * scales);
  /** By slot, horizon and blend: decayed negative log-likelihood. */
  readonly #losses = new Float64Array(slotCount * column);
  readonly #best = new Uint8Array(slotCount * horizonsMin.length);

  clear(slot: number): void {
    this.#came.fill(0, slot * scales, (slot + 1) * scales);
    this.#said.fill(0, slot * scales, (slot + 1) * scales);
    this.#losses.fill(0, slot * column, (slot + 1) * column);
    this.#best.fill(0, slot * horizonsMin.length, (slot + 1) * horizonsMin.length);
  }

  /** Takes a minute: what came, and the path's value in it. */
  add(slot: number, count: number, path: number): void {
    for (let scale = 0, at = slot * scales; scale < scales; scale++, at++) {
      const fade = minuteFades[scale] ?? 0;
      this.#came[at] = (this.#came[at] ?? 0) * fade + count;
      this.#said[at] = (this.#said[at] ?? 0) * fade + path;
    }
  }

  /** As if the path had always been another: `pathAgo` tells its value so many minutes ago, for `ageMin` minutes back. */
  retell(slot: number, ageMin: number, strideMin: number, pathAgo: (minutes: number) => number): void {
    const from = slot * scales;
    this.#said.fill(0, from, from + scales);
    for (let ago = 0; ago < ageMin; ago += strideMin) {
      const path = pathAgo(ago + strideMin / 2);
      for (let scale = 0; scale < scales; scale++) {
        // As `add` would have it: the sum of the weights of the minutes of a stride.
        const weights = Math.exp(-ago / (scalesMin[scale] ?? 1)) * weightsOf(scale, strideMin);
        this.#said[from + scale] = (this.#said[from + scale] ?? 0) + path * weights;
      }
    }
  }

  /** The level by each blend, into `into`; `silentMin` minutes after the last that was added, in which the path said `path`. */
  levels(slot: number, into: Float64Array, silentMin: number, path: number): void {
    const from = slot * scales;
    for (let i = 0; i < blendCount; i++) into[i] = 0;
    for (let scale = scales - 1; scale >= 0; scale--) {
      const fade = silentMin > 0 ? Math.exp(-silentMin / (scalesMin[scale] ?? 1)) : 1;
      const came = (this.#came[from + scale] ?? 0) * fade;
      const said = (this.#said[from + scale] ?? 0) * fade + path * weightsOf(scale, silentMin);
      const ratio = came / Math.max(1e-9, said);
      for (let i = 0; i < mixtures.length; i++) into[i] = (into[i] ?? 0) + (mixtures[i]?.[scale] ?? 0) * ratio;
      for (let i = 0; i < shapes.length; i++) {
        const shape = shapes[i] ?? 1;
        const above = into[mixtures.length + i] ?? 0;
        into[mixtures.length + i] = scale === scales - 1 ? ratio : (above * (shape + came)) / Math.max(1e-9, shape + said * above);
      }
    }
  }

  /** Takes what came within a horizon, and what each blend (from `means[at]` on) had expected. */
  score(slot: number, horizon: number, means: Float32Array, at: number, count: number): void {
    const from = slot * column + horizon * blendCount;
    let best = 0;
    for (let i = 0; i < blendCount; i++) {
      const mean = Math.max(1e-6, means[at + i] ?? 0);
      const spread = 1 + dispersion * mean;
      const loss = (this.#losses[from + i] ?? 0) * keep + Math.log(spread) / dispersion - count * Math.log(mean / spread);
      this.#losses[from + i] = loss;
      if (loss < (this.#losses[from + best] ?? 0)) best = i;
    }
    this.#best[slot * horizonsMin.length + horizon] = best;
  }

  /** The blend that is believed. */
  best(slot: number, horizon: number): number {
    return this.#best[slot * horizonsMin.length + horizon] ?? 0;
  }

  /** Requests a minute over the last day, were the path flat. */
  dayRate(slot: number): number {
    return (this.#came[slot * scales + scales - 1] ?? 0) / (scalesMin[scales - 1] ?? 1);
  }

  write(writer: ByteWriter, slots: readonly number[]): void {
    for (const slot of slots) {
      for (let i = slot * scales; i < (slot + 1) * scales; i++) {
        writer.double(this.#came[i] ?? 0);
        writer.double(this.#said[i] ?? 0);
      }
      for (let i = slot * column; i < (slot + 1) * column; i++) writer.double(this.#losses[i] ?? 0);
    }
  }

  read(reader: ByteReader, slots: readonly number[]): void {
    for (const slot of slots) {
      for (let i = slot * scales; i < (slot + 1) * scales; i++) {
        this.#came[i] = sane(reader.double());
        this.#said[i] = sane(reader.double());
      }
      for (let i = slot * column; i < (slot + 1) * column; i++) {
        const loss = reader.double();
        this.#losses[i] = Number.isFinite(loss) ? loss : 0;
      }
      for (let horizon = 0; horizon < horizonsMin.length; horizon++) {
        let best = 0;
        const from = slot * column + horizon * blendCount;
        for (let i = 1; i < blendCount; i++) if ((this.#losses[from + i] ?? 0) < (this.#losses[from + best] ?? 0)) best = i;
        this.#best[slot * horizonsMin.length + horizon] = best;
      }
    }
  }
}

const minuteFades = scalesMin.map((tau) => Math.exp(-1 / tau));

/** Sum of the weights of so many minutes in a row, the last of which counts whole. */
function weightsOf(scale: number, minutes: number): number {
  const tau = scalesMin[scale] ?? 1;
  return Math.expm1(-minutes / tau) / Math.expm1(-1 / tau);
}

function sane(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}

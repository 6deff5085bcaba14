/**
 * How far a resource follows what its series say: the logarithm of its rate moves by a weighted sum of a few logarithms of ratios (the site's, its class's, its own,
 * its region's expected level over the one its base rate contains). The weights are learned from held-out outcomes at four densities of demand, by Newton's steps on a
 * negative binomial likelihood with a prior (a dynamic generalised linear model; West & Harrison 1997). Outcomes of one half hour share its surprises, so that
 * evidence is divided by how much more the half hours' gradients scatter than independent rows would.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { solveSymmetric } from './linear-system.ts';

/** The site's, the class's, the resource's own, the region's. */
export const ratioCount = 4;
/** Upper ends of the densities, in expected requests in 15 minutes. */
const densities = [0.03, 0.3, 3, Infinity] as const;
/** Weights before anything is known, and how firmly they are held, in units of the information of so many requests. */
const prior = [0.5, 0, 0, 0.3] as const;
const firmness = 40;
const dispersion = 0.5;
/** Evidence halves in four days of half hours. */
const keep = 2 ** (-1 / 192);
/** No ratio counts for more, and no row moves by more, than this factor. */
export const ratioLogMax = Math.log(4);
const square = ratioCount * ratioCount;

export class RowWeights {
  readonly #weights = new Float64Array(densities.length * ratioCount);
  /** Information, and the scatter of half hours' gradients, by density. */
  readonly #information = new Float64Array(densities.length * square);
  readonly #scatter = new Float64Array(densities.length * ratioCount);

  constructor() {
    for (let density = 0; density < densities.length; density++) this.#weights.set(prior, density * ratioCount);
  }

  weight(density: number, ratio: number): number {
    return this.#weights[density * ratioCount + ratio] ?? 0;
  }

  /** `ratios`: `ratioCount` logarithms a row; `means`: what was expected without them; `counts`: what came. */
  learn(ratios: Float32Array, means: Float64Array, counts: Float64Array): void {
    const gradients = new Float64Array(densities.length * ratioCount);
    for (let i = 0; i < this.#information.length; i++) this.#information[i] = (this.#information[i] ?? 0) * keep;
    for (let row = 0; row < counts.length; row++) {
      const density = densityOf(means[row] ?? 0);
      const from = density * ratioCount;
      let moved = 0;
      for (let i = 0; i < ratioCount; i++) moved += (this.#weights[from + i] ?? 0) * (ratios[row * ratioCount + i] ?? 0);
      const mean = Math.max(1e-9, (means[row] ?? 0) * Math.exp(Math.min(ratioLogMax, Math.max(-ratioLogMax, moved))));
      const spread = 1 + dispersion * mean;
      for (let i = 0; i < ratioCount; i++) {
        const ratio = ratios[row * ratioCount + i] ?? 0;
        if (ratio === 0) continue;
        gradients[from + i] = (gradients[from + i] ?? 0) + (((counts[row] ?? 0) - mean) / spread) * ratio;
        for (let j = 0; j < ratioCount; j++) {
          const at = density * square + i * ratioCount + j;
          this.#information[at] = (this.#information[at] ?? 0) + (mean / spread) * ratio * (ratios[row * ratioCount + j] ?? 0);
        }
      }
    }
    for (let density = 0; density < densities.length; density++) this.#step(density, gradients.subarray(density * ratioCount, (density + 1) * ratioCount));
  }

  write(writer: ByteWriter): void {
    for (const column of [this.#weights, this.#information, this.#scatter]) for (const value of column) writer.double(value);
  }

  read(reader: ByteReader): void {
    for (const column of [this.#weights, this.#information, this.#scatter]) {
      for (let i = 0; i < column.length; i++) {
        const value = reader.double();
        column[i] = Number.isFinite(value) ? value : 0;
      }
    }
  }

  #step(density: number, gradient: Float64Array): void {
    const information = this.#information.subarray(density * square, (density + 1) * square);
    let scattered = 0;
    let independent = 0;
    for (let i = 0; i < ratioCount; i++) {
      const at = density * ratioCount + i;
      this.#scatter[at] = (this.#scatter[at] ?? 0) * keep + (gradient[i] ?? 0) ** 2;
      scattered += this.#scatter[at] ?? 0;
      independent += information[i * ratioCount + i] ?? 0;
    }
    const shared = Math.max(1, scattered / Math.max(1e-9, independent));
    const matrix = information.map((value, i) => value / shared + (i % (ratioCount + 1) === 0 ? firmness : 0));
    const pull = gradient.map((value, i) => value / shared + (1 - keep) * firmness * ((prior[i] ?? 0) - this.weight(density, i)));
    solveSymmetric(matrix, pull).forEach((step, i) => {
      const at = density * ratioCount + i;
      this.#weights[at] = Math.min(1.5, Math.max(-0.5, (this.#weights[at] ?? 0) + Math.min(0.2, Math.max(-0.2, step))));
    });
  }
}

/** `mean`: expected requests in 15 minutes. */
export function densityOf(mean: number): number {
  return mean < densities[0] ? 0 : mean < densities[1] ? 1 : mean < densities[2] ? 2 : 3;
}
export const densityCount = densities.length;

/**
 * What trees are trained on and how their predictions are judged. A model predicts a correction: the logarithm of what the expected count, given as an
 * offset, is to be multiplied by. So without any evidence the correction is 0 and the offset stands.
 */

export interface TrainingRows {
  /** One column a feature; NaN is missing. */
  readonly features: readonly Float32Array[];
  readonly counts: Float64Array;
  /** Logarithm of the expected count. */
  readonly offsets: Float64Array;
}

/** Expected counts are taken to be within e^±this. */
const offsetMax = 30;

/** The expected count of an offset, and of anything that is not a number, none. */
export function expectedOf(offset: number): number {
  if (!(offset >= -offsetMax)) return 0;
  return Math.exp(offset > offsetMax ? offsetMax : offset);
}

/** A count above this is taken to be this. */
const countMax = 1e9;

/** The count of a row, and of anything that is none, 0. */
export function countOf(count: number): number {
  return count > 0 ? Math.min(countMax, count) : 0;
}

/**
 * Mean Poisson deviance of counts beside e^(offset + correction): 2 (y ln(y/μ) − (y − μ)), over the rows. (McCullagh & Nelder, Generalized Linear Models, §2.3)
 * A count where nothing was expected is as bad as at the least expectation there is, e^−30.
 */
export function poissonDeviance(counts: Float64Array, offsets: Float64Array, corrections: Float64Array): number {
  let sum = 0;
  for (let row = 0; row < counts.length; row++) {
    const count = countOf(counts[row] ?? 0);
    const mean = Math.max(expectedOf((offsets[row] ?? 0) + (corrections[row] ?? 0)), Math.exp(-offsetMax));
    sum += mean - count + (count > 0 ? count * (Math.log(count) - Math.log(mean)) : 0);
  }
  return counts.length > 0 ? (2 * sum) / counts.length : 0;
}

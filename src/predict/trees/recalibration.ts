/**
 * How far a model's corrections are to be believed, from rows that it was not trained on: the intercept b and slope k of e^(offset + b + k · correction), fitted to their counts (a Poisson
 * regression by Newton's steps), held near 0 and 1 by weak normal priors. A slope below 0 would turn the model around, and is 0: then nothing is believed.
 */
import { countOf, expectedOf } from './rows.ts';

export interface Recalibration {
  readonly intercept: number;
  readonly slope: number;
}

/** Standard deviation of the priors. */
const priorSpread = 0.5;
const slopeMax = 3;
const stepsMax = 20;
const exponentMax = 20;

/** Rows whose correction is NaN don't count. */
export function recalibrate(counts: Float64Array, offsets: Float64Array, corrections: Float64Array): Recalibration {
  const expected = offsets.map(expectedOf);
  let [intercept, slope] = [0, 1];
  let best = likelihood(counts, expected, corrections, intercept, slope);
  for (let step = 0; step < stepsMax; step++) {
    const [up, sideways] = newtonStep(counts, expected, corrections, intercept, slope);
    let part = 1;
    let found = best;
    for (; part > 1e-3; part /= 2) {
      found = likelihood(counts, expected, corrections, intercept + part * up, slope + part * sideways);
      if (found > best) break;
    }
    if (!(found > best)) break;
    intercept += part * up;
    slope += part * sideways;
    const gained = found - best;
    best = found;
    if (gained < 1e-6) break;
  }
  return { intercept, slope: slope < 0 ? 0 : slope > slopeMax ? slopeMax : slope };
}

function meanOf(expected: number, correction: number, intercept: number, slope: number): number {
  return expected * Math.exp(Math.min(exponentMax, intercept + slope * correction));
}

function likelihood(counts: Float64Array, expected: Float64Array, corrections: Float64Array, intercept: number, slope: number): number {
  let sum = -(intercept ** 2 + (slope - 1) ** 2) / (2 * priorSpread ** 2);
  for (let row = 0; row < counts.length; row++) {
    const correction = corrections[row] ?? Number.NaN;
    if (Number.isNaN(correction)) continue;
    sum += countOf(counts[row] ?? 0) * Math.min(exponentMax, intercept + slope * correction) - meanOf(expected[row] ?? 0, correction, intercept, slope);
  }
  return sum;
}

function newtonStep(counts: Float64Array, expected: Float64Array, corrections: Float64Array, intercept: number, slope: number): readonly [number, number] {
  const precision = 1 / priorSpread ** 2;
  let [gradient0, gradient1, curve00, curve01, curve11] = [-intercept * precision, (1 - slope) * precision, precision, 0, precision];
  for (let row = 0; row < counts.length; row++) {
    const correction = corrections[row] ?? Number.NaN;
    if (Number.isNaN(correction)) continue;
    const mean = meanOf(expected[row] ?? 0, correction, intercept, slope);
    const error = countOf(counts[row] ?? 0) - mean;
    gradient0 += error;
    gradient1 += error * correction;
    curve00 += mean;
    curve01 += mean * correction;
    curve11 += mean * correction * correction;
  }
  const determinant = curve00 * curve11 - curve01 * curve01;
  return [(curve11 * gradient0 - curve01 * gradient1) / determinant, (curve00 * gradient1 - curve01 * gradient0) / determinant];
}

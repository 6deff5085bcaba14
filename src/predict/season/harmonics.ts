/**
 * The profile of a period (a day, a week) as harmonics: Poisson regression with a logarithmic link by Newton's method (McCullagh & Nelder 1989), held towards
 * flat the more, the higher the harmonic. Counts are divided by the series' dispersion first, so that a hundred requests of one visitor count as few.
 */
import { solveSymmetric } from './linear-system.ts';
import { dispersionOf } from './history.ts';
import type { History } from './history.ts';

/** Weight of the prior towards flat at the first harmonic; grows with the square of the number in a day. */
const ridge = 3;
const roundsMax = 12;

/** `frequencies`: cycles in the period of `period` steps. */
export function harmonicProfile({ counts, endMs, stepMin }: History, period: number, frequencies: readonly number[], behind: number, ahead: number): Float64Array {
  const perDay = period / (1440 / stepMin);
  const width = 2 * frequencies.length;
  // Steps are numbered by the clock, so that phases stay the same from fit to fit.
  const last = Math.round(endMs / (stepMin * 60_000));
  const terms = (step: number, into: Float64Array): void => {
    frequencies.forEach((frequency, i) => {
      const angle = (2 * Math.PI * frequency * (step % period)) / period;
      into[2 * i] = Math.cos(angle);
      into[2 * i + 1] = Math.sin(angle);
    });
  };
  const { came, expected } = folded(counts, period, last);
  const dispersion = dispersionOf(counts);
  const rows = Array.from({ length: period }, (_, phase) => { const row = new Float64Array(width); terms(phase, row); return row; });
  const weights = new Float64Array(width);
  const penalty = Float64Array.from({ length: width }, (_, i) => ridge * Math.max(1, ((frequencies[i >> 1] ?? 1) / perDay) ** 2));
  const total = came.reduce((sum, value) => sum + value, 0);
  for (let round = 0; round < roundsMax && total > 0; round++) {
    const mean = expected.map((value, phase) => value * Math.exp(dot(rows[phase], weights)));
    const scale = total / Math.max(1e-12, mean.reduce((sum, value) => sum + value, 0));
    const gradient = Float64Array.from(weights, (weight, i) => -(penalty[i] ?? 0) * weight);
    const curvature = new Float64Array(width * width);
    rows.forEach((row, phase) => {
      const mu = ((mean[phase] ?? 0) * scale) / dispersion;
      const miss = (came[phase] ?? 0) / dispersion - mu;
      for (let i = 0; i < width; i++) {
        gradient[i] = (gradient[i] ?? 0) + miss * (row[i] ?? 0);
        for (let j = 0; j < width; j++) curvature[i * width + j] = (curvature[i * width + j] ?? 0) + mu * (row[i] ?? 0) * (row[j] ?? 0);
      }
    });
    for (let i = 0; i < width; i++) curvature[i * width + i] = (curvature[i * width + i] ?? 0) + (penalty[i] ?? 0);
    const step = solveSymmetric(curvature, gradient);
    let moved = 0;
    step.forEach((value, i) => {
      const bounded = Math.min(1, Math.max(-1, value));
      weights[i] = (weights[i] ?? 0) + bounded;
      moved = Math.max(moved, Math.abs(bounded));
    });
    if (moved < 1e-4) break;
  }
  const path = new Float64Array(behind + ahead);
  const row = new Float64Array(width);
  for (let i = 0; i < path.length; i++) {
    terms(last + i - behind, row);
    path[i] = dot(row, weights);
  }
  return path;
}

/** What came at each phase, and what would have, were every period (counted back from the end) flat. */
function folded(counts: Float64Array, period: number, last: number): { readonly came: Float64Array; readonly expected: Float64Array } {
  const came = new Float64Array(period);
  const expected = new Float64Array(period);
  for (let end = counts.length; end > 0; end -= period) {
    const from = Math.max(0, end - period);
    let total = 0;
    for (let i = from; i < end; i++) total += counts[i] ?? 0;
    for (let i = from; i < end; i++) {
      const phase = (last - counts.length + i) % period;
      came[phase] = (came[phase] ?? 0) + (counts[i] ?? 0);
      expected[phase] = (expected[phase] ?? 0) + total / (end - from);
    }
  }
  return { came, expected };
}

function dot(row: Float64Array | undefined, weights: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < weights.length; i++) sum += (row?.[i] ?? 0) * (weights[i] ?? 0);
  return sum;
}

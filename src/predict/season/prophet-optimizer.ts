/**
 * Prophet's optimiser (Taylor & Letham 2018): the most probable parameters of its linear trend with change points and additive seasons and holidays. That model is
 * a linear regression with normal priors and Laplace priors on the changes of slope, so that reweighted least squares find what Stan's optimiser finds, in milliseconds and
 * without its WebAssembly, whose system shim does not run under Bun. Changes of slope: |δ|/τ as a quadratic at the δ before (Figueiredo 2003).
 */
import { solveSymmetric } from './linear-system.ts';

interface StanData {
  readonly T: number;
  readonly y: readonly number[];
  readonly t: readonly number[];
  readonly S: number;
  readonly t_change: readonly number[];
  readonly trend_indicator: number;
  readonly K: number;
  readonly X: readonly (readonly number[])[];
  readonly sigmas: readonly number[];
  readonly tau: number;
}

/** As `@bsull/augurs/prophet` wants it returned. */
interface Optimized {
  readonly logs: { readonly debug: string; readonly info: string; readonly warn: string; readonly error: string; readonly fatal: string };
  readonly params: { readonly k: number; readonly m: number; readonly sigmaObs: number; readonly delta: Float64Array; readonly beta: Float64Array; readonly trend: Float64Array };
}

const rounds = 8;
/** Prior scales of slope and offset, and of the noise, in Prophet's own model. */
const trendScale = 5;
const noiseScale = 0.5;

/** `json`: the data as Prophet hands them to Stan. Multiplicative features and logistic trends are not for this optimiser, and are not asked of it here. */
export function optimizeProphet(_init: unknown, json: string): Optimized {
  // The library's own serialisation of its own type.
  const data = JSON.parse(json) as StanData;
  const design = designOf(data);
  const size = 2 + data.S + data.K;
  const found = new Float64Array(size);
  let noise = 0.1;
  for (let round = 0; round < rounds; round++) {
    const precision = noise * noise;
    const matrix = Float64Array.from(design.products);
    for (let i = 0; i < size; i++) matrix[i * size + i] = (matrix[i * size + i] ?? 0) + precision * priorWeight(data, i, found, round) + 1e-9;
    found.set(solveSymmetric(matrix, design.answers));
    noise = Math.max(1e-3, noiseOf(data, design.rows, found, size));
  }
  const [k = 0, m = 0] = found;
  const delta = found.slice(2, 2 + data.S);
  const beta = found.slice(2 + data.S);
  const trend = Float64Array.from({ length: data.T }, (_, row) => {
    let sum = 0;
    for (let i = 0; i < 2 + data.S; i++) sum += (design.rows[row * size + i] ?? 0) * (found[i] ?? 0);
    return sum;
  });
  return { logs: { debug: '', info: '', warn: '', error: '', fatal: '' }, params: { k, m, sigmaObs: noise, delta, beta, trend } };
}

/** One over the variance of the prior of each parameter: slope, offset, changes of slope, features. */
function priorWeight(data: StanData, parameter: number, found: Float64Array, round: number): number {
  if (parameter < 2) return 1 / trendScale ** 2;
  if (parameter >= 2 + data.S) return 1 / (data.sigmas[parameter - 2 - data.S] ?? 1) ** 2;
  const size = round === 0 ? data.tau : Math.abs(found[parameter] ?? 0);
  return 1 / (data.tau * Math.max(size, 1e-5 * data.tau));
}

/** Rows of the regression, and their products with themselves and with y. */
function designOf(data: StanData): { readonly rows: Float64Array; readonly products: Float64Array; readonly answers: Float64Array } {
  const size = 2 + data.S + data.K;
  const rows = new Float64Array(data.T * size);
  const products = new Float64Array(size * size);
  const answers = new Float64Array(size);
  const isFlat = data.trend_indicator === 2;
  for (let row = 0; row < data.T; row++) {
    const at = row * size;
    const time = data.t[row] ?? 0;
    if (!isFlat) rows[at] = time;
    rows[at + 1] = 1;
    for (let s = 0; s < data.S && !isFlat; s++) rows[at + 2 + s] = Math.max(0, time - (data.t_change[s] ?? 0));
    for (let k = 0; k < data.K; k++) rows[at + 2 + data.S + k] = data.X[row]?.[k] ?? 0;
    for (let i = 0; i < size; i++) {
      const own = rows[at + i] ?? 0;
      if (own === 0) continue;
      answers[i] = (answers[i] ?? 0) + own * (data.y[row] ?? 0);
      for (let j = 0; j < size; j++) products[i * size + j] = (products[i * size + j] ?? 0) + own * (rows[at + j] ?? 0);
    }
  }
  return { rows, products, answers };
}

/** The noise that is most probable given the misses, with its half-normal prior, by its own fixed point. */
function noiseOf(data: StanData, rows: Float64Array, found: Float64Array, size: number): number {
  let squares = 0;
  for (let row = 0; row < data.T; row++) {
    let miss = data.y[row] ?? 0;
    for (let i = 0; i < size; i++) miss -= (rows[row * size + i] ?? 0) * (found[i] ?? 0);
    squares += miss * miss;
  }
  let variance = squares / data.T;
  for (let i = 0; i < 4; i++) variance = squares / (data.T + variance / noiseScale ** 2);
  return Math.sqrt(variance);
}

/**
 * The negative binomial distribution of counts, by mean m and dispersion α: variance m + αm². α = 0 is Poisson.
 * P(≥1) = 1 − (1 + αm)^(−1/α).
 */

/** P(at least one). */
export function probabilityOfAny(mean: number, dispersion: number): number {
  if (mean <= 0) return 0;
  return dispersion < 1e-9 ? -Math.expm1(-mean) : -Math.expm1(-Math.log1p(dispersion * mean) / dispersion);
}

/** Above this mean a quantile is computed by approximation, at most about 1 % off. */
const exactMeanMax = 300;

/** Smallest counts whose cumulative probability reaches each level. Levels ascend, below 1. */
export function quantiles(mean: number, dispersion: number, levels: readonly number[]): number[] {
  if (mean <= 0) return levels.map(() => 0);
  if (mean > exactMeanMax) return levels.map((level) => approximateQuantile(mean, dispersion, level));
  const poisson = dispersion < 1e-9;
  const shape = poisson ? 0 : 1 / dispersion;
  const odds = poisson ? 0 : (dispersion * mean) / (1 + dispersion * mean);
  // Not 1 − P(≥1), which would round to 0 long before the mean is large.
  let term = Math.exp(poisson ? -mean : -Math.log1p(dispersion * mean) / dispersion);
  let cumulative = term;
  let count = 0;
  // With a mean of 300 and a dispersion of 50, the 99th percentile is far below this; the bound only guards against rounding.
  const countMax = 1_000_000;
  return levels.map((level) => {
    while (cumulative < level && count < countMax && term > 1e-300) {
      term *= poisson ? mean / (count + 1) : ((shape + count) / (count + 1)) * odds;
      count++;
      cumulative += term;
    }
    return count;
  });
}

/** Wilson & Hilferty's cube-root approximation of the gamma distribution with the same mean and variance. */
function approximateQuantile(mean: number, dispersion: number, level: number): number {
  const variance = mean + dispersion * mean * mean;
  const shape = (mean * mean) / variance;
  const cube = 1 - 1 / (9 * shape) + normalQuantile(level) / (3 * Math.sqrt(shape));
  return Math.max(0, Math.round((variance / mean) * shape * Math.max(0, cube) ** 3));
}

/** Quantile of the standard normal distribution (Acklam's rational approximation, relative error below 1.2e-9). */
function normalQuantile(level: number): number {
  const a = [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239];
  const b = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572, 1];
  const c = [-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783];
  const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416, 1];
  const tail = 0.02425;
  if (level > 1 - tail) return -normalQuantile(1 - level);
  if (level < tail) {
    const t = Math.sqrt(-2 * Math.log(level));
    return horner(c, t) / horner(d, t);
  }
  const t = level - 0.5;
  return (horner(a, t * t) * t) / horner(b, t * t);
}

function horner(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}

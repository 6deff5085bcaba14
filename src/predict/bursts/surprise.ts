/**
 * How improbable a count is: the Chernoff bound of the negative binomial's upper tail, in nats. P(X ≥ count) ≤ e^(−surprise) for a count of this mean whose
 * rate is itself known only as well as a gamma of this shape (variance mean + mean²/shape). Three logarithms, no gamma functions.
 */
export function surprise(count: number, mean: number, shape: number): number {
  if (!(count > mean) || !(mean > 0)) return 0;
  // sup over t of t·count − log E[e^(tX)]
  return count * Math.log(count / mean) - (count + shape) * Math.log((count + shape) / (mean + shape));
}

/**
 * Makes the forecast of a resource and those of its regions add up. Both levels are estimates of the same requests, each with its own error: the
 * difference is shared out by variance (weighted least squares, the diagonal form of MinT: Wickramasuriya, Athanasopoulos & Hyndman 2019). A count's variance grows with
 * its mean, so that the whole moves half-way towards the sum of its parts, and each part in proportion to its size.
 */

/** `parts`: expected requests of each region, changed in place. `elsewhere`: expected from regions that are not among them. Returns the reconciled whole. */
export function reconcile(whole: number, parts: Float64Array, elsewhere: number): number {
  let sum = elsewhere;
  for (let i = 0; i < parts.length; i++) sum += parts[i] ?? 0;
  if (!(sum > 0) || !(whole > 0)) return whole;
  const agreed = whole + (whole / (whole + sum)) * (sum - whole);
  const factor = agreed / sum;
  for (let i = 0; i < parts.length; i++) parts[i] = (parts[i] ?? 0) * factor;
  return agreed;
}

/**
 * How well counts lie within what was forecast: the probability integral transform for counts in its non-randomised form (Czado, Gneiting &
 * Held 2009). A count x that was forecast with distribution P gets the part of the uniform scale between P(x − 1) and P(x); a forecast is
 * calibrated when on average every part of the scale gets its own length, however coarse the counts.
 */

/** P(X < count) and P(X ≤ count) of the negative binomial with this mean and dispersion. */
export function cumulative(mean: number, dispersion: number, count: number): { readonly below: number; readonly upTo: number } {
  if (!(mean > 0)) return { below: count > 0 ? 1 : 0, upTo: 1 };
  const poisson = dispersion < 1e-9;
  const shape = poisson ? 0 : 1 / dispersion;
  const odds = poisson ? 0 : (dispersion * mean) / (1 + dispersion * mean);
  // In logarithms, so that a large mean does not begin at 0.
  let logTerm = poisson ? -mean : -shape * Math.log1p(dispersion * mean);
  let below = 0;
  let upTo = Math.exp(logTerm);
  for (let x = 0; x < count; x++) {
    logTerm += Math.log(poisson ? mean / (x + 1) : ((shape + x) / (x + 1)) * odds);
    below = upTo;
    upTo += Math.exp(logTerm);
  }
  return { below: Math.min(1, below), upTo: Math.min(1, upTo) };
}

/** The part of a count's stretch from `below` to `upTo` that lies at or below the level. */
export function pitPart(level: number, below: number, upTo: number): number {
  if (level >= upTo) return 1;
  return level <= below ? 0 : (level - below) / (upTo - below);
}

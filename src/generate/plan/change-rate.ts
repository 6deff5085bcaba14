/**
 * How often an original changes, from what refreshes found: each says only "changed" or "not changed since the copy before".
 * The maximum-likelihood rate of a Poisson process seen through such bits solves
 *     Σ over changed τ / (e^(Δτ) − 1) = Σ over unchanged τ        (Cho & Garcia-Molina; Azar et al., PNAS 2018, SI)
 * Half a pseudo-interval of each kind keeps the estimate finite and above zero while observations are few.
 */

export interface ChangeObservation {
  /** Time between the two fetches, minutes. */
  readonly minutes: number;
  readonly changed: boolean;
}

/** Changes a minute; 0 without observations. */
export function estimateChangeRate(observations: readonly ChangeObservation[]): number {
  const usable = observations.filter((observation) => observation.minutes > 0 && Number.isFinite(observation.minutes));
  if (usable.length === 0) return 0;
  const typical = usable.reduce((sum, observation) => sum + observation.minutes, 0) / usable.length;
  let unchangedMinutes = 0.5 * typical;
  const changed: number[] = [];
  for (const { minutes, changed: hasChanged } of usable) {
    if (hasChanged) changed.push(minutes);
    else unchangedMinutes += minutes;
  }
  const surplus = (rate: number): number => {
    let sum = (0.5 * typical) / Math.expm1(rate * typical);
    for (const minutes of changed) sum += minutes / Math.expm1(rate * minutes);
    return sum - unchangedMinutes;
  };
  // The left side falls from infinity to 0 as the rate grows, so there is exactly one crossing; bisect its logarithm.
  let low = Math.log(1e-9 / typical);
  let high = Math.log(50 / Math.min(typical, ...changed));
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (surplus(Math.exp(middle)) > 0) low = middle;
    else high = middle;
  }
  return Math.exp((low + high) / 2);
}

/**
 * How often an original changes, from what refreshes found: each says only "changed" or "not changed since the copy before", or, where the
 * origin dates its pages, when it last changed. Changes are a Poisson process whose rate has a Gamma distribution; what is known of it are
 * two numbers, so that nothing need be remembered of single refreshes:
 * - not changed for τ: the exact posterior, Gamma(a, b + τ). Only the time counts, not into how many intervals it was cut: refreshing an
 *   unchanging page more often never makes it look livelier.
 * - last changed σ ago: Gamma(a + 1, b + σ), exact (the time since the last event is exponential too).
 * - changed at some time within τ: the posterior is a difference of Gammas; it is replaced by the Gamma of its mean and variance (assumed-density filtering).
 * Before anything is seen of a page, what is known of others (`ChangePrior`) stands in, and weighs less and less. Rates drift: what is known is
 * never taken to be worth more than `shapeMax` changes or `minutesMax` of watching.
 */

export type ChangeObservation =
  /** Time between the two fetches, minutes. */
  | { readonly minutes: number; readonly changed: boolean }
  /** The origin's own word that it last changed so long ago. */
  | { readonly sinceChangeMinutes: number };

/** What was seen of one page, beside the prior: changes, and minutes of watching. */
export interface ChangeEvidence {
  readonly shape: number;
  readonly minutes: number;
}

/** What is expected of a page nothing is known of: the same two numbers. */
export type ChangePrior = ChangeEvidence;

export const noEvidence: ChangeEvidence = { shape: 0, minutes: 0 };
/** Of the prior: most pages of a site change seldom, a few often. */
const priorShape = 0.25;
/** The prior weighs as much as this time of watching at most, whatever its mean: among pages at rest one that changes is soon known for it. */
const priorMinutesMax = 360;
const priorFadesBy = 8;
const shapeMax = 24;
const minutesMax = 60 * 1440;

/** What to expect of a page that is like others, which change so often on the average. */
export function changePrior(perMinute: number): ChangePrior {
  const minutes = Math.min(priorShape / perMinute, priorMinutesMax);
  return { shape: perMinute * minutes, minutes };
}

/** The posterior mean, changes a minute. */
export function changeRate(evidence: ChangeEvidence, prior: ChangePrior): number {
  const believed = priorLeft(evidence.shape);
  return (prior.shape * believed + evidence.shape) / (prior.minutes * believed + evidence.minutes);
}

/** What is known after one more observation. Spans that are none change nothing. */
export function learnChange(evidence: ChangeEvidence, seen: ChangeObservation, prior: ChangePrior): ChangeEvidence {
  if ('sinceChangeMinutes' in seen) {
    return isSpan(seen.sinceChangeMinutes) ? bounded(evidence.shape + 1, evidence.minutes + seen.sinceChangeMinutes) : evidence;
  }
  if (!isSpan(seen.minutes)) return evidence;
  if (!seen.changed) return bounded(evidence.shape, evidence.minutes + seen.minutes);
  const believed = priorLeft(evidence.shape);
  const a = prior.shape * believed + evidence.shape;
  const b = prior.minutes * believed + evidence.minutes;
  // Moments of λ^(a−1) e^(−bλ) (1 − e^(−τλ)): with r = b/(b+τ), E λⁿ = a…(a+n−1)/bⁿ · (1 − r^(a+n))/(1 − r^a).
  const logRatio = -Math.log1p(seen.minutes / b);
  const none = Math.expm1(a * logRatio);
  const mean = ((a / b) * Math.expm1((a + 1) * logRatio)) / none;
  const square = (((a * (a + 1)) / (b * b)) * Math.expm1((a + 2) * logRatio)) / none;
  const minutes = mean / (square - mean * mean);
  // The page's own part takes what was learned; the prior keeps its part, and fades.
  return bounded(evidence.shape + mean * minutes - a, evidence.minutes + minutes - b);
}

/** How much of the prior still counts: none of it once a page has shown so many changes of its own. */
function priorLeft(shape: number): number {
  return Math.max(0, 1 - shape / priorFadesBy);
}

/** How many changes are expected to have happened where at least one was seen. */
export function changesBehindOne(perMinute: number, minutes: number): number {
  const expected = perMinute * minutes;
  return expected < 1e-6 ? 1 : expected / -Math.expm1(-expected);
}

function isSpan(minutes: number): boolean {
  return minutes > 0 && Number.isFinite(minutes);
}

function bounded(shape: number, minutes: number): ChangeEvidence {
  const scale = Math.min(1, shapeMax / shape, minutesMax / minutes);
  return scale < 1 ? { shape: shape * scale, minutes: minutes * scale } : { shape: Math.max(0, shape), minutes: Math.max(0, minutes) };
}

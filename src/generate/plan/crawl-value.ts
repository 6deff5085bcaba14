/**
 * What renewing a copy now is worth. A copy of age s loses c(s) per expected request, by two penalties:
 * - age: the part of an outage that began now in which the copy would be older than the target; beyond the target a slow
 *   harmonic growth, so that nothing that is asked for starves;
 * - change: for an original that changes at rate Δ, the expected harmonic number of the changes missed (Kolobov et al.,
 *   NeurIPS 2019), or, as `binary`, the probability of any (Azar et al., PNAS 2018; Cho & Garcia-Molina).
 *
 * Passing requests renew the copy for nothing, at rate p. Then the fair price of a renewal at age a, where renewing and
 * waiting cost the same (the Whittle index of an age process with free resets at rate p), is
 *     V(a) = μ ∫₀ᵃ e^(−ps) (c(a) − c(s)) ds = μ ∫₀ᵃ c′(s) (1 − e^(−ps)) / p ds.
 * With p = 0 and the binary penalty this is the crawl value (μ/Δ)(1 − e^(−Δa) − Δa·e^(−Δa)). All cases below are closed forms.
 */

export interface Refreshing {
  readonly ageMin: number;
  /** μ: expected requests a minute × what one is worth. */
  readonly worthPerMinute: number;
  /** Δ. */
  readonly changesPerMinute: number;
  /** p. */
  readonly passivePerMinute: number;
  readonly targetAgeMin: number;
  readonly outageMin: number;
  readonly penalty: 'harmonic' | 'binary';
}

/** Slope of the harmonic growth beyond the target: a copy that nobody else renews doubles its value in about 20 targets. */
const starvingSlope = 0.05;
/** An outdated copy within the age target counts this much beside one beyond it. */
const changeWeight = 0.5;
/** Below this product of rate and age the limits for rate 0 are exact to 1e-5. */
const tiny = 1e-5;

export function crawlValue(of: Refreshing): number {
  const age = agePart(of.ageMin, of.passivePerMinute, of.targetAgeMin, of.outageMin);
  if (of.changesPerMinute * of.ageMin < tiny) return of.worthPerMinute * age;
  const change = of.penalty === 'binary' ? binaryPart : harmonicPart;
  return of.worthPerMinute * (age + changeWeight * change(of.ageMin, of.passivePerMinute, of.changesPerMinute));
}

/** c′ = 1/outage from (target − outage) to target, then starvingSlope/s. */
function agePart(a: number, p: number, target: number, outage: number): number {
  const from = Math.max(0, target - outage);
  if (a <= from) return 0;
  const to = Math.min(a, target);
  const ramp = p * to < tiny ? (to * to - from * from) / 2 : (to - from - (Math.exp(-p * from) - Math.exp(-p * to)) / p) / p;
  if (a <= target) return ramp / outage;
  const tail = p * a < tiny ? a - target : (entire(p * a) - entire(p * target)) / p;
  return ramp / outage + starvingSlope * tail;
}

/** c = Ein(Δs): the expected harmonic number of a Poisson count of mean Δs. */
function harmonicPart(a: number, p: number, delta: number): number {
  if (p * a < tiny) return a + Math.expm1(-delta * a) / delta;
  return (entire(p * a) + entire(delta * a) - entire((p + delta) * a)) / p;
}

/** c = 1 − e^(−Δs). */
function binaryPart(a: number, p: number, delta: number): number {
  if (p * a < tiny) return -Math.expm1(-delta * a) / delta - a * Math.exp(-delta * a);
  return (-Math.expm1(-delta * a) + (delta / (delta + p)) * Math.expm1(-(delta + p) * a)) / p;
}

const eulerGamma = 0.5772156649015329;

/** The entire exponential integral Ein(x) = ∫₀ˣ (1 − e^(−t))/t dt = γ + ln x + E₁(x) (DLMF 6.2.3), relative error below 1e-9. */
export function entire(x: number): number {
  if (x <= 0) return 0;
  if (x < 2) {
    let term = x;
    let sum = x;
    for (let n = 2; n < 30 && Math.abs(term) > 1e-12 * sum; n++) {
      term *= -x / n;
      sum += term / n;
    }
    return sum;
  }
  return eulerGamma + Math.log(x) + (x > 30 ? 0 : exponentialIntegral(x));
}

/** E₁(x) for x ≥ 2 by its continued fraction, evaluated backwards (DLMF 6.9.1). */
function exponentialIntegral(x: number): number {
  let fraction = x;
  for (let n = 40; n > 0; n--) fraction = x + n / (1 + n / fraction);
  return Math.exp(-x) / fraction;
}

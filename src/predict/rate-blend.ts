/**
 * From decayed counts at several scales to one rate: the blends, and which of them is trusted at which density.
 *
 * `mixture` weighs the scales' plain rates by fixed weights. `cascade` starts at the longest scale and lets each shorter one
 * correct it in proportion to its evidence: a gamma prior of shape `priorShape` around the longer scale's rate, then the
 * Poisson counts of the shorter. Which is better depends on the site and on how dense a key is (FORECASTING.md), so both are
 * scored by Poisson log-likelihood on what came after, and each density stratum uses the one with the better trailing score.
 */
import type { ByteReader, ByteWriter } from '../kernel/index.ts';

const mixtureWeights = [0.1, 0.4, 0.3, 0.2] as const;
const priorShape = 2;

/** Requests a minute by the fixed mixture. Arguments: decayed counts at the four scales, and `exposures`. */
export function mixtureRate(c0: number, c1: number, c2: number, c3: number, exposure: readonly number[]): number {
  const [e0 = 1, e1 = 1, e2 = 1, e3 = 1] = exposure;
  return mixtureWeights[0] * (c0 / e0) + mixtureWeights[1] * (c1 / e1) + mixtureWeights[2] * (c2 / e2) + mixtureWeights[3] * (c3 / e3);
}

/** Requests a minute by the shrunk cascade. */
export function cascadeRate(c0: number, c1: number, c2: number, c3: number, exposure: readonly number[]): number {
  const [e0 = 1, e1 = 1, e2 = 1, e3 = 1] = exposure;
  if (c3 <= 0) return 0;
  const day = c3 / e3;
  const part = (priorShape + c2) / (priorShape / day + e2);
  const hour = (priorShape + c1) / (priorShape / part + e1);
  return (priorShape + c0) / (priorShape / hour + e0);
}

const strataCount = 24;
/** Strata are octaves of the mixture's rate, the lowest at 2^-16 a minute and below. */
const lowestExponent = -16;

function stratumOf(ratePerMinute: number): number {
  if (!(ratePerMinute > 0)) return 0;
  const stratum = Math.floor(Math.log2(ratePerMinute)) - lowestExponent;
  return stratum < 0 ? 0 : stratum >= strataCount ? strataCount - 1 : stratum;
}

/** Trailing log-likelihood gain of the cascade over the mixture, per stratum of density. */
export class BlendChoice {
  readonly #gain = new Float64Array(strataCount);

  /** Rate of the blend that is trusted at this density. */
  rate(c0: number, c1: number, c2: number, c3: number, exposure: readonly number[]): number {
    const mixture = mixtureRate(c0, c1, c2, c3, exposure);
    if ((this.#gain[stratumOf(mixture)] ?? 0) <= 0) return mixture;
    return cascadeRate(c0, c1, c2, c3, exposure);
  }

  /** Takes what came of both predictions: `count` requests where each expected its mean. */
  score(mixtureRatePerMinute: number, cascadeRatePerMinute: number, minutes: number, count: number): void {
    if (mixtureRatePerMinute <= 0 || cascadeRatePerMinute <= 0) return;
    const stratum = stratumOf(mixtureRatePerMinute);
    const gain = count * Math.log(cascadeRatePerMinute / mixtureRatePerMinute) - (cascadeRatePerMinute - mixtureRatePerMinute) * minutes;
    this.#gain[stratum] = (this.#gain[stratum] ?? 0) + gain;
  }

  /** Lets older evidence fade. */
  decay(factor: number): void {
    for (let i = 0; i < strataCount; i++) this.#gain[i] = (this.#gain[i] ?? 0) * factor;
  }

  write(writer: ByteWriter): void {
    for (const gain of this.#gain) writer.double(gain);
  }

  read(reader: ByteReader): void {
    for (let i = 0; i < strataCount; i++) {
      const gain = reader.double();
      this.#gain[i] = Number.isFinite(gain) ? gain : 0;
    }
  }
}

/**
 * From decayed counts at several scales to one rate: the blends, and which of them is trusted at which density.
 *
 * `mixture` weighs the scales' plain rates by fixed weights. `cascade` starts at the longest scale and lets each shorter one
 * correct it in proportion to its evidence: a gamma prior of some shape around the longer scale's rate, then the Poisson
 * counts of the shorter; the larger the shape, the slower it believes in change. Which is better depends on the site and on how
 * dense a key is (FORECASTING.md), so the mixture and cascades of several shapes are scored by Poisson log-likelihood on
 * what came after, and each density stratum uses the one with the best trailing score.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';

const mixtureWeights = [0.1, 0.4, 0.3, 0.2] as const;
/** Shapes of the competing cascades; 0 stands for the mixture. */
export const blendShapes = [0, 2, 8, 24] as const;

/** Requests a minute by the fixed mixture. Arguments: decayed counts at the four scales, and `exposures`. */
export function mixtureRate(c0: number, c1: number, c2: number, c3: number, exposure: readonly number[]): number {
  // Not destructured: that runs the array's iterator, ten times the cost of the sum.
  return mixtureWeights[0] * (c0 / (exposure[0] ?? 1)) + mixtureWeights[1] * (c1 / (exposure[1] ?? 1))
    + mixtureWeights[2] * (c2 / (exposure[2] ?? 1)) + mixtureWeights[3] * (c3 / (exposure[3] ?? 1));
}

/** Requests a minute by the blend of this shape (0: the mixture). */
export function blendRate(shape: number, c0: number, c1: number, c2: number, c3: number, exposure: readonly number[]): number {
  if (shape === 0) return mixtureRate(c0, c1, c2, c3, exposure);
  return cascade(shape, c0, c1, c2, c3, exposure[0] ?? 1, exposure[1] ?? 1, exposure[2] ?? 1, exposure[3] ?? 1);
}

/** Each step is (shape + count) / (shape / rate + exposure), the mean of the posterior gamma, with the divisions gathered. */
function cascade(shape: number, c0: number, c1: number, c2: number, c3: number, e0: number, e1: number, e2: number, e3: number): number {
  const day = c3 / e3;
  const part = (day * (shape + c2)) / (shape + e2 * day);
  const hour = (part * (shape + c1)) / (shape + e1 * part);
  return (hour * (shape + c0)) / (shape + e0 * hour);
}

/** Keys with less than this in their decayed day (one request 4.6 days ago) are not worth a rate of their own. */
const livingDay = 0.01;

/**
 * The mixture's rates of all keys from their columns; keys that are as good as dead get 0. Hot: it runs over every key for every plan, to find those worth a closer look. 5 ns a key;
 * cascades take 24.
 */
export function mixturesInto(rates: Float32Array, columns: readonly Float32Array[], factors: readonly number[], exposure: readonly number[]): void {
  const [c0, c1, c2, c3] = columns;
  if (!c0 || !c1 || !c2 || !c3) return;
  const [f0 = 0, f1 = 0, f2 = 0, f3 = 0] = factors;
  const [e0 = 1, e1 = 1, e2 = 1, e3 = 1] = exposure;
  const [w0, w1, w2, w3] = [(mixtureWeights[0] * f0) / e0, (mixtureWeights[1] * f1) / e1, (mixtureWeights[2] * f2) / e2, (mixtureWeights[3] * f3) / e3];
  const least = livingDay / f3;
  for (let i = 0; i < rates.length; i++) {
    const day = c3[i] ?? 0;
    rates[i] = day >= least ? w0 * (c0[i] ?? 0) + w1 * (c1[i] ?? 0) + w2 * (c2[i] ?? 0) + w3 * day : 0;
  }
}

const strataCount = 24;
/** Strata are octaves of the mixture's rate, the lowest at 2^-16 a minute and below. */
const lowestExponent = -16;

function stratumOf(ratePerMinute: number): number {
  if (!(ratePerMinute > 0)) return 0;
  const stratum = Math.floor(Math.log2(ratePerMinute)) - lowestExponent;
  return stratum < 0 ? 0 : stratum >= strataCount ? strataCount - 1 : stratum;
}

/** Trailing log-likelihood of each blend, per stratum of density, relative to the mixture's. */
export class BlendChoice {
  readonly #gains = blendShapes.map(() => new Float64Array(strataCount));
  /** The shape that is trusted in each stratum. */
  readonly #trusted = new Float64Array(strataCount);

  /** Rate of the blend that is trusted at this density. */
  rate(c0: number, c1: number, c2: number, c3: number, exposure: readonly number[]): number {
    const mixture = mixtureRate(c0, c1, c2, c3, exposure);
    const shape = this.#trusted[stratumOf(mixture)] ?? 0;
    return shape === 0 ? mixture : blendRate(shape, c0, c1, c2, c3, exposure);
  }

  /** Takes what came of rows' predictions in so many minutes: a column a blend, in the order of `blendShapes`. */
  score(ratesPerMinute: readonly Float64Array[], minutes: number, counts: Float64Array): void {
    const mixtures = ratesPerMinute[0] ?? new Float64Array(0);
    for (let i = 1; i < blendShapes.length; i++) {
      const gains = this.#gains[i];
      const rates = ratesPerMinute[i];
      if (!gains || !rates) continue;
      for (let row = 0; row < counts.length; row++) {
        const mixture = mixtures[row] ?? 0;
        const rate = rates[row] ?? 0;
        if (mixture <= 0 || rate <= 0) continue;
        const stratum = stratumOf(mixture);
        const count = counts[row] ?? 0;
        gains[stratum] = (gains[stratum] ?? 0) + (count > 0 ? count * Math.log(rate / mixture) : 0) - (rate - mixture) * minutes;
      }
    }
  }

  /** Lets older evidence fade by `keep` (0 to 1), then trusts the best blend of each stratum; of equals the first. */
  settle(keep: number): void {
    for (let stratum = 0; stratum < strataCount; stratum++) {
      let best = 0;
      let shape: number = blendShapes[0];
      this.#gains.forEach((gains, i) => {
        const gain = (gains[stratum] ?? 0) * keep;
        gains[stratum] = gain;
        if (gain > best) {
          best = gain;
          shape = blendShapes[i] ?? 0;
        }
      });
      this.#trusted[stratum] = shape;
    }
  }

  write(writer: ByteWriter): void {
    for (const gains of this.#gains) for (const gain of gains) writer.double(gain);
  }

  read(reader: ByteReader): void {
    for (const gains of this.#gains) {
      for (let i = 0; i < strataCount; i++) {
        const gain = reader.double();
        gains[i] = Number.isFinite(gain) ? gain : 0;
      }
    }
    this.settle(1);
  }
}

/**
 * What predictions have been worth so far, per horizon and density: learned online from predictions made before the fact
 * (held out by time), and used to correct the next ones. Each horizon keeps half-octave bins of the predicted mean with the
 * number of predictions, their sum, the counts that came, their squared errors and how often nothing came. From a few
 * neighbouring bins follow a factor for the mean, a dispersion for P(≥1) (fitted to the share of zeros) and a dispersion for
 * quantiles (fitted to the variance), each held near its prior while evidence is thin.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { horizonsMin } from '../forecaster.ts';
import { probabilityOfAny } from '../distribution/negative-binomial.ts';

const binsPerOctave = 2;
const lowestExponent = -16;
const binCount = 52;
/** Neighbours on each side that a fit borrows from. */
const reach = 2;
const priorDispersion = 0.5;
/** Weight of the priors, in requests and in predictions with an outcome. */
const priorRequests = 20;
const priorOutcomes = 20;
const dispersionMax = 50;

interface Correction {
  readonly factor: Float64Array;
  readonly forAny: Float64Array;
  readonly forQuantiles: Float64Array;
}

/** A corrected prediction: its mean and the dispersions to compute P(≥1) and quantiles with. */
export interface Calibrated {
  readonly mean: number;
  readonly dispersionForAny: number;
  readonly dispersionForQuantiles: number;
}

const columnCount = 5;
const [predictions, sumMean, sumCount, sumSquares, zeros] = [0, 1, 2, 3, 4] as const;

export class Calibration {
  /** Per horizon: five columns of `binCount`. */
  readonly #statistics = horizonsMin.map(() => new Float64Array(columnCount * binCount));
  readonly #corrections: Correction[] = horizonsMin.map(() => ({
    factor: new Float64Array(binCount).fill(1),
    forAny: new Float64Array(binCount).fill(priorDispersion),
    forQuantiles: new Float64Array(binCount).fill(priorDispersion),
  }));

  /** Takes one outcome: `mean` was predicted (uncorrected), `count` came. */
  learn(horizon: number, mean: number, count: number): void {
    const statistics = this.#statistics[horizon];
    if (!statistics || !(mean > 0)) return;
    const bin = Math.round(position(mean));
    const error = count - mean;
    statistics[predictions * binCount + bin] = (statistics[predictions * binCount + bin] ?? 0) + 1;
    statistics[sumMean * binCount + bin] = (statistics[sumMean * binCount + bin] ?? 0) + mean;
    statistics[sumCount * binCount + bin] = (statistics[sumCount * binCount + bin] ?? 0) + count;
    statistics[sumSquares * binCount + bin] = (statistics[sumSquares * binCount + bin] ?? 0) + error * error;
    if (count === 0) statistics[zeros * binCount + bin] = (statistics[zeros * binCount + bin] ?? 0) + 1;
  }

  /** The corrected prediction for a mean at this horizon (index into `horizonsMin`). */
  correct(horizon: number, mean: number): Calibrated {
    const correction = this.#corrections[horizon];
    if (!correction || !(mean > 0)) return { mean: 0, dispersionForAny: 0, dispersionForQuantiles: 0 };
    const at = position(mean);
    const low = Math.floor(at);
    const part = at - low;
    return {
      mean: mean * between(correction.factor, low, part),
      dispersionForAny: between(correction.forAny, low, part),
      dispersionForQuantiles: between(correction.forQuantiles, low, part),
    };
  }

  /** Lets older evidence fade by `keep` (0 to 1), then fits the corrections of a horizon to what was learned. */
  refit(horizon: number, keep: number): void {
    const statistics = this.#statistics[horizon];
    const correction = this.#corrections[horizon];
    if (!statistics || !correction) return;
    for (let i = 0; i < statistics.length; i++) statistics[i] = (statistics[i] ?? 0) * keep;
    for (let bin = 0; bin < binCount; bin++) fitBin(statistics, correction, bin);
  }

  write(writer: ByteWriter): void {
    for (const statistics of this.#statistics) for (const value of statistics) writer.double(value);
  }

  read(reader: ByteReader): void {
    this.#statistics.forEach((statistics, horizon) => {
      for (let i = 0; i < statistics.length; i++) {
        const value = reader.double();
        statistics[i] = Number.isFinite(value) && value > 0 ? value : 0;
      }
      this.refit(horizon, 1);
    });
  }
}

/** Where a mean lies among the bins, as a fraction of bins; whole numbers are bin centres. */
function position(mean: number): number {
  const at = (Math.log2(mean) - lowestExponent) * binsPerOctave;
  return at < 0 ? 0 : at > binCount - 1 ? binCount - 1 : at;
}

function between(column: Float64Array, low: number, part: number): number {
  const here = column[low] ?? 0;
  return here + ((column[low + 1] ?? here) - here) * part;
}

function fitBin(statistics: Float64Array, correction: Correction, bin: number): void {
  const from = Math.max(0, bin - reach);
  const to = Math.min(binCount - 1, bin + reach);
  const sum = (column: number): number => {
    let total = 0;
    for (let i = from; i <= to; i++) total += statistics[column * binCount + i] ?? 0;
    return total;
  };
  const expected = sum(sumMean);
  const came = sum(sumCount);
  const factor = (came + priorRequests) / (expected + priorRequests);
  correction.factor[bin] = factor;
  correction.forAny[bin] = fitToZeros(statistics, from, to, factor, sum(predictions) - sum(zeros));
  // E[(count − m)²] = m + αm² for a mean that is right; the small bias left after `factor` is not worth another term.
  let squaredMeans = 0;
  for (let i = from; i <= to; i++) {
    const n = statistics[predictions * binCount + i] ?? 0;
    if (n > 0) squaredMeans += n * ((statistics[sumMean * binCount + i] ?? 0) / n) ** 2;
  }
  const excess = sum(sumSquares) - came;
  const weight = came / (came + priorRequests);
  const measured = squaredMeans > 0 ? clamp(excess / squaredMeans) : priorDispersion;
  correction.forQuantiles[bin] = weight * measured + (1 - weight) * priorDispersion;
}

/** The dispersion at which as many predictions have an outcome as had one, with pseudo-outcomes at the prior. */
function fitToZeros(statistics: Float64Array, from: number, to: number, factor: number, withAny: number): number {
  const expectedAny = (dispersion: number): number => {
    let total = 0;
    for (let i = from; i <= to; i++) {
      const n = statistics[predictions * binCount + i] ?? 0;
      if (n > 0) total += n * probabilityOfAny((factor * (statistics[sumMean * binCount + i] ?? 0)) / n, dispersion);
    }
    return total;
  };
  const atPrior = expectedAny(priorDispersion);
  if (atPrior <= 0) return priorDispersion;
  const target = atPrior * ((withAny + priorOutcomes) / (atPrior + priorOutcomes));
  let low = 0;
  let high = dispersionMax;
  if (expectedAny(low) <= target) return low;
  for (let step = 0; step < 30; step++) {
    const middle = (low + high) / 2;
    if (expectedAny(middle) > target) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function clamp(dispersion: number): number {
  return dispersion < 0 ? 0 : dispersion > dispersionMax ? dispersionMax : dispersion;
}

/**
 * How good the forecasts were: P(≥1) against what happened, per horizon and per density of demand, by log loss, Brier score
 * and reliability; quantiles by how often they held. Keys that were forecast are scored, and nothing else.
 */
import { horizonsMin } from '../forecaster.ts';
import type { Forecast } from '../forecaster.ts';

/** Upper ends of the strata of expected requests in the horizon. */
const densityLimits = [0.01, 0.03, 0.1, 0.3, 1, 3, Infinity] as const;
const pFloor = 0.001;

export interface ReliabilityRow {
  readonly horizonMin: number;
  /** Expected requests below this (and at or above the row before). */
  readonly meanBelow: number;
  readonly forecasts: number;
  /** Mean forecast of P(≥1), and how often it came true. */
  readonly expected: number;
  readonly observed: number;
  readonly logLoss: number;
  readonly brier: number;
  /** Share of outcomes at or below the 50, 90 and 99 % quantiles. */
  readonly held: readonly [q50: number, q90: number, q99: number];
}

const columns = 8;

export class Reliability {
  readonly #sums = horizonsMin.map(() => densityLimits.map(() => new Float64Array(columns)));

  add(forecast: Forecast, count: number): void {
    const horizon = horizonsMin.indexOf(forecast.horizonMin);
    const density = densityLimits.findIndex((limit) => forecast.mean < limit);
    const sums = this.#sums[horizon]?.[density];
    if (!sums) return;
    const p = Math.min(1 - 1e-6, Math.max(pFloor, forecast.p));
    const came = count > 0 ? 1 : 0;
    const add = [1, p, came, -Math.log(came ? p : 1 - p), (p - came) ** 2, Number(count <= forecast.q50), Number(count <= forecast.q90), Number(count <= forecast.q99)];
    for (let i = 0; i < columns; i++) sums[i] = (sums[i] ?? 0) + (add[i] ?? 0);
  }

  /** One row per horizon and stratum that has forecasts. */
  rows(): ReliabilityRow[] {
    return horizonsMin.flatMap((horizonMin, horizon) => densityLimits.flatMap((meanBelow, density) => {
      const [forecasts = 0, ...sums] = this.#sums[horizon]?.[density] ?? [];
      if (forecasts === 0) return [];
      const [expected = 0, observed = 0, logLoss = 0, brier = 0, q50 = 0, q90 = 0, q99 = 0] = sums.map((sum) => sum / forecasts);
      return [{ horizonMin, meanBelow, forecasts, expected, observed, logLoss, brier, held: [q50, q90, q99] as const }];
    }));
  }
}

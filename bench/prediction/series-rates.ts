/**
 * What a forecasting library makes of each of the most wanted resources on its own, refitted again and again: AutoETS on five-minute counts of a day, Prophet on
 * quarters of an hour of three days. Between fits the forecast path is followed. Everything else has the weighted rate of an hour.
 */
import { AutoETS, initSync as startEts } from '@bsull/augurs/ets';
import { Prophet, initSync as startProphet } from '@bsull/augurs/prophet';
import { wasmOf } from '../../src/predict/season/library-models.ts';
import { optimizeProphet } from '../../src/predict/season/prophet-optimizer.ts';
import type { TraceMinute } from '../../src/predict/backtest/index.ts';
import { RecentBins } from './recent-bins.ts';

const minuteMs = 60_000;

export interface SeriesModel {
  readonly name: string;
  readonly stepMin: number;
  readonly bins: number;
  /** Series fitted each time. */
  readonly series: number;
  readonly refitMin: number;
  /** Expected counts of the steps after `endMs`. */
  fit(counts: readonly number[], endMs: number, stepMin: number, ahead: number): readonly number[];
}

export function startLibraries(): void {
  startEts({ module: wasmOf('ets') });
  startProphet({ module: wasmOf('prophet') });
}

export const autoEts = (series: number): SeriesModel => ({
  name: 'AutoETS', stepMin: 5, bins: 288, series, refitMin: 60,
  fit(counts, _endMs, _stepMin, ahead) {
    using model = new AutoETS(1, 'ZZN');
    model.fit(Float64Array.from(counts));
    return model.predict(ahead).point;
  },
});

export const prophet = (series: number): SeriesModel => ({
  name: 'Prophet', stepMin: 15, bins: 288, series, refitMin: 180,
  fit(counts, endMs, stepMin, ahead) {
    const seconds = (step: number): number => Math.round(endMs / 1000) + (step - counts.length) * stepMin * 60;
    using model = new Prophet({
      optimizer: { optimize: optimizeProphet }, uncertaintySamples: 0, nChangepoints: 10,
      yearlySeasonality: { type: 'manual', enabled: false }, weeklySeasonality: { type: 'manual', enabled: false }, dailySeasonality: { type: 'fourier', order: 4 },
    });
    model.fit({ ds: counts.map((_, step) => seconds(step)), y: [...counts] });
    return model.predict({ ds: Array.from({ length: ahead }, (_, i) => seconds(counts.length + i)) }).yhat.point;
  },
});

/** The rates a model tells, and what telling them costs. */
export class SeriesRates {
  readonly model: SeriesModel;
  readonly #recent: RecentBins;
  readonly #paths = new Map<number, readonly number[]>();
  #fittedAtMs = -Infinity;
  fits = 0;
  failed = 0;
  fitMs = 0;

  constructor(model: SeriesModel) {
    this.model = model;
    this.#recent = new RecentBins(model.stepMin * minuteMs, model.bins);
  }

  /** The resources fitted last. */
  get fitted(): readonly number[] {
    return [...this.#paths.keys()];
  }

  take(requests: TraceMinute): void {
    this.#recent.take(requests);
  }

  /** Called at the end of each minute; fits when it is time. */
  advance(nowMs: number): void {
    const { refitMin, stepMin, series, bins } = this.model;
    if (nowMs % (refitMin * minuteMs) !== 0) return;
    this.#fittedAtMs = nowMs;
    this.#paths.clear();
    const began = performance.now();
    for (const key of this.#recent.top(series, Math.min(bins, 1440 / stepMin))) {
      const counts = this.#recent.series(key);
      this.fits++;
      try {
        this.#paths.set(key, this.model.fit(counts, nowMs, stepMin, Math.ceil((refitMin + 15) / stepMin)));
      } catch {
        // Series the library can't fit keep the weighted rate.
        this.failed++;
      }
    }
    this.fitMs += performance.now() - began;
  }

  /** Requests a minute over the next quarter of an hour; undefined where there is no model. */
  rate(key: number, nowMs: number): number | undefined {
    const path = this.#paths.get(key);
    if (!path) return undefined;
    const { stepMin } = this.model;
    const from = Math.floor((nowMs - this.#fittedAtMs) / minuteMs / stepMin);
    const steps = Math.max(1, Math.round(15 / stepMin));
    let sum = 0;
    for (let step = from; step < from + steps; step++) sum += Math.max(0, path[Math.min(step, path.length - 1)] ?? 0);
    // A count can't be 0 for sure; half a request in a day is little.
    return Math.max(sum / (steps * stepMin), 0.5 / 1440);
  }
}

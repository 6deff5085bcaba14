/**
 * How good the forecasts of totals were, of the whole site and of each region that is forecast as a series: how far the expected count was from what came, and how
 * often the 90 % interval held it. The yardstick is the count of as many minutes before.
 */
import { everywhere, horizonsMin } from '../forecaster.ts';
import type { Total } from '../forecaster.ts';
import { levels } from '../stage.ts';
import type { Level } from '../stage.ts';
import { isDemand } from './hour-bucket.ts';
import type { TraceMinute } from './hour-bucket.ts';
import type { TraceMinutes } from './trace-minutes.ts';

/** Columns of the sums. */
const [cases, within, below, missed, lastMissed, cameSum] = [0, 1, 2, 3, 4, 5] as const;
const columnCount = 6;

export interface TotalRow {
  /** `site`: everywhere; `region`: all regions that are forecast, together. */
  readonly level: Level;
  readonly horizonMin: number;
  readonly forecasts: number;
  /** Share of the counts from the 5 to the 95 % quantile, and below the 5 % quantile. */
  readonly central90: number;
  readonly below90: number;
  /** Σ |came − expected| ÷ Σ came, and the same were the last as many minutes repeated. */
  readonly error: number;
  readonly errorOfLast: number;
}

export class TotalScores {
  readonly #regions: TraceMinutes['regions'];
  readonly #sums: Readonly<Record<Level, readonly Float64Array[]>> = { site: emptySums(), region: emptySums() };

  constructor(regions: TraceMinutes['regions']) {
    this.#regions = regions;
  }

  /** Holds what is told for one horizon to the requests of the minutes in it. `before`: those of as many minutes before. */
  score(horizon: number, totals: readonly Total[], minutes: readonly TraceMinute[], before: readonly TraceMinute[]): void {
    const came = this.#countsOf(minutes);
    const last = this.#countsOf(before);
    for (const { region, horizonMin, mean, q05, q95 } of totals) {
      if (horizonMin !== horizonsMin[horizon]) continue;
      const place = region === everywhere ? 0 : 1 + (this.#regions.indexOf(region) ?? -1);
      const sums = this.#sums[region === everywhere ? 'site' : 'region'][horizon];
      const count = came[place] ?? 0;
      add(sums, cases, 1);
      add(sums, within, count >= q05 && count <= q95 ? 1 : 0);
      add(sums, below, count < q05 ? 1 : 0);
      add(sums, missed, Math.abs(count - mean));
      add(sums, lastMissed, Math.abs(count - (last[place] ?? 0)));
      add(sums, cameSum, count);
    }
  }

  /** One row per level and horizon that has forecasts. */
  rows(): TotalRow[] {
    return levels.flatMap((level) => horizonsMin.flatMap((horizonMin, horizon): TotalRow[] => {
      const sums = this.#sums[level][horizon];
      const forecasts = sums?.[cases] ?? 0;
      if (!sums || forecasts === 0) return [];
      const all = Math.max(1, sums[cameSum] ?? 0);
      return [{
        level, horizonMin, forecasts, central90: (sums[within] ?? 0) / forecasts, below90: (sums[below] ?? 0) / forecasts,
        error: (sums[missed] ?? 0) / all, errorOfLast: (sums[lastMissed] ?? 0) / all,
      }];
    }));
  }

  /** Everywhere, and then by the trace's number of the region. */
  #countsOf(minutes: readonly TraceMinute[]): Float64Array {
    const counts = new Float64Array(1 + this.#regions.span);
    for (const { flags, region } of minutes) {
      for (let i = 0; i < flags.length; i++) {
        if (((flags[i] ?? 0) & isDemand) === 0) continue;
        add(counts, 0, 1);
        add(counts, 1 + (region[i] ?? 0), 1);
      }
    }
    return counts;
  }
}

function emptySums(): Float64Array[] {
  return horizonsMin.map(() => new Float64Array(columnCount));
}

function add(sums: Float64Array | undefined, column: number, value: number): void {
  if (sums) sums[column] = (sums[column] ?? 0) + value;
}

/**
 * How good the forecasts were, of resources everywhere and of pairs of (region, resource) seen in the last 24 hours, beside the yardstick
 * (`ewma-yardstick.ts`) on the same rows: P(≥1) by log loss, Brier score and how often it came true; distributions by how much of each part of
 * the scale the counts fell into (`pit.ts`). By density of what was expected. Told only what has happened, and what came of it afterwards.
 */
import { probabilityOfAny } from '../distribution/negative-binomial.ts';
import { horizonsMin } from '../forecaster.ts';
import type { CalibratedColumns, ForecastColumns } from '../full-forecasts.ts';
import { levels } from '../stage.ts';
import type { Level } from '../stage.ts';
import { EwmaYardstick, yardstickTausMin } from './ewma-yardstick.ts';
import { cumulative, pitPart } from './pit.ts';
import { isDemand } from './hour-bucket.ts';
import type { TraceMinute } from './hour-bucket.ts';
import type { TraceNumbers } from './trace-numbers.ts';

/** Upper ends of the strata of expected requests in the horizon. */
const densityLimits = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 5, 10, 30, Infinity] as const;
/** CONTRACT: what is left out of the forecasts counts as this. */
const pFloor = 0.001;
const pCeiling = 1 - 1e-6;
/** −log P(none) at these. */
const surpriseFloor = -Math.log1p(-pFloor);
const surpriseCeiling = -Math.log1p(-pCeiling);
/** The horizon at which the yardstick is held beside, as an index into `horizonsMin`. */
export const yardstickHorizon = 2;
/** More resources and regions than a trace can have. */
const regionsMost = 2 ** 20;

/** Columns of the sums. */
const [cases, saidSum, cameSum, lossSum, brierSum, yardstickLoss, half, upper90, upper99, central, centralRaw] = [0, 1, 2, 3, 4, 5, 8, 9, 10, 11, 12] as const;
const columnCount = 13;

export interface ScoreRow {
  readonly level: Level;
  readonly horizonMin: number;
  /** Expected requests below this (and at or above the row before). */
  readonly meanBelow: number;
  readonly forecasts: number;
  /** Mean forecast of P(≥1), and how often it came true. */
  readonly said: number;
  readonly came: number;
  readonly logLoss: number;
  readonly brier: number;
  /** Log loss of the yardstick by time constant, as in `yardstickTausMin`; empty at other horizons. */
  readonly yardsticks: readonly number[];
  /** Share of the counts at or below the 50, 90 and 99 % quantiles, and within the central 90 %; counts astride a limit in part (PIT). */
  readonly within: readonly [half: number, upper90: number, upper99: number, central90: number];
  /** Share of the counts from the 5 to the 95 % quantile as they are: above .9 where few are expected, for counts are whole. */
  readonly central90Raw: number;
}

/** What the engine says at one horizon (`DemandEngine.columns`), and what its indexes stand for. */
export interface Saying {
  readonly parts: Iterable<ForecastColumns>;
  readonly numbers: Pick<TraceNumbers, 'resource' | 'region'>;
}

/** One level's rows: the yardstick's, numbered as they were first seen, and where to find them. */
class Rows {
  readonly yardstick = new EwmaYardstick();
  readonly sums = horizonsMin.map(() => densityLimits.map(() => new Float64Array(columnCount)));
  readonly #rowOf = new Map<number, number>();
  readonly #ids: number[] = [];
  /** By an index of the engine, which may come to stand for another: the row that was found for it last. */
  #lastFound = new Int32Array(1024);
  /** Requests of each row in the horizon being scored. */
  came = new Float64Array(0);

  /** The row of a resource, or of a pair of it with a region; undefined for one never seen. */
  find(id: number): number | undefined {
    return this.#rowOf.get(id);
  }

  /** The same for who asks of the same index of the engine again and again. */
  findAgain(id: number, index: number): number | undefined {
    const last = this.#lastFound[index] ?? 0;
    if (this.#ids[last] === id) return last;
    const row = this.find(id);
    if (row === undefined) return undefined;
    if (index >= this.#lastFound.length) {
      const wider = new Int32Array(Math.max(index + 1, this.#lastFound.length * 2));
      wider.set(this.#lastFound);
      this.#lastFound = wider;
    }
    this.#lastFound[index] = row;
    return row;
  }

  rowOf(id: number): number {
    const known = this.#rowOf.get(id);
    if (known !== undefined) return known;
    const row = this.yardstick.add();
    this.#rowOf.set(id, row);
    this.#ids.push(id);
    return row;
  }
}

export class ForecastScores {
  readonly #levels: Readonly<Record<Level, Rows>> = { site: new Rows(), region: new Rows() };

  /** Takes the requests of a minute that has ended. */
  endMinute(requests: TraceMinute): void {
    const { site, region } = this.#levels;
    for (let i = 0; i < requests.resource.length; i++) {
      if (((requests.flags[i] ?? 0) & isDemand) === 0) continue;
      const key = requests.resource[i] ?? 0;
      site.yardstick.count(site.rowOf(key), 1, requests.minuteMs);
      region.yardstick.count(region.rowOf(key * regionsMost + (requests.region[i] ?? 0)), 1, requests.minuteMs);
    }
  }

  /** Holds what is said at `nowMs` for a horizon to the requests of the minutes in it. */
  score(nowMs: number, horizon: number, saying: Saying, minutes: readonly TraceMinute[]): void {
    this.#count(minutes);
    if (horizon === yardstickHorizon) for (const level of levels) this.#levels[level].yardstick.fit(nowMs);
    for (const { ofKeys, ofPairs } of saying.parts) {
      this.#scoreRows(this.#levels.site, ofKeys, horizon, saying, false);
      this.#scoreRows(this.#levels.region, ofPairs, horizon, saying, true);
    }
  }

  /** One row per level, horizon and stratum that has forecasts. */
  rows(): ScoreRow[] {
    return levels.flatMap((level) => horizonsMin.flatMap((horizonMin, horizon) => densityLimits.flatMap((meanBelow, density): ScoreRow[] => {
      const sums = this.#levels[level].sums[horizon]?.[density];
      const forecasts = sums?.[cases] ?? 0;
      if (!sums || forecasts === 0) return [];
      const mean = (column: number): number => (sums[column] ?? 0) / forecasts;
      return [{
        level, horizonMin, meanBelow, forecasts, said: mean(saidSum), came: mean(cameSum), logLoss: mean(lossSum), brier: mean(brierSum),
        yardsticks: horizon === yardstickHorizon ? yardstickTausMin.map((_, scale) => mean(yardstickLoss + scale)) : [],
        within: [mean(half), mean(upper90), mean(upper99), mean(central)], central90Raw: mean(centralRaw),
      }];
    })));
  }

  #count(minutes: readonly TraceMinute[]): void {
    for (const level of levels) {
      const rows = this.#levels[level];
      if (rows.came.length < rows.yardstick.rows) rows.came = new Float64Array(rows.yardstick.rows * 2);
      else rows.came.fill(0);
    }
    const { site, region } = this.#levels;
    for (const requests of minutes) {
      for (let i = 0; i < requests.resource.length; i++) {
        if (((requests.flags[i] ?? 0) & isDemand) === 0) continue;
        const key = requests.resource[i] ?? 0;
        const row = site.find(key);
        const pair = region.find(key * regionsMost + (requests.region[i] ?? 0));
        if (row !== undefined) site.came[row] = (site.came[row] ?? 0) + 1;
        if (pair !== undefined) region.came[pair] = (region.came[pair] ?? 0) + 1;
      }
    }
  }

  #scoreRows(rows: Rows, said: CalibratedColumns, horizon: number, { numbers }: Saying, pairs: boolean): void {
    const sums = rows.sums[horizon];
    const { batch } = said;
    for (let i = 0; i < batch.length; i++) {
      const key = numbers.resource(batch.keys[i] ?? 0);
      const id = pairs ? key * regionsMost + numbers.region(batch.regions[i] ?? 0) : key;
      const row = rows.findAgain(id, (pairs ? batch.pairs : batch.keys)[i] ?? 0);
      if (row === undefined) continue;
      const mean = said.mean[i] ?? 0;
      const into = sums?.[stratumOf(mean)];
      if (into) this.#addCase(into, rows, row, horizon, mean, said.dispersionForAny[i] ?? 0, said.dispersionForQuantiles[i] ?? 0);
    }
  }

  #addCase(sums: Float64Array, rows: Rows, row: number, horizon: number, mean: number, forAny: number, forQuantiles: number): void {
    const count = rows.came[row] ?? 0;
    const any = count > 0 ? 1 : 0;
    const p = clipped(probabilityOfAny(mean, forAny));
    sums[cases] = (sums[cases] ?? 0) + 1;
    sums[saidSum] = (sums[saidSum] ?? 0) + p;
    sums[cameSum] = (sums[cameSum] ?? 0) + any;
    sums[lossSum] = (sums[lossSum] ?? 0) - Math.log(any ? p : 1 - p);
    sums[brierSum] = (sums[brierSum] ?? 0) + (p - any) ** 2;
    if (horizon === yardstickHorizon) {
      for (let scale = 0; scale < yardstickTausMin.length; scale++) {
        const surprise = rows.yardstick.surpriseOfNone(row, scale, horizonsMin[yardstickHorizon]);
        sums[yardstickLoss + scale] = (sums[yardstickLoss + scale] ?? 0)
          + (any ? -Math.log(clipped(-Math.expm1(-surprise))) : surprise < surpriseFloor ? surpriseFloor : surprise > surpriseCeiling ? surpriseCeiling : surprise);
      }
    }
    const { below, upTo } = cumulative(mean, forQuantiles, count);
    sums[half] = (sums[half] ?? 0) + pitPart(0.5, below, upTo);
    sums[upper90] = (sums[upper90] ?? 0) + pitPart(0.9, below, upTo);
    sums[upper99] = (sums[upper99] ?? 0) + pitPart(0.99, below, upTo);
    sums[central] = (sums[central] ?? 0) + pitPart(0.95, below, upTo) - pitPart(0.05, below, upTo);
    sums[centralRaw] = (sums[centralRaw] ?? 0) + (upTo >= 0.05 && below < 0.95 ? 1 : 0);
  }
}

function clipped(p: number): number {
  return p < pFloor ? pFloor : p > pCeiling ? pCeiling : p;
}

function stratumOf(mean: number): number {
  let stratum = 0;
  while (stratum < densityLimits.length - 1 && !(mean < (densityLimits[stratum] ?? Infinity))) stratum++;
  return stratum;
}

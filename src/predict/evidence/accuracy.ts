/**
 * How good the forecasts of the last days were, told by their own held-out outcomes at the 15-minute horizon: for each level and density, what
 * P(≥1) was said and how often it came true, the log loss beside that of the base rates alone, and how often the count stayed within the 90 %
 * quantile. Only told, never learned from. Evidence halves in two days.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { probabilityOfAny, quantiles } from '../distribution/negative-binomial.ts';
import { levels } from '../stage.ts';
import type { Level } from '../stage.ts';
import type { Calibrated } from './calibration.ts';
import { gateStrata, stratumOf } from './gate.ts';

const keep = 2 ** (-1 / 96);
/** A probability is scored as no less certain than this. */
const pFloor = 0.001;
const columnCount = 6;
const [cases, said, came, ownLoss, baseLoss, within] = [0, 1, 2, 3, 4, 5] as const;

export interface AccuracyRow {
  readonly level: Level;
  /** Expected requests in 15 minutes are below this, and at or above the row before. */
  readonly meanBelow: number;
  /** Forecasts judged, older ones counting less. */
  readonly forecasts: number;
  /** Mean P(≥1) that was forecast, and the part of them that came true. */
  readonly said: number;
  readonly came: number;
  /** Mean log loss of P(≥1), nats; and that of the base rates with the same calibration. */
  readonly logLoss: number;
  readonly logLossOfBase: number;
  /** Part of the counts within the 90 % quantile. Counts are whole, so that this is above .9 where few are expected. */
  readonly withinQ90: number;
}

/** What was said about one row, before its outcome. */
export interface Said {
  readonly forecast: Calibrated;
  readonly base: Calibrated;
}

export class Accuracy {
  readonly #sums = new Map<Level, Float64Array>(levels.map((level) => [level, new Float64Array(columnCount * gateStrata.length)]));

  /** Takes the outcomes of one half hour's sample. */
  learn(level: Level, list: readonly Said[], counts: Float64Array): void {
    const sums = this.#sums.get(level);
    if (!sums) return;
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) * keep;
    list.forEach(({ forecast, base }, row) => {
      const at = stratumOf(forecast.mean) * columnCount;
      const count = counts[row] ?? 0;
      const p = probabilityOfAny(forecast.mean, forecast.dispersionForAny);
      const q90 = quantiles(forecast.mean, forecast.dispersionForQuantiles, [0.9])[0] ?? 0;
      const row6 = [1, p, count > 0 ? 1 : 0, lossOf(p, count), lossOf(probabilityOfAny(base.mean, base.dispersionForAny), count), count <= q90 ? 1 : 0];
      for (let column = 0; column < columnCount; column++) sums[at + column] = (sums[at + column] ?? 0) + (row6[column] ?? 0);
    });
  }

  /** One row a level and density that has been judged. */
  rows(): AccuracyRow[] {
    return levels.flatMap((level) => gateStrata.flatMap((meanBelow, stratum) => {
      const sum = (column: number): number => this.#sums.get(level)?.[stratum * columnCount + column] ?? 0;
      const forecasts = sum(cases);
      if (forecasts < 0.5) return [];
      const mean = (column: number): number => sum(column) / forecasts;
      return [{ level, meanBelow, forecasts, said: mean(said), came: mean(came), logLoss: mean(ownLoss), logLossOfBase: mean(baseLoss), withinQ90: mean(within) }];
    }));
  }

  write(writer: ByteWriter): void {
    for (const sums of this.#sums.values()) for (const value of sums) writer.double(value);
  }

  read(reader: ByteReader): void {
    for (const sums of this.#sums.values()) {
      for (let i = 0; i < sums.length; i++) {
        const value = reader.double();
        sums[i] = Number.isFinite(value) && value > 0 ? value : 0;
      }
    }
  }
}

function lossOf(p: number, count: number): number {
  const held = Math.min(1 - 1e-6, Math.max(pFloor, p));
  return -Math.log(count > 0 ? held : 1 - held);
}

/** What every model of a series is given and tells, and the few numbers of a series that several of them use. */
import type { HolidayPeriod } from './holidays.ts';

export const modelNames = ['flat', 'drift', 'day', 'naive-day', 'week', 'ets', 'mstl', 'arima', 'prophet'] as const;
export type ModelName = (typeof modelNames)[number];

export interface History {
  /** Requests in each step, all finite. */
  readonly counts: Float64Array;
  readonly endMs: number;
  readonly stepMin: number;
  readonly holidays: readonly HolidayPeriod[];
}

export interface Model {
  readonly name: ModelName;
  /** Steps of history without which it is not asked. */
  readonly stepsMin: number;
  path(history: History, behind: number, ahead: number): Float64Array;
}

export const stepsOfDay = ({ stepMin }: Pick<History, 'stepMin'>): number => Math.round(1440 / stepMin);

/** Logarithms, of counts that may be 0: a part of the series' mean is added. */
export function logs(counts: Float64Array, of = counts): number[] {
  let sum = 0;
  for (let i = 0; i < of.length; i++) sum += of[i] ?? 0;
  const least = Math.max(0.5, 0.05 * (sum / of.length));
  return Array.from(counts, (count) => Math.log(count + least));
}

/** Variance over mean, of neighbours, so that seasons don't count: 1 for independent requests, more where one visitor brings many. */
export function dispersionOf(counts: Float64Array): number {
  let squares = 0;
  let sum = 0;
  for (let i = 1; i < counts.length; i++) {
    squares += ((counts[i] ?? 0) - (counts[i - 1] ?? 0)) ** 2 / 2;
    sum += counts[i] ?? 0;
  }
  return sum > 0 ? Math.max(1, squares / sum) : 1;
}

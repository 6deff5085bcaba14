/**
 * Fitting time series to aggregates of demand, as work that is done elsewhere: plain data in, plain data out. What comes back for each series is the
 * shape its demand is expected to have, as logarithms relative to its own level, and which model said so; how high the level is the stage keeps itself,
 * minute by minute. A model that fails is left out; a series no model understands is flat.
 */
import type { ModelName } from './history.ts';
import { cheapModels } from './models.ts';
import { libraryModels } from './library-models.ts';
import { chooseModel } from './rolling-origin.ts';
import type { Choice } from './rolling-origin.ts';
import { periodsOf } from './holidays.ts';
import type { Holiday } from './holidays.ts';

/** Width of the bins series are fitted in, and of the steps of a path, minutes. What is faster than this is the level's business. */
export const stepMin = 30;
/** Steps of a path before and after the end of the series: a day each. Beyond, the day after is as the day before. */
export const pathBehind = 48;
export const pathAhead = 48;

export interface SeriesInput {
  readonly name: string;
  /** Requests in each step; NaN where nothing is known. */
  readonly counts: Float64Array;
  /** Fit this model as it is; undefined: choose by what each would have been worth lately. */
  readonly model: ModelName | undefined;
  /** Whether it is large enough for the dear models. */
  readonly large: boolean;
}

/** Series of equal spacing that end at `endMs`. */
export interface SeriesWork {
  readonly kind: 'series';
  readonly endMs: number;
  readonly series: readonly SeriesInput[];
  readonly holidays: readonly Holiday[];
}

export interface SeriesFit extends Choice {
  readonly name: string;
}

export interface SeriesDone {
  readonly kind: 'series';
  readonly endMs: number;
  readonly fits: readonly SeriesFit[];
}

export async function fitSeries({ endMs, series, holidays }: SeriesWork): Promise<SeriesDone> {
  const dear = series.some(({ large, model }) => large || model !== undefined) ? await libraryModels() : [];
  const periods = periodsOf(holidays);
  const fits = series.map(({ name, counts, model, large }): SeriesFit => {
    const models = [...cheapModels, ...(large || model !== undefined ? dear : [])];
    const history = { counts, endMs, stepMin, holidays: periods };
    return { name, ...chooseModel(history, model === undefined ? models : models.filter((one) => one.name === model), pathBehind, pathAhead) };
  });
  return { kind: 'series', endMs, fits };
}

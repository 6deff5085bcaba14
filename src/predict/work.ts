/**
 * Heavy work of the engine's stages as plain data, so that a worker can do it beside the forecasts: what is to be done goes out, what came of it
 * comes back and is adopted. Pure and seeded: equal work, equal outcome, wherever it runs.
 */
import type { SeriesDone, SeriesWork } from './season/series-work.ts';
import { fitSeries } from './season/series-work.ts';
import type { TrainDone, TrainWork } from './learned/train-work.ts';
import { train } from './learned/train-work.ts';

export type Work = TrainWork | SeriesWork;
export type WorkDone = TrainDone | SeriesDone;

export async function doWork(work: Work): Promise<WorkDone> {
  switch (work.kind) {
    case 'train': return train(work);
    case 'series': return fitSeries(work);
  }
}

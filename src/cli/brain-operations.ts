/** What the API shows and orders of the brain beyond its status: shadows and versions, feeds, forecasts, the generator and its plans. Only connects. */
import type { ApiSource } from '../api/index.ts';
import type { Catalog } from '../catalog/index.ts';
import type { Generator } from '../generate/index.ts';
import type { Clock, RegionName } from '../kernel/index.ts';
import type { DemandEngine } from '../predict/index.ts';
import type { FeedValues } from '../predict/values/index.ts';

/** Watched values of one feed whose forecast is told: those that changed last. */
const watchedShownMax = 100;
const valueHorizonsMin = [5, 15, 30] as const;

export interface OperationParts {
  readonly generator: Generator;
  readonly catalog: Catalog;
  readonly forecaster: DemandEngine;
  readonly values: FeedValues;
  readonly clock: Clock;
}

export function operations({ generator, catalog, forecaster, values, clock }: OperationParts): Pick<ApiSource, 'shadows' | 'feeds' | 'generator' | 'forecast'> {
  const curator = generator.curate(catalog);
  return {
    shadows: curator,
    feeds: {
      states: () => generator.feeds(),
      value: (key) => {
        const state = generator.feeds().find((one) => one.key === key);
        return state && generator.feedValue(state.key);
      },
      forecast: (key) => values.watched(key).slice(-watchedShownMax).map((pointer) => ({
        pointer, horizons: valueHorizonsMin.flatMap((horizonMin) => values.next(key, pointer, clock.nowMs(), horizonMin) ?? []),
      })),
    },
    forecast: {
      page: ({ region, ...query }) => forecaster.page(clock.nowMs(), { ...query, region: region as RegionName }), // any text may name a region; one that is none has no forecasts
      of: (name, region) => {
        const of = region as RegionName; // any text may name a region; one that is none divides as everywhere
        const resource = curator.named(name);
        const atMs = clock.nowMs();
        const forecasts = forecaster.outlookOf(atMs, resource);
        return forecasts && { atMs, resource, forecasts, variations: forecaster.variationShares(atMs, resource, of) };
      },
      accuracy: () => forecaster.report(),
      emerging: (limit) => ({ atMs: clock.nowMs(), items: forecaster.emerging(limit) }),
    },
    generator: {
      status: () => generator.status(),
      settings: () => generator.levers.settings(),
      change: (order) => { generator.levers.change(order); },
      run: (names) => curator.run(names),
      plans: () => generator.plans.list(),
      plan: (number) => generator.plans.get(number),
      planDiff: (from, to) => generator.plans.diff(from, to),
    },
  };
}

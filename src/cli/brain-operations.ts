/** What the API shows and orders of the brain beyond its status: shadows and versions, feeds, forecasts, the generator and its plans. Only connects. */
import type { ApiSource } from '../api/index.ts';
import type { Catalog } from '../catalog/index.ts';
import type { Generator } from '../generate/index.ts';
import type { Clock, RegionName } from '../kernel/index.ts';
import type { DemandEngine } from '../predict/index.ts';

export function operations(generator: Generator, catalog: Catalog, forecaster: DemandEngine, clock: Clock): Pick<ApiSource, 'shadows' | 'feeds' | 'generator' | 'forecast'> {
  const curator = generator.curate(catalog);
  return {
    shadows: curator,
    feeds: {
      states: () => generator.feeds(),
      value: (key) => {
        const state = generator.feeds().find((one) => one.key === key);
        return state && generator.feedValue(state.key);
      },
    },
    forecast: {
      page: ({ region, ...query }) => forecaster.page(clock.nowMs(), { ...query, region: region as RegionName }), // any text may name a region; one that is none has no forecasts
      of: (name) => {
        const resource = curator.named(name);
        const atMs = clock.nowMs();
        const forecasts = forecaster.outlookOf(atMs, resource);
        return forecasts && { atMs, resource, forecasts, variations: forecaster.variationShares(atMs, resource) };
      },
      accuracy: () => forecaster.report(),
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

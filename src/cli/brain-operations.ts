/** What the API shows and orders of the brain beyond its status: shadows and versions, feeds, the generator and its plans. Only connects. */
import type { ApiSource } from '../api/index.ts';
import type { Catalog } from '../catalog/index.ts';
import type { Generator } from '../generate/index.ts';

export function operations(generator: Generator, catalog: Catalog): Pick<ApiSource, 'shadows' | 'feeds' | 'generator'> {
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

/** What the API tells, made up, for tests of the API and of commands that ask it; orders are written down. */
import type { ApiSource, Status } from '../../src/api/index.ts';
import { everywhere, horizonsMin } from '../../src/predict/index.ts';
import type { Forecast } from '../../src/predict/index.ts';
import type { RegionName, ResourceKey } from '../../src/kernel/index.ts';
import type { GeneratorOrder, OrderResult, PurgeOrder, RollbackOrder, ShadowQuery } from '../../src/generate/index.ts';

const sampleForecasts: readonly Forecast[] = horizonsMin.map((horizonMin) => ({
  resource: '/a?b=/c' as ResourceKey, region: everywhere, horizonMin, mean: horizonMin / 5, p: 0.6, q50: 1, q90: 2, q99: 4, // spelled as resourceKey would
}));

export interface Orders {
  readonly purges: PurgeOrder[];
  readonly rollbacks: RollbackOrder[];
  readonly changes: GeneratorOrder[];
  readonly queries: ShadowQuery[];
}

export function sampleSource(status: () => Promise<Status>, notReady: () => string | undefined = () => undefined): ApiSource & { readonly orders: Orders } {
  const orders: Orders = { purges: [], rollbacks: [], changes: [], queries: [] };
  const result = (dryRun: boolean): OrderResult => ({ version: 7, targets: [], resources: 1, copies: 2, examples: ['/a'], dryRun });
  let paused = false;
  return {
    orders, status, notReady,
    shadows: {
      list(query) {
        orders.queries.push(query);
        return { version: 7, resources: 0, items: [], nextCursor: undefined };
      },
      show: async (name, version) => (name === '/a?b=/c' ? { resource: name, route: undefined, perMinute: version ?? 0, heldUntilMs: undefined, copies: [] } : undefined),
      body: async (name) => (name === '/a?b=/c' ? { bytes: new TextEncoder().encode('<script>alert(1)</script>'), contentType: 'text/html' } : undefined),
      versions: async () => [{ version: 7, publishedAtMs: 1, put: 2, remove: 3, records: 4 }],
      diff: async (from, to) => ({ from, to, counts: { added: 0, removed: 0, changed: 0, renewed: 0 }, fillingsChanged: 0, changes: [] }),
      async purge(order) {
        orders.purges.push(order);
        return result(order.dryRun);
      },
      async rollback(order) {
        orders.rollbacks.push(order);
        return result(order.dryRun);
      },
    },
    feeds: {
      states: () => [{ name: 'recs', key: 'recs?audience=vip' }],
      value: () => ({ document: [1], valueTimeMs: 1, heardMs: 2 }),
      forecast: () => [{ pointer: '/0', horizons: [{ horizonMin: 5, changes: 0.5, values: [], next: [{ value: 2, probability: 0.9 }], interval: undefined }] }],
    },
    forecast: {
      page: ({ region, horizonMin, limit, cursor }) => ({
        atMs: 5, region: region as RegionName, horizonMin, items: sampleForecasts.filter((one) => one.horizonMin === horizonMin).slice(0, limit), nextCursor: cursor === undefined ? 'more' : undefined, total: { region: region as RegionName, horizonMin, mean: 240, q05: 200, q95: 285 }, // a region's name is any text
      }),
      of: (name) => (name === '/a?b=/c' ? { atMs: 5, resource: name, forecasts: sampleForecasts, variations: [{ variation: 'device=mobile', share: 1 }] } : undefined),
      accuracy: () => ({
        doors: [{ stage: 'trees', level: 'region', meanBelow: 0.1, open: true, gain: 2.5, certainty: 4 }],
        accuracy: [{ level: 'region', meanBelow: Infinity, forecasts: 900, said: 0.51, came: 0.5, logLoss: 0.6, logLossOfBase: 0.62, withinQ90: 0.91 }], fallenBack: [],
        series: [{ name: 'site', model: 'mstl', losses: [{ model: 'flat', loss: 1.5 }, { model: 'mstl', loss: 1.1 }, { model: 'week', loss: 1.3 }], fittedMs: 1 }, { name: 'class /a/*', model: 'flat', losses: [], fittedMs: 0 }],
      }),
      emerging: (limit) => ({
        atMs: 600_000,
        items: [{ resource: '/hit' as ResourceKey, why: 'burst' as const, sinceMs: 480_000, perMinute: 120, usualPerMinute: 0.5, certainty: 0.99, course: 'growing' as const, regions: [] }].slice(0, limit), // spelled as resourceKey would
      }),
    },
    generator: {
      status: () => { throw new Error('not asked for here'); },
      settings: () => ({ paused, surgeUntilMs: undefined, budgets: { originRequestsPerSecond: 20, originShare: 0.05, generateConcurrency: 8 } }),
      change(order) {
        orders.changes.push(order);
        paused = order.paused ?? paused;
      },
      run: (names) => ({ resources: names, refused: [] }),
      plans: () => [{ number: 3 }],
      plan: (number) => (number === 3 ? { number } : undefined),
      planDiff: (from, to) => (to === 3 ? { from, to } : undefined),
    },
  };
}

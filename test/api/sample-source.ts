/** What the API tells, made up, for tests of the API and of commands that ask it; orders are written down. */
import type { ApiSource, Status } from '../../src/api/index.ts';
import type { GeneratorOrder, OrderResult, PurgeOrder, RollbackOrder, ShadowQuery } from '../../src/generate/index.ts';

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

/**
 * How well Foreshadow caches while the origin is well, by the public HTTP cache tests, beside the results that the suite
 * publishes of other caches.
 */
import type { Suite, SuiteReport } from '../suite.ts';
import { findCheckout, howToGet, kinds, readPublished, readTests, type CacheTest, type Kind, type Results } from './checkout.ts';
import { runCacheTests } from './run.ts';

const others = ['squid', 'trafficserver', 'apache', 'varnish', 'caddy', 'nginx', 'haproxy', 'fastly'];

/** Required tests that are missed on purpose or by the runtime, with the reason. */
const knownMisses: Readonly<Record<string, string>> = {
  'headers-store-Set-Cookie': 'an answer that sets a cookie is never stored: nobody may get another person\'s',
  'headers-store-Transfer-Encoding': 'the runtime refuses an answer with an unknown transfer coding, as it should',
  'interim-not-cached': 'the runtime drops 1xx answers',
};

export const cacheTests: Suite = {
  name: 'cache-tests',
  about: 'the public HTTP cache tests (--suite DIR: a checkout of github.com/http-tests/cache-tests; --test ID: only this one)',
  async run(context) {
    const checkout = findCheckout(context.options['suite']);
    if (checkout === undefined) {
      context.say(howToGet);
      return undefined;
    }
    const only = context.options['test'];
    const { results, output } = await runCacheTests({ checkout, folder: context.folder, only });
    if (only !== undefined) {
      context.say(output);
      return undefined;
    }
    return report(await readTests(checkout), results, readPublished(checkout, others));
  },
};

function report(tests: readonly CacheTest[], results: Results, published: ReadonlyMap<string, Results>): SuiteReport {
  const all = new Map([['foreshadow', results], ...published]);
  const totals = [...all].map(([name, of]) => ({ name, ...passes(tests, of) }));
  const failed = tests.filter((test) => results[test.id] !== true)
    .map((test) => ({ id: test.id, kind: test.kind, why: whyFailed(results, test.id), known: knownMisses[test.id] }));
  const unexpected = failed.filter((test) => test.kind === 'required' && test.known === undefined);
  const ours = totals.find((total) => total.name === 'foreshadow')?.all ?? 0;
  const best = Math.max(0, ...totals.filter((total) => total.name !== 'foreshadow').map((total) => total.all));
  return {
    numbers: { passed: totals, failed },
    tables: [
      {
        title: 'Public HTTP cache tests passed (others: as published by the suite)', columns: ['cache', ...kinds, 'all'],
        rows: [
          ...totals.map((total) => [total.name, ...kinds.map((kind) => String(total[kind])), String(total.all)]),
          ['of', ...kinds.map((kind) => String(tests.filter((test) => test.kind === kind).length)), String(tests.length)],
        ],
      },
      {
        title: 'Required tests not passed', columns: ['test', 'why'],
        rows: failed.filter((test) => test.kind === 'required').map((test) => [test.id, test.known ?? test.why]),
      },
    ],
    missed: [
      ...unexpected.map((test) => `cache-tests: required ${test.id}: ${test.why}`),
      ...(ours > best ? [] : [`cache-tests: ${ours} passed, another cache passes ${best}`]),
    ],
  };
}

function passes(tests: readonly CacheTest[], results: Results): Readonly<Record<Kind | 'all', number>> {
  const count = (kind?: Kind): number => tests.filter((test) => (kind === undefined || test.kind === kind) && results[test.id] === true).length;
  return { required: count('required'), optimal: count('optimal'), check: count('check'), all: count() };
}

function whyFailed(results: Results, id: string): string {
  const result = results[id];
  return result === undefined || result === true ? 'not run' : `${result[0]}: ${result[1]}`;
}

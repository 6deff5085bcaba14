import { plainRoute } from '../config/index.ts';
import { expect, test } from 'bun:test';
import type { ShadowRecord } from '../catalog/index.ts';
import type { BlobDigest, ResourceKey, VariationKey } from '../kernel/index.ts';
import { collectCandidates, targetId, type CandidateParts, type Candidates } from './candidates.ts';
import { Changes } from './changes.ts';
import { FirstAsked } from './first-asked.ts';
import { Frontier } from './frontier.ts';
import { Holdings } from './holdings.ts';
import { Ledger } from './ledger.ts';
import { Site } from './site.ts';

const nowMs = 1_700_000_000_000;
const key = (text: string): ResourceKey => text as ResourceKey; // spelled as resourceKey would
const at = (text: string): VariationKey => text as VariationKey; // spelled as compileVariation would

const site = new Site({
    feeds: [], degraded: { notice: undefined, form: { byLanguage: {}, otherwise: '' } },
  origin: { url: 'http://origin.test', host: 'origin', probe: { path: '/', intervalMs: 1, timeoutMs: 1 }, limits: { latencyP95Ms: undefined, errorRate: 0.1 } },
  hosts: [], regions: [], dropQuery: [],
  dimensions: [{ name: 'd', from: { kind: 'header', name: 'x-d' }, values: ['a', 'b'], fallback: 'a', exact: true, match: 'value', obtain: {} }],
  routes: [
    { ...plainRoute, match: '/v/*', vary: ['d'], shadow: 'allowed', cache: 'standard' },
    { ...plainRoute, match: '/never/**', vary: [], shadow: 'never', cache: 'off' },
  ],
});

function copyOf(resource: string, variation: string, ageMs: number, vary: ShadowRecord['vary'] = [], madeBy: ShadowRecord['madeBy'] = 'generate'): ShadowRecord {
  return {
    resource: key(resource), variation: at(variation), vary, status: 200, headers: [], body: `${resource}${variation}${ageMs}` as BlobDigest, bodyBytes: 10, // any name will do
    requestTimeMs: nowMs - ageMs, responseTimeMs: nowMs - ageMs, madeBy, version: 1,
  };
}

function collect(facts: Partial<CandidateParts> & { rates?: Record<string, number> }) {
  const rates = Object.entries(facts.rates ?? {}).map(([resource, perMinute]) => ({ resource: key(resource), perMinute }));
  return collectCandidates({
    outlook: { rates: () => rates, variationShares: () => [{ variation: at('d=b'), share: 1 }] },
    frontier: new Frontier(), holdings: new Holdings([]), ledger: new Ledger(), changes: new Changes(), site,
    allows: () => true, invalidated: new Set(), outdates: () => false, held: () => false, captured: new Set(), inFlight: new Set(), firstAsked: new FirstAsked(0), targetMs: 600_000, surge: false, ...facts,
  }, nowMs);
}

const found = (resource: string, source: 'asset' | 'sitemap' | 'link', parent?: string, changedMs?: number) => ({
  resource: key(resource), source, priority: 0.5, parent: parent === undefined ? undefined : key(parent), changedMs,
});

test('copies are planned by what lasts; in a surge, by what is expected next', () => {
  const asked: string[] = [];
  for (const surge of [false, true]) collect({ surge, outlook: { rates: (_nowMs, _limit, use) => (asked.push(use), []), variationShares: () => [] } });
  expect(asked).toEqual(['copies', 'next']);
});

test('each variation is a candidate, demand split by share, the probable first', () => {
  const { list } = collect({ rates: { '/v/1': 10, '/never/x': 99 } });
  expect(list.map(({ resource, variation }) => `${resource} ${variation}`)).toEqual(['/v/1 d=b', '/v/1 d=a']);
  expect(list[0]?.demandPerMinute).toBeCloseTo(9.75, 9);
  expect(list[1]?.demandPerMinute).toBeCloseTo(0.25, 9);
  expect(list[0]?.copyAgeMs).toBeUndefined();
});

test('a copy\'s age is that of its oldest form, and each form costs a request', () => {
  const holdings = new Holdings([copyOf('/p', '', 1000, [['accept', 'a']]), copyOf('/p', '', 190_000, [['accept', 'b']])]);
  expect(collect({ rates: { '/p': 1 }, holdings }).list).toEqual([{
    resource: key('/p'), variation: at(''), weight: 1, cost: 2, effort: 1, demandPerMinute: 1, changesPerMinute: 1 / 1440, copyAgeMs: 190_000, notBeforeMs: 0, passivePerMinute: 0,
  }]);
});

test('what is discovered counts little: an asset as its page, a sitemap more than a link; robots.txt binds it', () => {
  const frontier = new Frontier();
  for (const one of [found('/link', 'link'), found('/listed', 'sitemap'), found('/main.css', 'asset', '/page'), found('/bg.png', 'asset', '/main.css'), found('/hidden', 'sitemap'), found('/page', 'sitemap')]) frontier.offer(one);
  const { list, demand, left } = collect({ rates: { '/page': 7 }, frontier, allows: (resource) => resource !== key('/hidden') });
  expect(demand.get(key('/main.css'))).toBe(7);
  expect(demand.get(key('/bg.png'))).toBe(7);
  expect(demand.get(key('/listed')) ?? 0).toBeGreaterThan(demand.get(key('/link')) ?? 0);
  expect(demand.get(key('/listed')) ?? 1).toBeLessThan(0.01);
  expect(list.map(({ resource }) => resource).sort()).toEqual(['/bg.png', '/link', '/listed', '/main.css', '/page'].map(key));
  expect(left).toEqual({ 'robots': 1, 'awaiting-capture': 0, 'fresh': 0 });
});

test('passing answers have their time to leave a first copy of what is asked for; what nobody asks for does not wait', () => {
  const firstAsked = new FirstAsked(10_000);
  const frontier = new Frontier();
  frontier.offer(found('/listed', 'sitemap'));
  const copied = new Holdings([copyOf('/v/copied', 'd=a', 9000, [], 'capture')]);
  firstAsked.hadItsTime(key('/v/known'), nowMs - 10_000);
  const first = collect({ rates: { '/v/new': 5, '/v/known': 5, '/v/copied': 5 }, firstAsked, frontier, holdings: copied });
  expect(first.list.map(({ resource, variation }) => `${resource} ${variation}`)).toEqual(['/v/known d=b', '/v/known d=a', '/v/copied d=b', '/listed ']);
  expect(first.left).toEqual({ 'robots': 0, 'awaiting-capture': 2, 'fresh': 1 });
  const young = new FirstAsked(10_000);
  young.hadItsTime(key('/v/new'), nowMs - 9999);
  expect(collect({ rates: { '/v/new': 5 }, firstAsked: young, invalidated: new Set([key('/v/new')]) }).list).toEqual([]);
});

test('a copy that a passing answer left is not asked for anew before it is older than the target, whatever else is known', () => {
  const frontier = new Frontier();
  frontier.offer(found('/p', 'sitemap', undefined, nowMs - 1000));
  const of = (ageMs: number, madeBy: ShadowRecord['madeBy']): Candidates => collect({
    rates: { '/p': 1 }, frontier, holdings: new Holdings([copyOf('/p', '', ageMs, [['accept', 'a']], madeBy), copyOf('/p', '', 700_000, [['accept', 'b']], madeBy)]),
  });
  expect(of(599_999, 'capture').list.map(({ cost, copyAgeMs }) => [cost, copyAgeMs])).toEqual([[1, 700_000]]);
  expect(of(600_000, 'capture').list[0]?.cost).toBe(2);
  expect(of(599_999, 'generate').list[0]?.cost).toBe(2);
  const young = collect({ rates: { '/p': 1 }, frontier, holdings: new Holdings([copyOf('/p', '', 400_000, [], 'capture')]) });
  expect([young.list, young.left.fresh]).toEqual([[], 1]);
});

test('a sitemap\'s word that a page changed makes a change all but certain, once', () => {
  const frontier = new Frontier();
  frontier.offer(found('/p', 'sitemap', undefined, nowMs - 60_000));
  const changes = (ageMs: number): number => collect({ rates: { '/p': 1 }, frontier, holdings: new Holdings([copyOf('/p', '', ageMs)]) }).list[0]?.changesPerMinute ?? -1;
  expect(changes(120_000)).toBe(5);
  // Copied since: what is expected of any page.
  expect(changes(30_000)).toBe(1 / 1440);
});

test('what its headers say will not change is not renewed; what was declared wrong is', () => {
  const copy = (path: string, cacheControl: string): ShadowRecord => ({ ...copyOf(path, '', 1_200_000), headers: [['cache-control', cacheControl]] });
  const holdings = new Holdings([
    copy('/logo.png', 'max-age=31536000, immutable'), copy('/app.3f9a1c07.js', 'public, max-age=31536000'), copy('/index-BkQx92aL.css', 'max-age=31536000'),
    copy('/old.png', 'max-age=600, immutable'), copy('/app.js', 'max-age=31536000'), copy('/app.77777777.js', 'max-age=3600'), copy('/wrong.png', 'max-age=31536000, immutable'),
  ]);
  const rates = Object.fromEntries(['/logo.png', '/app.3f9a1c07.js', '/index-BkQx92aL.css', '/old.png', '/app.js', '/app.77777777.js', '/wrong.png'].map((path) => [path, 1]));
  const { list, left } = collect({ rates, holdings, invalidated: new Set([key('/wrong.png')]) });
  expect(list.map(({ resource }) => resource)).toEqual(['/old.png', '/app.js', '/app.77777777.js', '/wrong.png'].map(key));
  expect(left.fresh).toBe(3);
});

test('what others of its section cost the origin is told', () => {
  const { list } = collect({ rates: { '/v/1': 1, '/p': 1 }, effort: (section) => (section === '/v' ? 3 : 1) });
  expect(list.map(({ resource, effort }) => [String(resource), effort])).toEqual([['/v/1', 3], ['/v/1', 3], ['/p', 1]]);
});

test('a copy that a passing answer left is not renewed while it is young, unless it was declared wrong since; what is held is left alone', () => {
  const holdings = new Holdings([{ ...copyOf('/a', '', 1000), madeBy: 'capture' }, { ...copyOf('/b', '', 1000), madeBy: 'capture' }]);
  const rates = { '/a': 1, '/b': 1 };
  expect(collect({ rates, holdings }).list).toEqual([]);
  const outdated = { rates, holdings, invalidated: new Set([key('/a'), key('/b')]), outdates: ({ resource }: ShadowRecord) => resource === key('/a') };
  expect(collect(outdated).list.map(({ resource }) => resource)).toEqual([key('/a')]);
  expect(collect({ ...outdated, held: () => true }).list).toEqual([]);
});

test('backing off, in flight, invalidated, renewed by passing requests: all told', () => {
  const ledger = new Ledger();
  ledger.refused(targetId(key('/a'), at('')), 'origin-timeout', undefined, nowMs);
  const { list } = collect({
    rates: { '/a': 1, '/b': 2, '/c': 3 }, ledger, inFlight: new Set([targetId(key('/b'), at(''))]), invalidated: new Set([key('/c')]), captured: new Set([key('/c')]),
  });
  expect(list.map(({ resource }) => resource)).toEqual([key('/a'), key('/c')]);
  expect(list[0]?.notBeforeMs).toBe(nowMs + 5000);
  expect(list[1]?.weight).toBeGreaterThan(1000);
  expect(list.map(({ passivePerMinute }) => passivePerMinute)).toEqual([0, 3]);
});

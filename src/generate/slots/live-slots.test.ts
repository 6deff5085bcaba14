import { afterEach, expect, test } from 'bun:test';
import { shadowId, type ShadowRecord } from '../../catalog/shadow-record.ts';
import type { FeedKey, Filling, FillingId } from '../../compose/index.ts';
import { loadConfig } from '../../config/index.ts';
import type { Config } from '../../config/types.ts';
import { createLog, systemClock, type ResourceKey } from '../../kernel/index.ts';
import { FeedValues } from '../../predict/values/index.ts';
import { openMemoryStore } from '../../store/index.ts';
import { Generator } from '../generator.ts';
import { readMemory, type Memory } from '../memory.ts';
import type { CatalogWriter } from '../publisher.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** An origin and a feed on one server; both can be changed under way. */
function openSite() {
  const site = { prices: {} as unknown, originDown: false, asked: [] as string[], page: (path: string) => `<!doctype html><html><head><title>${path}</title></head><body><b id="price">?</b>${'x'.repeat(900)}</body></html>` };
  const server = Bun.serve({
    hostname: '127.0.0.1', port: 0, fetch(request) {
      const { pathname } = new URL(request.url);
      site.asked.push(pathname);
      if (pathname === '/feeds/prices') return Response.json(site.prices);
      if (site.originDown) return new Response('down', { status: 503 });
      return pathname.startsWith('/products/') ? new Response(site.page(pathname), { headers: { 'content-type': 'text/html', 'cache-control': 'max-age=60' } }) : new Response('no', { status: 404 });
    },
  });
  cleanUps.push(() => server.stop(true));
  return Object.assign(site, { url: server.url.origin });
}

function configOf(url: string, slots: readonly Record<string, unknown>[], facts: Record<string, unknown> = {}): Config {
  const text = JSON.stringify({
    origin: { url }, feeds: { prices: { url: `${url}/feeds/prices`, every: '100ms', maxAge: '1h' } }, routes: [{ match: '/products/:id', slots }],
    budgets: { originRequests: '1000/s', originShare: '100%' }, generate: { discover: false, fidelity: false, codings: [] }, ...facts,
  });
  const loaded = loadConfig({ text, env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return loaded.config;
}

const price = { name: 'price', select: '#price', feed: 'prices', value: '/{id}', template: "{{ value | money: 'EUR' }}" };

interface Version { readonly put: readonly string[]; readonly fill: Readonly<Record<string, string>>; readonly unfill: readonly string[]; readonly heard: ReadonlyMap<FeedKey, number> }

function run(config: Config, paths: readonly string[], facts: { values?: FeedValues; memory?: Memory; records?: readonly ShadowRecord[]; fillings?: readonly Filling[]; failing?: { times: number } } = {}) {
  const blobs = openMemoryStore();
  const records = new Map(facts.records?.map((record) => [shadowId(record), record]));
  const fillings = new Map((facts.fillings ?? []).map((filling) => [filling.id, filling]));
  const versions: Version[] = [];
  const heard: (readonly (readonly [FeedKey, number])[])[] = [];
  const catalog: CatalogWriter = {
    head: () => versions.length, get: () => undefined, rules: () => [], liveBlobs: () => new Set(),
    async publish(base, change) {
      if (facts.failing && facts.failing.times-- > 0) throw new Error('disk full');
      for (const record of change.put) records.set(shadowId(record), record);
      for (const id of change.remove) records.delete(id);
      for (const filling of change.fill) fillings.set(filling.id, filling);
      for (const id of change.unfill) fillings.delete(id);
      const text = ({ versions: made }: Filling): string => made.map((version) => version.text).join('|');
      versions.push({ put: change.put.map(({ resource }) => resource), fill: Object.fromEntries(change.fill.map((filling) => [filling.id.slice(14), text(filling)])), unfill: change.unfill, heard: new Map(change.heard) });
      return { ...change, version: base + 1, publishedAtMs: 0, full: false };
    },
  };
  const generator = new Generator({
    config, catalog, records: facts.records ?? [], fillings: facts.fillings, blobs, clock: systemClock, values: facts.values, memory: facts.memory, bodyOf: () => undefined, onPublished: () => undefined,
    outlook: { rates: () => paths.map((path) => ({ resource: path as ResourceKey, perMinute: 10 })), variationShares: () => [] }, // spelled as resourceKey would
    log: createLog({ clock: systemClock, level: 'error', write: (line) => { if (!facts.failing) throw new Error(line); } }),
    onHeard: (pairs) => { heard.push(pairs); }, pace: { planMs: 40, publishMs: 40, renewalsMs: 120, evictMs: 100, passiveFirstMs: 0 },
  });
  cleanUps.push(() => generator.close());
  generator.start();
  return { generator, records, fillings, versions, heard };
}

async function until(condition: () => boolean, what: string, deadlineMs = 8000): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not in time: ${what}`);
    await Bun.sleep(5);
  }
}

test('a new page and what fills it come in one version; a changed price alone in the next', async () => {
  const site = openSite();
  site.prices = { 1: 10, 2: 20 };
  const { versions, generator } = run(configOf(site.url, [price]), []);
  await until(() => generator.feeds()[0]?.state === 'ok', 'a value');
  await generator.close();

  const memory = readMemory(generator.remember(), systemClock.nowMs());
  const second = run(configOf(site.url, [price]), ['/products/1', '/products/2'], { memory });
  await until(() => second.records.size === 2, 'copies');
  for (const { put, fill } of second.versions) expect(Object.keys(fill).sort()).toEqual(put.map((path) => `price?id=${path.slice(10)}`).sort());
  expect(versions).toEqual([]);
  const before = second.versions.length;
  site.prices = { 1: 10, 2: 21 };
  await until(() => second.versions.length > before, 'the new price');
  const { put, fill, unfill, heard } = second.versions[before] ?? { put: [], fill: {}, unfill: [], heard: new Map() };
  expect([put, fill, unfill, heard.size]).toEqual([[], { 'price?id=2': '€21.00' }, [], 1]);
});

test('feeds go on and prices stay live while the origin is down; when they were heard is told', async () => {
  const site = openSite();
  site.prices = { 1: 10 };
  const { records, fillings, generator, heard } = run(configOf(site.url, [price]), ['/products/1']);
  await until(() => records.size === 1 && fillings.size === 1, 'a copy and its filling');
  generator.observeOrigin({ atMs: systemClock.nowMs(), view: { state: 'down', share: 0, sinceMs: 0 }, latencyP95Ms: undefined, usualP95Ms: undefined, requestsPerSecond: 0 });
  site.originDown = true;
  site.prices = { 1: 11 };
  await until(() => [...fillings.values()][0]?.versions[0]?.text === '€11.00', 'the new price');
  await until(() => heard.length >= 2, 'word of when the feed was heard');
  const times = heard.map((pairs) => pairs[0]?.[1] ?? 0);
  expect([...times].sort((a, b) => a - b)).toEqual(times);
  expect(heard[0]?.map(([feed]) => feed)).toEqual(['prices' as FeedKey]);
});

test('a live score: the next one is rendered before it is scored, shown when it is and not before', async () => {
  const site = openSite();
  const score = { ...price, template: '<b>{{ value.home }}</b> to <b>{{ value.away }}</b>' };
  site.prices = { 1: { home: 0, away: 0 }, 2: { home: 0, away: 0 } };
  const { generator, fillings, versions } = run(configOf(site.url, [score]), ['/products/1', '/products/2'], { values: new FeedValues() });
  await until(() => fillings.size === 2, 'both scores');
  const text = (home: number, away: number): string => `<b>${home}</b> to <b>${away}</b>`;
  const says = async (id: number, home: number, away: number): Promise<void> => {
    await until(() => fillings.get(`/products/:id#price?id=${id}` as FillingId)?.versions[0]?.text === text(home, away), `${home}:${away}`); // spelled as the slot does
  };
  for (const [home, away] of [[1, 0], [2, 0], [2, 1], [3, 1]] as const) {
    site.prices = { 1: { home, away }, 2: { home: 0, away: 0 } };
    await says(1, home, away);
  }
  const { prepared, rendered } = generator.status().fillings;
  expect(prepared).toBeGreaterThan(0);
  // Never seen, but both sides have been seen to score, in another match.
  site.prices = { 1: { home: 3, away: 2 }, 2: { home: 0, away: 0 } };
  await says(1, 3, 2);
  const after = generator.status().fillings;
  expect([after.rendered - rendered, after.preparedHits > 0, after.settledChanges > 0]).toEqual([0, true, true]);
  const shown = versions.flatMap(({ fill }) => Object.values(fill));
  expect(shown).toEqual([text(0, 0), text(0, 0), text(1, 0), text(2, 0), text(2, 1), text(3, 1), text(3, 2)]);
}, 20_000);

test('that a feed was heard is not said before what it changed is published', async () => {
  const site = openSite();
  site.prices = { 1: 10 };
  const failing = { times: 0 };
  const { records, generator, heard, versions } = run(configOf(site.url, [price]), ['/products/1'], { failing });
  await until(() => records.size === 1 && heard.length > 0, 'a copy, and word of the feed');
  failing.times = 1e9;
  site.prices = { 1: 11 };
  await until(() => generator.feeds()[0]?.changes === 2 && generator.status().publishFailures > 0, 'the new value, and a failure to publish it');
  const said = heard.length;
  const lookedMs = performance.now();
  await until(() => performance.now() - lookedMs > 1500, 'more than one round of telling');
  expect(heard.length).toBe(said);
  failing.times = 0;
  await until(() => versions.some(({ fill }) => fill['price?id=1'] === '€11.00'), 'the new price', 12_000);
}, 20_000);

test('a bad value leaves the last good filling in place, and the status says so', async () => {
  const site = openSite();
  site.prices = { 1: 10 };
  const { records, fillings, generator } = run(configOf(site.url, [price]), ['/products/1']);
  await until(() => records.size === 1 && fillings.size === 1, 'a copy and its filling');
  site.prices = { 1: 'a lot' };
  await until(() => generator.status().fillings.failing === 1, 'the failure');
  const { failures, troubles } = generator.status().fillings;
  expect([failures[0]?.slot, failures[0]?.feed, failures[0]?.trouble, troubles]).toEqual(['price', 'prices', 'template-error', { 'template-error': 1 }]);
  expect([...fillings.values()].map(({ versions }) => versions[0]?.text)).toEqual(['€10.00']);
  site.prices = { 1: 12 };
  await until(() => [...fillings.values()][0]?.versions[0]?.text === '€12.00', 'the next good price');
  expect(generator.status().fillings.failing).toBe(0);
});

test('other templates are in force with the configuration; slots that are gone are taken back; an unusable one changes nothing', async () => {
  const site = openSite();
  site.prices = { 1: 10, 2: 20 };
  const { records, fillings, generator } = run(configOf(site.url, [price]), ['/products/1', '/products/2']);
  await until(() => records.size === 2 && fillings.size === 2, 'copies and fillings');
  const texts = (): string[] => [...fillings.values()].map(({ versions }) => versions[0]?.text ?? '').sort();
  expect(texts()).toEqual(['€10.00', '€20.00']);
  expect(() => { generator.configure(configOf(site.url, [{ ...price, template: '{{ value | nonsense }}' }])); }).toThrow('undefined filter: nonsense');
  generator.configure(configOf(site.url, [{ ...price, template: 'now {{ value }}' }]));
  await until(() => texts().join() === 'now 10,now 20', 'new texts');
  generator.configure(configOf(site.url, []));
  await until(() => fillings.size === 0, 'nothing left over');
});

test('published fillings are taken over at a restart: unchanged ones are not published again, those of gone pages are taken back', async () => {
  const site = openSite();
  site.prices = { 1: 10, 2: 20 };
  const first = run(configOf(site.url, [price]), ['/products/1', '/products/2']);
  await until(() => first.records.size === 2 && first.fillings.size === 2, 'copies and fillings');
  await first.generator.close();
  const gone: Filling = { ...[...first.fillings.values()][0], id: '/products/:id#price?id=99' } as Filling; // the first one, under another name
  site.prices = { 1: 10, 2: 21 };
  const second = run(configOf(site.url, [price]), [], { records: [...first.records.values()], fillings: [...first.fillings.values(), gone] });
  await until(() => second.versions.some(({ fill }) => 'price?id=2' in fill), 'the new price');
  expect(second.versions.flatMap(({ fill, unfill }) => [Object.entries(fill), unfill].flat(2))).toEqual(expect.arrayContaining([gone.id, 'price?id=2', '€21.00']));
  expect(second.versions.some(({ fill }) => 'price?id=1' in fill)).toBe(false);
});

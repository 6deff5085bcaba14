import { afterEach, expect, test } from 'bun:test';
import { shadowId, type ShadowRecord } from '../catalog/shadow-record.ts';
import { plainRoute } from '../config/index.ts';
import type { Config } from '../config/types.ts';
import { createLog, systemClock, type BlobDigest, type Clock, type Log, type ResourceKey, type VariationKey } from '../kernel/index.ts';
import { openMemoryStore } from '../store/index.ts';
import type { OriginCondition } from './budget.ts';
import type { Outlook } from './candidates.ts';
import { Generator } from './generator.ts';
import { readMemory, type Memory } from './memory.ts';
import type { Pace } from './pace.ts';
import type { CatalogWriter } from './publisher.ts';

/** A small shop: what it answers can be changed under way. */
interface Shop {
  readonly url: string;
  readonly asked: { readonly path: string; readonly headers: Headers }[];
  answer: (path: string, request: Request) => Response | Promise<Response>;
}

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function openShop(answer: Shop['answer']): Shop {
  const asked: Shop['asked'] = [];
  const shop = { asked, answer };
  const server = Bun.serve({
    hostname: '127.0.0.1', port: 0, fetch(request) {
      const { pathname, search } = new URL(request.url);
      asked.push({ path: pathname + search, headers: request.headers });
      return shop.answer(pathname + search, request);
    },
  });
  cleanUps.push(() => server.stop(true));
  return Object.assign(shop, { url: server.url.origin });
}

const page = (text: string): string => `<!doctype html><html><head><title>Shop</title></head><body>${text} ${'x'.repeat(800)}</body></html>`;
const html = (text: string, headers: Record<string, string> = {}): Response => new Response(page(text), { headers: { 'content-type': 'text/html', 'cache-control': 'max-age=60', ...headers } });
const notFound = (): Response => new Response('no', { status: 404 });

function configOf(shop: Shop, facts: Partial<Config> = {}): Config {
  return {
    site: 'shop', origin: { url: shop.url, host: 'origin', probe: { path: '/', intervalMs: 1000, timeoutMs: 1000 }, limits: { latencyP95Ms: undefined, errorRate: 0.05 } },
    hosts: [], regions: [], clientRegion: { header: undefined, geoip: false }, trustedProxies: [],
    dimensions: [
      { name: 'device', from: { kind: 'userAgent' }, values: ['mobile', 'desktop'], fallback: 'desktop', exact: true, match: 'value', obtain: { mobile: { 'user-agent': 'Phone Mobile' }, desktop: { 'user-agent': 'Desk' } } },
      { name: 'segment', from: { kind: 'cookie', name: 'segment' }, values: ['new', 'loyal', 'vip'], fallback: 'new', exact: true, match: 'value', obtain: { new: { cookie: 'segment=new' }, loyal: { cookie: 'segment=loyal' }, vip: { cookie: 'segment=vip' } } },
    ],
    feeds: [], versions: { keepForMs: 86_400_000, storageBytes: 1e9 }, degraded: { notice: undefined, form: { byLanguage: {}, otherwise: '' } },
    routes: [{ ...plainRoute, match: '/products/:id', vary: ['device', 'segment'], shadow: 'allowed', cache: 'standard' }],
    budgets: { originRequestsPerSecond: 2000, originShare: 1, storageBytes: 1e9, generateConcurrency: 16 },
    freshness: { targetMs: 600_000, serveStaleForMs: 86_400_000 }, prediction: { holidays: [] },
    routing: { mode: 'serve', recovery: { firstStep: 0.01, fastestMs: 60_000 }, rescueAfterMs: 'auto' },
    store: { volumePaths: [], copies: 2 }, generate: { userAgent: 'Foreshadow/test', discover: true, codings: [], fidelity: false }, dropQuery: [],
    timeouts: { connectMs: 500, firstByteMs: 2000, idleMs: 2000, drainMs: 1000 },
    limits: { urlBytes: 8192, headerBytes: 32_768, requestBodyBytes: 0, connections: 0, captureBytes: 1e6, generateBytes: 1e6, memoryCacheBytes: 1e6, demandKeys: 1000, variantsPerVariation: 4 },
    log: { level: 'error', access: undefined }, admin: { listen: { hostname: '127.0.0.1', port: 0 }, tokens: [] }, dataDir: '',
    ...facts,
  };
}

interface RunFacts { config?: Partial<Config>; outlook?: Partial<Outlook>; records?: ShadowRecord[]; log?: Log; bodies?: Map<string, Uint8Array>; memory?: Memory; clock?: Clock; pace?: Partial<Pace> }

/** A generator over a memory store and a catalog that is a map. */
function run(shop: Shop, facts: RunFacts = {}) {
  const records = new Map((facts.records ?? []).map((record) => [shadowId(record), record]));
  const blobs = openMemoryStore();
  const versions: number[] = [];
  const bodies = facts.bodies ?? new Map<string, Uint8Array>();
  const catalog: CatalogWriter = {
    head: () => versions.length,
    get: (id) => records.get(id), rules: () => [], liveBlobs: () => new Set([...records.values()].map((record) => record.body)),
    async publish(base, change) {
      const { put, remove } = change;
      expect(base).toBe(versions.length);
      const published = put.map((record) => ({ ...record, version: base + 1 }));
      for (const record of published) {
        if (!(await blobs.has(record.body))) throw new Error('published before its body');
        records.set(shadowId(record), record);
      }
      for (const id of remove) records.delete(id);
      return { ...change, version: base + 1, publishedAtMs: 0, full: false, put: published };
    },
  };
  const generator = new Generator({
    config: configOf(shop, facts.config), catalog, records: facts.records ?? [], blobs, clock: facts.clock ?? systemClock, memory: facts.memory,
    outlook: { rates: () => [], variationShares: () => [], ...facts.outlook },
    bodyOf: (digest: BlobDigest) => bodies.get(digest),
    log: facts.log ?? createLog({ clock: systemClock, level: 'error', write: (line) => { throw new Error(line); } }),
    onPublished: (version) => versions.push(version), pace: { planMs: 40, publishMs: 40, renewalsMs: 120, evictMs: 100, passiveFirstMs: 0, ...facts.pace },
  });
  cleanUps.push(() => generator.close());
  generator.start();
  const variationsOf = (resource: string): string[] => [...records.values()].filter((record) => record.resource === resource).map((record) => record.variation).sort();
  const textOf = async (record: ShadowRecord | undefined): Promise<string> => new TextDecoder().decode(record && await blobs.get(record.body));
  return { generator, records, blobs, versions, bodies, variationsOf, textOf };
}

async function until(condition: () => boolean, what: string, deadlineMs = 8000): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not in time: ${what}`);
    await Bun.sleep(5);
  }
}

const key = (text: string): ResourceKey => text as ResourceKey; // spelled as resourceKey would
const at = (text: string): VariationKey => text as VariationKey; // spelled as compileVariation would
const sitemap = (...paths: string[]): Response => new Response(`<urlset>${paths.map((path) => `<url><loc>https://shop.example${path}</loc></url>`).join('')}</urlset>`);

test('2,400 variations of a sitemap nobody has asked for are all published, each in its own clothes', async () => {
  const products = Array.from({ length: 400 }, (_, i) => `/products/${i}`);
  const shop = openShop((path, request) => {
    if (path === '/sitemap.xml') return sitemap(...products);
    if (!path.startsWith('/products/')) return notFound();
    const device = request.headers.get('user-agent')?.includes('Mobile') ? 'mobile' : 'desktop';
    return html(`${path} ${device} ${request.headers.get('cookie')}`, { vary: 'User-Agent, Cookie' });
  });
  const { generator, records, versions, textOf } = run(shop);
  await until(() => records.size === 2400, 'all published', 20_000);
  const record = records.get(shadowId({ resource: key('/products/7'), variation: at('device=mobile,segment=vip'), vary: [] }));
  expect(record?.madeBy).toBe('generate');
  expect(await textOf(record)).toContain('/products/7 mobile segment=vip ');
  expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  expect(versions.at(-1)).toBeLessThan(100);
  expect(generator.status()).toMatchObject({ admitted: { generate: 2400 }, refused: {}, holdings: { records: 2400, resources: 400 } });
  expect(shop.asked.filter(({ headers }) => headers.get('foreshadow-purpose') !== 'generate')).toEqual([]);
  expect(shop.asked.length).toBe(2402);
}, 30_000);

test('what people ask for is made whatever robots.txt says; what nobody asks for is not', async () => {
  const shop = openShop((path) => {
    if (path === '/robots.txt') return new Response('User-agent: *\nDisallow: /search\nDisallow: /hidden');
    if (path === '/sitemap.xml') return sitemap('/a', '/hidden/b');
    return html(path);
  });
  const { generator, variationsOf } = run(shop, { outlook: { rates: () => [{ resource: key('/search?q=shoes'), perMinute: 3 }] } });
  await until(() => variationsOf('/search?q=shoes').length === 1 && variationsOf('/a').length === 1, 'both published');
  expect(shop.asked.map(({ path }) => path)).not.toContain('/hidden/b');
  expect(generator.status().discovered.forbidden).toBe(1);
});

test('a page brings its style sheet, and that its font; a link brings its page but not what that links to', async () => {
  const shop = openShop((path) => {
    switch (path) {
      case '/': return html('<link rel=stylesheet href=/main.css><a href="/one">one</a>');
      case '/one': return html('<a href="/two">two</a><img src="/one.png">');
      case '/main.css': return new Response('@font-face { src: url(/f.woff2) }', { headers: { 'content-type': 'text/css', 'cache-control': 'max-age=60' } });
      case '/f.woff2': case '/one.png': return new Response('data', { headers: { 'content-type': 'font/woff2', 'cache-control': 'max-age=60' } });
      default: return notFound();
    }
  });
  const { variationsOf } = run(shop, { outlook: { rates: () => [{ resource: key('/'), perMinute: 3 }] } });
  for (const path of ['/', '/main.css', '/f.woff2', '/one', '/one.png']) await until(() => variationsOf(path).length === 1, path);
  expect(shop.asked.map(({ path }) => path)).not.toContain('/two');
});

test('copies of an earlier run are known: no fetch while they are fresh, a conditional one when they are old, and 304 renews them', async () => {
  const shop = openShop((path, request) => {
    if (!path.startsWith('/p')) return notFound();
    return request.headers.get('if-none-match') === '"v1"' ? new Response(null, { status: 304, headers: { etag: '"v1"', 'cache-control': 'max-age=60', 'x-new': '1' } }) : html(path, { etag: '"v1"' });
  });
  const outlook = { rates: () => [{ resource: key('/p1'), perMinute: 3 }, { resource: key('/p2'), perMinute: 3 }] };
  const first = run(shop, { outlook });
  await until(() => first.records.size === 2, 'first copies');
  await first.generator.close();
  const earlier = [...first.records.values()].map((record) => (record.resource === key('/p2') ? { ...record, requestTimeMs: record.requestTimeMs - 3_600_000, responseTimeMs: record.responseTimeMs - 3_600_000 } : record));
  const asked = shop.asked.length;
  const second = run(shop, { outlook, records: earlier });
  for (const record of earlier) await second.blobs.put(await first.blobs.get(record.body) ?? new Uint8Array(0));
  await until(() => second.versions.length === 1, 'renewal');
  const renewed = [...second.records.values()].find((record) => record.resource === key('/p2'));
  expect(renewed?.body).toBe(earlier.find((record) => record.resource === key('/p2'))?.body as BlobDigest); // the digest it had
  expect(Date.now() - (renewed?.responseTimeMs ?? 0)).toBeLessThan(60_000);
  expect(renewed?.headers).toContainEqual(['x-new', '1']);
  expect(shop.asked.slice(asked).map(({ path }) => path).filter((path) => path.startsWith('/p'))).toEqual(['/p2']);
  expect(second.generator.status().freshened.generate).toBe(1);
});

test('errors and private answers never become copies, each with its reason', async () => {
  const shop = openShop((path) => {
    switch (path) {
      case '/error': return new Response('no', { status: 500 });
      case '/cookie': return html('hi', { 'set-cookie': 'sid=1' });
      case '/private': return html('hi', { 'cache-control': 'private' });
      case '/good': return html('hi');
      default: return notFound();
    }
  });
  const rates = ['/error', '/cookie', '/private', '/good', '/gone'].map((path) => ({ resource: key(path), perMinute: 1 }));
  const { generator, records } = run(shop, { outlook: { rates: () => rates } });
  await until(() => records.size === 1 && Object.keys(generator.status().refused).length === 4, 'verdicts');
  expect(generator.status().refused).toEqual({ 'error-status': 1, 'set-cookie': 1, 'private': 1, 'status': 1 });
  expect(generator.status().waiting).toEqual({ 'error-status': 1, 'set-cookie': 1, 'private': 1, 'status': 1 });
});

const conditionOf = (state: OriginCondition['view']['state']): OriginCondition => ({ atMs: Date.now(), view: { state, share: 1, sinceMs: Date.now() }, latencyP95Ms: undefined, usualP95Ms: undefined, requestsPerSecond: 0 });

test('when the origin falls, fetches under way are given up and none begins until it is well', async () => {
  let open = 0;
  const shop = openShop((path, request) => {
    if (!path.startsWith('/p')) return notFound();
    if (ill) {
      open++;
      return new Promise<Response>((resolve) => {
        request.signal.addEventListener('abort', () => {
          open--;
          resolve(new Response(null));
        });
      });
    }
    return html(path);
  });
  let ill = true;
  const { generator, records } = run(shop, { outlook: { rates: () => [{ resource: key('/p1'), perMinute: 1 }, { resource: key('/p2'), perMinute: 1 }] } });
  await until(() => open === 2, 'fetches under way');
  generator.observeOrigin(conditionOf('down'));
  await until(() => open === 0, 'given up');
  const asked = shop.asked.length;
  expect(generator.status()).toMatchObject({ budget: { pause: 'origin-down', ratePerSecond: 0 }, refused: { aborted: 2 }, waiting: {} });
  ill = false;
  expect(shop.asked.length).toBe(asked);
  generator.observeOrigin(conditionOf('healthy'));
  await until(() => records.size === 2, 'made after all');
});

function captureOf(resource: string, text: string, facts: Partial<ShadowRecord> = {}): { record: ShadowRecord; body: Uint8Array } {
  const body = new TextEncoder().encode(page(text));
  const digest = new Bun.CryptoHasher('sha256').update(body).digest('hex');
  return {
    body, record: {
      resource: key(resource), variation: at(''), vary: [], status: 200, headers: [['content-type', 'text/html'], ['cache-control', 'max-age=60']],
      body: digest as BlobDigest, bodyBytes: body.length, requestTimeMs: Date.now(), responseTimeMs: Date.now(), madeBy: 'capture', version: 0, ...facts, // computed above
    },
  };
}

test('captures become durable when they add something, and spare the origin', async () => {
  const shop = openShop(notFound);
  const { generator, records, bodies, textOf } = run(shop, { outlook: { rates: () => [{ resource: key('/a'), perMinute: 5 }] }, config: { generate: { userAgent: 'x', discover: false, codings: [], fidelity: false }, budgets: { originRequestsPerSecond: 0, originShare: 1, storageBytes: 1e9, generateConcurrency: 1 } } });
  const offer = ({ record, body }: ReturnType<typeof captureOf>): void => {
    bodies.set(record.body, body);
    generator.captured([record]);
  };
  const one = () => [...records.values()][0];
  offer(captureOf('/a', 'one'));
  await until(() => records.size === 1, 'new');
  const firstMs = one()?.responseTimeMs ?? 0;
  offer(captureOf('/a', 'one', { responseTimeMs: firstMs + 1000 }));
  offer(captureOf('/a', 'two', { responseTimeMs: firstMs + 2000 }));
  await until(() => one()?.responseTimeMs === firstMs + 2000, 'changed');
  expect(await textOf(one())).toContain('two');
  offer(captureOf('/a', 'two', { responseTimeMs: firstMs + 3000 }));
  offer(captureOf('/a', 'two', { responseTimeMs: firstMs + 2000 + 150_001 }));
  await until(() => one()?.responseTimeMs === firstMs + 152_001, 'renewed after a quarter of the target');
  expect(generator.status()).toMatchObject({ admitted: { capture: 2 }, freshened: { capture: 1 }, captures: { offered: 5 } });
  const lost = captureOf('/b', 'lost');
  generator.captured([lost.record]);
  const empty = captureOf('/a', '', { responseTimeMs: firstMs + 200_000 });
  offer({ record: { ...empty.record, bodyBytes: 0, body: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' as BlobDigest }, body: new Uint8Array(0) }); // digest of nothing
  await until(() => Object.keys(generator.status().refused).length === 2, 'refusals');
  expect(generator.status().refused).toEqual({ 'missing-body': 1, 'emptied': 1 });
  expect(shop.asked).toEqual([]);
});

test('what visitors ask for is left to the answers that pass for a while, and then made; what nobody asks for is made at once', async () => {
  const shop = openShop((path) => {
    if (path === '/sitemap.xml') return sitemap('/listed', '/asked', '/passes');
    return path === '/robots.txt' ? notFound() : html(path);
  });
  let aheadMs = 0;
  const clock: Clock = { ...systemClock, nowMs: () => Date.now() + aheadMs, after: (delayMs, act) => systemClock.after(delayMs, act) };
  const rates = ['/asked', '/passes'].map((path) => ({ resource: key(path), perMinute: 9 }));
  const { generator, variationsOf, bodies, records } = run(shop, { clock, outlook: { rates: () => rates }, pace: { passiveFirstMs: 60_000 } });
  await until(() => variationsOf('/listed').length === 1, 'the listed page');
  await until(() => generator.status().plan?.refused['awaiting-capture'] === 2, 'both wait');
  const passing = captureOf('/passes', 'passing');
  bodies.set(passing.record.body, passing.body);
  generator.captured([passing.record]);
  await until(() => variationsOf('/passes').length === 1, 'the passing answer\'s copy');
  expect(shop.asked.map(({ path }) => path).filter((path) => path === '/asked' || path === '/passes')).toEqual([]);
  aheadMs = 60_000;
  await until(() => variationsOf('/asked').length === 1, 'made after all');
  await until(() => (generator.status().plan?.atMs ?? 0) > Date.now() + 50_000, 'a later plan');
  expect(shop.asked.map(({ path }) => path)).not.toContain('/passes');
  expect([...records.values()].find(({ resource }) => resource === key('/passes'))?.madeBy).toBe('capture');
});

test('what a passing answer said is not to be kept is not asked for, unless there is a copy of it', async () => {
  const shop = openShop((path) => (path.startsWith('/p') ? html(path) : notFound()));
  const rates = ['/p1', '/p2', '/p3'].map((path) => ({ resource: key(path), perMinute: 9 }));
  const held = captureOf('/p2', 'old', { responseTimeMs: Date.now() - 700_000, requestTimeMs: Date.now() - 700_000 });
  const { generator, variationsOf } = run(shop, { outlook: { rates: () => rates }, records: [held.record], pace: { planMs: 60_000 }, config: { generate: { userAgent: 'x', discover: false, codings: [], fidelity: false } } });
  generator.refused([{ resource: key('/p1'), variation: at(''), reason: 'no-store' }, { resource: key('/p2'), variation: at(''), reason: 'no-store' }]);
  generator.refused([{ resource: key('/p3'), variation: at('device=made-up'), reason: 'no-store' }]);
  await until(() => variationsOf('/p3').length === 1 && generator.status().admitted.generate === 2, 'the others');
  expect(generator.status()).toMatchObject({ waiting: { 'no-store': 1 } });
  expect(shop.asked.map(({ path }) => path).sort()).toEqual(['/p2', '/p3']);
});

test('what a passing answer has done meanwhile is not fetched, though it was planned', async () => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => { release = resolve; });
  const shop = openShop(async (path) => {
    if (path === '/first') await held;
    return html(path);
  });
  const { generator, bodies, variationsOf } = run(shop, {
    outlook: { rates: () => ['/first', '/second', '/third'].map((path, i) => ({ resource: key(path), perMinute: 9 - i })) }, pace: { planMs: 60_000 },
    config: { generate: { userAgent: 'x', discover: false, codings: [], fidelity: false }, budgets: { originRequestsPerSecond: 2000, originShare: 1, storageBytes: 1e9, generateConcurrency: 1 } },
  });
  await until(() => shop.asked.length === 1 && generator.status().queued === 2, 'the first under way');
  const passing = captureOf('/second', 'passing');
  bodies.set(passing.record.body, passing.body);
  generator.captured([passing.record]);
  await until(() => variationsOf('/second').length === 1, 'its copy');
  release();
  await until(() => variationsOf('/third').length === 1, 'the last');
  expect(shop.asked.map(({ path }) => path)).toEqual(['/first', '/third']);
});

test('a restart forgets neither waits nor doubts nor how often pages change', async () => {
  const shop = openShop((path) => {
    switch (path) {
      case '/private': return html('hi', { 'cache-control': 'private' });
      case '/shrunken': return new Response(`<html><body>${'short '.repeat(50)}</body></html>`, { headers: { 'content-type': 'text/html', 'cache-control': 'max-age=60' } });
      case '/changing': return html('now this');
      default: return notFound();
    }
  });
  const old = (resource: string): ShadowRecord => captureOf(resource, 'as it was', { madeBy: 'generate', requestTimeMs: Date.now() - 3_600_000, responseTimeMs: Date.now() - 3_600_000 }).record;
  const outlook = { rates: () => ['/private', '/shrunken', '/changing'].map((path) => ({ resource: key(path), perMinute: 1 })) };
  const first = run(shop, { outlook, records: [old('/shrunken'), old('/changing')] });
  await until(() => Object.keys(first.generator.status().refused).length === 2 && first.generator.status().admitted.generate === 1, 'verdicts');
  await first.generator.close();
  const asked = shop.asked.length;
  const second = run(shop, { outlook: { rates: () => outlook.rates().slice(0, 2) }, records: [old('/shrunken'), ...first.records.values()], memory: readMemory(first.generator.remember(), Date.now()) });
  await until(() => (second.generator.status().plan?.number ?? 0) >= 3, 'plans');
  expect(second.generator.status().waiting).toEqual({ 'private': 1, 'shrunken': 1 });
  expect(shop.asked.slice(asked).map(({ path }) => path).filter((path) => !path.startsWith('/robots') && !path.startsWith('/sitemap'))).toEqual([]);
  expect(second.generator.remember()).toEqual(first.generator.remember());
});

test('an invalidated resource is taken out at once, made anew, and older answers to it are not believed', async () => {
  let price = 1;
  const shop = openShop((path) => (path === '/a' ? html(`price ${price}`) : notFound()));
  const { generator, records, bodies, textOf } = run(shop, { outlook: { rates: () => [{ resource: key('/a'), perMinute: 5 }] } });
  await until(() => records.size === 1, 'first copy');
  const stale = captureOf('/a', 'price 1, from before');
  bodies.set(stale.record.body, stale.body);
  price = 2;
  generator.invalidated([key('/a')]);
  generator.captured([stale.record]);
  await until(() => generator.status().refused.invalidated === 1, 'the late capture is refused');
  await until(() => generator.status().admitted.generate === 2 && generator.status().pending === 0 && records.size === 1, 'made anew');
  expect(await textOf([...records.values()][0])).toContain('price 2');
});

test('beyond the storage budget the least wanted go, and are not fetched again', async () => {
  const shop = openShop((path) => (path.startsWith('/p') ? html(path) : notFound()));
  const rates = Array.from({ length: 20 }, (_, i) => ({ resource: key(`/p${i}`), perMinute: 20 - i }));
  const { generator, variationsOf, records } = run(shop, { outlook: { rates: () => rates }, config: { budgets: { originRequestsPerSecond: 2000, originShare: 1, storageBytes: 9000, generateConcurrency: 4 } } });
  await until(() => generator.status().evicted > 0 && generator.status().pending === 0 && records.size < 12, 'eviction', 12_000);
  expect(generator.status().holdings.bytes).toBeLessThanOrEqual(9000);
  expect(variationsOf('/p0').length).toBe(1);
  expect(variationsOf('/p19').length).toBe(0);
  const fetched = generator.status().fetched;
  const plan = generator.status().plan?.number ?? 0;
  await until(() => (generator.status().plan?.number ?? 0) >= plan + 2, 'further plans');
  expect(generator.status().fetched - fetched).toBeLessThan(4);
}, 20_000);

test('when storage takes nothing, the origin is not asked for what could not be kept', async () => {
  const shop = openShop((path) => (path.startsWith('/p') ? html(path) : notFound()));
  const rates = Array.from({ length: 200 }, (_, i) => ({ resource: key(`/p${i}`), perMinute: 1 }));
  const logged: string[] = [];
  const { generator, blobs, records } = run(shop, {
    outlook: { rates: () => rates }, log: createLog({ clock: systemClock, level: 'error', write: (line) => logged.push(line) }),
    config: { budgets: { originRequestsPerSecond: 200, originShare: 1, storageBytes: 1e9, generateConcurrency: 2 } },
  });
  blobs.put = () => Promise.reject(new Error('no space left'));
  await until(() => generator.status().budget.pause === 'storage-failed', 'rest');
  const plan = generator.status().plan?.number;
  const fetched = generator.status().fetched;
  await until(() => generator.status().budget.inUse === 0 && generator.status().queued === 0, 'quiet');
  expect(generator.status().fetched - fetched).toBeLessThan(3);
  expect(generator.status().plan?.number).toBe(plan);
  expect(generator.status().refused['storage-full']).toBeGreaterThan(0);
  expect(records.size).toBe(0);
  expect(logged.join()).toContain('no space left');
});

test('coverage is demand-weighted, by variation, fresh and of any age', async () => {
  const shop = openShop((path) => (path.startsWith('/p') ? html(path) : notFound()));
  const old = captureOf('/old', 'x', { responseTimeMs: Date.now() - 700_000, requestTimeMs: Date.now() - 700_000 });
  const fresh = captureOf('/fresh', 'x');
  const { generator } = run(shop, {
    records: [old.record, fresh.record], outlook: { rates: () => [{ resource: key('/fresh'), perMinute: 6 }, { resource: key('/old'), perMinute: 3 }, { resource: key('/none'), perMinute: 1 }] },
    config: { budgets: { originRequestsPerSecond: 0, originShare: 1, storageBytes: 1e9, generateConcurrency: 1 } },
  });
  expect(generator.coverage(Date.now())).toEqual({ demandPerMinute: 10, fresh: 0.6, any: 0.9 });
});

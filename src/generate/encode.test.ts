import { expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib';
import fc from 'fast-check';
import type { ShadowRecord } from '../catalog/index.ts';
import { loadConfig, type ContentCoding } from '../config/index.ts';
import { ManualClock, messageOf, silentLog, type BlobDigest, type ResourceKey, type VariationKey } from '../kernel/index.ts';
import { openMemoryStore } from '../store/index.ts';
import { codedBytesMax, codedBytesMin, codingsOf, Encoder, encoderWaitingMax, isWorthCoding } from './encode.ts';
import { Frontier } from './frontier.ts';
import { Holdings } from './holdings.ts';
import { Publisher } from './publisher.ts';
import { Schedule } from './schedule.ts';
import { Site } from './site.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (length: number, seed = 'shoe'): Uint8Array => bytes(Array.from({ length: Math.ceil(length / 8) }, (_, i) => `${seed} ${(i * 7919) % 1000} red`).join(' ').slice(0, length));
const noise = (length: number): Uint8Array => {
  const made = new Uint8Array(length);
  let state = 1;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    made[i] = state >>> 16;
  }
  return made;
};
const decoders: Readonly<Record<ContentCoding, (body: Uint8Array) => Uint8Array>> = { br: brotliDecompressSync, gzip: gunzipSync, zstd: zstdDecompressSync };
const all: readonly ContentCoding[] = ['br', 'zstd', 'gzip'];

test('every coding that is kept gives the body back, smallest first, at least a tenth smaller', async () => {
  await fc.assert(fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 4000 }), fc.boolean(), fc.subarray([...all]), async (chunk, thorough, wanted) => {
    const body = Buffer.concat([chunk, chunk, chunk.subarray(0, 100)]);
    const made = await codingsOf(body, wanted, thorough);
    for (const [at, { coding, bytes: coded }] of made.entries()) {
      expect(wanted).toContain(coding);
      expect(Buffer.compare(decoders[coding](coded), body)).toBe(0);
      expect(coded.length).toBeLessThanOrEqual(body.length * 0.9);
      expect(coded.length).toBeGreaterThanOrEqual(made[at - 1]?.bytes.length ?? 0);
    }
  }), { seed: 3, numRuns: 60 });
});

test('a coding that fewer clients understand must be smaller than what more understand', async () => {
  const body = text(20_000);
  const names = async (wanted: readonly ContentCoding[]) => (await codingsOf(body, wanted, false)).map(({ coding }) => coding);
  expect(await names(['gzip'])).toEqual(['gzip']);
  expect((await names(all)).includes('gzip')).toBe(true);
  const made = await codingsOf(body, all, false);
  const size = (wanted: ContentCoding): number => made.find(({ coding }) => coding === wanted)?.bytes.length ?? Number.NaN;
  for (const [one, other] of [['br', 'gzip'], ['zstd', 'gzip'], ['zstd', 'br']] as const) {
    if (!Number.isNaN(size(one)) && !Number.isNaN(size(other))) expect(size(one)).toBeLessThanOrEqual(size(other) * 0.97);
  }
  expect(await codingsOf(noise(20_000), all, false)).toEqual([]);
});

test('assets are coded more thoroughly', async () => {
  const body = readFileSync(join(import.meta.dirname, 'encode.ts'));
  const [usual] = await codingsOf(body, ['br'], false);
  const [thorough] = await codingsOf(body, ['br'], true);
  expect(thorough?.bytes.length).toBeLessThan(usual?.bytes.length ?? 0);
});

function setUp(config = '', codings: readonly ContentCoding[] = ['br', 'gzip'], rememberedMax = 100) {
  const loaded = loadConfig({ text: `origin: { url: "http://127.0.0.1:3000" }\n${config}`, env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ reason }) => reason).join());
  const site = new Site(loaded.config);
  const clock = new ManualClock();
  const store = openMemoryStore();
  let reads = 0;
  const holdings = new Holdings([]);
  const catalog = { head: () => 0, get: () => undefined, rules: () => [], liveBlobs: () => new Set<BlobDigest>(), publish: () => Promise.reject(new Error('never')) };
  const publisher = new Publisher({ catalog, blobs: store, holdings, clock, log: silentLog, onPublished: () => undefined, renewalsMs: 10_000, waiting: () => [] });
  const schedule = new Schedule(clock, silentLog);
  const encoder = new Encoder({
    blobs: { get: (digest) => { reads++; return store.get(digest); } }, holdings, publisher, schedule, clock, log: silentLog, site: () => site, codings: () => codings, wanted: () => true, rememberedMax,
  });
  const put = async (path: string, body: Uint8Array, headers: readonly (readonly [string, string])[] = [['content-type', 'text/html']], facts: Partial<ShadowRecord> = {}): Promise<ShadowRecord> => {
    const record: ShadowRecord = {
      resource: path as ResourceKey, variation: '' as VariationKey, vary: [], status: 200, headers, body: await store.put(body), bodyBytes: body.length, // spelled as their makers would
      requestTimeMs: 1, responseTimeMs: 1, madeBy: 'generate', version: 0, ...facts,
    };
    publisher.put(record);
    encoder.offer(record);
    return record;
  };
  const held = (path: string): ShadowRecord | undefined => holdings.of(path as ResourceKey)[0]; // as above
  /** Until nothing is waiting or under way. */
  const done = async (): Promise<void> => {
    const endMs = performance.now() + 20_000;
    while (performance.now() < endMs) {
      await new Promise((resolve) => { setImmediate(resolve); });
      clock.advance(1000);
      if (encoder.counts.waiting === 0) return;
    }
    throw new Error('still waiting');
  };
  return { encoder, holdings, publisher, store, put, held, done, reads: () => reads };
}

test('a copy gets its codings after it; equal bodies are coded once, and counted once', async () => {
  const { put, held, done, holdings, encoder, store, reads } = setUp();
  const body = text(10_000);
  await put('/a', body);
  await put('/b', body);
  expect(held('/a')?.codings).toBeUndefined();
  await done();
  const codings = held('/a')?.codings ?? [];
  expect(codings.map(({ coding }) => coding)).toEqual(['br', 'gzip']);
  expect(held('/b')?.codings).toEqual([...codings]);
  await put('/c', body);
  expect(held('/c')?.codings).toEqual([...codings]);
  expect(reads()).toBe(1);
  const [br, gzip] = codings;
  expect(holdings.bytes).toBe(body.length + (br?.bodyBytes ?? 0) + (gzip?.bodyBytes ?? 0));
  expect(brotliDecompressSync(await store.get(br?.body ?? '' as BlobDigest) ?? new Uint8Array())).toEqual(Buffer.from(body)); // never without one
  expect(encoder.counts).toMatchObject({ bodies: 1, plainBytes: 10_000, codedBytes: br?.bodyBytes, unpaid: 0 });
  for (const path of ['/a', '/b', '/c']) {
    const record = held(path);
    if (record) holdings.remove(record);
  }
  expect([holdings.bytes, [...holdings.bodies()]]).toEqual([0, []]);
});

test('a renewed copy keeps its codings, a changed one gets new ones', async () => {
  const { put, held, done } = setUp();
  await put('/a', text(5000));
  await done();
  const before = held('/a')?.codings;
  await put('/a', text(5000), undefined, { responseTimeMs: 2 });
  expect([held('/a')?.responseTimeMs, held('/a')?.codings]).toEqual([2, before]);
  await put('/a', text(5000, 'boot'), undefined, { responseTimeMs: 3 });
  expect(held('/a')?.codings).toBeUndefined();
  await done();
  expect(held('/a')?.codings?.length).toBe(2);
  expect(held('/a')?.codings).not.toEqual(before);
});

const html: readonly [string, string] = ['content-type', 'text/html'];

test.each<[string, Parameters<ReturnType<typeof setUp>['put']>[1], Parameters<ReturnType<typeof setUp>['put']>[2], string]>([
  ['a coded body', text(5000), [html, ['content-encoding', 'gzip']], ''],
  ['no-transform', text(5000), [html, ['cache-control', 'max-age=5, no-transform']], ''],
  ['an image', text(5000), [['content-type', 'image/jpeg']], ''],
  ['less than 1 KiB', text(codedBytesMin - 1), [html], ''],
  ['more than 8 MiB', new Uint8Array(codedBytesMax + 1), [html], ''],
  ['what does not get smaller', noise(5000), [html], ''],
  ['a page of a route with tokens', text(5000), [html], 'routes: [{ match: /a, tokens: [{ select: "input", attribute: value, cookie: csrf }] }]'],
  ['a page with a notice', text(5000), [html], 'degraded: { notice: "old" }'],
])('%s is left as it is', async (_, body, headers, config) => {
  const { put, held, done } = setUp(config);
  await put('/a', body, headers);
  await done();
  expect(held('/a')?.codings).toBeUndefined();
});

test.each(['text/css', 'image/svg+xml', 'font/ttf', 'application/wasm', 'application/json', 'text/javascript; charset=utf-8'])('%s is coded', async (type) => {
  const { put, held, done } = setUp(type.startsWith('text') ? 'degraded: { notice: "old" }' : '');
  await put('/a', text(2000), [['content-type', type]]);
  await done();
  expect(held('/a')?.codings?.length).toBe(2);
});

test('outcomes that are remembered are bounded: the longest untouched body is coded again', async () => {
  const { put, done, reads } = setUp('', undefined, 2);
  for (const path of ['/a', '/b', '/c']) {
    await put(path, noise(2000 + path.charCodeAt(1)));
    await done();
  }
  for (const path of ['/c', '/b', '/a']) {
    await put(path, noise(2000 + path.charCodeAt(1)), undefined, { responseTimeMs: 2 });
    await done();
  }
  expect(reads()).toBe(4);
});

test('without codings wanted nothing is done', async () => {
  const { put, encoder, reads } = setUp('', []);
  await put('/a', text(5000));
  expect([encoder.counts.waiting, reads()]).toEqual([0, 0]);
});

test('bodies that wait are bounded; what is left out is counted, and offered again when it is renewed', async () => {
  const { put, encoder, held, done } = setUp();
  for (let i = 0; i < encoderWaitingMax + 3; i++) await put(`/${i}`, text(1100, `s${i}`));
  expect(encoder.counts.waiting).toBeLessThanOrEqual(encoderWaitingMax);
  expect(encoder.counts.dropped).toBeGreaterThan(0);
  await done();
  const last = held(`/${encoderWaitingMax + 2}`);
  expect(last?.codings).toBeUndefined();
  if (last) encoder.offer(last);
  await done();
  expect(held(`/${encoderWaitingMax + 2}`)?.codings?.length).toBeGreaterThan(0);
}, 30_000);

test('what people or pages ask for is worth it', () => {
  const record = (path: string, madeBy: ShadowRecord['madeBy']): ShadowRecord => ({ resource: path, madeBy }) as unknown as ShadowRecord; // all that is looked at
  const frontier = new Frontier();
  frontier.offer({ resource: '/a.css' as ResourceKey, source: 'asset', priority: 0.5, parent: undefined, changedMs: undefined });
  frontier.offer({ resource: '/listed' as ResourceKey, source: 'sitemap', priority: 0.5, parent: undefined, changedMs: undefined });
  const demand = new Map([['/asked' as ResourceKey, 0.5], ['/listed' as ResourceKey, 5e-4]]);
  const worth = (path: string, madeBy: ShadowRecord['madeBy'] = 'generate'): boolean => isWorthCoding(record(path, madeBy), frontier, demand);
  expect([worth('/a.css'), worth('/asked'), worth('/listed'), worth('/listed', 'capture'), worth('/unknown')]).toEqual([true, true, false, true, false]);
});

test('a body that can not be read is said so, and the next comes', async () => {
  const said: string[] = [];
  const { put, held, done, store } = setUp();
  const get = store.get.bind(store);
  let failing = true;
  store.get = (digest) => {
    if (!failing) return get(digest);
    failing = false;
    said.push(messageOf(new Error('disk')));
    return Promise.reject(new Error('disk'));
  };
  await put('/a', text(2000));
  await put('/b', text(2000, 'boot'));
  await done();
  expect([said.length, held('/a')?.codings, held('/b')?.codings?.length]).toEqual([1, undefined, 2]);
});

import { expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import type { ShadowRecord } from '../catalog/index.ts';
import { compileDynamics } from '../compose/index.ts';
import { loadConfig } from '../config/index.ts';
import type { BlobDigest, ResourceKey, VariationKey } from '../kernel/index.ts';
import { digestOf } from '../store/index.ts';
import { appraise, readBytesMax, type Answered, type Appraisal } from './appraisal.ts';

const loaded = loadConfig({
  text: `origin: { url: "http://127.0.0.1:3000" }
feeds: { prices: { url: "http://127.0.0.1:3001/prices.json" } }
routes: [{ match: /**, slots: [{ name: price, select: "#price", feed: prices }, { name: all, pointer: "/price", feed: prices }] }]`, env: {}, readFile: () => '',
});
if (!loaded.ok) throw new Error(loaded.problems.map(({ path, reason }) => `${path} ${reason}`).join());
const [route] = loaded.config.routes;
if (!route) throw new Error('no route');
const dynamics = compileDynamics(route, loaded.config.feeds, { notice: undefined, form: { byLanguage: {}, otherwise: '' } });

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const html = (body: string | Uint8Array, headers: Answered['headers'] = []): Answered => ({ status: 200, headers: [['content-type', 'text/html'], ...headers], body: typeof body === 'string' ? bytes(body) : body });
const page = (price: string, more = ''): string => `<!doctype html><html><body><h1>Shoes</h1><p id="price">${price}</p><p>Soft and warm. ${more}</p></body></html>`;

async function beside(before: Answered | undefined, now: Answered, lost = false): Promise<Appraisal & { readonly reads: number }> {
  let reads = 0;
  const previous: ShadowRecord | undefined = before && {
    resource: '/' as ResourceKey, variation: '' as VariationKey, vary: [], status: before.status, headers: before.headers, body: digestOf(before.body), bodyBytes: before.body.length, // spelled as their makers would
    requestTimeMs: 1, responseTimeMs: 1, madeBy: 'generate', version: 1,
  };
  const appraisal = await appraise(now, {
    dynamics, previous, usual: undefined, bodyOf: (digest: BlobDigest) => {
      reads++;
      return Promise.resolve(before && !lost && digest === digestOf(before.body) ? before.body : undefined);
    },
  });
  return { ...appraisal, reads };
}

test('the same body is not even read', async () => {
  expect(await beside(html(page('1')), html(page('1')))).toMatchObject({ same: true, changed: false, doubt: undefined, reads: 0 });
});

test('what only differs in its slots has not changed, and they are not its words', async () => {
  const { same, changed, live, served } = await beside(html(page('49.00')), html(page('Now 5900 only until Friday')));
  expect({ same, changed }).toEqual({ same: false, changed: false });
  expect(live.text?.blocks.map(({ text }) => text)).toEqual(['Shoes', 'Soft and warm.']);
  expect(served?.text).toEqual(live.text);
  const json = (text: string): Answered => ({ status: 200, headers: [['content-type', 'application/json']], body: bytes(text) });
  expect((await beside(json('{"price": 1, "name": "a"}'), json('{"price": [22, 33], "name": "a"}'))).changed).toBe(false);
  expect((await beside(json('{"price": 1, "name": "a"}'), json('{"price": 1, "name": "b"}'))).changed).toBe(true);
});

test('what differs elsewhere has changed; so has what has nothing to be compared with', async () => {
  expect((await beside(html(page('1')), html(page('1', 'New.')))).changed).toBe(true);
  expect((await beside(html(page('1')), { ...html(page('1')), status: 404 })).changed).toBe(true);
  expect(await beside(undefined, html(page('1')))).toMatchObject({ same: false, changed: true, served: undefined });
  const lost = await beside(html(page('1')), html(page('2')), true);
  expect([lost.changed, lost.served?.text]).toEqual([true, undefined]);
});

test('coded captures and other charsets are read too', async () => {
  const coded = html(gzipSync(bytes(page('2'))), [['content-encoding', 'gzip']]);
  expect((await beside(coded, html(gzipSync(bytes(page('3'))), [['content-encoding', 'gzip']]))).changed).toBe(false);
  const latin = { ...html(new Uint8Array([...bytes('<p>Gr'), 0xfc, ...bytes('n</p>')])), headers: [['content-type', 'text/html; charset=iso-8859-1']] as const };
  expect((await beside(undefined, latin)).live.text?.blocks[0]?.text).toBe('Grün');
  const unknown = { ...html('<p>x</p>'), headers: [['content-type', 'text/html; charset=made-up']] as const };
  expect((await beside(undefined, unknown)).live.text?.blocks[0]?.text).toBe('x');
});

test('what is no text, too much of it, or can not be decoded is not read', async () => {
  const image = { status: 200, headers: [['content-type', 'image/png']] as const, body: bytes('one') };
  expect(await beside(image, { ...image, body: bytes('two') })).toMatchObject({ changed: true, reads: 0, live: { text: undefined } });
  expect((await beside(undefined, html(new Uint8Array(readBytesMax + 1).fill(120)))).live.text).toBeUndefined();
  expect((await beside(undefined, html('not gzip', [['content-encoding', 'gzip']]))).live.text).toBeUndefined();
});

test('an error in a page\'s frame is doubted beside the page', async () => {
  const article = Array.from({ length: 60 }, (_, i) => `Sentence number ${i} of a good page.`).join(' ');
  expect((await beside(html(page('1', article)), html('<!doctype html><html><body><h1>Shoes</h1><p>Something went wrong.</p></body></html>'))).doubt).toBe('error-page');
  expect((await beside(html(page('1', article)), html(page('1')))).doubt).toBe('emptied');
  expect((await beside(html(page('1', article)), html(page('1', `${article} More.`)))).doubt).toBeUndefined();
});

/**
 * Whatever an origin answers, nothing that is one person's is left behind: not in bodies, catalog files, the generator's memory or the log. Answers
 * are planted with markers; afterwards every byte is searched for those that must not be there, and for those that must, so that the search is known to find.
 */
import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { until } from '../../bench/machine/program.ts';
import { cacheRefusal, headerReader, shadowRefusal } from '../../src/http/index.ts';
import { makeSite } from './made-site.ts';

interface Planted {
  readonly cacheControl: string;
  readonly vary: string | undefined;
  readonly setCookie: boolean;
  readonly status: number;
  readonly kind: 'html' | 'json' | 'bin';
  readonly etag: boolean;
}

const planted: fc.Arbitrary<Planted> = fc.record({
  cacheControl: fc.oneof(
    fc.constantFrom('max-age=60', 'public, max-age=1', 'private', 'no-store', 'private, max-age=60', 'PRIVATE', 'no-cache, no-store, must-revalidate', 'max-age=60, private', 'no-store, max-age=60, public', '"private"', 'private="x-secret"', 'no-cache="x-secret", max-age=60', 's-maxage=9, private', ''),
    fc.subarray(['max-age=60', 'private', 'no-store', 'public', 'no-cache', 'must-understand', 'x=1'], { minLength: 1 }).map((parts) => parts.join(', ')),
  ),
  vary: fc.constantFrom(undefined, 'Cookie', '*', 'Accept-Language, Cookie', 'Authorization', 'User-Agent, *'),
  setCookie: fc.constantFrom(true, false, false),
  status: fc.constantFrom(200, 200, 200, 301, 404, 410, 203, 206),
  kind: fc.constantFrom('html', 'json', 'bin'),
  etag: fc.boolean(),
});

const types = { html: 'text/html', json: 'application/json', bin: 'image/png' } as const;
const marker = (what: string, page: number, turn: number): string => `${what}-${page}-${turn}-z`;

/** Headers of the `turn`th answer to a page, each secret with its marker. */
function headersOf(facts: Planted, page: number, turn: number): [string, string][] {
  const headers: [string, string][] = [['content-type', types[facts.kind]], ['x-secret', marker('field', page, turn)], ['x-open', marker('open', page, turn)]];
  if (facts.cacheControl !== '') headers.push(['cache-control', facts.cacheControl]);
  if (facts.vary !== undefined) headers.push(['vary', facts.vary]);
  if (facts.setCookie) headers.push(['set-cookie', `session=${marker('cookie', page, turn)}; HttpOnly`], ['set-cookie', 'b=c']);
  if (facts.etag) headers.push(['etag', `"${page}-${turn}"`]);
  if (facts.status === 301) headers.push(['location', `/elsewhere/${page}`]);
  return headers;
}

/** A long text, so that no answer is doubted for its length; equal for all but its marker. */
const bodyOf = (page: number, turn: number): string => `<html><body>${marker('body', page, turn)} ${'text of the page '.repeat(60)}</body></html>`;

/** Said again here, in few words: what the judgement must come to, whatever the code says. */
function isPersonal({ cacheControl, vary, setCookie }: Planted): boolean {
  const words = cacheControl.toLowerCase().split(',').map((word) => word.trim());
  const understood = words.includes('must-understand');
  return setCookie || words.includes('private') || (words.includes('no-store') && !understood) || (vary ?? '').includes('*');
}

test('no cookie, no private byte, no withheld field is left behind by fetches, renewals and captures', async () => {
  const turns = [fc.sample(planted, { seed: 41, numRuns: 150 }), fc.sample(planted, { seed: 42, numRuns: 150 })];
  const count = turns[0]?.length ?? 0;
  const factsOf = (page: number, turn: number): Planted => turns[turn]?.[page] ?? { cacheControl: 'no-store', vary: undefined, setCookie: false, status: 200, kind: 'html', etag: false };
  let turn = 0;
  await using site = await makeSite({
    answer: (path, request) => {
      const page = Number(/^\/p\/(\d+)$/.exec(path)?.[1] ?? Number.NaN);
      if (Number.isNaN(page)) return new Response('no', { status: 404 });
      const facts = factsOf(page, turn);
      const headers = headersOf(facts, page, turn);
      // Some say "not modified" and set a cookie all the same.
      if (turn > 0 && facts.etag && request.headers.has('if-none-match')) return new Response(null, { status: 304, headers });
      return new Response(bodyOf(page, turn), { status: facts.status, headers });
    },
    rates: () => Object.fromEntries(Array.from({ length: count }, (_, page) => [`/p/${page}`, 5])),
    config: 'generate: { codings: [], discover: false }\nfreshness: { target: 1s }',
  });
  await until('the first answers', () => new Set(site.asked).size >= count && site.generator.status().budget.inUse === 0);
  turn = 1;
  const [asked, held] = [site.asked.length, site.generator.status().holdings.resources];
  await until('renewals', () => new Set(site.asked.slice(asked)).size >= held * 0.9, 20_000);
  for (let page = 0; page < count; page++) {
    const facts = factsOf(page, 0);
    site.capture({
      resource: `/captured/${page}` as never, variation: '' as never, vary: [], status: facts.status, headers: headersOf(facts, page, 2), requestTimeMs: Date.now(), responseTimeMs: Date.now(), // plain paths are keys
    }, new TextEncoder().encode(bodyOf(page, 2)));
  }
  await until('captures', () => site.generator.status().captures.offered === count && site.generator.status().budget.inUse === 0);
  await site.generator.close();
  const left = site.leftBehind().toString('latin1');
  const found = (text: string): boolean => left.includes(text);
  const leaked: string[] = [];
  let open = 0;
  let shut = 0;
  for (let page = 0; page < count; page++) for (const at of [0, 1, 2]) {
    const facts = factsOf(page, at === 2 ? 0 : at);
    if (found(marker('cookie', page, at))) leaked.push(`cookie ${page} ${at}`);
    if (/="x-secret"/.test(facts.cacheControl) && found(marker('field', page, at))) leaked.push(`field ${page} ${at}`);
    if (isPersonal(facts)) {
      shut++;
      if (found(marker('body', page, at)) || found(marker('open', page, at))) leaked.push(`body ${page} ${at} ${JSON.stringify(facts)}`);
    } else if (found(marker('body', page, at))) open++;
  }
  expect(leaked).toEqual([]);
  // The search finds what is there, and there was enough that must not be.
  expect(open).toBeGreaterThan(25);
  expect(shut).toBeGreaterThan(200);
}, 60_000);

test('a feed\'s credentials and cookies are not left behind, though what it says is', async () => {
  await using site = await makeSite({
    answer: (path, request) => {
      if (path.startsWith('/feed')) {
        const known = request.headers.get('authorization') === 'Bearer feed-credential-z';
        return Response.json({ price: known ? 'price-from-feed-z' : 'refused' }, { headers: { 'set-cookie': 'id=feed-cookie-z', 'x-debug': 'feed-header-z' } });
      }
      return path === '/shoe' ? new Response(`<html><body><p id="price">?</p>${'text '.repeat(200)}</body></html>`, { headers: { 'content-type': 'text/html', 'cache-control': 'max-age=60' } }) : new Response('no', { status: 404 });
    },
    rates: () => ({ '/shoe': 5 }),
    config: `feeds: { prices: { url: "ORIGIN/feed?key=feed-query-z", every: 1s, headers: { authorization: "Bearer feed-credential-z" } } }
routes: [{ match: /shoe, slots: [{ name: price, select: "#price", feed: prices, value: /price }] }]`,
  });
  await until('the filling', () => site.leftBehind().includes('price-from-feed-z'));
  await until('the page', () => site.record('/shoe') !== undefined);
  await site.generator.close();
  const left = site.leftBehind().toString('latin1');
  for (const secret of ['feed-credential-z', 'feed-cookie-z', 'feed-header-z', 'feed-query-z']) expect([secret, left.includes(secret)]).toEqual([secret, false]);
});

test('the judgement alone, over far more answers: nothing personal may be kept, for shadows or as a cache', () => {
  fc.assert(fc.property(planted, fc.constantFrom<'authorization' | 'cookie' | undefined>('authorization', 'cookie', undefined), (facts, credentials) => {
    const exchange = {
      method: 'GET', status: facts.status, response: headerReader(headersOf(facts, 0, 0)), responseTimeMs: 1,
      request: headerReader(credentials === 'authorization' ? [['authorization', 'Basic abc']] : []), otherCookies: credentials === 'cookie',
    };
    const kept = [shadowRefusal(exchange, 'allowed') === undefined, cacheRefusal(exchange) === undefined].some(Boolean);
    if (isPersonal(facts)) expect(kept).toBe(false);
    const variesOn = (name: string): boolean => (facts.vary ?? '').toLowerCase().split(/,\s*/).includes(name);
    if (credentials !== undefined && variesOn(credentials)) expect(kept).toBe(false);
    if (credentials === 'authorization' && !/public|must-revalidate|s-maxage/.test(facts.cacheControl)) expect(kept).toBe(false);
  }), { seed: 43, numRuns: 5000 });
});

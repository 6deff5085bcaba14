/** Pages whose dynamic parts stay live while the origin is gone: what the configuration's feeds and slots promise, seen from a visitor's side. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { until } from '../../bench/machine/program.ts';
import { LiveSite, languages } from './live-site.ts';
import { RunningForeshadow } from './program.ts';

let site: LiveSite;
let foreshadow: RunningForeshadow;

beforeAll(async () => {
  site = await LiveSite.create();
  foreshadow = await RunningForeshadow.start({ originUrl: site.url, config: site.config });
}, 30_000);
afterAll(async () => {
  await foreshadow[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

async function page(path: string, language = 'en', headers: Record<string, string> = {}): Promise<{ status: number; text: string; headers: Headers }> {
  const answer = await fetch(foreshadow.url + path, { headers: { 'accept-language': language, ...headers } });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

/** Asks until the page says so. */
async function says(path: string, what: string, language = 'en', headers: Record<string, string> = {}): Promise<string> {
  let last = '';
  await until(`${path} to say ${what}`, async () => {
    last = (await page(path, language, headers)).text;
    return last.includes(what);
  }, 10_000, 20).catch((error: unknown) => {
    throw new Error(`${String(error)}; it says ${last}\n${foreshadow.log.split('\n').slice(-10).join('\n')}`);
  });
  return last;
}

const euro = (amount: number, language: string): string => new Intl.NumberFormat(language, { style: 'currency', currency: 'EUR' }).format(amount);

describe('slots', () => {
  test('while the origin is well, copies show the live value', async () => {
    for (const id of ['a', 'b', 'c']) for (const language of languages) await says(`/products/${id}`, `<p id="price">${euro(10 + 'abc'.indexOf(id), language)}</p>`, language);
    await says('/api/price.json', '"price":10');
    const { headers } = await page('/products/a');
    expect(headers.get('content-length')).toMatch(/^\d+$/);
    expect(headers.get('foreshadow')).toContain('language=en');
  }, 20_000);

  test('while the origin is gone, a new price is on every page at once, in every language', async () => {
    await foreshadow.published(7);
    await site.stopOrigin();
    await says('/products/a', 'A copy, ');
    site.price = 20;
    await says('/products/a', `<p id="price">${euro(20, 'en')}</p>`);
    for (const language of languages) await says('/products/c', `<p id="price">${euro(22, language)}</p>`, language);
    const text = await says('/products/b', '<p id="stamp">21</p>', 'de');
    expect(text).toContain('<html lang="de">');
    expect(text).toMatch(/<form method="post" action="\/cart"><fieldset disabled/);
  }, 20_000);

  test('each visitor gets the list that is most like them', async () => {
    expect((await page('/products/a')).text).toContain('<b>all about cats</b>');
    const { text, headers } = await page('/products/a', 'en', { cookie: 'interests=fish:0.9,cats:0.1' });
    expect(text).toContain('<b>all about fish</b>');
    expect(headers.get('foreshadow')).toContain('recs=2');
  });

  test('JSON has its slots too', async () => {
    await says('/api/price.json', '"price":20');
    expect(JSON.parse((await page('/api/price.json')).text)).toEqual({ price: 20, currency: 'EUR' });
  }, 20_000);

  test('a composed page has validators of its own', async () => {
    const first = await page('/products/a');
    const etag = first.headers.get('etag') ?? '';
    expect(etag).not.toBe('');
    const again = await fetch(`${foreshadow.url}/products/a`, { headers: { 'accept-language': 'en', 'if-none-match': etag } });
    expect(again.status).toBe(304);
    site.price = 30;
    await says('/products/a', euro(30, 'en'));
    expect((await fetch(`${foreshadow.url}/products/a`, { headers: { 'accept-language': 'en', 'if-none-match': etag } })).status).toBe(200);
  }, 20_000);

  test.each([
    ['an error page', () => new Response('<h1>Oops</h1>', { status: 500 })],
    ['no JSON', () => new Response('<script>alert(1)</script>', { headers: { 'content-type': 'application/json' } })],
    ['what does not fit its schema', () => Response.json({ a: '<script>alert(1)</script>' })],
    ['too deep a document', () => new Response(`${'['.repeat(5000)}${']'.repeat(5000)}`, { headers: { 'content-type': 'application/json' } })],
  ])('a feed that answers with %s changes no page, and says what is wrong', async (_, answer) => {
    site.instead.set('/prices', answer);
    await until('the feed to be seen failing', async () => JSON.stringify(await feedState()).includes('"state":"failing"'), 5000, 50);
    const { text } = await page('/products/a');
    expect(text).not.toContain('script');
    expect(text).toMatch(/<p id="price">(€30\.00|origin's price)<\/p>/);
    site.instead.delete('/prices');
    await until('the feed to be well again', async () => JSON.stringify(await feedState()).includes('"state":"ok"'), 5000, 50);
    await says('/products/a', euro(30, 'en'));
  }, 20_000);

  test('values too old are not shown: the fallback is, until the feed is back', async () => {
    await site.stopFeeds();
    const text = await says('/products/a', '<p id="stamp">not known</p>');
    expect(text).toContain('<p id="price">origin\'s price</p>');
    expect(text).toContain('<b>all about cats</b>');
    site.price = 40;
    site.startFeeds();
    await says('/products/a', euro(40, 'en'));
  }, 20_000);

  test('without the brain no value outlives its age', async () => {
    for (const pid of foreshadow.children) process.kill(pid, 'SIGSTOP');
    const children = foreshadow.children;
    try {
      await says('/products/a', '<p id="stamp">not known</p>');
    } finally {
      for (const pid of children) process.kill(pid, 'SIGCONT');
    }
    await says('/products/a', `<p id="stamp">40</p>`);
  }, 20_000);

  test('after a power cut of everything, pages are put together again from what is on disk', async () => {
    await foreshadow.kill();
    await foreshadow.startAgain();
    await says('/products/c', euro(42, 'de'), 'de');
  }, 30_000);
});

async function feedState(): Promise<unknown> {
  return (await fetch(`http://127.0.0.1:${foreshadow.adminPort}/api/v1/feeds/prices`)).json();
}

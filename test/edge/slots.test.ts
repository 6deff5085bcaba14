/** Pages that are put together when they answer: from a copy, what fills its slots now, and who asks. */
import { afterEach, describe, expect, test } from 'bun:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { until } from '../../bench/machine/program.ts';
import { Brain, feed, filling } from './brain-stand-in.ts';
import { stage, strike, type Stage } from './stage.ts';
import { ask, cached, origin, reply, value, verdict, type Answer, type Asked } from './wire.ts';

afterEach(strike);

const html = 'Content-Type: text/html; charset=utf-8';
const htmlFields = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'max-age=600', 'etag': '"seed"', 'last-modified': 'Mon, 01 Jan 2024 00:00:00 GMT', 'content-digest': 'sha-256=:AA==:' };
const shop = `
dimensions:
  language: { from: acceptLanguage, values: [en, de] }
  audience: { from: { cookie: segment }, values: [new, vip], default: new }
  interests: { from: { cookie: interests }, match: similarity }
feeds:
  prices: { url: "http://127.0.0.1:1/prices", maxAge: 2s }
  recs: { url: "http://127.0.0.1:1/recs?audience={audience}", maxAge: 10m }
routes:
  - match: /products/:id
    vary: [language]
    slots:
      - { name: price, select: "#price", feed: prices, value: "/{id}", template: "{{ value | money: 'EUR' }}" }
      - { name: recs, select: "#recs", feed: recs, variations: 3, template: "{{ value }}" }
  - match: /api/:id
    slots: [ { name: price, pointer: /price, feed: prices, value: "/{id}" } ]
`;
const priceId = (id: string, language: string): string => `/products/:id#price?id=${id}&language=${language}`;
const page = (language: string, price = 'old', recs = 'none'): string => `<html lang="${language}"><p id="price">${price}</p><div id="recs">${recs}</div></html>`;

interface Shop extends Stage {
  readonly brain: Brain;
  readonly asked: readonly Asked[];
  readonly stop: () => void;
}

async function open(fill: Parameters<typeof filling>[0][] = [], fields: Readonly<Record<string, string>> = htmlFields): Promise<Shop> {
  const brain = await Brain.open();
  const site = await origin((asked, socket) => { socket.write(reply(`live ${asked.target}`, [html])); });
  const started = await stage(site.url, shop, brain);
  const put = ['en', 'de'].map((language) => brain.record('/products/7', page(language), fields, { variation: `language=${language}` as never }));
  await brain.publish({ put, fill: fill.map(filling), heard: [[feed('prices'), Date.now()]] });
  await started.edge.pull();
  return { ...started, brain, asked: site.asked, stop: site.stop };
}

const price = (language: string, text: string, more: object = {}): Parameters<typeof filling>[0] => ({ id: priceId('7', language), feed: 'prices', texts: [text], maxAgeMs: 2_000, ...more });
const lists = (audience: string): Parameters<typeof filling>[0] => ({
  id: `/products/:id#recs?audience=${audience}`, feed: `recs?audience=${audience}`,
  texts: [[`${audience} cats`, { cats: 1 }], [`${audience} dogs`, { dogs: 1 }], [`${audience} fish`, { fish: 1 }]],
});
const get = (url: string, lines: readonly string[] = [], path = '/products/7'): Promise<Answer> => ask(url, `GET ${path}`, lines);
const text = (answer: Answer): string => answer.body.toString();

test('a copy is put together from its seed and the fillings of its variation; what has none shows the origin\'s own', async () => {
  const { url, asked } = await open([price('en', '€1'), price('de', '1 €')]);
  const english = await get(url);
  expect([text(english), verdict(english), value(english, 'content-length')]).toEqual([page('en', '€1'), 'shadow fresh', String(Buffer.byteLength(page('en', '€1')))]);
  expect(text(await get(url, ['Accept-Language: de']))).toBe(page('de', '1 €'));
  expect(asked).toEqual([]);
});

test('a new filling is shown at once when it is published, and the old one when it goes', async () => {
  const { url, brain, edge } = await open([price('en', '€1')]);
  expect(text(await get(url))).toBe(page('en', '€1'));
  await brain.publish({ fill: [filling(price('en', '€2'))] });
  await edge.pull();
  expect(text(await get(url))).toBe(page('en', '€2'));
  await brain.publish({ unfill: [filling(price('en', '')).id] });
  await edge.pull();
  expect(text(await get(url))).toBe(page('en'));
});

describe('a feed that is not heard of any more', () => {
  test('has its fallback shown after maxAge, whoever is alive; heard again, its value', async () => {
    const { url, edge, stop } = await open([price('en', '€1', { fallback: 'ask us', maxAgeMs: 1_500 })]);
    stop();
    expect(text(await get(url))).toBe(page('en', '€1'));
    const heardMs = Date.now();
    edge.heard([[feed('prices'), heardMs]]);
    await until('the value to be too old', async () => text(await get(url)) === page('en', 'ask us'), 5_000, 20);
    expect(Date.now() - heardMs).toBeGreaterThanOrEqual(1_500);
    edge.heard([[feed('prices'), Date.now()]]);
    expect(text(await get(url))).toBe(page('en', '€1'));
    edge.heard([[feed('prices'), Date.now() - 60_000]]);
    expect(text(await get(url))).toBe(page('en', '€1'));
  });

  test('without a fallback shows what the origin had there', async () => {
    const { url } = await open([price('en', '€1', { maxAgeMs: 300, valueTimeMs: 0 })]);
    await until('the value to be too old', async () => text(await get(url)) === page('en'), 5_000, 20);
  });

  test('bounds how long others may keep the page', async () => {
    const { url } = await open([price('en', '€1')], { ...htmlFields, 'cache-control': 'public, max-age=600, stale-if-error=900, immutable', 'expires': new Date(Date.now() + 600_000).toUTCString() });
    const answer = await get(url);
    const left = Number(/^public, max-age=(\d+)$/.exec(value(answer, 'cache-control') ?? '')?.[1] ?? 99) - Number(value(answer, 'age'));
    expect(left).toBeLessThanOrEqual(2);
    expect(Date.parse(value(answer, 'expires') ?? '')).toBeLessThanOrEqual(Date.now() + 2_000);
  });
});

describe('versions for profiles', () => {
  test('each visitor gets the most similar, of the audience they belong to, and is told which', async () => {
    const { url } = await open([lists('new'), lists('vip')]);
    const first = await get(url);
    expect([text(first), value(first, 'foreshadow')]).toEqual([page('en', 'old', 'new cats'), expect.stringContaining('variation="language=en,recs=0"')]);
    const vip = await get(url, ['Cookie: segment=vip; interests=dogs:0.2,fish:0.9']);
    expect([text(vip), value(vip, 'foreshadow')]).toEqual([page('en', 'old', 'vip fish'), expect.stringContaining('variation="language=en,recs=2"')]);
    expect(text(await get(url, ['Cookie: interests=%7B%22dogs%22%3A1%7D']))).toBe(page('en', 'old', 'new dogs'));
    expect(text(await get(url, ['Cookie: interests=<script>']))).toBe(page('en', 'old', 'new cats'));
  });

  test('the answer says that it depends on the cookie', async () => {
    const { url } = await open([lists('new')]);
    const answer = await get(url);
    expect(answer.headers.filter(([name]) => name === 'vary').map(([, names]) => names.toLowerCase()).join()).toContain('cookie');
  });

  test('their cookies make no request personal: answers to them are kept, and shared', async () => {
    let served = 0;
    const site = await origin((_, socket) => { socket.write(reply(page('en', `price ${++served}`), [html, cached, 'Vary: Cookie, Accept-Language'])); });
    const { url, kept } = await stage(site.url, shop);
    await get(url, ['Cookie: interests=cats:1; segment=vip']);
    await kept(1);
    const other = await get(url, ['Cookie: interests=dogs:1']);
    expect([verdict(other), text(other), served]).toEqual(['shadow fresh', page('en', 'price 1'), 1]);
    expect(verdict(await get(url, ['Cookie: session=1; interests=dogs:1']))).toBe('shadow fresh');
  });
});

test('no page shows a value of another variation, whoever asks at the same time and whatever is published meanwhile', async () => {
  const all = (n: number): Parameters<typeof filling>[0][] => [price('en', `[en ${n}]`, { maxAgeMs: 60_000 }), price('de', `[de ${n}]`, { maxAgeMs: 60_000 }), lists('new'), lists('vip')];
  const { url, brain, edge } = await open(all(0));
  const visitors = ['en', 'de'].flatMap((language) => ['new', 'vip'].flatMap((audience) => ['cats', 'dogs', 'fish'].map((taste) => ({ language, audience, taste }))));
  const ofNone: string[] = [];
  const versions = new Set<string>();
  let publishing = true;
  const publisher = (async () => {
    for (let n = 1; n <= 20; n++) {
      await brain.publish({ fill: all(n).slice(0, 2).map(filling) });
      await edge.pull();
    }
    publishing = false;
  })();
  await Promise.all(visitors.map(async ({ language, audience, taste }) => {
    const own = new RegExp(`^<html lang="${language}"><p id="price">\\[${language} (\\d+)\\]</p><div id="recs">${audience} ${taste}</div></html>$`);
    do {
      const answer = await fetch(`${url}/products/7`, { headers: { 'accept-language': language, 'cookie': `segment=${audience}; interests=${taste}:1` } });
      const body = await answer.text();
      const match = own.exec(body);
      if (!match) ofNone.push(body);
      versions.add(match?.[1] ?? '');
    } while (publishing);
  }));
  await publisher;
  expect(ofNone).toEqual([]);
  expect(versions.size).toBeGreaterThan(1);
}, 20_000);

describe('HTTP on a page that was put together', () => {
  test('nothing is said of it that is true of the seed only', async () => {
    const { url } = await open([price('en', '€1')]);
    const answer = await get(url);
    for (const name of ['last-modified', 'content-digest']) expect(value(answer, name)).toBeUndefined();
    expect(value(answer, 'etag')).toMatch(/^"[^"]+"$/);
    expect(value(answer, 'etag')).not.toBe('"seed"');
  });

  test('its tag is for these bytes: 304 as long as they are the same, by no date', async () => {
    const { url, brain, edge } = await open([price('en', '€1', { maxAgeMs: 60_000 })]);
    const etag = value(await get(url), 'etag') ?? '';
    const same = await get(url, [`If-None-Match: ${etag}`]);
    expect([same.status, value(same, 'etag'), same.body.length]).toEqual([304, etag, 0]);
    expect((await get(url, [`If-Match: "seed"`])).status).toBe(412);
    expect((await get(url, [`If-Modified-Since: ${new Date(Date.now() + 1e6).toUTCString()}`])).status).toBe(200);
    expect((await get(url, ['If-None-Match: "seed"'])).status).toBe(200);
    await brain.publish({ fill: [filling(price('en', '€2'))] });
    await edge.pull();
    const other = await get(url, [`If-None-Match: ${etag}`]);
    expect([other.status, text(other)]).toEqual([200, page('en', '€2')]);
  });

  test('HEAD tells its length, ranges are of its bytes', async () => {
    const { url } = await open([price('en', 'a much longer price')]);
    const whole = await get(url);
    const head = await ask(url, 'HEAD /products/7');
    expect([head.status, value(head, 'content-length'), value(head, 'etag')]).toEqual([200, String(whole.body.length), value(whole, 'etag')]);
    const at = text(whole).indexOf('a much');
    const part = await get(url, [`Range: bytes=${at}-${at + 5}`, `If-Range: ${value(whole, 'etag') ?? ''}`]);
    expect([part.status, text(part), value(part, 'content-range')]).toEqual([206, 'a much', `bytes ${at}-${at + 5}/${whole.body.length}`]);
    expect((await get(url, [`Range: bytes=0-1`, 'If-Range: "seed"'])).status).toBe(200);
  });

  test('it is gzip from its second or third use on, for those who like that, under a tag of its own', async () => {
    const long = 'long '.repeat(1_000);
    const { url } = await open([price('en', long, { maxAgeMs: 60_000 })]);
    const plain = await get(url, ['Accept-Encoding: gzip, br']);
    expect([value(plain, 'content-encoding'), value(plain, 'vary')?.toLowerCase()]).toEqual([undefined, expect.stringContaining('accept-encoding')]);
    let coded = plain;
    await until('gzip', async () => {
      coded = await get(url, ['Accept-Encoding: gzip, br']);
      return value(coded, 'content-encoding') === 'gzip';
    }, 5_000, 5);
    expect([gunzipSync(coded.body).toString(), value(coded, 'content-length')]).toEqual([page('en', long), String(coded.body.length)]);
    expect(value(coded, 'etag')).not.toBe(value(plain, 'etag'));
    for (const held of [plain, coded]) {
      const same = await get(url, ['Accept-Encoding: gzip', `If-None-Match: ${value(held, 'etag') ?? ''}`]);
      expect([same.status, value(same, 'etag')]).toEqual([304, value(held, 'etag')]);
    }
    for (const lines of [[], ['Accept-Encoding: gzip;q=0'], ['Accept-Encoding: gzip', 'Range: bytes=0-']]) expect(value(await get(url, lines), 'content-encoding')).toBeUndefined();
  });

  test('with no-transform it stays as it is', async () => {
    const { url } = await open([price('en', 'long '.repeat(1_000), { maxAgeMs: 60_000 })], { ...htmlFields, 'cache-control': 'max-age=600, no-transform' });
    for (let n = 0; n < 20; n++) expect(value(await get(url, ['Accept-Encoding: gzip']), 'content-encoding')).toBeUndefined();
  });
});

test('JSON has slots, and other bodies on the same route go out as they are', async () => {
  const { url, brain, edge } = await open();
  await brain.publish({
    put: [
      brain.record('/api/7', '{ "price": 1, "name": "x" }', { 'content-type': 'application/json', 'cache-control': 'max-age=60' }),
      brain.record('/api/8', 'price', { 'content-type': 'text/plain', 'cache-control': 'max-age=60', 'etag': '"kept"' }),
    ],
    fill: [filling({ id: '/api/:id#price?id=7', feed: 'prices', texts: ['2.5'] }), filling({ id: '/api/:id#price?id=8', feed: 'prices', texts: ['2.5'] })],
  });
  await edge.pull();
  expect(text(await get(url, [], '/api/7'))).toBe('{ "price": 2.5, "name": "x" }');
  const plain = await get(url, [], '/api/8');
  expect([text(plain), value(plain, 'etag')]).toEqual(['price', '"kept"']);
});

test('an answer that passes in a coding is kept plain, so that it can be filled', async () => {
  const site = await origin((_, socket) => { socket.write(reply(gzipSync(page('en')), [html, cached, 'Content-Encoding: gzip', 'ETag: "z"'])); });
  const brain = await Brain.open();
  const { url, kept, edge } = await stage(site.url, shop, brain);
  await brain.publish({ fill: [filling(price('en', '€1'))] });
  await edge.pull();
  const passed = await get(url, ['Accept-Encoding: gzip']);
  expect([gunzipSync(passed.body).toString(), value(passed, 'etag')]).toEqual([page('en'), '"z"']);
  await kept(1);
  for (const lines of [[], ['Accept-Encoding: gzip']]) {
    const copied = await get(url, lines);
    expect([verdict(copied), text(copied), value(copied, 'content-encoding')]).toEqual(['shadow fresh', page('en', '€1'), undefined]);
  }
});

test('the origin\'s own answer passes as it is', async () => {
  const { url, asked } = await open([price('en', '€1')]);
  expect([text(await get(url, ['Cache-Control: no-cache'])), asked.length]).toEqual(['live /products/7', 1]);
});

test('a copy that stands in for another variation is whole of its own: its slots are not the visitor\'s', async () => {
  const brain = await Brain.open();
  const site = await origin((_, socket) => { socket.write(reply('sorry', [], '503 X')); });
  const { url, edge } = await stage(site.url, `
dimensions: { audience: { from: { cookie: segment }, values: [new, vip], default: new, exact: false } }
feeds: { recs: { url: "http://127.0.0.1:1/recs?audience={audience}" } }
routes: [ { match: /products/:id, vary: [audience], slots: [ { name: recs, select: "#recs", feed: recs } ] } ]
`, brain);
  const put = [brain.record('/products/7', page('new'), htmlFields, { variation: 'audience=new' as never })];
  await brain.publish({ put, fill: ['new', 'vip'].map((audience) => filling({ id: `/products/:id#recs?audience=${audience}`, feed: `recs?audience=${audience}`, texts: [`for ${audience}`] })) });
  await edge.pull();
  const answer = await get(url, ['Cookie: segment=vip']);
  expect([text(answer), value(answer, 'foreshadow')]).toEqual([page('new', 'old', 'for new'), expect.stringContaining('variation="audience=new"')]);
});

test('a profile that a route varies on makes no variations: it only chooses among those of a slot', async () => {
  const site = await origin((_, socket) => { socket.write(reply(page('en'), [html, cached, 'Vary: Cookie'])); });
  const { url, kept, outbox } = await stage(site.url, shop.replace('vary: [language]', 'vary: [language, interests]'));
  await get(url, ['Cookie: interests=cats:1']);
  await kept(1);
  expect(verdict(await get(url, ['Cookie: interests=dogs:1']))).toBe('shadow fresh');
  await until('word of the copy', () => outbox.captured.length === 1);
  expect(outbox.captured.map(({ variation }) => String(variation))).toEqual(['language=en']);
});

test('after a reload pages are put together as they are declared then', async () => {
  const { url, edge, config } = await open([price('en', '€1', { maxAgeMs: 60_000 })]);
  expect(text(await get(url))).toBe(page('en', '€1'));
  const swapped = { price: '#recs', recs: '#price' } as const;
  const routes = config.routes.map((route) => ({
    ...route, slots: route.slots.map((slot) => (slot.place.kind === 'json' ? slot : { ...slot, place: { kind: 'element' as const, select: slot.name === 'price' ? swapped.price : swapped.recs } })),
  }));
  await edge.reload({ ...config, routes });
  expect(text(await get(url))).toBe(page('en', 'old', '€1'));
});

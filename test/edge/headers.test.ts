/** What crosses the edge and what does not: fields for one connection, who asked and through whom, which host. */
import { afterEach, describe, expect, test } from 'bun:test';
import { stage, strike } from './stage.ts';
import { ask, cached, origin, reply, value, values, verdict, type Asked, type Origin } from './wire.ts';

afterEach(strike);

/** An origin that answers everything, and the last request it got. */
async function listener(fields: readonly string[] = []): Promise<Origin & { readonly last: () => Asked }> {
  const site = await origin((_, socket) => { socket.write(reply('ok', fields)); });
  return Object.assign(site, {
    last(): Asked {
      const asked = site.asked.at(-1);
      if (!asked) throw new Error('the origin was not asked');
      return asked;
    },
  });
}

describe('fields for one connection', () => {
  test('those that Connection names are taken out of a request, and the rest passes', async () => {
    const site = await listener();
    const { url } = await stage(site.url);
    await ask(url, 'GET /', ['Connection: X-Secret-Hop, keep-alive', 'X-Secret-Hop: 1', 'Keep-Alive: timeout=5', 'X-Else: 2']);
    expect([values(site.last(), 'x-secret-hop'), values(site.last(), 'keep-alive'), value(site.last(), 'x-else')]).toEqual([[], [], '2']);
    expect((value(site.last(), 'connection') ?? '').toLowerCase()).not.toContain('x-secret-hop');
  });

  test('those that Connection names are taken out of an answer, passed through and from a copy', async () => {
    const site = await listener([cached, 'Connection: X-Origin-Hop', 'X-Origin-Hop: 1', 'Keep-Alive: timeout=5', 'Proxy-Authenticate: Basic', 'Upgrade: h2c', 'X-Else: 2']);
    const { url, kept } = await stage(site.url);
    const passed = await ask(url, 'GET /');
    await kept(1);
    const copied = await ask(url, 'GET /');
    expect(verdict(copied)).toBe('shadow fresh');
    for (const answer of [passed, copied]) {
      for (const name of ['x-origin-hop', 'keep-alive', 'proxy-authenticate', 'upgrade']) expect([name, values(answer, name)]).toEqual([name, []]);
      expect(value(answer, 'x-else')).toBe('2');
    }
  });

  test('Connection can not take away who asks, cookies or credentials', async () => {
    const site = await listener();
    const { url } = await stage(site.url);
    await ask(url, 'GET /', ['Connection: close, Cookie, Authorization, X-Forwarded-For, Host, Via', 'Cookie: a=1', 'Authorization: Basic eDp5']);
    expect([value(site.last(), 'cookie'), value(site.last(), 'authorization'), value(site.last(), 'x-forwarded-for')]).toEqual(['a=1', 'Basic eDp5', '127.0.0.1']);
  });

  test('TE, Upgrade other than websocket, Trailer and Proxy-* do not pass', async () => {
    const site = await listener();
    const { url } = await stage(site.url);
    await ask(url, 'GET /', ['Connection: TE, Upgrade', 'TE: trailers', 'Upgrade: h2c', 'Proxy-Authorization: Basic eDp5', 'Proxy-Connection: keep-alive', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA']);
    for (const name of ['te', 'upgrade', 'proxy-authorization', 'proxy-connection', 'http2-settings']) expect([name, values(site.last(), name)]).toEqual([name, []]);
  });

  test('Expect: 100-continue is answered here and not passed on', async () => {
    const site = await listener();
    const { url } = await stage(site.url);
    expect((await ask(url, 'POST /', ['Expect: 100-continue'], 'body')).status).toBe(200);
    expect([values(site.last(), 'expect'), site.last().body.toString()]).toEqual([[], 'body']);
  });
});

describe('Via and CDN-Loop', () => {
  test('Via is appended both ways', async () => {
    const site = await listener(['Via: 1.1 inner']);
    const { url } = await stage(site.url);
    const answer = await ask(url, 'GET /', ['Via: 1.0 outer']);
    expect([values(site.last(), 'via').join(', '), values(answer, 'via').join(', ')]).toEqual(['1.0 outer, 1.1 foreshadow', '1.1 inner, 1.1 foreshadow']);
  });

  test('CDN-Loop names this site, after those before it', async () => {
    const site = await listener();
    const { url } = await stage(site.url, 'site: shop');
    await ask(url, 'GET /', ['CDN-Loop: other; x=1']);
    expect(value(site.last(), 'cdn-loop')).toBe('other; x=1, foreshadow; site=shop');
  });

  test('a request that has been here is refused with 508, and so is one of a Foreshadow without a name', async () => {
    const site = await listener();
    const { url } = await stage(site.url, 'site: shop');
    for (const loop of ['foreshadow; site=shop', 'foreshadow', 'a, foreshadow;site="shop", b']) {
      const answer = await ask(url, 'GET /', [`CDN-Loop: ${loop}`]);
      expect([answer.status, verdict(answer)]).toEqual([508, 'none loop']);
    }
    expect(site.asked.length).toBe(0);
  });

  test('another site\'s Foreshadow, or a name that only begins like ours, is no loop', async () => {
    const site = await listener();
    const { url } = await stage(site.url, 'site: shop');
    for (const loop of ['foreshadow; site=blog', 'foreshadowing']) expect((await ask(url, 'GET /', [`CDN-Loop: ${loop}`])).status).toBe(200);
  });

  test('an edge whose origin is itself ends the loop', async () => {
    const site = await listener();
    const inner = await stage(site.url, 'site: shop');
    const outer = await stage(inner.url, 'site: shop');
    expect((await ask(outer.url, 'GET /')).status).toBe(508);
    expect(site.asked.length).toBe(0);
  });
});

describe('who asked', () => {
  const claims = ['X-Forwarded-For: 203.0.113.9', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: evil.example', 'Forwarded: for=203.0.113.9;proto=https;host=evil.example'];

  test('what a stranger claims is replaced', async () => {
    const site = await listener();
    const { url } = await stage(site.url);
    await ask(url, 'GET /', ['Host: shop.example', ...claims]);
    const last = site.last();
    expect(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded'].map((name) => values(last, name))).toEqual([
      ['127.0.0.1'], ['http'], ['shop.example'], ['for=127.0.0.1;host="shop.example";proto=http'],
    ]);
  });

  test('what a trusted proxy says is kept and appended to', async () => {
    const site = await listener();
    const { url } = await stage(site.url, 'trustedProxies: [127.0.0.0/8]');
    await ask(url, 'GET /', ['Host: shop.example', ...claims]);
    const last = site.last();
    expect(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'forwarded'].map((name) => values(last, name))).toEqual([
      ['203.0.113.9, 127.0.0.1'], ['https'], ['evil.example'],
      ['for=203.0.113.9;proto=https;host=evil.example, for=127.0.0.1;host="shop.example";proto=http'],
    ]);
  });

  test('what a trusted proxy says in one of the two ways only is told in both', async () => {
    const site = await listener();
    const { url } = await stage(site.url, 'trustedProxies: [127.0.0.0/8]');
    const told = async (...lines: string[]): Promise<(string | undefined)[]> => {
      await ask(url, 'GET /', ['Host: shop.example', ...lines]);
      return ['x-forwarded-for', 'x-forwarded-proto', 'forwarded'].map((name) => value(site.last(), name));
    };
    const ours = 'for=127.0.0.1;host="shop.example";proto=http';
    expect(await told('X-Forwarded-For: 2001:db8::9, 203.0.113.1', 'X-Forwarded-Proto: https')).toEqual(['2001:db8::9, 203.0.113.1, 127.0.0.1', 'https', `for="[2001:db8::9]", for=203.0.113.1, ${ours}`]);
    expect(await told('Forwarded: for="[2001:db8::9]:4711";proto=https, for=_hidden')).toEqual(['2001:db8::9, unknown, 127.0.0.1', 'https', `for="[2001:db8::9]:4711";proto=https, for=_hidden, ${ours}`]);
  });

  test('fields that frameworks take for URL, host or method do not pass from a stranger', async () => {
    const site = await listener();
    const { url } = await stage(site.url);
    const names = ['x-original-url', 'x-rewrite-url', 'x-original-host', 'x-host', 'x-http-host-override', 'x-forwarded-server', 'x-forwarded-scheme', 'x-forwarded-port', 'x-forwarded-prefix', 'x-forwarded-ssl', 'x-http-method-override'];
    await ask(url, 'GET /', names.map((name) => `${name}: DELETE`));
    for (const name of names) expect([name, values(site.last(), name)]).toEqual([name, []]);
  });

  test('Foreshadow-Purpose of a visitor does not reach the origin', async () => {
    const site = await listener();
    const { url } = await stage(site.url);
    await ask(url, 'GET /', ['Foreshadow-Purpose: generate']);
    expect(values(site.last(), 'foreshadow-purpose')).toEqual([]);
  });
});

describe('Host', () => {
  test('the origin is sent its own name, or the visitor\'s where configured', async () => {
    const site = await listener();
    const own = await stage(site.url);
    await ask(own.url, 'GET /', ['Host: shop.example']);
    expect(values(site.last(), 'host')).toEqual([new URL(site.url).host]);
    const preserved = await stage(site.url, 'origin: { host: preserve }');
    await ask(preserved.url, 'GET /', ['Host: shop.example']);
    expect(values(site.last(), 'host')).toEqual(['shop.example']);
  });

  test('two Hosts, a malformed one and one that is not the site\'s are refused', async () => {
    const site = await listener();
    const { url } = await stage(site.url, 'hosts: [shop.example]');
    const status = async (...lines: string[]): Promise<number> => (await ask(url, 'GET /', lines)).status;
    expect([await status('Host: shop.example'), await status('Host: SHOP.example:80'), await status('Host: shop.example', 'Host: b.example'), await status('Host: a/b'), await status('Host: other.example')])
      .toEqual([200, 200, 400, 400, 421]);
    expect(site.asked.length).toBe(2);
  });

  test('a Location of the origin\'s own URL becomes relative, passed through and from a copy', async () => {
    let own = '';
    const site = await origin(({ target }, socket) => {
      const to = target === '/abroad' ? 'https://elsewhere.example/x' : target === '/slashes' ? `${own}//evil.example` : `${own}${target}/new?x=1`;
      socket.write(reply('', [cached, `Location: ${to}`], '301 Moved'));
    });
    own = site.url;
    const { url, kept } = await stage(site.url);
    const passed = await ask(url, 'GET /page');
    await kept(1);
    const copied = await ask(url, 'GET /page');
    expect([value(passed, 'location'), verdict(copied), value(copied, 'location')]).toEqual(['/page/new?x=1', 'shadow fresh', '/page/new?x=1']);
    expect(value(await ask(url, 'GET /abroad'), 'location')).toBe('https://elsewhere.example/x');
    expect(value(await ask(url, 'GET /slashes'), 'location')).toBe('/evil.example');
  });

  test('a Location that only begins like the origin\'s URL is left alone', async () => {
    let own = '';
    const site = await origin((_, socket) => { socket.write(reply('', [`Location: ${own}9/x`], '302 Found')); });
    own = site.url;
    const { url } = await stage(site.url);
    expect(value(await ask(url, 'GET /'), 'location')).toBe(`${own}9/x`);
  });
});

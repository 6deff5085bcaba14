/** Which copy is whose: declared dimensions, other varied headers, content codings, and the key of a URL. */
import { afterEach, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { gunzipSync, gzipSync } from 'node:zlib';
import { until } from '../../bench/machine/program.ts';
import { stage, strike, type Stage } from './stage.ts';
import { ask, cached, origin, reply, value, verdict, type Asked, type Origin } from './wire.ts';

afterEach(strike);

const phone = 'User-Agent: Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148';
const desk = 'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36';

const shop = `
dimensions:
  device: { from: userAgent, values: [mobile, desktop] }
  language: { from: acceptLanguage, values: [en, de], default: en }
  audience: { from: { cookie: segment }, values: [new, vip], default: new, exact: false }
routes:
  - { match: /exact/**, vary: [device, language] }
  - { match: /loose/**, vary: [device, audience] }
`;

const switchable = async (answer: (asked: Asked) => Uint8Array, config = ''): Promise<Stage & { readonly site: Origin; readonly fails: () => void }> => {
  let well = true;
  const site = await origin((asked, socket) => { socket.write(well ? answer(asked) : reply('sorry', [], '503 X')); });
  return { ...(await stage(site.url, config)), site, fails: () => { well = false; } };
};

describe('declared dimensions', () => {
  const seen = (asked: Asked): string => `${/iPhone/.test(value(asked, 'user-agent') ?? '') ? 'phone' : 'desk'} ${value(asked, 'accept-language') ?? ''} ${value(asked, 'cookie') ?? ''}`;

  test('that are exact are never crossed, fresh or in an outage', async () => {
    const { url, kept, fails } = await switchable((asked) => reply(seen(asked), [cached, 'Vary: User-Agent, Accept-Language']), shop);
    await ask(url, 'GET /exact/1', [phone, 'Accept-Language: de']);
    await kept(1);
    const same = await ask(url, 'GET /exact/1', [phone.replace('18_0', '17_5'), 'Accept-Language: de-AT, en;q=0.1']);
    expect([same.body.toString(), verdict(same)]).toEqual(['phone de ', 'shadow fresh']);
    expect(value(same, 'foreshadow')).toContain('variation="device=mobile,language=de"');
    fails();
    for (const lines of [[desk, 'Accept-Language: de'], [phone, 'Accept-Language: en'], [desk]]) expect((await ask(url, 'GET /exact/1', lines)).status).toBe(503);
  });

  test('that are not exact may be crossed in an outage only, and the others still are not', async () => {
    const { url, kept, fails } = await switchable((asked) => reply(seen(asked), [cached, 'Vary: User-Agent, Cookie']), shop);
    await ask(url, 'GET /loose/1', [phone, 'Cookie: segment=vip']);
    await kept(1);
    expect(verdict(await ask(url, 'GET /loose/2', [phone]))).toBe('origin no-shadow');
    fails();
    const crossed = await ask(url, 'GET /loose/1', [phone, 'Cookie: segment=new']);
    expect([crossed.status, crossed.body.toString(), verdict(crossed)]).toEqual([200, 'phone  segment=vip', 'rescue error-status']);
    expect(value(crossed, 'foreshadow')).toContain('variation="device=mobile,audience=vip"');
    expect((await ask(url, 'GET /loose/1', [desk, 'Cookie: segment=vip'])).status).toBe(503);
  });

  test('take declared values only, whatever a visitor sends', async () => {
    const { url, kept, outbox, edge } = await switchable((asked) => reply(seen(asked), [cached]), shop);
    for (const segment of ['vip', 'hacker', 'a,device=desktop', '../../x', '%00', 'x'.repeat(500)]) await ask(url, 'GET /loose/1', [phone, `Cookie: segment=${segment}`]);
    await kept(2);
    await until('both on disk', () => edge.figures().local.records === 2);
    await edge.close();
    expect([...new Set(outbox.demand.flatMap((window) => window.counts).map((count) => String(count.variation)))].sort()).toEqual(['device=mobile,audience=new', 'device=mobile,audience=vip']);
  });
});

describe('Vary on other headers', () => {
  test('keeps a copy for each value, and gives nobody another\'s', async () => {
    const { url, kept, fails } = await switchable((asked) => reply(value(asked, 'x-tenant') ?? 'none', [cached, 'Vary: X-Tenant']));
    for (const tenant of ['a', 'b']) await ask(url, 'GET /', [`X-Tenant: ${tenant}`]);
    await kept(2);
    for (const tenant of ['a', 'b']) {
      const copied = await ask(url, 'GET /', [`X-Tenant: ${tenant}`]);
      expect([copied.body.toString(), verdict(copied)]).toEqual([tenant, 'shadow fresh']);
    }
    fails();
    expect((await ask(url, 'GET /', ['X-Tenant: c'])).status).toBe(503);
  });

  test('of the fields that tell the origin who asks is of use too', async () => {
    for (const name of ['X-Forwarded-Proto', 'X-Forwarded-Host', 'Forwarded', 'Host', 'User-Agent', 'X-Forwarded-For']) {
      const { url, kept } = await switchable(() => reply('page', [cached, `Vary: ${name}`]));
      await ask(url, 'GET /');
      await kept(1);
      expect([name, verdict(await ask(url, 'GET /'))]).toEqual([name, 'shadow fresh']);
      await strike();
    }
  });

  test(': * is not kept', async () => {
    const { url, edge } = await switchable(() => reply('page', [cached, 'Vary: *']));
    await ask(url, 'GET /');
    expect([edge.figures().captures, verdict(await ask(url, 'GET /'))]).toEqual([{ 'vary-star': 1 }, 'origin no-shadow']);
  });
});

describe('content codings', () => {
  const coding = (vary: readonly string[]) => (asked: Asked): Uint8Array =>
    (value(asked, 'accept-encoding') ?? '').includes('gzip') ? reply(gzipSync('page'), [cached, 'Content-Encoding: gzip', ...vary]) : reply('page', [cached, ...vary]);

  test('pass as they are, with their length', async () => {
    const { url, kept } = await switchable(coding(['Vary: Accept-Encoding']));
    await ask(url, 'GET /', ['Accept-Encoding: gzip']);
    await kept(1);
    const copied = await ask(url, 'GET /', ['Accept-Encoding: br;q=0, gzip']);
    expect([verdict(copied), value(copied, 'content-encoding'), gunzipSync(copied.body).toString()]).toEqual(['shadow fresh', 'gzip', 'page']);
  });

  for (const [how, vary] of [['where the origin says Vary', ['Vary: Accept-Encoding']], ['where it forgets to', []]] as const) {
    test(`a coded copy is not given to a client that did not accept it, but decoded in an outage, ${how}`, async () => {
      const { url, kept, fails } = await switchable(coding(vary));
      await ask(url, 'GET /', ['Accept-Encoding: gzip']);
      await kept(1);
      for (const lines of [[], ['Accept-Encoding: identity'], ['Accept-Encoding: gzip;q=0']]) expect((await ask(url, 'GET /never-coded', lines)).body.toString()).not.toBe('');
      fails();
      for (const lines of [[], ['Accept-Encoding: br'], ['Accept-Encoding: gzip;q=0']]) {
        const answer = await ask(url, 'GET /', lines);
        expect([lines, answer.status, answer.body.toString(), value(answer, 'content-encoding'), value(answer, 'content-length')]).toEqual([lines, 200, 'page', undefined, '4']);
        expect(value(answer, 'vary')?.toLowerCase()).toContain('accept-encoding');
      }
    });
  }

  test('a coded copy stands in for everybody who accepts the coding in an outage', async () => {
    const { url, kept, fails } = await switchable(coding(['Vary: Accept-Encoding']));
    await ask(url, 'GET /', ['Accept-Encoding: gzip, br']);
    await kept(1);
    fails();
    const answer = await ask(url, 'GET /', ['Accept-Encoding: gzip, deflate, br, zstd']);
    expect([answer.status, gunzipSync(answer.body).toString()]).toEqual([200, 'page']);
  });

  test('a coded copy that can not be decoded is given to nobody who did not accept it', async () => {
    const { url, kept, fails } = await switchable(() => reply('no gzip at all', [cached, 'Content-Encoding: gzip', 'Vary: Accept-Encoding']));
    await ask(url, 'GET /', ['Accept-Encoding: gzip']);
    await kept(1);
    fails();
    expect((await ask(url, 'GET /', ['Accept-Encoding: br'])).status).toBe(503);
    expect((await ask(url, 'GET /', ['Accept-Encoding: gzip'])).body.toString()).toBe('no gzip at all');
  });

  test('with no-transform it is decoded for nobody', async () => {
    const { url, kept, fails } = await switchable(() => reply(gzipSync('page'), ['Cache-Control: max-age=60, no-transform', 'Content-Encoding: gzip', 'Vary: Accept-Encoding']));
    await ask(url, 'GET /', ['Accept-Encoding: gzip']);
    await kept(1);
    fails();
    expect((await ask(url, 'GET /')).status).toBe(503);
    expect((await ask(url, 'GET /', ['Accept-Encoding: gzip, br'])).status).toBe(200);
  });

  test('what a coded body may become is bounded: a bomb stays shut', async () => {
    const { url, kept, fails } = await switchable(() => reply(gzipSync(Buffer.alloc(2_000_000)), [cached, 'Content-Encoding: gzip', 'Vary: Accept-Encoding']), 'limits: { captureBody: 64KiB }');
    await ask(url, 'GET /', ['Accept-Encoding: gzip']);
    await kept(1);
    fails();
    expect((await ask(url, 'GET /')).status).toBe(503);
  });

  test('a copy that is not coded stands in for everybody in an outage', async () => {
    const { url, kept, fails } = await switchable(coding(['Vary: Accept-Encoding']));
    await ask(url, 'GET /');
    await kept(1);
    fails();
    const answer = await ask(url, 'GET /', ['Accept-Encoding: gzip, br']);
    expect([answer.status, answer.body.toString(), verdict(answer)]).toEqual([200, 'page', 'rescue error-status']);
  });
});

describe('the key of a URL', () => {
  /** Which of the targets are the same page as the first, by what is served as a copy. */
  const same = async (first: string, others: readonly string[], config = '', fields: readonly string[] = []): Promise<boolean[]> => {
    const { url, kept } = await switchable(() => reply('page', [cached, ...fields]), config);
    await ask(url, `GET ${first}`);
    await kept(1);
    const verdicts: boolean[] = [];
    for (const other of others) verdicts.push(verdict(await ask(url, `GET ${other}`, ['Cache-Control: only-if-cached'])) === 'shadow fresh');
    return verdicts;
  };

  test('the order of parameters and their spelling do not matter; their values, case and number do', async () => {
    expect(await same('/p?b=2&a=1', ['/p?a=1&b=2', '/p?a=%31&b=2', '/%70?a=1&b=2', '/p?a=1&&b=2'])).toEqual([true, true, true, true]);
    expect(await same('/p?b=2&a=1', ['/p?a=2&b=1', '/p?A=1&b=2', '/p?a=1', '/p?a=1&b=2&a=1', '/P?a=1&b=2', '/p/?a=1&b=2'])).toEqual([false, false, false, false, false, false]);
  });

  test('tracking parameters do not matter, and the origin still gets them', async () => {
    expect(await same('/p?a=1', ['/p?utm_source=x&a=1', '/p?a=1&gclid=7', '/p?fbclid=&a=1&UTM_Medium=y'])).toEqual([true, true, true]);
    const { url, site } = await switchable(() => reply('page'));
    await ask(url, 'GET /p?b=2&utm_source=x&a=1');
    expect(site.asked[0]?.target).toBe('/p?b=2&utm_source=x&a=1');
  });

  test('only the parameters of keepQuery matter where it is given', async () => {
    expect(await same('/p?page=2&x=1', ['/p?page=2', '/p?y=5&page=2', '/p?page=3', '/p'], 'routes: [{ match: /p, keepQuery: [page] }]')).toEqual([true, true, false, false]);
  });

  test('No-Vary-Search of an answer is learned', async () => {
    const { url, kept } = await switchable(() => reply('page', [cached, 'No-Vary-Search: params=("sid")']));
    await ask(url, 'GET /p?a=1&sid=5');
    await kept(1);
    await ask(url, 'GET /p?a=1&sid=6');
    await kept(2);
    expect(verdict(await ask(url, 'GET /p?sid=7&a=1'))).toBe('shadow fresh');
    expect(verdict(await ask(url, 'GET /p?sid=7&a=2'))).toBe('origin no-shadow');
  });

  test('paths that an origin can tell apart stay apart, and reach it as they are', async () => {
    expect(await same('/a/b', ['/a%2Fb', '/a//b', '//a/b', '/a/b/', '/a/b%20', '/a/b;x', '/a%5Cb', '/a/b?'])).toEqual([false, false, true, false, false, false, false, true]);
    const { url, site } = await switchable(() => reply('page'));
    const targets = ['/a%2Fb', '/a//b', '/a;v=1/b', '/%2e%2e%2fetc', '/a%5Cb', '/%E4%BD%A0', '/a?x=%2F%26', '/?', '/a+b', '/*'];
    for (const target of targets) await ask(url, `GET ${target}`);
    expect(site.asked.map(({ target }) => target).filter((target, index) => target !== targets[index])).toEqual([]);
  });

  test('slashes before a path are one, for the key, the route and the origin', async () => {
    const { url, site, edge } = await switchable(() => reply('page', [cached]), 'routes: [{ match: /account/**, shadow: never, cache: "off" }]');
    for (let i = 0; i < 2; i++) expect(verdict(await ask(url, 'GET ///account/me'))).toBe('origin shadow-forbidden');
    expect([site.asked.map(({ target }) => target), edge.figures().captures]).toEqual([['/account/me', '/account/me'], { route: 2 }]);
  });

  test('a redirect to what has the same key is not kept, for it would lead in a circle', async () => {
    const { url, edge } = await switchable(({ target, headers }) => {
      if (target.startsWith('/tracked')) return target.includes('?') ? reply('', [cached, 'Location: /tracked'], '301 X') : reply('page', [cached]);
      return reply('', [cached, `Location: https://${value({ headers }, 'x-forwarded-host') ?? ''}${target}`], '301 X');
    });
    expect((await ask(url, 'GET /tracked?utm_source=mail')).status).toBe(301);
    expect((await ask(url, 'GET /tracked')).status).toBe(200);
    expect((await ask(url, 'GET /secure')).status).toBe(301);
    expect(edge.figures().captures).toEqual({ 'self-redirect': 2, 'kept': 1 });
    expect((await ask(url, 'GET /tracked?utm_source=mail')).body.toString()).toBe('page');
  });

  test('no two targets share a copy unless the origin would answer them alike', async () => {
    // The origin answers with what it was asked, as a router sees it: decoded segments, sorted parameters.
    const asRouted = (target: string): string => {
      const [path = '', query = ''] = target.split('?', 2);
      return `${JSON.stringify(path.split('/').map((segment) => decodeURIComponent(segment)))} ${JSON.stringify([...new URLSearchParams(query)].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))}`;
    };
    const { url } = await switchable(({ target }) => reply(asRouted(target), [cached]));
    const piece = fc.constantFrom('a', '%61', '%2F', '%2f', '/', '//', '%25', '%252F', 'b', '%20', '+', ';', ':', '@', '~', '%7E', '=', '%3D', '%26', '%3F', '%23');
    const target = fc.tuple(fc.array(piece, { maxLength: 5 }), fc.array(fc.tuple(fc.constantFrom('x', 'y', '%78', 'x%3D'), piece), { maxLength: 2 }))
      .map(([path, query]) => `/p/${path.join('')}${query.length > 0 ? `?${query.map(([name, text]) => `${name}=${text.replaceAll('/', '%2F')}`).join('&')}` : ''}`);
    await fc.assert(fc.asyncProperty(target, async (one) => {
      expect((await ask(url, `GET ${one}`)).body.toString()).toBe(asRouted(one));
    }), { numRuns: 400, seed: 7 });
  });
});

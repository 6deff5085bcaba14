/** Nobody sees another person's page, and nobody can make the edge keep a poisoned one. */
import { afterEach, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { gzipSync } from 'node:zlib';
import { stage, strike } from './stage.ts';
import { ask, cached, origin, reply, value, verdict, type Asked } from './wire.ts';

afterEach(strike);

/** What a framework that builds absolute URLs would write. */
function repeatsHost(asked: Asked): string {
  return `<script src="http://${value(asked, 'x-forwarded-host') ?? ''}/app.js"></script>`;
}

describe('poisoning', () => {
  test('X-Forwarded-Host of a stranger changes nothing', async () => {
    const site = await origin((asked, socket) => { socket.write(reply(repeatsHost(asked), [cached])); });
    const { url } = await stage(site.url, 'hosts: [shop.example]');
    await ask(url, 'GET /', ['Host: shop.example', 'X-Forwarded-Host: evil.example', 'X-Host: evil.example', 'Forwarded: host=evil.example']);
    const next = await ask(url, 'GET /', ['Host: shop.example']);
    expect([verdict(next), next.body.toString()]).toEqual(['shadow fresh', '<script src="http://shop.example/app.js"></script>']);
  });

  const repeats: Readonly<Record<string, (asked: Asked) => Buffer>> = {
    'in its body': (asked) => reply(repeatsHost(asked), [cached]),
    'in a gzip body': (asked) => reply(gzipSync(repeatsHost(asked)), [cached, 'Content-Encoding: gzip', 'Vary: Accept-Encoding']),
    'in Location': (asked) => reply('', [cached, `Location: https://${value(asked, 'x-forwarded-host') ?? ''}/`], '301 Moved'),
    'escaped for HTML': (asked) => reply(repeatsHost(asked).replaceAll('&', '&amp;'), [cached]),
    'in capitals': (asked) => reply(repeatsHost(asked).toUpperCase(), [cached]),
  };
  for (const [where, answer] of Object.entries(repeats)) {
    for (const host of ['evil.example', 'Evil.Example', 'evil.example:8443', 'a&b.evil.example']) {
      test(`an answer that repeats the undeclared Host ${host} ${where} is not kept`, async () => {
        const site = await origin((asked, socket) => { socket.write(answer(asked)); });
        const { url, edge } = await stage(site.url);
        await ask(url, 'GET /', [`Host: ${host}`, 'Accept-Encoding: gzip']);
        expect(edge.figures().captures['foreign-host']).toBe(1);
        expect(verdict(await ask(url, 'GET /', ['Accept-Encoding: gzip']))).toBe('origin no-shadow');
      });
    }
  }

  test('an answer that repeats a loopback Host is kept for people on this machine only', async () => {
    const site = await origin((asked, socket) => { socket.write(reply(repeatsHost(asked), [cached])); });
    const behind = await stage(site.url, 'trustedProxies: [127.0.0.1]');
    await ask(behind.url, 'GET /', ['Host: localhost:1', 'X-Forwarded-For: 203.0.113.9']);
    expect(behind.edge.figures().captures).toEqual({ 'foreign-host': 1 });
    const here = await stage(site.url);
    await ask(here.url, 'GET /');
    expect(here.edge.figures().captures).toEqual({ kept: 1 });
  });

  test('an answer that does not repeat the undeclared Host is kept, coded or not', async () => {
    const site = await origin(({ target }, socket) => { socket.write(target === '/gzip' ? reply(gzipSync('page'), [cached, 'Content-Encoding: gzip', 'Vary: Accept-Encoding']) : reply('page', [cached])); });
    const { url } = await stage(site.url);
    for (const path of ['/gzip', '/plain']) {
      await ask(url, `GET ${path}`, ['Host: shop.example', 'Accept-Encoding: gzip']);
      expect(verdict(await ask(url, `GET ${path}`, ['Host: shop.example', 'Accept-Encoding: gzip']))).toBe('shadow fresh');
    }
  });
});

describe('another person\'s page', () => {
  const personal: Readonly<Record<string, { readonly fields: readonly string[]; readonly lines: readonly string[]; readonly refusal: string }>> = {
    'an answer that sets a cookie': { fields: [cached, 'Set-Cookie: sid=1'], lines: [], refusal: 'set-cookie' },
    'a private answer': { fields: ['Cache-Control: private, max-age=60'], lines: [], refusal: 'private' },
    'an answer with no-store': { fields: ['Cache-Control: no-store'], lines: [], refusal: 'no-store' },
    'an answer to Authorization': { fields: [cached], lines: ['Authorization: Basic eDp5'], refusal: 'authorization' },
    'an answer to cookies that varies on them': { fields: [cached, 'Vary: Cookie'], lines: ['Cookie: sid=1'], refusal: 'cookie' },
    'an answer to cookies of which the origin says nothing': { fields: [], lines: ['Cookie: sid=1'], refusal: 'cookie' },
  };
  for (const [what, { fields, lines, refusal }] of Object.entries(personal)) {
    test(`${what} is not kept, and is nobody's rescue`, async () => {
      let answers = true;
      const site = await origin((_, socket) => {
        if (answers) socket.write(reply('Anna\'s', fields));
        else socket.write(reply('sorry', [], '500 X'));
      });
      const { url, edge } = await stage(site.url);
      expect((await ask(url, 'GET /', lines)).body.toString()).toBe('Anna\'s');
      expect(edge.figures().captures).toEqual({ [refusal]: 1 });
      answers = false;
      for (const other of [[], ['Cookie: sid=2'], ['Authorization: Basic eDp6']]) expect((await ask(url, 'GET /', other)).body.toString()).toBe('sorry');
    });
  }

  test('a page that varies on Cookie and was made for nobody in particular is not given to somebody who has cookies', async () => {
    const site = await origin((asked, socket) => { socket.write(reply(value(asked, 'cookie') ?? 'nobody', [cached, 'Vary: Cookie'])); });
    const { url, kept } = await stage(site.url);
    await ask(url, 'GET /');
    await kept(1);
    expect((await ask(url, 'GET /')).body.toString()).toBe('nobody');
    expect((await ask(url, 'GET /', ['Cookie: sid=2'])).body.toString()).toBe('sid=2');
    expect((await ask(url, 'GET /')).body.toString()).toBe('nobody');
  });

  test('visitor A\'s answer never reaches B, whatever both sides\' headers say, unless the origin lets it be shared', async () => {
    const control = fc.subarray(['max-age=60', 'private', 'no-store', 'no-cache', 'must-revalidate', 's-maxage=60', 'stale-while-revalidate=60', 'must-understand'], { minLength: 0 });
    const answers = fc.record({ control, vary: fc.subarray(['Cookie', 'Authorization', 'X-User', '*']), cookie: fc.boolean(), etag: fc.boolean(), chunked: fc.boolean() });
    const visitor = fc.record({ cookie: fc.boolean(), authorization: fc.boolean(), header: fc.boolean(), control: fc.constantFrom('', 'max-age=0', 'no-cache', 'max-stale=99') });
    type Said = typeof answers extends fc.Arbitrary<infer Value> ? Value : never;
    let said: Said | undefined;
    let up = true;
    const site = await origin((asked, socket) => {
      if (!up || !said) { socket.write(reply('sorry', [], '503 X')); return; }
      const who = `${value(asked, 'cookie') ?? ''}|${value(asked, 'authorization') ?? ''}|${value(asked, 'x-user') ?? ''}`;
      const fields = [
        ...(said.control.length > 0 ? [`Cache-Control: ${said.control.join(', ')}`] : []), ...(said.vary.length > 0 ? [`Vary: ${said.vary.join(', ')}`] : []),
        ...(said.cookie ? ['Set-Cookie: sid=9'] : []), ...(said.etag ? [`ETag: "${Buffer.from(who).toString('hex')}"`] : []),
      ];
      socket.write(said.chunked ? `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n${who.length.toString(16)}\r\n${who}\r\n0\r\n\r\n` : reply(who, fields));
    });
    const { url } = await stage(site.url);
    let page = 0;
    type Person = typeof visitor extends fc.Arbitrary<infer Value> ? Value : never;
    const lines = (name: string, person: Person): string[] => [
      ...(person.cookie ? [`Cookie: sid=${name}`] : []), ...(person.authorization ? [`Authorization: Basic ${name}`] : []),
      ...(person.header ? [`X-User: ${name}`] : []), ...(person.control === '' ? [] : [`Cache-Control: ${person.control}`]),
    ];
    await fc.assert(fc.asyncProperty(answers, visitor, visitor, fc.boolean(), async (answer, anna, ben, outage) => {
      said = answer;
      up = true;
      const target = `/page-${page++}`;
      const mine = await ask(url, `GET ${target}`, lines('anna', anna));
      expect(mine.body.toString()).not.toContain('ben');
      up = !outage;
      const his = (await ask(url, `GET ${target}`, lines('ben', ben))).body.toString();
      if (!his.includes('anna')) return;
      // The only answers to a person with credentials that anybody else may have are those the origin itself lets be shared.
      const { control: directives, vary } = answer;
      expect([answer.cookie, directives.includes('private'), directives.includes('no-store') && !directives.includes('must-understand'), vary.includes('*')]).toEqual([false, false, false, false]);
      if (anna.cookie) expect([vary.includes('Cookie'), directives.includes('max-age=60') || directives.includes('s-maxage=60')]).toEqual([false, true]);
      if (anna.authorization) expect([vary.includes('Authorization'), directives.includes('s-maxage=60') || directives.includes('must-revalidate')]).toEqual([false, true]);
      if (anna.header && his.includes('|anna')) expect(vary.includes('X-User')).toBe(false);
    }), { numRuns: 300, seed: 20_261_123 });
  });
});

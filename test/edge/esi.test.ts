/** Edge Side Includes: pages as visitors see them. */
import { afterEach, describe, expect, test } from 'bun:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { esi, html, include, site, textOf } from './esi-site.ts';
import { stage, strike } from './stage.ts';
import { ask, cached, reply, value, values, verdict, type Asked } from './wire.ts';

afterEach(strike);

describe('a page with includes', () => {
  test('is put together, from the origin and from copies, and without the origin', async () => {
    const shop = await site({ '/pages/1': `<h1>${include('/price')}</h1>${include('../teaser?x=1&amp;y=2')}`, '/price': '5 €', '/teaser?x=1&y=2': 'tea' });
    const { url, kept, edge } = await stage(shop.url, esi);
    const first = await ask(url, 'GET /pages/1');
    expect([textOf(first), verdict(first), first.framing]).toEqual(['<h1>5 €</h1>tea', 'origin no-shadow', 'length']);
    await kept(3);
    const second = await ask(url, 'GET /pages/1');
    expect([textOf(second), verdict(second)]).toEqual(['<h1>5 €</h1>tea', 'shadow fresh']);
    expect(shop.asked.map(({ target }) => target)).toEqual(['/pages/1', '/price', '/teaser?x=1&y=2']);
    shop.stop();
    const rescued = await ask(url, 'GET /pages/1', ['Cache-Control: no-cache']);
    expect([textOf(rescued), verdict(rescued)]).toEqual(['<h1>5 €</h1>tea', 'rescue refused']);
    expect(edge.figures().regions[0]?.answers).toBeDefined();
  });

  test('tells the origin what is processed here, on this route only, and believes no stranger', async () => {
    const shop = await site({ '/pages/1': include('/part'), '/part': 'p', '/other': 'o' });
    const { url } = await stage(shop.url, esi);
    await ask(url, 'GET /pages/1', ['Surrogate-Capability: evil="ESI/1.0"']);
    await ask(url, 'GET /other', ['Surrogate-Capability: evil="ESI/1.0"']);
    expect(shop.asked.map((asked) => [asked.target, value(asked, 'surrogate-capability')])).toEqual([
      ['/pages/1', 'foreshadow="Surrogate/1.0 ESI/1.0"'], ['/part', undefined], ['/other', undefined],
    ]);
  });

  test('is processed where the origin says so, else where there is markup, and in HTML and XML only', async () => {
    const page = `a${include('/part')}`;
    const says = (field: string, type = html) => () => reply(page, [type, cached, ...(field === '' ? [] : [`Surrogate-Control: ${field}`])]);
    const shop = await site({
      '/pages/yes': says('max-age=60, content="ESI/1.0"'), '/pages/silent': says(''), '/pages/no': says('max-age=60'), '/pages/other': says('content="ESI/1.0";other'),
      '/pages/text': says('content="ESI/1.0"', 'Content-Type: text/plain'), '/pages/xml': says('', 'Content-Type: application/rss+xml'), '/part': 'p',
      '/plain': page,
    });
    const { url } = await stage(shop.url, esi);
    for (const round of [1, 2]) {
      for (const [path, text] of [['yes', 'ap'], ['silent', 'ap'], ['no', page], ['other', page], ['text', page], ['xml', 'ap']] as const) {
        const answer = await ask(url, `GET /pages/${path}`);
        expect([round, path, textOf(answer), value(answer, 'surrogate-control')]).toEqual([round, path, text, undefined]);
      }
    }
    expect(textOf(await ask(url, 'GET /plain'))).toBe(page);
  });

  test('comes out of coded bodies, and goes out coded to those who accept it', async () => {
    const long = 'word '.repeat(1_000);
    const shop = await site({
      '/pages/1': () => reply(gzipSync(`${long}${include('/part')}`), [html, cached, 'Content-Encoding: gzip', 'Vary: Accept-Encoding']),
      '/part': () => reply(gzipSync('part'), [html, cached, 'Content-Encoding: gzip']),
    });
    const { url } = await stage(shop.url, esi);
    for (let round = 0; round < 2; round++) {
      const plain = await ask(url, 'GET /pages/1');
      expect([textOf(plain), value(plain, 'content-encoding')]).toEqual([`${long}part`, undefined]);
      const coded = await ask(url, 'GET /pages/1', ['Accept-Encoding: br, gzip']);
      expect([gunzipSync(coded.body).toString(), value(coded, 'content-encoding'), value(coded, 'vary')]).toEqual([`${long}part`, 'gzip', 'Accept-Encoding']);
    }
  });

  test('has nothing of the seed in its headers, and lives no longer than its shortest part', async () => {
    const shop = await site({
      '/pages/1': () => reply(`a${include('/part')}`, [html, 'Cache-Control: max-age=600', 'ETag: "seed"', 'Last-Modified: Mon, 02 Nov 2026 10:00:00 GMT', 'Content-Digest: sha-256=:x:', 'Age: 100', 'Vary: Accept']),
      '/part': () => reply('part', [html, 'Cache-Control: max-age=60, must-revalidate', 'Age: 10', 'Vary: X-A, accept']),
    });
    const { url } = await stage(shop.url, esi);
    const answer = await ask(url, 'GET /pages/1');
    for (const name of ['etag', 'last-modified', 'content-digest', 'expires']) expect([name, value(answer, name)]).toEqual([name, undefined]);
    expect([value(answer, 'age'), value(answer, 'cache-control'), value(answer, 'vary'), value(answer, 'content-length')]).toEqual(['100', 'must-revalidate, max-age=150', 'Accept, X-A', '5']);
  });

  test('keeps the page\'s own cookies apart', async () => {
    const shop = await site({ '/pages/1': () => reply(`a${include('/part')}`, [html, 'Set-Cookie: a=1; Expires=Wed, 02 Dec 2026 10:00:00 GMT', 'Set-Cookie: b=2']), '/part': 'p' });
    const { url } = await stage(shop.url, esi);
    expect(values(await ask(url, 'GET /pages/1'), 'set-cookie')).toEqual(['a=1; Expires=Wed, 02 Dec 2026 10:00:00 GMT', 'b=2']);
  });

  test('with a part that says nothing of keeping is not fresh; with one that is private is private', async () => {
    const shop = await site({
      '/pages/1': include('/silent'), '/pages/2': include('/mine'), '/pages/3': include('/never'),
      '/silent': () => reply('s', [html]), '/mine': () => reply('m', [html, 'Cache-Control: private, max-age=5']), '/never': () => reply('n', [html, 'Cache-Control: no-store']),
    });
    const { url } = await stage(shop.url, esi);
    const said = [];
    for (const page of [1, 2, 3]) said.push(value(await ask(url, `GET /pages/${page}`), 'cache-control'));
    expect(said).toEqual(['max-age=0', 'private, max-age=5', 'no-store']);
  });

  test('HEAD says nothing of its length; ranges and preconditions are of the page as it is put together', async () => {
    const page = (asked: Asked): Buffer => {
      if (value(asked, 'range') !== undefined) return reply('<esi', [html, 'Content-Range: bytes 0-3/30', 'ETag: "seed"'], '206 Partial Content');
      if (value(asked, 'if-none-match') !== undefined) return Buffer.from('HTTP/1.1 304 Not Modified\r\nContent-Type: text/html\r\nETag: "seed"\r\n\r\n');
      return asked.method === 'HEAD' ? Buffer.from(`HTTP/1.1 200 OK\r\n${html}\r\nContent-Length: 30\r\nETag: "seed"\r\n\r\n`) : reply(`a${include('/part')}`, [html, 'ETag: "seed"', ...(asked.target.includes('kept') ? [cached] : ['Cache-Control: no-store'])]);
    };
    const shop = await site({ '/pages/1': page, '/pages/kept': page, '/part': 'part' });
    const { url } = await stage(shop.url, esi);
    for (const path of ['/pages/1', '/pages/kept', '/pages/kept']) {
      const head = await ask(url, `HEAD ${path}`);
      expect([head.status, value(head, 'content-length'), value(head, 'etag')]).toEqual([200, undefined, undefined]);
      for (const line of ['Range: bytes=0-3', 'If-None-Match: "seed"']) {
        const answer = await ask(url, `GET ${path}`, [line]);
        expect([line, answer.status, textOf(answer), value(answer, 'etag')]).toEqual([line, 200, 'apart', undefined]);
      }
    }
  });

  test('what is no page keeps its ranges and preconditions', async () => {
    const shop = await site({ '/pages/a.txt': () => reply('0123456789', ['Content-Type: text/plain', 'ETag: "t"', cached]) });
    const { url } = await stage(shop.url, esi);
    for (let round = 0; round < 2; round++) {
      const part = await ask(url, 'GET /pages/a.txt', ['Range: bytes=2-4', 'If-Range: "t"']);
      if (round === 1) expect([part.status, textOf(part)]).toEqual([206, '234']);
      await ask(url, 'GET /pages/a.txt');
    }
    expect((await ask(url, 'GET /pages/a.txt', ['If-None-Match: "t"'])).status).toBe(304);
  });

  test('HTML without markup, once it is kept, has its length, its tag, its ranges', async () => {
    const shop = await site({ '/pages/plain': () => reply('0123456789', [html, 'ETag: "t"', cached]) });
    const { url, kept } = await stage(shop.url, esi);
    const first = await ask(url, 'GET /pages/plain');
    expect([value(first, 'etag'), textOf(first)]).toEqual(['"t"', '0123456789']);
    await kept(1);
    const head = await ask(url, 'HEAD /pages/plain');
    expect([value(head, 'content-length'), value(head, 'etag')]).toEqual(['10', '"t"']);
    expect(textOf(await ask(url, 'GET /pages/plain', ['Range: bytes=2-4']))).toBe('234');
    expect((await ask(url, 'GET /pages/plain', ['If-None-Match: "t"'])).status).toBe(304);
  });

  test('Surrogate-Control says how long it may be kept here, and nobody else hears of it', async () => {
    for (const forOthers of ['private, max-age=0', 'no-store']) {
      const shop = await site({ '/pages/1': () => reply(`a${include('/part')}`, [html, `Cache-Control: ${forOthers}`, 'Surrogate-Control: max-age=60, content="ESI/1.0"']), '/part': 'p' });
      const { url, kept } = await stage(shop.url, esi);
      await ask(url, 'GET /pages/1');
      await kept(2);
      const again = await ask(url, 'GET /pages/1');
      expect([verdict(again), textOf(again), value(again, 'surrogate-control'), value(again, 'cdn-cache-control'), value(again, 'cache-control')])
        .toEqual(['shadow fresh', 'ap', undefined, undefined, forOthers]);
    }
  });

  test('that varies on what we tell the origin is kept for everybody', async () => {
    const shop = await site({ '/pages/1': () => reply(`a${include('/part')}`, [html, cached, 'Vary: Surrogate-Capability']), '/part': 'p' });
    const { url } = await stage(shop.url, esi);
    await ask(url, 'GET /pages/1');
    expect(verdict(await ask(url, 'GET /pages/1'))).toBe('shadow fresh');
  });

  test('what is no page goes out as on any route: from the same turn, in the coding it was kept in', async () => {
    const sheet = gzipSync('a{}'.repeat(2_000));
    const shop = await site({ '/pages/a.css': () => reply(sheet, ['Content-Type: text/css', cached, 'Content-Encoding: gzip', 'Vary: Accept-Encoding', 'ETag: "s"']) });
    const { url } = await stage(shop.url, esi);
    for (let round = 0; round < 2; round++) {
      const answer = await ask(url, 'GET /pages/a.css', ['Accept-Encoding: gzip']);
      expect([value(answer, 'content-encoding'), answer.body.equals(sheet)]).toEqual(['gzip', true]);
    }
  });

  test('answers to a form are processed, and their fragments are asked for with GET', async () => {
    const shop = await site({ '/pages/form': (asked) => reply(`${asked.method}${include('/part')}`, [html]), '/part': (asked) => reply(asked.method + asked.body.toString(), [html]) });
    const { url } = await stage(shop.url, esi);
    expect(textOf(await ask(url, 'POST /pages/form', ['Content-Type: text/plain'], 'secret'))).toBe('POSTGET');
  });
});

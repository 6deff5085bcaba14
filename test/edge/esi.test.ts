/** Edge Side Includes, as visitors and the origin see them. */
import { afterEach, describe, expect, test } from 'bun:test';
import { gunzipSync, gzipSync } from 'node:zlib';
import { until } from '../../bench/machine/program.ts';
import { stage, strike } from './stage.ts';
import { ask, cached, origin, reply, Session, value, verdict, type Answer, type Asked, type Origin } from './wire.ts';

afterEach(strike);

const esi = 'routes: [ { match: "/pages/**", esi: true } ]';
const html = 'Content-Type: text/html; charset=utf-8';

type Pages = Readonly<Record<string, string | ((asked: Asked) => Buffer | undefined)>>;

/** Pages by path; text is HTML that may be cached. Undefined: no answer ever. What is not there is 404. */
async function site(pages: Pages): Promise<Origin> {
  return origin((asked, socket) => {
    const page = pages[asked.target] ?? pages[asked.target.split('?')[0] ?? ''];
    const answer = typeof page === 'function' ? page(asked) : page === undefined ? reply('no', [html], '404 Not Found') : reply(page, [html, cached]);
    if (answer) socket.write(answer);
  });
}

const textOf = (answer: Answer): string => answer.body.toString();
const include = (src: string, more = ''): string => `<esi:include src="${src}"${more}/>`;

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

describe('a fragment that can not be had', () => {
  test('alt, onerror, try; else the page is refused while there is no copy of it', async () => {
    const shop = await site({
      '/pages/alt': `a${include('/none', ' alt="/part"')}`, '/pages/drop': `a${include('/none', ' onerror="continue"')}b`,
      '/pages/try': `<esi:try><esi:attempt>a${include('/none')}</esi:attempt><esi:except>instead</esi:except></esi:try>`,
      '/pages/bare': () => reply(`a${include('/none')}b`, [html, 'Cache-Control: no-store']), '/part': 'part',
    });
    const { url, edge } = await stage(shop.url, esi);
    const texts = [];
    for (const page of ['alt', 'drop', 'try']) texts.push(textOf(await ask(url, `GET /pages/${page}`)));
    expect(texts).toEqual(['apart', 'ab', 'instead']);
    const bare = await ask(url, 'GET /pages/bare');
    expect([bare.status, verdict(bare), textOf(bare).includes('esi')]).toEqual([502, 'none fragment-failed', false]);
    // One answer for each request of a visitor, of what it became.
    const { answers } = edge.figures().regions[0] ?? { answers: [] };
    expect(JSON.stringify(answers)).toContain('fragment-failed');
  });

  test('is left out of a page of which there is a copy, and the page says so and is kept by nobody', async () => {
    let broken = false;
    const shop = await site({ '/pages/1': `a${include('/part')}b`, '/part': () => (broken ? reply('x', [html], '500 X') : reply('part', [html, 'Cache-Control: no-store'])) });
    const { url, kept } = await stage(shop.url, esi);
    expect(textOf(await ask(url, 'GET /pages/1'))).toBe('apartb');
    await kept(1);
    broken = true;
    const answer = await ask(url, 'GET /pages/1');
    expect([answer.status, textOf(answer), value(answer, 'cache-control')]).toEqual([200, 'ab', 'no-store']);
    expect(value(answer, 'foreshadow')).toMatch(/^source=shadow; reason=fresh;.*; missing=1$/);
    shop.stop();
    const dead = await ask(url, 'GET /pages/1', ['Cache-Control: no-cache']);
    expect([dead.status, textOf(dead)]).toEqual([200, 'ab']);
  });

  test('hangs: what stands in for it has half of the time; all of it is bounded', async () => {
    const shop = await site({
      '/pages/alt': `a${include('/hangs', ' alt="/part"')}`, '/pages/drop': `a${include('/hangs', ' onerror="continue"')}b${include('/hangs?2', ' alt="/hangs?3" onerror="continue"')}`,
      '/pages/try': `<esi:try><esi:attempt>${include('/hangs')}</esi:attempt><esi:except>${include('/part')}</esi:except></esi:try>`,
      '/hangs': () => undefined, '/part': 'part',
    });
    const { url } = await stage(shop.url, `${esi}\ntimeouts: { connect: 500ms, firstByte: 1s }`);
    const startedMs = performance.now();
    const answers = await Promise.all(['alt', 'drop', 'try'].map((page) => ask(url, `GET /pages/${page}`)));
    expect(answers.map(textOf)).toEqual(['apart', 'ab', 'part']);
    expect(performance.now() - startedMs).toBeLessThan(8_000);
    await until('nothing is left at the origin', () => [...shop.sockets].length <= 8);
  });

  test('that is slow answers from its copy in a brownout', async () => {
    let slow = false;
    const shop = await site({ '/pages/1': `a${include('/part')}`, '/part': () => (slow ? undefined : reply('part', [html, 'Cache-Control: max-age=0'])) });
    const { url, kept } = await stage(shop.url, esi);
    await ask(url, 'GET /pages/1');
    await kept(2);
    slow = true;
    const answer = await ask(url, 'GET /pages/1');
    expect([answer.status, textOf(answer)]).toEqual([200, 'apart']);
  });

  test('a visitor who leaves takes the fragments along', async () => {
    const shop = await site({ '/pages/1': `a${include('/hangs')}`, '/hangs': () => undefined });
    const { url } = await stage(shop.url, esi);
    const session = await Session.open(url);
    session.send('GET /pages/1');
    await until('the fragment is asked for', () => shop.asked.some(({ target }) => target === '/hangs'));
    const before = shop.sockets.size;
    session.socket.destroy();
    await until('its connection to the origin ends', () => shop.sockets.size < before);
  });

  test('a page that breaks off, or is larger than a page may be, is refused', async () => {
    const large = Buffer.alloc(9 * 1024 * 1024, 'x');
    const shop = await origin(({ target }, socket) => {
      if (target === '/pages/large') socket.write(reply(large, [html]));
      else socket.write(`HTTP/1.1 200 OK\r\n${html}\r\nContent-Length: 3000000\r\n\r\n${'y'.repeat(2_000_000)}`, () => { socket.destroy(); });
    });
    const { url } = await stage(shop.url, esi);
    for (const page of ['large', 'breaks']) expect([page, verdict(await ask(url, `GET /pages/${page}`))]).toEqual([page, 'none fragment-failed']);
  });
});

describe('bounds', () => {
  test('of a hundred includes 64 are asked for', async () => {
    const many = Array.from({ length: 100 }, (_, index) => include(`/part?${index}`, ' onerror="continue"')).join('');
    const shop = await site({ '/pages/1': many, '/part': ({ target }) => reply(`${target.slice(6)},`, [html, 'Cache-Control: no-store']) });
    const { url } = await stage(shop.url, esi);
    expect(textOf(await ask(url, 'GET /pages/1'))).toBe(Array.from({ length: 64 }, (_, index) => `${index},`).join(''));
    expect(shop.asked.length).toBe(65);
  });

  test('one that is included often is asked for once', async () => {
    const shop = await site({ '/pages/1': include('/part').repeat(100), '/part': () => reply('p', [html, 'Cache-Control: no-store']) });
    const { url } = await stage(shop.url, esi);
    expect(textOf(await ask(url, 'GET /pages/1'))).toBe('p'.repeat(100));
    expect(shop.asked.length).toBe(2);
  });

  test('pages in pages go three deep, where the routes of the inner ones say so', async () => {
    const optional = ' onerror="continue"';
    const shop = await site({
      '/pages/1': `1${include('/pages/2')}${include('/plain')}`, '/pages/2': `2${include('3')}`, '/pages/3': `3${include('4')}`, '/pages/4': `4${include('5', optional)}`, '/pages/5': '5',
      '/plain': `p${include('/pages/5')}`,
    });
    const { url } = await stage(shop.url, esi);
    expect(textOf(await ask(url, 'GET /pages/1'))).toBe(`1234p${include('/pages/5')}`);
    expect(shop.asked.some(({ target }) => target === '/pages/5')).toBe(false);
  });

  test('a page that includes itself, at once or by a detour, ends; one that grows ends by its bounds', async () => {
    const optional = ' onerror="continue"';
    const shop = await site({
      '/pages/self': `s${include('/pages/self', optional)}`, '/pages/a': `a${include('/pages/b', optional)}`, '/pages/b': `b${include('/pages/a', optional)}`,
      '/pages/grows': ({ target }) => reply(`g${Array.from({ length: 10 }, (_, index) => include(`${target}${target.includes('?') ? '' : '?'}${index}`, optional)).join('')}`, [html, cached]),
    });
    const { url } = await stage(shop.url, esi);
    expect(textOf(await ask(url, 'GET /pages/self'))).toBe('s');
    expect(textOf(await ask(url, 'GET /pages/a'))).toBe('ab');
    const before = shop.asked.length;
    expect(textOf(await ask(url, 'GET /pages/grows'))).toBe('g'.repeat(65));
    expect(shop.asked.length - before).toBe(65);
  });

  test('a page with more markup than may be is refused, never shown raw', async () => {
    const shop = await site({ '/pages/1': `<esi:remove>hidden</esi:remove>${include('/part').repeat(2_000)}`, '/part': 'p' });
    const { url } = await stage(shop.url, esi);
    const answer = await ask(url, 'GET /pages/1');
    expect([verdict(answer), textOf(answer).includes('hidden')]).toEqual(['none fragment-failed', false]);
  });
});

describe('whose fragments', () => {
  test('only the site\'s own hosts are asked, and only the page\'s own gets cookies and credentials', async () => {
    const stranger = await origin((_, socket) => { socket.write(reply('evil', [html])); });
    const optional = ' onerror="continue"';
    const references = [
      stranger.url, `${stranger.url.replace('http:', '')}/x`, 'http://evil.example/', 'https://shop.example@evil.example/', 'ftp://shop.example/', 'file:///etc/passwd', 'javascript:1', 'data:text/html,x', '\\\\evil.example\\x',
      'http://shop.example/part', '//shop.example/part?2', 'https://shop.example:443/part?3', 'https://other.shop.example/part?4',
    ];
    const shop = await site({ '/pages/1': references.map((reference) => include(reference, optional)).join(''), '/part': (asked) => reply(`${value(asked, 'host') ?? ''} `, [html]) });
    const { url } = await stage(shop.url, `hosts: [shop.example, other.shop.example]\norigin: { host: preserve }\n${esi}`);
    const answer = await ask(url, 'GET /pages/1', ['Host: shop.example', 'Cookie: sid=1', 'Authorization: Bearer x']);
    expect(textOf(answer)).toBe('shop.example shop.example shop.example other.shop.example ');
    expect(stranger.asked).toEqual([]);
    expect(shop.asked.slice(1).map((asked) => [asked.target, value(asked, 'cookie'), value(asked, 'authorization')]).sort()).toEqual([
      ['/part', 'sid=1', 'Bearer x'], ['/part?2', 'sid=1', 'Bearer x'], ['/part?3', 'sid=1', 'Bearer x'], ['/part?4', undefined, undefined],
    ]);
  });

  test('where the origin knows itself by its own name, that name is the page\'s host', async () => {
    const shop = await origin(({ target }, socket) => { socket.write(reply(target === '/pages/1' ? include(`${shop.url}/part`) : 'part', [html])); });
    const { url } = await stage(shop.url, esi);
    expect(textOf(await ask(url, 'GET /pages/1'))).toBe('part');
  });

  test('fragments come in the visitor\'s name, once through here', async () => {
    const shop = await site({ '/pages/1': include('/part'), '/part': () => reply('p', [html, 'Set-Cookie: fragment=1']) });
    const { url } = await stage(shop.url, `${esi}\ntrustedProxies: [127.0.0.1]`);
    const answer = await ask(url, 'GET /pages/1', ['X-Forwarded-For: 203.0.113.9', 'User-Agent: me', 'Range: bytes=0-1', 'Accept-Language: de']);
    const [page, part] = shop.asked;
    for (const name of ['x-forwarded-for', 'user-agent', 'accept-language', 'via', 'cdn-loop', 'host', 'forwarded']) expect([name, part && value(part, name)]).toEqual([name, page && value(page, name)]);
    expect(part && [value(part, 'range'), value(part, 'accept-encoding')]).toEqual([undefined, 'identity']);
    expect(value(answer, 'set-cookie')).toBeUndefined();
  });

  test('visitors at the same time get what their own cookies choose, and none of another\'s', async () => {
    const page = '<esi:choose><esi:when test="$(HTTP_COOKIE{group})==\'a\'">A<esi:include src="/part/a"/></esi:when><esi:when test="$(HTTP_COOKIE{group})==\'b\'">B<esi:include src="/part/b"/></esi:when>'
      + '<esi:otherwise>-<esi:include src="/part/new"/></esi:otherwise></esi:choose><esi:vars>$(HTTP_COOKIE{name}|nobody)</esi:vars><esi:include src="/mine"/>';
    const shop = await site({
      '/pages/1': page, '/part/a': '[a]', '/part/b': '[b]', '/part/new': '[new]',
      '/mine': (asked) => reply(`{${/name=(\w+)/.exec(value(asked, 'cookie') ?? '')?.[1] ?? ''}}`, [html, 'Cache-Control: private']),
    });
    const { url, edge } = await stage(shop.url, esi);
    const visitors = Array.from({ length: 120 }, (_, index) => ({ name: `v${index}`, group: ['a', 'b', ''][index % 3] ?? '' }));
    const answers = await Promise.all(visitors.map(({ name, group }) => ask(url, 'GET /pages/1', [`Cookie: group=${group}; name=${name}`])));
    for (const [index, { name, group }] of visitors.entries()) {
      const answer = answers[index];
      const part = group === '' ? '-[new]' : `${group.toUpperCase()}[${group}]`;
      expect(answer && [textOf(answer), value(answer, 'cache-control')?.startsWith('private')]).toEqual([`${part}${name}{${name}}`, true]);
    }
    expect(textOf(await ask(url, 'GET /pages/1'))).toBe('-[new]nobody{}');
    // What is kept is the seed and the parts, never a page that was put together.
    expect(edge.figures().captures['kept']).toBeGreaterThan(0);
    shop.stop();
    const dead = await ask(url, 'GET /pages/1', ['Cookie: group=b; name=late']);
    expect(textOf(dead)).toBe('B[b]late');
    expect(value(dead, 'foreshadow')).toContain('; missing=1');
  });

  test('fragments are wanted like any resource, and are no answers of their own', async () => {
    const shop = await site({ '/pages/1': `${include('/part')}${include('/other')}`, '/part': 'p', '/other': 'o' });
    const { url, outbox, edge } = await stage(shop.url, esi);
    await ask(url, 'GET /pages/1', ['User-Agent: Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0']);
    await until('the demand is told', () => outbox.demand.some(({ counts }) => counts.some(({ resource }) => resource === '/part')));
    expect(Object.values(edge.figures().regions[0]?.answers ?? {}).reduce((sum, count) => sum + count, 0)).toBe(1);
  });
});

/** Edge Side Includes: fragments that fail, hang, nest, and whose they are. */
import { afterEach, describe, expect, test } from 'bun:test';
import { until } from '../../bench/machine/program.ts';
import { esi, html, include, site, textOf } from './esi-site.ts';
import { stage, strike } from './stage.ts';
import { ask, cached, origin, reply, Session, value, verdict } from './wire.ts';

afterEach(strike);

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
    const answers = edge.figures().regions[0]?.answers ?? {};
    expect(Object.entries(answers).filter(([what]) => what.includes('fragment-failed')).map(([, count]) => count)).toEqual([1]);
    expect(Object.values(answers).reduce((sum, count) => sum + count, 0)).toBe(4);
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
    const answers = await Promise.all(['alt', 'drop', 'try'].map((page) => ask(url, `GET /pages/${page}`)));
    expect(answers.map(textOf)).toEqual(['apart', 'ab', 'part']);
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
  test('all fragments together have 8 MiB; what comes after does without', async () => {
    const large = Buffer.alloc(5 * 1024 * 1024, 'x');
    const optional = ' onerror="continue"';
    const shop = await site({ '/pages/1': `a${include('/large?1', optional)}b${include('/large?2', optional)}c`, '/large': () => reply(large, [html]) });
    const { url } = await stage(shop.url, esi);
    const text = textOf(await ask(url, 'GET /pages/1'));
    expect([text.length, text.replace(/x+/, 'X')]).toEqual([large.length + 3, expect.stringMatching(/^a(?:Xb|bX)c$/)]);
  });

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

  test('where no hosts are declared, only the one the visitor named', async () => {
    const shop = await site({ '/pages/1': `${include('http://other.example/part', ' onerror="continue"')}${include('http://any.example/part')}`, '/part': 'part' });
    const { url } = await stage(shop.url, esi);
    expect(textOf(await ask(url, 'GET /pages/1', ['Host: any.example']))).toBe('part');
    expect(shop.asked.length).toBe(2);
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

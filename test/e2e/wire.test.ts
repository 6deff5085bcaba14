/** Bytes nobody should send: refused, and never passed on in a way the origin could read differently. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { PlainSite, RunningForeshadow, exchangeRaw } from './program.ts';

let site: PlainSite;
let foreshadow: RunningForeshadow;

beforeAll(async () => {
  site = await PlainSite.create(3);
  foreshadow = await RunningForeshadow.start({ originUrl: site.url });
}, 30_000);
afterAll(async () => {
  await foreshadow[Symbol.asyncDispose]();
  await site[Symbol.asyncDispose]();
});

const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n';
const shapes: Readonly<Record<string, string>> = {
  'Content-Length with Transfer-Encoding': `POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
  'two Content-Lengths': `POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nContent-Length: ${smuggled.length}\r\n\r\n${smuggled}`,
  'a list of Content-Lengths': `POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 0, ${smuggled.length}\r\n\r\n${smuggled}`,
  'a negative Content-Length': `POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n${smuggled}`,
  'a Content-Length with a plus': `POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: +0\r\n\r\n${smuggled}`,
  'a folded line': `GET /a HTTP/1.1\r\nHost: x\r\nX-A: b\r\n Content-Length: 5\r\n\r\n${smuggled}`,
  'space before the colon': `POST /a HTTP/1.1\r\nHost: x\r\nContent-Length : ${smuggled.length}\r\n\r\n${smuggled}`,
  'an unknown transfer coding': `POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${smuggled}`,
  'chunked that is not last': `POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${smuggled}`,
  'a chunk size that is no number': `POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n${smuggled}`,
  'a chunk size with 0x': `POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n${smuggled}`,
  'a negative chunk size': `POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n${smuggled}`,
  'a chunk size beyond 64 bits': `POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n${smuggled}`,
  'two Hosts': 'GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\nConnection: close\r\n\r\n',
  'no Host': 'GET /a HTTP/1.1\r\n\r\n',
  'NUL in a field': 'GET /a HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n',
  'NUL in the target': 'GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n',
  'bare line feeds': `GET /a HTTP/1.1\nHost: x\nContent-Length: 5\n\n${smuggled}`,
  'no version': 'GET /a\r\n\r\n',
  'a field without a name': 'GET /a HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n',
};

describe('requests that can be read in two ways are refused', () => {
  for (const [name, bytes] of Object.entries(shapes)) {
    test(name, async () => {
      const before = site.asked.length;
      const { text, closed } = await exchangeRaw(foreshadow.port, bytes);
      const statuses = [...text.matchAll(/HTTP\/1\.[01] (\d{3})/g)].map(([, status]) => Number(status));
      expect(statuses.filter((status) => status < 400)).toEqual([]);
      expect(statuses.length).toBeLessThanOrEqual(1);
      // Either an answer that refuses, or the connection is closed without one.
      expect(statuses.length === 1 || closed).toBe(true);
      const reached = site.asked.slice(before).filter(({ target, host }) => target.startsWith('/a') || target.includes('smuggled') || host === 'y');
      expect(reached).toEqual([]);
    });
  }
});

test('an absolute URL of another host leads to no other host', async () => {
  // The runtime gives the Host's authority to such a URL, so it can't be told apart; what counts is who is asked for what.
  const before = site.asked.length;
  const { text } = await exchangeRaw(foreshadow.port, 'GET http://evil.example/pages/2 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  const status = Number(text.slice(9, 12));
  if (status < 400) expect(text.split('\r\n\r\n')[1]).toBe(PlainSite.body('/pages/2'));
  for (const { host } of site.asked.slice(before)) expect(host).toBe(`127.0.0.1:${site.port}`);
});

describe('floods', () => {
  test('a URL of 100 kB is refused with 414', async () => {
    const { text } = await exchangeRaw(foreshadow.port, `GET /${'a'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 (414|431) /);
  });

  test('a URL above limits.url but within what the parser takes is refused with 414', async () => {
    const { text } = await exchangeRaw(foreshadow.port, `GET /${'a'.repeat(9000)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(text).toMatch(/^HTTP\/1\.1 414 /);
  });

  test('a flood of header fields is refused with 431', async () => {
    const many = Array.from({ length: 5000 }, (_, at) => `X-${at}: ${'v'.repeat(30)}`).join('\r\n');
    const { text, closed } = await exchangeRaw(foreshadow.port, `GET /pages/1 HTTP/1.1\r\nHost: x\r\n${many}\r\nConnection: close\r\n\r\n`);
    expect(text === '' ? closed : text.startsWith('HTTP/1.1 431 ')).toBe(true);
  });

  test('after all of it, the site is served as before', async () => {
    const answer = await fetch(`${foreshadow.url}/pages/1`);
    expect(await answer.text()).toBe(PlainSite.body('/pages/1'));
  });
});

describe('paths that try to be others', () => {
  const tricks = ['/../pages/1', '/pages/../../etc/passwd', '/%2e%2e/pages/1', '/pages/%2e%2e/%2e%2e/etc/passwd', '/..%2f..%2fetc/passwd', '/pages/1/../2', '//evil.example/pages/1',
    '///evil.example', '/\\evil.example/pages/1', '/pages/1%00', '/pages/%31', '/pages/1;a=b', '/pages//1', '/./pages/1', '/pages/1/.', '/pages/1?x=%0d%0aX-Injected:%20y', '*', 'pages/1', '/pages/1#x'];
  for (const trick of tricks) {
    test(trick, async () => {
      const before = site.asked.length;
      const { text } = await exchangeRaw(foreshadow.port, `GET ${trick} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
      expect(text).not.toMatch(/\r\nx-injected:/i);
      const [head = '', body = ''] = text.split('\r\n\r\n');
      const status = Number(head.slice(9, 12));
      // Whatever is answered was either refused, or is what the site itself says for a path it was really asked for.
      if (status < 400 && status > 0) {
        const page = /<title>([^<]*)<\/title>/.exec(body)?.[1] ?? '';
        expect(trick.startsWith('/')).toBe(true);
        expect(page).toBe(decodeURIComponent(new URL(`http://x${trick}`).pathname));
      }
      for (const { host } of site.asked.slice(before)) expect(host).toBe(`127.0.0.1:${site.port}`);
    });
  }

  test('and none of them has changed what a plain path answers', async () => {
    for (const path of site.paths) expect(await (await fetch(foreshadow.url + path)).text()).toBe(PlainSite.body(path));
  });
});

/** Framing and header lines: what the origin sent is what the client gets, byte by byte where the runtime lets us. */
import { afterEach, describe, expect, test } from 'bun:test';
import { stage, strike } from './stage.ts';
import { ask, cached, origin, reply, Session, value, values, verdict } from './wire.ts';

afterEach(strike);

const mib = 1024 ** 2;

describe('Content-Length', () => {
  for (const [name, bytes] of [['10 B', 10], ['15 KiB', 15_360], ['16 KiB', 16_384], ['64 KiB', 65_536], ['1 MiB - 1', mib - 1], ['1 MiB', mib]] as const) {
    test(`is kept for a body of ${name}, passed through and from a copy`, async () => {
      const body = Buffer.alloc(bytes, 'x');
      const site = await origin((_, socket) => { socket.write(reply(body, ['Content-Type: text/plain', cached])); });
      const { url, kept } = await stage(site.url);
      const passed = await ask(url, 'GET /page');
      expect([passed.framing, values(passed, 'content-length'), passed.body.equals(body), verdict(passed)]).toEqual(['length', [String(bytes)], true, 'origin no-shadow']);
      await kept(1);
      const copied = await ask(url, 'GET /page');
      expect([copied.framing, values(copied, 'content-length'), copied.body.equals(body), verdict(copied)]).toEqual(['length', [String(bytes)], true, 'shadow fresh']);
      expect(values(copied, 'date').length).toBe(1);
    });
  }

  test('is given to a chunked body that is small enough to be read whole', async () => {
    const site = await origin((_, socket) => { socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n'); });
    const { url } = await stage(site.url);
    const answer = await ask(url, 'GET /');
    expect([answer.framing, answer.body.toString()]).toEqual(['length', 'hello world']);
  });
});

describe('HEAD', () => {
  test('keeps Content-Length and has no body, passed through and from a copy', async () => {
    const site = await origin(({ method }, socket) => {
      socket.write(method === 'HEAD' ? 'HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nETag: "a"\r\n\r\n' : reply('x'.repeat(12_345), [cached, 'ETag: "a"']));
    });
    const { url, kept } = await stage(site.url);
    const passed = await ask(url, 'HEAD /page');
    expect([passed.status, values(passed, 'content-length'), passed.body.length]).toEqual([200, ['12345'], 0]);
    await ask(url, 'GET /page');
    await kept(1);
    const copied = await ask(url, 'HEAD /page');
    expect([copied.status, values(copied, 'content-length'), copied.body.length, verdict(copied)]).toEqual([200, ['12345'], 0, 'shadow fresh']);
  });

  test('the connection is good for another request after it', async () => {
    const site = await origin(({ method }, socket) => { socket.write(method === 'HEAD' ? 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n' : reply('second')); });
    const { url } = await stage(site.url);
    const session = await Session.open(url);
    expect([(await session.ask('HEAD /a')).status, (await session.ask('GET /b')).body.toString()]).toEqual([200, 'second']);
  });

  test('of an answer without Content-Length does not claim a length of its own', async () => {
    const site = await origin((_, socket) => { socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'); });
    const { url } = await stage(site.url);
    const answer = await ask(url, 'HEAD /page');
    expect([answer.status, values(answer, 'content-length').filter((length) => length !== '0'), answer.body.length]).toEqual([200, [], 0]);
  });
});

describe('statuses', () => {
  test('204 and 304 have no body and no length', async () => {
    const site = await origin(({ target }, socket) => { socket.write(`HTTP/1.1 ${target.slice(1)} X\r\nETag: "a"\r\n\r\n`); });
    const { url } = await stage(site.url);
    const empty = await ask(url, 'GET /204');
    expect([empty.status, values(empty, 'content-length'), values(empty, 'transfer-encoding'), empty.body.length]).toEqual([204, [], [], 0]);
    const same = await ask(url, 'GET /304', ['If-None-Match: "a"']);
    expect([same.status, values(same, 'transfer-encoding'), same.body.length, value(same, 'etag')]).toEqual([304, [], 0, '"a"']);
  });

  for (const status of [200, 201, 206, 226, 299, 301, 307, 308, 400, 401, 404, 405, 410, 418, 422, 451, 499, 501, 505, 511, 599]) {
    test(`${status} passes through with its body`, async () => {
      const site = await origin((_, socket) => { socket.write(reply('body', ['Location: /other', 'WWW-Authenticate: Basic'], `${status} Something Else`)); });
      const { url } = await stage(site.url);
      const answer = await ask(url, 'GET /page');
      expect([answer.status, answer.body.toString()]).toEqual([status, 'body']);
    });
  }

  for (const status of [429, 500, 502, 503, 504]) {
    test(`${status} without a copy passes through as the origin said it, with Proxy-Status`, async () => {
      const site = await origin((_, socket) => { socket.write(reply('sorry', ['Retry-After: 7'], `${status} X`)); });
      const { url } = await stage(site.url);
      const answer = await ask(url, 'GET /page');
      expect([answer.status, answer.body.toString(), value(answer, 'retry-after')]).toEqual([status, 'sorry', '7']);
      expect(value(answer, 'proxy-status')).toContain(`received-status=${status}`);
    });
  }

  for (const status of ['099', '600', '700', '999']) {
    test(`the impossible status ${status} is an error of the origin`, async () => {
      const site = await origin((_, socket) => { socket.write(reply('odd', [], `${status} X`)); });
      const { url } = await stage(site.url);
      expect((await ask(url, 'GET /page')).status).toBe(502);
    });
  }

  test('an informational answer before the final one is passed over', async () => {
    const site = await origin((_, socket) => {
      socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n');
      socket.write(reply('final'));
    });
    const { url } = await stage(site.url);
    expect((await ask(url, 'GET /')).body.toString()).toBe('final');
  });
});

describe('header lines', () => {
  test('several Set-Cookie stay apart and in order', async () => {
    const cookies = ['a=1; Path=/; Expires=Wed, 21 Oct 2026 07:28:00 GMT', 'b=2', 'a=3; HttpOnly'];
    const site = await origin((_, socket) => { socket.write(reply('x', cookies.map((cookie) => `Set-Cookie: ${cookie}`))); });
    const { url } = await stage(site.url);
    expect(values(await ask(url, 'GET /'), 'set-cookie')).toEqual(cookies);
  });

  test('values of one name keep their order, both ways', async () => {
    const site = await origin((_, socket) => { socket.write(reply('x', ['Link: </1>', 'X-Many: a', 'Link: </2>', 'X-Many: b', 'X-Many: c'])); });
    const { url } = await stage(site.url);
    const answer = await ask(url, 'GET /', ['Accept: text/html', 'X-Mine: 1', 'Accept: text/plain', 'X-Mine: 2']);
    expect([values(answer, 'link').join(', '), values(answer, 'x-many').join(', ')]).toEqual(['</1>, </2>', 'a, b, c']);
    const [asked] = site.asked;
    expect(asked && [values(asked, 'accept').join(', '), values(asked, 'x-mine').join(', ')]).toEqual(['text/html, text/plain', '1, 2']);
  });

  test('no content-type is invented for an answer without one, passed through and from a copy', async () => {
    for (const bytes of [0, 10, 20_000]) {
      const site = await origin((_, socket) => { socket.write(reply('x'.repeat(bytes), [cached])); });
      const { url, kept } = await stage(site.url);
      const passed = await ask(url, 'GET /page');
      expect([values(passed, 'content-type'), values(passed, 'content-length'), passed.body.length]).toEqual([[], [String(bytes)], bytes]);
      await kept(1);
      const copied = await ask(url, 'GET /page');
      expect([verdict(copied), values(copied, 'content-type'), values(copied, 'content-length'), copied.body.length]).toEqual(['shadow fresh', [], [String(bytes)], bytes]);
    }
  });

  test('bytes beyond ASCII and empty values pass as they are, both ways and from a copy', async () => {
    // What UTF-8 and Latin-1 text looks like where each byte is a character, as the wire is read here.
    const texts = { 'x-utf8': Buffer.from('Zürich 漢字').toString('latin1'), 'x-latin': 'Z\u00fcrich', 'x-empty': '' };
    const lines = Object.entries(texts).map(([name, text]) => `${name}: ${text}`);
    const site = await origin((_, socket) => { socket.write(Buffer.from(`HTTP/1.1 200 OK\r\n${cached}\r\n${lines.join('\r\n')}\r\nContent-Length: 2\r\n\r\nok`, 'latin1')); });
    const { url, kept } = await stage(site.url);
    const session = await Session.open(url);
    session.socket.write(Buffer.from(`GET / HTTP/1.1\r\nHost: localhost\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
    const passed = await session.answer();
    await kept(1);
    const copied = await ask(url, 'GET /');
    const [asked] = site.asked;
    const of = (message: typeof passed | typeof asked): unknown => message && Object.keys(texts).map((name) => values(message, name));
    const all = Object.values(texts).map((text) => [text]);
    expect([of(passed), of(asked), of(copied)]).toEqual([all, all, all]);
  });

  test('no header of ours tells what the runtime is', async () => {
    const site = await origin((_, socket) => { socket.write(reply('x')); });
    const { url } = await stage(site.url);
    const answer = await ask(url, 'GET /');
    expect([values(answer, 'server'), values(answer, 'x-powered-by')]).toEqual([[], []]);
    const [asked] = site.asked;
    expect(asked && values(asked, 'user-agent').filter((agent) => agent !== '')).toEqual([]);
  });
});

test('an HTTP/1.0 client gets an answer it can read', async () => {
  const large = Buffer.alloc(3 * mib, 'y');
  const site = await origin(({ target }, socket) => { socket.write(reply(target === '/large' ? large : 'small')); });
  const { url } = await stage(site.url);
  const small = await ask(url, 'GET /small HTTP/1.0', ['Connection: close']);
  expect([small.status, small.body.toString()]).toEqual([200, 'small']);
  const streamed = await ask(url, 'GET /large HTTP/1.0', ['Connection: close']);
  expect([streamed.framing === 'chunked', streamed.body.equals(large)]).toEqual([false, true]);
});

import { afterAll, beforeAll, expect, test } from 'bun:test';
import net from 'node:net';
import { systemClock } from '../kernel/index.ts';
import { createFetcher, type FetchRequest, type FetchResult } from './fetch.ts';

/** A server of raw bytes: what the request's first path segment names is what happens on the socket. */
const acts: Record<string, (socket: net.Socket, request: string) => void> = {
  echo: (socket, request) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${request.length}\r\n\r\n${request}`),
  short: (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello'),
  chunkcut: (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n'),
  chunkbad: (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nZZ\r\n'),
  headcut: (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Le'),
  nothing: (socket) => socket.end(),
  unframed: (socket) => socket.end('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello'),
  silent: () => undefined,
  stall: (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello'),
  redirect: (socket) => socket.write('HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/elsewhere\r\nContent-Length: 2\r\n\r\nhi'),
  gzip: (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello'),
  notmodified: (socket) => socket.write('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n'),
  cookies: (socket) => socket.write('HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nContent-Length: 0\r\n\r\n'),
  big: (socket) => socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n${'x'.repeat(5000)}`),
  bigchunked: (socket) => socket.write(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n${'x'.repeat(5000)}\r\n0\r\n\r\n`),
};

let server: net.Server;
let url = '';
beforeAll(async () => {
  server = net.createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const request = data.toString('latin1');
      acts[/^GET \/(\w+)/.exec(request)?.[1] ?? '']?.(socket, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  url = `http://127.0.0.1:${address.port}`;
});
afterAll(() => {
  server.close();
});

interface Options extends Partial<FetchRequest> {
  readonly origin?: string;
  readonly hostMode?: 'origin' | 'preserve';
  readonly waitMs?: number;
}

function get(path: string, options: Options = {}): Promise<FetchResult> {
  const waitMs = options.waitMs ?? 2000;
  const fetcher = createFetcher({
    origin: { url: options.origin ?? url, host: options.hostMode ?? 'origin', probe: { path: '/', intervalMs: 1, timeoutMs: 1 }, limits: { latencyP95Ms: undefined, errorRate: 0.05 } },
    hosts: ['shop.example'],
    timeouts: { connectMs: 0, firstByteMs: waitMs, idleMs: waitMs, drainMs: 0 },
    generate: { userAgent: 'Foreshadow/test', discover: true, codings: [], fidelity: false },
  }, systemClock);
  return fetcher({ path, headers: options.headers ?? [], bytesMax: options.bytesMax ?? 1000, host: options.host, signal: options.signal });
}

async function failure(path: string, options: Options = {}): Promise<string> {
  const result = await get(path, options);
  return result.kind === 'failed' ? result.failure : `answer ${result.status}`;
}

async function sent(options: Options): Promise<string[]> {
  const result = await get('/echo?a=1', options);
  return result.kind === 'answer' ? new TextDecoder().decode(result.body).toLowerCase().split('\r\n') : [];
}

test('a request says what it is, in the variation\'s clothes', async () => {
  const lines = await sent({ headers: [['user-agent', 'iPhone'], ['accept-language', 'de'], ['cookie', 'segment=vip'], ['accept-encoding', 'br'], ['foreshadow-purpose', 'x']] });
  expect(lines[0]).toBe('get /echo?a=1 http/1.1');
  expect(lines).toContain('foreshadow-purpose: generate');
  expect(lines).toContain('accept-encoding: identity');
  expect(lines).toContain('user-agent: iphone');
  expect(lines).toContain('cookie: segment=vip');
  expect(lines).toContain(`host: ${url.slice('http://'.length)}`);
  expect(await sent({})).toContain('user-agent: foreshadow/test');
});

test('Host is the origin\'s own, or the site\'s, as configured', async () => {
  expect(await sent({ hostMode: 'preserve' })).toContain('host: shop.example');
  expect(await sent({ hostMode: 'preserve', host: 'de.shop.example' })).toContain('host: de.shop.example');
  expect(await sent({ hostMode: 'origin', host: 'de.shop.example' })).toContain(`host: ${url.slice('http://'.length)}`);
});

test.each(['short', 'chunkcut', 'chunkbad', 'headcut', 'nothing'])('%s is cut', async (path) => {
  expect(await failure(`/${path}`)).toBe('cut');
});

test('a body that only the end of the connection ends is marked', async () => {
  expect(await get('/unframed')).toMatchObject({ kind: 'answer', framed: false });
  expect(await get('/echo')).toMatchObject({ kind: 'answer', framed: true });
});

test('silence and stalls time out', async () => {
  expect(await failure('/silent', { waitMs: 50 })).toBe('timeout');
  expect(await failure('/stall', { waitMs: 50 })).toBe('timeout');
});

test('nobody there is refused', async () => {
  expect(await failure('/', { origin: 'http://127.0.0.1:1' })).toBe('refused');
});

test('giving up is no word on the origin', async () => {
  const stop = new AbortController();
  const pending = failure('/silent', { signal: stop.signal });
  stop.abort();
  expect(await pending).toBe('aborted');
  expect(await failure('/echo', { signal: stop.signal })).toBe('aborted');
});

test('too large a body is refused, with and without its length said', async () => {
  expect(await failure('/big')).toBe('too-large');
  expect(await failure('/bigchunked')).toBe('too-large');
  expect(await failure('/big', { bytesMax: 5000 })).toBe('answer 200');
});

test('a redirect is an answer and is not followed', async () => {
  const result = await get('/redirect');
  expect(result).toMatchObject({ kind: 'answer', status: 302 });
  expect(result.kind === 'answer' && result.headers).toContainEqual(['location', 'http://127.0.0.1:1/elsewhere']);
});

test('bodies come as sent, 304 comes without one, Set-Cookie stays apart', async () => {
  const gzip = await get('/gzip');
  expect(gzip.kind === 'answer' && new TextDecoder().decode(gzip.body)).toBe('hello');
  expect(await get('/notmodified')).toMatchObject({ kind: 'answer', status: 304, framed: true, body: new Uint8Array(0) });
  const cookies = await get('/cookies');
  expect(cookies.kind === 'answer' && cookies.headers.filter(([name]) => name === 'set-cookie').length).toBe(2);
});

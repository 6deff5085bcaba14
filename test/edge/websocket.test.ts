/** WebSockets through the edge: messages both ways unchanged, the handshake's fields, how either side ends it, and a storm. */
import { afterEach, expect, test } from 'bun:test';
import type { ServerWebSocket } from 'bun';
import { residentBytes, until } from '../../bench/machine/program.ts';
import { onStrike, stage, strike } from './stage.ts';
import { ask, origin, reply, value, values, verdict } from './wire.ts';

afterEach(strike);

const mib = 1024 ** 2;

interface SocketOrigin {
  readonly url: string;
  readonly handshakes: Headers[];
  readonly sockets: ServerWebSocket[];
  readonly closes: { readonly code: number; readonly reason: string }[];
}

/** An origin that echoes; `protocol` is what it chooses of the offered ones. */
function echo(options: { readonly protocol?: string; readonly message?: (socket: ServerWebSocket, message: string | Buffer) => void } = {}): SocketOrigin {
  const handshakes: Headers[] = [];
  const sockets: ServerWebSocket[] = [];
  const closes: { code: number; reason: string }[] = [];
  const server = Bun.serve({
    hostname: '127.0.0.1', port: 0,
    fetch(request, serving) {
      if (request.headers.get('upgrade') === null) return new Response('plain');
      handshakes.push(new Headers(request.headers));
      const headers = options.protocol === undefined ? {} : { headers: { 'sec-websocket-protocol': options.protocol } };
      return serving.upgrade(request, { data: undefined, ...headers }) ? undefined : new Response('no', { status: 400 });
    },
    websocket: {
      maxPayloadLength: 16 * mib,
      open(socket) { sockets.push(socket); },
      message(socket, message) { if (options.message) options.message(socket, message); else socket.send(message); },
      close(_, code, reason) { closes.push({ code, reason }); },
    },
  });
  onStrike(() => server.stop(true));
  return { url: server.url.origin, handshakes, sockets, closes };
}

interface Client {
  readonly socket: WebSocket;
  readonly messages: (string | ArrayBuffer)[];
  readonly closed: () => { readonly code: number; readonly reason: string } | undefined;
}

async function open(url: string, options: { readonly headers?: Record<string, string>; readonly protocols?: string[] } = {}): Promise<Client> {
  const socket = new WebSocket(`${url.replace(/^http/, 'ws')}/live?x=1`, options);
  socket.binaryType = 'arraybuffer';
  const messages: (string | ArrayBuffer)[] = [];
  let closed: { code: number; reason: string } | undefined;
  socket.addEventListener('message', ({ data }) => { messages.push(data as string | ArrayBuffer); }); // by binaryType
  socket.addEventListener('close', ({ code, reason }) => { closed = { code, reason }; });
  onStrike(() => { socket.terminate(); });
  await until('the handshake', () => socket.readyState !== WebSocket.CONNECTING);
  return { socket, messages, closed: () => closed };
}

test('text and binary pass both ways, in order', async () => {
  const site = echo();
  const { url } = await stage(site.url);
  const { socket, messages } = await open(url);
  const binary = Uint8Array.from({ length: 300 }, (_, i) => i % 256);
  socket.send('héllo');
  socket.send(binary);
  socket.send('');
  for (let i = 0; i < 100; i++) socket.send(String(i));
  await until('the echoes', () => messages.length === 103);
  const [text, bytes, empty, ...rest] = messages;
  expect([text, bytes instanceof ArrayBuffer && Buffer.from(bytes).equals(binary), empty]).toEqual(['héllo', true, '']);
  expect(rest).toEqual(Array.from({ length: 100 }, (_, i) => String(i)));
});

test('a message of megabytes passes whole', async () => {
  const { url } = await stage(echo().url);
  const { socket, messages } = await open(url);
  socket.send(Buffer.alloc(5 * mib, 7));
  await until('the echo', () => messages.length === 1);
  const [message] = messages;
  expect(message instanceof ArrayBuffer && message.byteLength).toBe(5 * mib);
});

test('what the origin says first is not lost', async () => {
  const site = echo();
  const opened = site.sockets;
  const { url } = await stage(site.url);
  const client = open(url);
  await until('the origin\'s side', () => opened.length === 1);
  opened[0]?.send('welcome');
  const { messages } = await client;
  await until('the welcome', () => messages.length === 1);
  expect(messages).toEqual(['welcome']);
});

test('the origin chooses the subprotocol among those offered', async () => {
  const site = echo({ protocol: 'chat.v2' });
  const { url } = await stage(site.url);
  const { socket } = await open(url, { protocols: ['chat.v1', 'chat.v2'] });
  expect([socket.protocol, site.handshakes[0]?.get('sec-websocket-protocol')?.replaceAll(' ', '')]).toEqual(['chat.v2', 'chat.v1,chat.v2']);
});

test('cookies, Origin and credentials of the handshake reach the origin, with who asks', async () => {
  const site = echo();
  const { url, edge } = await stage(site.url, 'site: shop');
  await open(url, { headers: { 'Cookie': 'sid=1', 'Origin': 'https://shop.example', 'Authorization': 'Bearer t', 'X-Forwarded-For': '203.0.113.9' } });
  const [headers] = site.handshakes;
  expect(['cookie', 'origin', 'authorization', 'x-forwarded-for', 'cdn-loop', 'via', 'host'].map((name) => headers?.get(name)))
    .toEqual(['sid=1', 'https://shop.example', 'Bearer t', '127.0.0.1', 'foreshadow; site=shop', '1.1 foreshadow', new URL(site.url).host]);
  expect(edge.figures().regions[0]?.answers).toEqual({ 'origin upgrade': 1 });
});

const handshake = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];

test('an origin that refuses the upgrade makes it 502, one that is gone too', async () => {
  const site = await origin((_, socket) => { socket.write(reply('no', [], '403 Forbidden')); });
  const { url } = await stage(site.url);
  const refused = await ask(url, 'GET /live', handshake);
  expect([refused.status, verdict(refused)]).toEqual([502, 'none refused']);
  const gone = echo();
  const other = await stage(gone.url);
  expect((await ask(other.url, 'GET /live', handshake)).status).toBe(101);
  site.stop();
  expect([502, 503]).toContain((await ask(url, 'GET /live', handshake)).status);
});

test('the answer to the handshake is a proper one', async () => {
  const { url } = await stage(echo().url);
  const answer = await ask(url, 'GET /live', handshake);
  expect([answer.status, value(answer, 'sec-websocket-accept'), values(answer, 'sec-websocket-protocol')]).toEqual([101, 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=', []]);
});

test('close codes and reasons pass both ways', async () => {
  const site = echo();
  const { url } = await stage(site.url);
  const first = await open(url);
  first.socket.close(4001, 'done here');
  await until('the close at the origin', () => site.closes.length === 1);
  expect(site.closes[0]).toEqual({ code: 4001, reason: 'done here' });
  const second = await open(url);
  await until('the origin\'s side', () => site.sockets.length === 2);
  site.sockets[1]?.close(4002, 'no more');
  await until('the close at the client', () => second.closed() !== undefined);
  expect(second.closed()).toEqual({ code: 4002, reason: 'no more' });
});

test('a side that dies takes the other with it', async () => {
  const site = echo();
  const { url, edge } = await stage(site.url);
  const first = await open(url);
  await until('the origin\'s side', () => site.sockets.length === 1);
  first.socket.terminate();
  await until('the close at the origin', () => site.closes.length === 1);
  const second = await open(url);
  await until('the origin\'s side', () => site.sockets.length === 2);
  site.sockets[1]?.terminate();
  await until('the close at the client', () => second.closed() !== undefined);
  await until('nothing left open', () => edge.figures().connections === 0);
});

test('an upgrade while the origin is down is an honest 503', async () => {
  const site = await origin((_, socket) => { socket.destroy(); });
  site.stop();
  const { url } = await stage(site.url, 'origin: { probe: { interval: 100ms, timeout: 50ms } }');
  await until('the origin to be known down', async () => (await ask(url, 'GET /live', handshake)).status === 503);
});

test('a storm for a client that does not read is ended, and does not fill memory', async () => {
  const piece = Buffer.alloc(mib / 4, 's');
  let flooding: ServerWebSocket | undefined;
  const site = echo({ message: (socket) => { flooding = socket; } });
  const { url } = await stage(site.url);
  // A client that says hello by hand and then never reads again.
  const client = await Bun.connect({ hostname: '127.0.0.1', port: Number(new URL(url).port), socket: { data: (socket) => { socket.pause(); } } });
  onStrike(() => { client.terminate(); });
  client.write(`GET /live HTTP/1.1\r\nHost: a\r\n${handshake.join('\r\n')}\r\n\r\n`);
  await until('the origin\'s side', () => site.sockets.length === 1);
  client.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69]));
  await until('the hello', () => flooding !== undefined);
  const before = residentBytes([process.pid]).own;
  let sent = 0;
  await until('the storm to be ended', () => {
    for (let i = 0; i < 16 && flooding?.readyState === WebSocket.OPEN && flooding.getBufferedAmount() < mib; i++) {
      flooding.send(piece);
      sent += piece.length;
    }
    return site.closes.length === 1 || sent > 512 * mib;
  }, 20_000, 1);
  expect(sent).toBeLessThan(256 * mib);
  expect(residentBytes([process.pid]).own - before).toBeLessThan(128 * mib);
}, 30_000);

/**
 * What an edge does at each of its configured limits and time-outs: one real edge on a free port, one origin that does what
 * its path says. Limits are set so low that reaching them takes milliseconds.
 */
import { afterEach, expect, test } from 'bun:test';
import { connect, type Socket } from 'node:net';
import { freePort, until } from '../../bench/machine/program.ts';
import { Copies } from '../../src/edge/copies.ts';
import { silentLog, systemClock } from '../../src/kernel/index.ts';
import { digestOf, openLocalStore } from '../../src/store/index.ts';
import { sampleBody, sampleRecord } from '../store/sample-record.ts';
import { onStrike, stage, strike, temporaryFolder } from './stage.ts';
import { origin } from './wire.ts';

afterEach(strike);

/** An origin by request: what `answer` writes to the socket is all that comes. */
async function startOrigin(answer: (target: string, socket: Socket) => void): Promise<string> {
  return (await origin(({ target }, socket) => { answer(target, socket); })).url;
}

/**
 * An origin whose machine takes no more connections: a stopped process whose queue of connections is full, so that the
 * system drops further ones without a word, as a firewall would.
 */
async function fullOrigin(): Promise<string> {
  const port = await freePort();
  const child = Bun.spawn([process.execPath, '-e', `require('net').createServer().listen({ port: ${port}, host: '127.0.0.1', backlog: 1 }, () => console.log('up'))`], { stdout: 'pipe', stderr: 'ignore' });
  onStrike(() => { child.kill('SIGKILL'); });
  await child.stdout.getReader().read();
  child.kill('SIGSTOP');
  const fillers: Socket[] = [];
  onStrike(() => { for (const filler of fillers) filler.destroy(); });
  let full = false;
  while (!full && fillers.length < 5000) {
    const filler = connect({ port, host: '127.0.0.1' });
    fillers.push(filler);
    filler.on('error', () => undefined);
    full = !(await new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => { resolve(false); }, 250);
      filler.once('connect', () => { clearTimeout(timer); resolve(true); });
    }));
  }
  expect(full).toBe(true);
  return `http://127.0.0.1:${port}`;
}

function page(bytes: number): string {
  return `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nCache-Control: max-age=60\r\nContent-Length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`;
}

const plainOrigin = (): Promise<string> => startOrigin((target, socket) => {
  if (target.startsWith('/never')) return;
  socket.write(page(Number(/\d+/.exec(target)?.[0] ?? 10)));
});

test('a request body above limits.requestBody is refused with 413, with and without its length said', async () => {
  const reader = Bun.serve({ hostname: '127.0.0.1', port: 0, fetch: async (request) => new Response(String((await request.arrayBuffer()).byteLength)) });
  onStrike(() => reader.stop(true));
  const { url } = await stage(reader.url.origin, 'limits: { requestBody: 1KiB }');
  expect((await fetch(`${url}/form`, { method: 'POST', body: 'x'.repeat(1024) })).status).toBe(200);
  expect((await fetch(`${url}/form`, { method: 'POST', body: 'x'.repeat(1025) })).status).toBe(413);
  const chunks = new ReadableStream({ start(controller) { controller.enqueue(new Uint8Array(4096)); controller.close(); } });
  expect((await fetch(`${url}/form`, { method: 'POST', body: chunks })).status).toBe(413);
});

test('a request above limits.connections is refused with 503 at once, and served when there is room', async () => {
  const { edge, url } = await stage(await plainOrigin(), 'limits: { connections: 1 }\ntimeouts: { firstByte: 60s }');
  const leave = new AbortController();
  const waiting = fetch(`${url}/never`, { method: 'POST', signal: leave.signal }).catch(() => 'left');
  await until('the first request to be under way', () => edge.figures().connections === 1);
  const refused = await fetch(`${url}/10`);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
  leave.abort();
  await waiting;
  await until('room', () => edge.figures().connections === 0);
  expect((await fetch(`${url}/10`)).status).toBe(200);
});

test('a body above limits.captureBody passes through whole and is not kept', async () => {
  const { edge, url } = await stage(await plainOrigin(), 'limits: { captureBody: 1KiB }');
  expect((await (await fetch(`${url}/page-1024`)).text()).length).toBe(1024);
  await until('the small page to be kept', () => edge.figures().local.records === 1);
  expect((await (await fetch(`${url}/page-1025`)).text()).length).toBe(1025);
  const again = await fetch(`${url}/page-1025`);
  expect(again.headers.get('foreshadow')).toContain('source=origin');
  expect((await fetch(`${url}/page-1024`)).headers.get('foreshadow')).toContain('reason=fresh');
  expect(edge.figures().local.records).toBe(1);
});

test('an origin that does not answer within timeouts.firstByte is given up with 504', async () => {
  const { url } = await stage(await plainOrigin(), 'timeouts: { firstByte: 150ms }');
  const answer = await fetch(`${url}/never`);
  expect(answer.status).toBe(504);
  expect(answer.headers.get('foreshadow')).toContain('reason=timeout');
});

test('an origin that can not be connected to within timeouts.connect is given up as refused', async () => {
  const { url } = await stage(await fullOrigin(), 'timeouts: { connect: 150ms, firstByte: 60s }');
  const answer = await fetch(`${url}/page`);
  expect(answer.status).toBe(503);
  expect(answer.headers.get('foreshadow')).toMatch(/reason=(?:refused|origin-down|no-shadow)/);
}, 20_000);

test('an answer that stalls longer than timeouts.idle ends visibly cut', async () => {
  const stalling = await startOrigin((target, socket) => { socket.write(target === '/stall' ? page(4_000_000).slice(0, 2_000_000) : page(10)); });
  const { url } = await stage(stalling, 'timeouts: { idle: 1s }');
  const answer = await fetch(`${url}/stall`);
  expect(answer.status).toBe(200);
  let ended = 'whole';
  await answer.arrayBuffer().catch(() => { ended = 'cut'; });
  expect(ended).toBe('cut');
}, 30_000);

test('what is under way longer than drainTimeout is cut when the edge closes', async () => {
  const { edge, url } = await stage(await plainOrigin(), 'drainTimeout: 100ms\ntimeouts: { firstByte: 60s }');
  const waiting = fetch(`${url}/never`).then((answer) => answer.status, () => 'cut');
  await until('the request to be under way', () => edge.figures().origin.inFlight > 0);
  await edge.close();
  expect(await waiting).not.toBe(200);
});

test('bodies in memory stay within limits.memoryCache, and those that left are read again', async () => {
  const folder = temporaryFolder();
  const local = openLocalStore({ path: folder, clock: systemClock, log: silentLog, limits: { storageBytes: 1 << 24, variantsPerVariation: 8 } });
  onStrike(() => local.close());
  const copies = new Copies(local, { memoryCacheBytes: 100_000, variantsPerVariation: 8 });
  const bodies = Array.from({ length: 8 }, (_, n) => sampleBody(n, 20_000));
  for (const [n, body] of bodies.entries()) await copies.keep(sampleRecord(n, { body: digestOf(body), bodyBytes: body.byteLength }), body).stored;
  expect(copies.memory().bytes).toBeLessThanOrEqual(100_000);
  expect(copies.memory().slots).toBeLessThan(8);
  for (const [n, body] of bodies.entries()) {
    const { resource, variation } = sampleRecord(n);
    expect(copies.all(resource, variation).map((copy) => Buffer.from(copy.body).equals(body))).toEqual([true]);
  }
  expect(copies.memory().bytes).toBeLessThanOrEqual(100_000);
});

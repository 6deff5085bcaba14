import { afterEach, expect, test } from 'bun:test';
import type net from 'node:net';
import { until } from '../../bench/machine/program.ts';
import type { FeedConfig } from '../../src/config/index.ts';
import { answer, key, pollFeed, serveFeed, stage, strike, type Act, type FeedServer, type Stage } from './site.ts';

afterEach(strike);

const opening = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-store\r\nConnection: close\r\n\r\n';

interface Streamed extends Stage {
  readonly server: FeedServer;
  /** On the newest connection. */
  readonly say: (text: string | Uint8Array) => void;
  readonly end: () => void;
  /** Waits until the value is this. */
  readonly shows: (document: unknown) => Promise<void>;
  /** Waits for the connection under way to end, then for the next. */
  readonly reconnected: () => Promise<void>;
}

async function streamed(over: Partial<FeedConfig> = {}, onOpen: Act = () => undefined): Promise<Streamed> {
  let newest: net.Socket | undefined;
  const server = await serveFeed((socket, request) => {
    newest = socket;
    socket.write(opening);
    onOpen(socket, request);
  });
  const stood = stage([{ ...pollFeed(server.url), name: 'scores', source: { kind: 'sse', url: server.url }, ...over }]);
  const { hub, clock, state } = stood;
  hub.start();
  await until('the connection', () => newest !== undefined, 5000, 2);
  return {
    ...stood, server,
    say: (text) => { newest?.write(text); },
    end: () => { newest?.end(); },
    async shows(document) {
      await until(JSON.stringify(document), () => Bun.deepEquals(hub.value(key('scores'))?.document, document), 4000, 2);
    },
    async reconnected() {
      const before = server.requests.length;
      await until('the end of the connection', () => state().nextAttemptMs !== undefined, 4000, 2);
      clock.advance((state().nextAttemptMs ?? 0) - clock.nowMs());
      await until('the next connection', () => server.requests.length > before, 4000, 2);
    },
  };
}

test('each event\'s data is a document, by the standard\'s lines: LF, CRLF, CR, comments, several lines, a byte order mark', async () => {
  const { say, shows, clock, hub } = await streamed();
  say('\ufeffdata: {"n": 1}\n\n');
  await shows({ n: 1 });
  clock.advance(50);
  say('data:{"n":\r\ndata:2}\r\n\r\n');
  await shows({ n: 2 });
  clock.advance(50);
  say('data: {"n": 3}\r\r');
  await shows({ n: 3 });
  clock.advance(50);
  say(':comment\nevent: scores\nnonsense: 1\ndata: {"n": 4}\nid: 7\n\n');
  await shows({ n: 4 });
  clock.advance(50);
  for (const part of ['da', 'ta: "', Buffer.from('€').subarray(0, 1), Buffer.from('€').subarray(1), '"\r', '\n\r\n']) say(part);
  await shows('€');
  // A CRLF in two pieces is one end of a line, not an empty line.
  clock.advance(50);
  const nowMs = clock.nowMs();
  say(':\ndata: {"n":\r');
  await until('the first piece', () => hub.value(key('scores'))?.heardMs === nowMs, 4000, 2);
  say('\ndata: 5}\r\n\r\n');
  await shows({ n: 5 });
  expect(hub.value(key('scores'))?.valueTimeMs).toBe(clock.nowMs());
  expect(hub.states()[0]?.refused).toEqual({});
});

test('a value is as old as its event; comments and heartbeats confirm it', async () => {
  const { say, shows, clock, hub, changed } = await streamed();
  const heard = (): number | undefined => hub.value(key('scores'))?.heardMs;
  say('data: 1\n\n');
  await shows(1);
  const startMs = clock.nowMs();
  expect(heard()).toBe(startMs);
  for (const life of [':\n', 'event: ping\ndata: {"time":1}\n\n', 'data:\n\n', 'event: keepalive\ndata: x\n\n', 'data: 1\n\n']) {
    clock.advance(5000);
    const nowMs = clock.nowMs();
    say(life);
    await until(`what ${JSON.stringify(life)} confirms`, () => heard() === nowMs, 4000, 2);
  }
  expect(hub.value(key('scores'))).toMatchObject({ document: 1, valueTimeMs: startMs });
  expect(changed).toHaveLength(1);
});

test('after a break the stream is asked for what came after the last event, and its word confirms the value', async () => {
  const { say, end, shows, reconnected, server, clock, hub, state } = await streamed();
  say('retry: 3000\nid: größe\ndata: 1\n\n');
  await shows(1);
  end();
  await until('the end', () => state().nextAttemptMs !== undefined, 4000, 2);
  expect(state().state).toBe('ok');
  const waitMs = (state().nextAttemptMs ?? 0) - clock.nowMs();
  expect(waitMs).toBeGreaterThanOrEqual(3000);
  expect(waitMs).toBeLessThanOrEqual(3300);
  await reconnected();
  expect(server.requests[0]?.toLowerCase()).not.toContain('last-event-id');
  const sent = /last-event-id: (.*)/i.exec(server.requests[1] ?? '')?.[1] ?? '';
  expect(Buffer.from(sent.trim(), 'latin1').toString('utf8')).toBe('größe');
  const nowMs = clock.nowMs();
  say(':\n');
  await until('the confirmation', () => hub.value(key('scores'))?.heardMs === nowMs, 4000, 2);
});

test('without ids a comment on a new connection confirms nothing', async () => {
  const { say, end, shows, reconnected, clock, hub, state } = await streamed();
  say('data: 1\n\n');
  await shows(1);
  const heardMs = clock.nowMs();
  end();
  await reconnected();
  clock.advance(1000);
  say(':\nevent: ping\ndata: 1\n\ndata: not JSON\n\n');
  await until('the refusal', () => state().refused['not-json'] === 1, 4000, 2);
  expect(hub.value(key('scores'))).toMatchObject({ document: 1, heardMs });
});

test('a bad document leaves the last good value, which nothing confirms until a good one comes', async () => {
  const { say, shows, clock, hub, state, lines } = await streamed();
  say('data: {"a":1}\n\n');
  await shows({ a: 1 });
  const heardMs = clock.nowMs();
  clock.advance(1000);
  say('data: <script>\n\n:\nevent: ping\ndata:\n\n');
  await until('the refusal', () => state().state === 'failing', 4000, 2);
  expect(state()).toMatchObject({ refused: { 'not-json': 1 }, error: 'the document is not JSON in UTF-8' });
  clock.advance(1000);
  say(`data: ${'['.repeat(65)}\n\n`);
  await until('the refusal', () => state().refused['too-deep'] === 1, 4000, 2);
  expect(hub.value(key('scores'))).toMatchObject({ document: { a: 1 }, heardMs });
  expect(lines.filter((line) => line.includes('feed-failing'))).toHaveLength(1);
  clock.advance(1000);
  say('data: {"a":2}\n\n');
  await shows({ a: 2 });
  expect(state().state).toBe('ok');
});

test('of many events 20 a second are taken, the newest wins', async () => {
  const { say, shows, clock, changed, state, hub } = await streamed();
  say('data: 0\n\n');
  await shows(0);
  for (let step = 1; step <= 10; step++) {
    say(Array.from({ length: 100 }, (_, index) => `data: ${step * 100 + index}\n\n`).join(''));
    // All but the first, which is taken at once or waits too, make way for the last.
    await until('the last to wait', () => (state().refused['too-often'] ?? 0) === step * 99, 4000, 2);
    expect(hub.value(key('scores'))?.document).toBe(step === 1 ? 0 : (step - 1) * 100 + 99);
    clock.advance(50);
    await shows(step * 100 + 99);
  }
  expect(changed).toHaveLength(11);
  expect(state().state).toBe('ok');
});

test.each([['one line', 'x'.repeat(65_536)], ['many lines', `data: ${'x'.repeat(65_536)}\n`]])('an event of %s without end is cut off after 4 Mi characters', async (_, piece) => {
  let connections = 0;
  let written = 0;
  const { say, shows, state, server, hub, reconnected } = await streamed({}, (socket) => {
    if (++connections < 2) return;
    const more = (): void => {
      while (!socket.destroyed && written < 1024 * 1024 * 1024) {
        written += piece.length;
        if (socket.write(piece)) continue;
        socket.once('drain', more);
        return;
      }
    };
    more();
  });
  say('data: 1\n\n');
  await shows(1);
  server.cut();
  await reconnected();
  await until('the refusal', () => state().refused['too-large'] === 1, 4000, 2);
  expect(written).toBeLessThan(64 * 1024 * 1024);
  expect(state().state).toBe('failing');
  expect(hub.value(key('scores'))?.document).toBe(1);
});

test('a stream that says nothing is opened anew, one that drips half an event too', async () => {
  const { say, shows, reconnected, clock, state, server } = await streamed({ maxAgeMs: 30_000 });
  say('data: 1\n\n');
  await shows(1);
  clock.advance(14_999);
  expect(state().nextAttemptMs).toBeUndefined();
  clock.advance(1);
  await reconnected();
  expect(state()).toMatchObject({ state: 'ok', refused: { silent: 1 } });
  expect(server.requests).toHaveLength(2);
  // Nothing whole is said on this one: that is a failure.
  await until('the head', () => clock.isRunning(15_000), 4000, 2);
  for (let second = 0; second < 15; second++) {
    say('d');
    clock.advance(1000);
  }
  await until('the refusal', () => state().state === 'failing', 4000, 2);
  expect(state()).toMatchObject({ refused: { silent: 2 }, error: 'the stream said nothing for 15 s' });
});

const notStreams: readonly (readonly [what: string, reason: string, act: Act])[] = [
  ['a page', 'type', answer('{"a":1}', { 'Content-Type': 'application/json' })],
  ['a redirect', 'redirect', answer('', { Location: '/elsewhere' }, '307 Temporary Redirect')],
  ['no content', 'status', answer('', {}, '204 No Content')],
  ['an error', 'status', answer('no', { 'Content-Type': 'text/event-stream' }, '500 Internal Server Error')],
  ['a compressed stream', 'coding', (socket) => { socket.write(opening.replace('\r\n\r\n', '\r\nContent-Encoding: gzip\r\n\r\n')); }],
  ['a stream that ends at once', 'cut', (socket) => { socket.end(opening); }],
];

for (const [what, reason, act] of notStreams) {
  test(`${what} is told as ${reason}, and asked for again later and later`, async () => {
    const server = await serveFeed(act);
    const { hub, clock, settled, again } = stage([{ ...pollFeed(server.url), source: { kind: 'sse', url: server.url } }]);
    hub.start();
    expect(await settled()).toMatchObject({ state: 'never', refused: { [reason]: 1 } });
    const waits: number[] = [];
    for (let time = 0; time < 6; time++) waits.push(((await again()).nextAttemptMs ?? 0) - clock.nowMs());
    expect(waits[0]).toBeGreaterThanOrEqual(1800);
    expect(waits[5]).toBeGreaterThanOrEqual(54_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(60_000);
    expect(server.requests.every((head) => head.startsWith('GET / '))).toBe(true);
  });
}

test('a stream that does not begin within 5 s is given up', async () => {
  const server = await serveFeed(() => undefined);
  const { hub, clock, settled } = stage([{ ...pollFeed(server.url), source: { kind: 'sse', url: server.url } }]);
  hub.start();
  await until('the request', () => server.requests.length === 1, 4000, 2);
  clock.advance(5000);
  expect(await settled()).toMatchObject({ refused: { timeout: 1 } });
});

test('a server that flaps is asked again after its own retry, not more often, and the value stays', async () => {
  const { clock, server, hub, state, reconnected } = await streamed({}, (socket) => { socket.end('retry: 0\ndata: 1\n\n'); });
  const startMs = clock.nowMs();
  for (let time = 0; time < 20; time++) await reconnected();
  expect(clock.nowMs() - startMs).toBeGreaterThanOrEqual(20 * 100);
  expect(server.requests).toHaveLength(21);
  expect(hub.value(key('scores'))?.document).toBe(1);
  expect(state()).toMatchObject({ changes: 1 });
});

test('closing ends the stream at once', async () => {
  const { say, shows, hub, server } = await streamed();
  say('data: 1\n\n');
  await shows(1);
  await hub.close();
  await until('the end of the connection', () => server.open() === 0, 4000, 2);
  expect(hub.value(key('scores'))?.document).toBe(1);
});

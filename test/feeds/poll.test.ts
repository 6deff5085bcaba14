import { afterEach, expect, test } from 'bun:test';
import { brotliCompressSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { until } from '../../bench/machine/program.ts';
import { feedRefusals, type FeedRefusal } from '../../src/generate/feeds/index.ts';
import { answer, dimension, json, key, pollFeed, serveFeed, stage, strike, type Act, type FeedServer, type Stage } from './site.ts';

afterEach(strike);

const good = { sofa: 10 };
const MiB = 1024 * 1024;

test('a request is conditional once there is a value, and 304 confirms it as of when it was sent', async () => {
  const server = await serveFeed(json(good, { 'ETag': '"a"', 'Last-Modified': 'Tue, 14 Nov 2023 22:13:20 GMT' }));
  const { hub, clock, changed, settled, again } = stage([pollFeed(server.url)]);
  const startMs = clock.nowMs();
  hub.start();
  await settled();
  expect(hub.value(key('prices'))).toMatchObject({ document: good, valueTimeMs: startMs, heardMs: startMs });
  expect(server.requests[0]?.toLowerCase()).not.toContain('if-none-match');

  let sentMs = 0;
  server.act = (socket) => {
    sentMs = clock.nowMs();
    clock.advance(300); // the answer takes so long
    socket.write('HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n');
  };
  const state = await again();
  expect(server.requests[1]?.toLowerCase()).toContain('if-none-match: "a"');
  expect(server.requests[1]?.toLowerCase()).toContain('if-modified-since: tue, 14 nov 2023 22:13:20 gmt');
  expect(hub.value(key('prices'))).toMatchObject({ document: good, valueTimeMs: startMs, heardMs: sentMs });
  expect(hub.heard()).toEqual([[key('prices'), sentMs]]);
  expect(state).toMatchObject({ state: 'ok', polls: 2, changes: 1, bytes: 11 });
  expect(changed).toEqual([key('prices')]);
});

test('changes are told when the document is another one, not when it is written differently', async () => {
  const server = await serveFeed(answer('{"a":1,"b":[1,2]}'));
  const { hub, changed, settled, again } = stage([pollFeed(server.url)]);
  hub.start();
  await settled();
  server.act = answer('{ "b": [1, 2],\n "a": 1.0 }');
  await again();
  expect(changed).toHaveLength(1);
  server.act = answer('{"a":1,"b":[2,1]}');
  await again();
  expect(changed).toHaveLength(2);
  expect(hub.value(key('prices'))?.document).toEqual({ a: 1, b: [2, 1] });
});

test('a poll says what it wants, and sends the feed\'s own headers', async () => {
  const server = await serveFeed(json(good));
  const { hub, settled } = stage([pollFeed(`${server.url}/prices.json?a=1`, { headers: { authorization: 'Bearer s3cret' } })]);
  hub.start();
  await settled();
  const lines = server.requests[0]?.toLowerCase().split('\r\n') ?? [];
  expect(lines[0]).toBe('get /prices.json?a=1 http/1.1');
  expect(lines).toContain('authorization: bearer s3cret');
  expect(lines).toContain('accept-encoding: gzip, br, zstd');
  expect(lines).toContain('user-agent: foreshadow/test');
});

for (const [name, encode] of [['gzip', gzipSync], ['br', brotliCompressSync], ['zstd', zstdCompressSync]] as const) {
  test(`an answer in ${name} is decoded`, async () => {
    const server = await serveFeed(answer(encode(JSON.stringify(good)), { 'Content-Encoding': name }));
    const { hub, settled } = stage([pollFeed(server.url)]);
    hub.start();
    await settled();
    expect(hub.value(key('prices'))?.document).toEqual(good);
  });
}

/** Lets a feed do wrong after a good value, and shows that the good one stays and the reason is told. */
async function refusedAs(act: Act, over: Parameters<typeof pollFeed>[1] = {}, meanwhile: (on: Stage, server: FeedServer) => Promise<void> | void = () => undefined): Promise<{ reason: string; stood: Stage; server: FeedServer }> {
  const server = await serveFeed(json(good, { ETag: '"good"' }));
  const stood = stage([pollFeed(`${server.url}/?key=s3cret`, { headers: { 'x-secret': 's3cret' }, ...over })]);
  stood.hub.start();
  const { nextAttemptMs = 0, state } = await stood.settled();
  expect(state).toBe('ok');
  const before = stood.hub.value(key('prices'));
  server.act = act;
  stood.clock.advance(nextAttemptMs - stood.clock.nowMs());
  await until('the request', () => server.requests.length > 1, 5000, 2);
  await meanwhile(stood, server);
  const failing = await stood.settled();
  expect(stood.hub.value(key('prices'))).toEqual(before);
  expect(failing.state).toBe('failing');
  expect(failing.error).toBeString();
  expect(`${stood.lines.join('\n')} ${JSON.stringify(stood.hub.states())}`).not.toContain('s3cret');
  expect(stood.lines.filter((line) => line.includes('feed-failing'))).toHaveLength(1);
  // It comes back by itself, and with the validators of the good one.
  server.act = json({ ...good, back: true });
  expect((await stood.again()).state).toBe('ok');
  expect(server.requests.at(-1)?.toLowerCase()).toContain('if-none-match: "good"');
  const [reason = ''] = Object.keys(failing.refused);
  return { reason, stood, server };
}

const chunked = (socket: Parameters<Act>[0]): void => { socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'); };

const wrong: readonly (readonly [what: string, reason: FeedRefusal, act: Act])[] = [
  ['an error', 'status', answer('oops', {}, '503 Service Unavailable')],
  ['a good document with 404', 'status', answer('{"sofa":1}', {}, '404 Not Found')],
  ['an answer without content', 'status', answer('', {}, '204 No Content')],
  ['a page instead of JSON', 'not-json', answer('<script>alert(1)</script>')],
  ['nothing', 'not-json', answer('')],
  ['half a document', 'not-json', answer('{"sofa": 1')],
  ['JSON that is not UTF-8', 'not-json', answer(Buffer.from([0x22, 0xff, 0x22]))],
  ['65 levels', 'too-deep', answer('['.repeat(65) + ']'.repeat(65))],
  ['a million levels', 'too-deep', answer('['.repeat(1_000_000))],
  ['200,001 values', 'too-many-values', answer(`[${'0,'.repeat(199_999)}0]`)],
  ['a document of 4 MiB and a byte', 'too-large', answer(`"${'x'.repeat(4 * MiB - 1)}"`)],
  ['a gzip bomb', 'too-large', answer(gzipSync(Buffer.alloc(64 * MiB, 0x20)), { 'Content-Encoding': 'gzip' })],
  ['a brotli bomb', 'too-large', answer(brotliCompressSync(Buffer.alloc(64 * MiB, 0x20)), { 'Content-Encoding': 'br' })],
  ['a zstd bomb', 'too-large', answer(zstdCompressSync(Buffer.alloc(64 * MiB, 0x20)), { 'Content-Encoding': 'zstd' })],
  ['gzip that is none', 'coding', answer('{"sofa":1}', { 'Content-Encoding': 'gzip' })],
  ['a coding that was not asked for', 'coding', answer('{"sofa":1}', { 'Content-Encoding': 'deflate' })],
  ['one coding in another', 'coding', answer(gzipSync(gzipSync('{}')), { 'Content-Encoding': 'gzip, gzip' })],
  ['a body that ends too early', 'cut', (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"sofa":1}')],
  ['a broken chunk', 'cut', (socket) => socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n')],
];

for (const [what, reason, act] of wrong) {
  test(`${what} leaves the last good value and is told as ${reason}`, async () => {
    const refused = await refusedAs(act);
    expect(refused.reason).toBe(reason);
    // Found while decoding, not after it.
    if (what.includes('bomb')) expect(refused.stood.state().error).toBe('the decoded answer has more than 4194304 bytes');
  });
}

test('a document that does not fit the schema leaves the last good value, and the path is told', async () => {
  const schema = { type: 'object', additionalProperties: { type: 'number' } };
  const { reason, stood } = await refusedAs(json({ sofa: 1, 'a/b': 'dear' }), { schema: { ...schema, properties: { back: { type: 'boolean' } } } });
  expect(reason).toBe('schema');
  expect(stood.state().error).toBe('the document does not fit the schema, at /a~1b: Invalid input: expected number, received string');
});

test('a document without end is cut off after 4 MiB', async () => {
  let bytes = 0;
  const chunk = Buffer.from(`${(256 * 1024).toString(16)}\r\n${'1'.repeat(256 * 1024)}\r\n`);
  const { reason } = await refusedAs((socket) => {
    chunked(socket);
    const more = (): void => {
      while (!socket.destroyed && bytes < 1024 * MiB) {
        bytes += chunk.length;
        if (!socket.write(chunk)) {
          socket.once('drain', more);
          return;
        }
      }
    };
    more();
  });
  expect(reason).toBe('too-large');
  expect(bytes).toBeLessThan(64 * MiB);
});

test('a document that is announced as too large is not read', async () => {
  const { reason } = await refusedAs((socket) => { socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${1024 * MiB}\r\n\r\n{`); });
  expect(reason).toBe('too-large');
});

test('a feed that does not answer is given up after 5 s', async () => {
  const { reason, stood } = await refusedAs(() => undefined, {}, ({ clock, state }) => {
    clock.advance(4999);
    expect(state().nextAttemptMs).toBeUndefined();
    clock.advance(1);
  });
  expect(reason).toBe('timeout');
  expect(stood.state().error).toBe('no answer began within 5 s');
});

test('a document that drips in slowly is given up after 10 s', async () => {
  let drip: Parameters<Act>[0] | undefined;
  const { reason, stood } = await refusedAs((socket) => {
    drip = socket;
    chunked(socket);
  }, {}, async ({ clock, state }) => {
    await until('the head', () => !clock.isRunning(5000), 5000, 2);
    for (let second = 1; second < 10; second++) {
      await new Promise<void>((resolve) => drip?.write('1\r\n1\r\n', () => { resolve(); }));
      clock.advance(1000);
      expect(state().nextAttemptMs).toBeUndefined();
    }
    clock.advance(1000);
  });
  expect(reason).toBe('timeout');
  expect(stood.state().error).toBe('the answer was not whole within 10 s');
});

test('a redirect is never followed, not even to the same host', async () => {
  const elsewhere = await serveFeed(json({ sofa: 1 }));
  for (const target of [elsewhere.url, '/other']) {
    const { reason, server } = await refusedAs(answer('', { Location: target }, '302 Found'));
    expect(reason).toBe('redirect');
    expect(server.requests.filter((head) => head.startsWith('GET /other'))).toEqual([]);
  }
  expect(elsewhere.requests).toEqual([]);
});

test('a feed whose host is gone keeps its value, however old', async () => {
  const server = await serveFeed(json(good));
  const { hub, clock, settled, again } = stage([pollFeed(server.url)]);
  const startMs = clock.nowMs();
  hub.start();
  await settled();
  await server.close();
  for (let time = 0; time < 9; time++) expect((await again()).refused).toEqual({ unreachable: time + 1 });
  expect(clock.nowMs()).toBeGreaterThan(startMs + 60_000);
  expect(hub.value(key('prices'))).toMatchObject({ document: good, heardMs: startMs });
});

test('a feed that never had a good value says so', async () => {
  const server = await serveFeed(answer('oops', {}, '500 Internal Server Error'));
  const { hub, changed, settled } = stage([pollFeed(server.url)]);
  hub.start();
  expect(await settled()).toMatchObject({ state: 'never', error: 'the answer has status 500', heardMs: undefined, valueTimeMs: undefined, bytes: 0 });
  expect(hub.value(key('prices'))).toBeUndefined();
  expect(hub.heard()).toEqual([]);
  expect(changed).toEqual([]);
});

test('waits double while a feed fails, and Retry-After is the least', async () => {
  const server = await serveFeed(json(good));
  const { hub, clock, settled, again } = stage([pollFeed(server.url, { maxAgeMs: 3_600_000 })]);
  hub.start();
  await settled();
  server.act = answer('', {}, '500 Internal Server Error');
  const waits: number[] = [];
  for (let time = 0; time < 8; time++) waits.push(((await again()).nextAttemptMs ?? 0) - clock.nowMs());
  for (const [index, most] of [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000].entries()) {
    expect(waits[index]).toBeGreaterThanOrEqual(most * 0.9);
    expect(waits[index]).toBeLessThanOrEqual(most);
  }
  for (const [field, leastMs] of [['120', 120_000], [new Date(clock.nowMs() + 300_000).toUTCString(), 120_000], ['99999999', 600_000]] as const) {
    server.act = answer('', { 'Retry-After': field }, '503 Service Unavailable');
    const waitMs = ((await again()).nextAttemptMs ?? 0) - clock.nowMs();
    expect(waitMs).toBeGreaterThanOrEqual(leastMs);
    expect(waitMs).toBeLessThanOrEqual(600_000);
  }
});

test('by its Age an answer is older than its request, and one older than what was heard since is not taken', async () => {
  const server = await serveFeed(json(good, { Age: '30' }));
  const { hub, clock, settled, again } = stage([pollFeed(server.url)]);
  hub.start();
  await settled();
  const heardMs = clock.nowMs() - 30_000;
  expect(hub.value(key('prices'))?.heardMs).toBe(heardMs);
  server.act = json({ sofa: 9 }, { Age: '40' });
  expect(await again()).toMatchObject({ state: 'failing', refused: { outdated: 1 }, heardMs });
  expect(hub.value(key('prices'))?.document).toEqual(good);
  server.act = json(good, { Age: '40' });
  expect(await again()).toMatchObject({ state: 'ok', heardMs });
  server.act = json({ sofa: 9 }, { Age: '2' });
  expect(await again()).toMatchObject({ state: 'ok', heardMs: clock.nowMs() - 2000 });
  expect(hub.value(key('prices'))?.document).toEqual({ sofa: 9 });
});

test('a feed that flaps says so in the log at most every 10 s, and the last word is right', async () => {
  const server = await serveFeed(json(good));
  const { hub, clock, lines, settled, again } = stage([pollFeed(server.url, { everyMs: 400 })]);
  hub.start();
  await settled();
  const startMs = clock.nowMs();
  let flap = 0;
  server.act = (...call) => { (flap++ % 2 === 0 ? answer('no') : json(good))(...call); };
  while (clock.nowMs() - startMs < 30_000) await again();
  expect(flap).toBeGreaterThan(60);
  expect(lines.length).toBeGreaterThan(1);
  expect(lines.length).toBeLessThanOrEqual(4);
  server.act = json(good);
  while (clock.nowMs() - startMs < 42_000) await again();
  const [first = '', last = ''] = [lines[0], lines.at(-1)];
  expect(first).toContain('"feed-failing"');
  expect(first).toContain('"reason":"not-json"');
  expect(last).toContain('"feed-well"');
});

test('one instance for each value of the dimensions in the URL, at most 4 asked at once, and none waits for another feed', async () => {
  const held: Parameters<Act>[0][] = [];
  const slow = await serveFeed((socket) => { held.push(socket); });
  const quick = await serveFeed(json(good));
  const audiences = Array.from({ length: 10 }, (_, index) => `a${index}`);
  const recs = { ...pollFeed(`${slow.url}/recs?audience={audience}&key=s3cret`), name: 'recs', dimensions: ['audience'] };
  const { hub, settled } = stage([pollFeed(quick.url), recs], { dimensions: [dimension('audience', audiences)] });
  hub.start();
  await settled();
  await until('four requests', () => held.length >= 4, 5000, 2);
  expect(hub.states().map(({ key: name }) => String(name))).toEqual(['prices', ...audiences.map((audience) => `recs?audience=${audience}`)]);
  for (let done = 0; done < 10; done++) {
    await until('a request', () => held.length > done, 5000, 2);
    expect(held.length).toBeLessThanOrEqual(done + 4);
    const audience = /audience=(\w+)/.exec(slow.requests[done] ?? '')?.[1];
    const socket = held[done];
    if (socket) json({ audience })(socket, '');
    await until('its value', () => hub.value(key(`recs?audience=${audience}`)) !== undefined, 5000, 2);
  }
  for (const audience of audiences) expect(hub.value(key(`recs?audience=${audience}`))?.document).toEqual({ audience });
  expect(hub.states().find(({ key: name }) => name === 'recs?audience=a3')?.source).toBe(`${slow.url}/recs?audience=a3&key=…`);
});

test('all feeds together hold a bounded number of bytes; beyond, the last good values stay', async () => {
  const server = await serveFeed(answer(`"${'x'.repeat(4 * MiB - 2)}"`));
  const names = Array.from({ length: 17 }, (_, index) => `big${String(index)}`);
  const { hub, settled, again } = stage(names.map((name) => pollFeed(server.url, { name })));
  hub.start();
  for (const name of names) await settled(name);
  const full = hub.states().filter(({ refused }) => refused['memory-full']);
  expect(full).toHaveLength(1);
  expect(hub.states().reduce((sum, { bytes }) => sum + bytes, 0)).toBe(64 * MiB);
  // What becomes smaller makes room.
  server.act = json('small');
  await again(names.find((name) => name !== full[0]?.name));
  server.act = answer(`"${'x'.repeat(3 * MiB)}"`);
  expect((await again(full[0]?.name)).state).toBe('ok');
});

test('each refusal word is met by a test of feeds, or listed here', () => {
  const met = new Set<string>([...wrong.map(([, reason]) => reason), 'schema', 'timeout', 'redirect', 'unreachable', 'outdated', 'memory-full']);
  // In stream.test.ts and file.test.ts.
  expect(Object.keys(feedRefusals).filter((word) => !met.has(word))).toEqual(['silent', 'unreadable', 'type', 'too-often']);
});

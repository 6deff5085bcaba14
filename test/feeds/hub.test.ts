import { afterEach, expect, test } from 'bun:test';
import { until } from '../../bench/machine/program.ts';
import { ForeshadowError } from '../../src/kernel/index.ts';
import { answer, dimension, json, key, pollFeed, serveFeed, stage, strike, type Act } from './site.ts';

afterEach(strike);

const prices = key('prices');
const stock = key('stock');

test('a new configuration: unchanged feeds go on, new ones begin, removed ones end, and their values with them', async () => {
  const server = await serveFeed(json([1]));
  const [first, second] = [pollFeed(server.url), pollFeed(`${server.url}/stock`, { name: 'stock' })];
  const { hub, changed, settled, again } = stage([first, second]);
  hub.start();
  await settled('prices');
  await settled('stock');
  await again('prices');
  hub.configure([structuredClone(first), pollFeed(`${server.url}/new`, { name: 'new' })], []);
  expect(hub.value(stock)).toBeUndefined();
  expect(changed).toEqual([prices, stock, stock]);
  await settled('new');
  expect(hub.states().map(({ name, polls }) => [name, polls])).toEqual([['prices', 2], ['new', 1]]);
  const before = server.requests.length;
  await again('prices');
  await again('new');
  expect(server.requests.slice(before).some((head) => head.startsWith('GET /stock'))).toBe(false);
});

test('a changed feed keeps its value from the same address while it fits, and asks for it whole; another address begins anew', async () => {
  const server = await serveFeed(json({ a: 1 }, { ETag: '"a"' }));
  const feed = pollFeed(server.url);
  const { hub, changed, settled } = stage([feed]);
  hub.start();
  await settled();
  hub.configure([{ ...feed, maxAgeMs: 1, headers: { authorization: 'other' } }], []);
  expect(hub.value(prices)?.document).toEqual({ a: 1 });
  await settled();
  expect(server.requests[1]?.toLowerCase()).not.toContain('if-none-match');
  expect(changed).toHaveLength(1);
  hub.configure([{ ...feed, schema: { type: 'array' } }], []);
  expect(hub.value(prices)).toBeUndefined();
  expect(await settled()).toMatchObject({ state: 'never', refused: { schema: 1 } });
  hub.configure([feed], []);
  await settled();
  hub.configure([pollFeed(`${server.url}/other`)], []);
  expect(hub.value(prices)).toBeUndefined();
  expect(changed).toHaveLength(4);
});

test('a configuration that can not be is refused whole, and all goes on as before', async () => {
  const server = await serveFeed(json(1));
  const feed = pollFeed(server.url);
  const { hub, settled, again } = stage([feed]);
  hub.start();
  await settled();
  const many = Array.from({ length: 64 }, (_, index) => `v${index}`);
  const wide = { ...pollFeed(`${server.url}/{a}/{b}`, { name: 'wide' }), dimensions: ['a', 'b'] };
  for (const [feeds, dimensions] of [
    [[{ ...feed, schema: { type: 'nonsense' } }], []],
    [[wide], [dimension('a', many), dimension('b', many)]],
    [[wide], [dimension('a', many)]],
  ] as const) {
    expect(() => { hub.configure(feeds, dimensions); }).toThrow(ForeshadowError);
    expect((await again()).state).toBe('ok');
  }
  expect(() => { hub.configure([wide], [dimension('a', many), dimension('b', many)]); }).toThrow('more than 256 addresses');
});

test('what was written is known after a restart, while the feed is down, with its age and its validators', async () => {
  const server = await serveFeed(json({ a: 1 }, { ETag: '"a"' }));
  const feeds = [pollFeed(`${server.url}?key=s3cret`), pollFeed(`${server.url}/stock`, { name: 'stock' })];
  const before = stage(feeds);
  before.hub.start();
  await before.settled('prices');
  await before.settled('stock');
  const bytes = before.hub.snapshot();
  expect(Buffer.from(bytes).toString('latin1')).not.toContain('s3cret');
  await before.hub.close();

  server.act = answer('', {}, '503 Service Unavailable');
  const after = stage([feeds[0] ?? pollFeed(''), pollFeed(`${server.url}/elsewhere`, { name: 'stock' })]);
  after.clock.advance(-3000);
  after.hub.restore(bytes);
  expect(after.hub.value(prices)).toMatchObject({ document: { a: 1 }, heardMs: after.clock.nowMs(), valueTimeMs: after.clock.nowMs() });
  expect(after.hub.value(stock)).toBeUndefined();
  expect(after.changed).toEqual([prices]);
  after.hub.start();
  expect(await after.settled()).toMatchObject({ state: 'failing' });
  expect(server.requests.some((head) => head.startsWith('GET /?key') && head.toLowerCase().includes('if-none-match: "a"'))).toBe(true);
  expect(after.hub.value(prices)?.document).toEqual({ a: 1 });
});

test('a damaged snapshot is refused whole', async () => {
  const server = await serveFeed(json({ a: 1 }));
  const { hub, settled } = stage([pollFeed(server.url)]);
  hub.start();
  await settled();
  const bytes = hub.snapshot();
  for (let at = 0; at < bytes.length; at += 7) {
    const damaged = bytes.slice();
    damaged[at] = (damaged[at] ?? 0) ^ 1;
    expect(() => { hub.restore(damaged); }).toThrow(ForeshadowError);
  }
  hub.restore(bytes);
});

test('closing ends what is under way at once, and nothing begins after it', async () => {
  const held: Parameters<Act>[0][] = [];
  const server = await serveFeed((socket) => { held.push(socket); });
  const { hub, clock } = stage(Array.from({ length: 3 }, (_, index) => pollFeed(server.url, { name: `f${index}` })));
  hub.start();
  await until('the requests', () => held.length === 3, 5000, 2);
  await hub.close();
  await until('the end of the connections', () => server.open() === 0, 5000, 2);
  clock.advance(3_600_000);
  hub.start();
  expect(clock.running).toBe(0);
  expect(hub.states().map(({ state, refused }) => [state, refused])).toEqual([['never', {}], ['never', {}], ['never', {}]]);
});

test('whoever is told of a change and throws does no harm', async () => {
  const server = await serveFeed(json(1));
  const { hub, settled, again, lines } = stage([pollFeed(server.url)], { changed: () => { throw new Error('not mine'); } });
  hub.start();
  await settled();
  expect((await again()).state).toBe('ok');
  expect(lines.some((line) => line.includes('feed-change-failed'))).toBe(true);
});

test('a change of the clock backwards makes no value younger than it is', async () => {
  const server = await serveFeed(json(1));
  let setBackMs = 0;
  const { hub, clock, settled, again } = stage([pollFeed(server.url)]);
  const nowMs = clock.nowMs.bind(clock);
  clock.nowMs = () => nowMs() - setBackMs;
  hub.start();
  await settled();
  const { nextAttemptMs = 0 } = await settled();
  setBackMs = 3_600_000;
  clock.advance(nextAttemptMs - nowMs());
  await until('the next value', () => (hub.value(prices)?.heardMs ?? Infinity) <= clock.nowMs(), 5000, 2);
  expect(hub.value(prices)?.valueTimeMs).toBe(hub.value(prices)?.heardMs ?? 0);
  server.act = json(2);
  await again();
  expect(hub.value(prices)?.document).toBe(2);
});

test('what a feed sends after it was taken out of the configuration is too late', async () => {
  let late: Parameters<Act>[0] | undefined;
  const server = await serveFeed((socket) => { late = socket; });
  const { hub, changed } = stage([pollFeed(server.url)]);
  hub.start();
  await until('the request', () => late !== undefined, 5000, 2);
  // Its answer has been read by the machine, but not by the hub, when the configuration changes.
  if (late) json('late')(late, '');
  hub.configure([], []);
  await hub.close();
  expect(changed).toEqual([]);
  expect(hub.states()).toEqual([]);
});

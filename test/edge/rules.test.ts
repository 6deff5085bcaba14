/** An operator's word on copies, as visitors see it: purge, soft purge, hold and going back, on a real edge. */
import { afterEach, describe, expect, test } from 'bun:test';
import { until } from '../../bench/machine/program.ts';
import type { RuleTarget, ShadowRecord } from '../../src/catalog/index.ts';
import type { ResourceKey } from '../../src/kernel/index.ts';
import { Brain, feed, filling } from './brain-stand-in.ts';
import { stage, strike, type Stage } from './stage.ts';
import { ask, origin, reply, value, verdict, type Answer, type Asked } from './wire.ts';

afterEach(strike);

const config = `
feeds:
  prices: { url: "http://127.0.0.1:1/prices", maxAge: 1h }
routes:
  - match: /slotted/:id
    slots: [ { name: price, select: "#price", feed: prices, value: "/{id}", template: "{{ value }}" } ]
`;
const fields = { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'max-age=600', 'etag': '"1"' };
const slotted = '<p id="price">old</p>';
const resource = (text: string): RuleTarget => ({ kind: 'resource', resource: text as ResourceKey }); // as the site's rules make it

interface Scene extends Stage {
  readonly brain: Brain;
  readonly asked: readonly Asked[];
  readonly stop: () => void;
  readonly get: (path: string) => Promise<Answer>;
  readonly obey: () => Promise<void>;
}

/** The origin says who it is; `captures` are asked for once, so that the edge alone has them. */
async function scene(put: (brain: Brain) => readonly ShadowRecord[], captures: readonly string[] = []): Promise<Scene> {
  const brain = await Brain.open();
  const site = await origin((asked, socket) => { socket.write(reply(`live ${asked.target}`, ['Cache-Control: max-age=600', 'Content-Type: text/html', 'Cache-Tag: captured, c1'])); });
  const started = await stage(site.url, config, brain);
  await brain.publish({ put: put(brain), fill: [filling({ id: '/slotted/:id#price?id=1', feed: 'prices', texts: ['€1'] })], heard: [[feed('prices'), Date.now()]] });
  await started.edge.pull();
  const get = (path: string): Promise<Answer> => ask(started.url, `GET ${path}`);
  for (const path of captures) await get(path);
  if (captures.length > 0) await started.kept(captures.length);
  // Requests that were sent in the same millisecond as an order are bound by it.
  await Bun.sleep(2);
  return { ...started, brain, asked: site.asked, stop: site.stop, get, obey: () => started.edge.pull() };
}

const source = async (answer: Promise<Answer>): Promise<string> => verdict(await answer).split(' ')[0] ?? '';

describe('a purge', () => {
  test('is in force on everything an edge has: published, captured, in memory, on disk, put together; by resource, pattern, tag and site', async () => {
    const bulk = 2_000;
    const { brain, get, obey, edge, stop } = await scene((made) => [
      ...Array.from({ length: bulk }, (_, n) => made.record(`/bulk/${n}`, 'bulk', { ...fields, 'surrogate-key': `bulk b${n % 10}` })),
      made.record('/one', 'one', fields), made.record('/two', 'two', fields), made.record('/slotted/1', slotted, fields),
    ], ['/captured', '/kept']);
    expect((await get('/slotted/1')).body.toString()).toBe('<p id="price">€1</p>');
    for (const path of ['/bulk/1', '/one', '/captured']) expect([path, await source(get(path))]).toEqual([path, 'shadow']);
    stop();

    await brain.order('purge', { kind: 'tag', tag: 'b1' });
    await obey();
    // The first was in memory, the second has never been asked for.
    for (const path of ['/bulk/1', '/bulk/11']) expect([path, (await get(path)).status]).toEqual([path, 503]);
    expect(await source(get('/bulk/2'))).toBe('shadow');
    await brain.order('purge', { kind: 'pattern', pattern: '/bulk/**' });
    await brain.order('purge', resource('/one'));
    await obey();
    for (const path of ['/bulk/2', '/one']) expect([path, (await get(path)).status]).toEqual([path, 503]);
    for (const path of ['/two', '/captured', '/slotted/1']) expect([path, await source(get(path))]).toEqual([path, 'shadow']);
    await brain.order('purge', { kind: 'tag', tag: 'captured' });
    await obey();
    for (const path of ['/captured', '/kept']) expect([path, (await get(path)).status]).toEqual([path, 503]);
    await brain.order('purge', { kind: 'site' });
    await obey();
    for (const path of ['/two', '/slotted/1']) expect([path, (await get(path)).status]).toEqual([path, 503]);
    await until('the store is swept', () => edge.figures().local.records === 0);
  }, 30_000);

  test('is in force before anything is removed', async () => {
    const bulk = 5_000;
    const { brain, get, edge, stop } = await scene((made) => Array.from({ length: bulk }, (_, n) => made.record(`/bulk/${n}`, 'bulk', fields)));
    const some = Array.from({ length: 20 }, (_, n) => `/bulk/${n * 250}`);
    // Half of them in memory.
    for (const path of some.slice(10)) expect(await source(get(path))).toBe('shadow');
    stop();
    await brain.order('purge', { kind: 'pattern', pattern: '/bulk/*' });
    const pulled = edge.pull();
    await until('the order is in force', async () => (await get('/bulk/0')).status === 503, 10_000, 1);
    const statuses = await Promise.all(some.map(async (path) => (await get(path)).status));
    const left = edge.figures().local.records;
    expect([...new Set(statuses)]).toEqual([503]);
    expect(left).toBeGreaterThan(0);
    await pulled;
    await until('the store is swept', () => edge.figures().local.records === 0);
  }, 30_000);

  test('lets what is asked for after it be kept, by whoever', async () => {
    const { brain, get, obey, asked, kept } = await scene((made) => [made.record('/one', 'one', fields)], ['/captured']);
    await brain.order('purge', { kind: 'site' });
    await obey();
    await Bun.sleep(2);
    expect((await get('/captured')).body.toString()).toBe('live /captured');
    await kept(2);
    const before = asked.length;
    expect(await source(get('/captured'))).toBe('shadow');
    await brain.publish({ put: [brain.record('/one', 'one again', fields)] });
    await obey();
    expect((await get('/one')).body.toString()).toBe('one again');
    expect(asked.length).toBe(before);
  });

  test('leaves a copy alone that was published with it or since, though the origin gave it long ago', async () => {
    const { brain, get, obey, stop } = await scene((made) => [made.record('/one', 'wrong', fields)]);
    await brain.publish({ rules: [{ version: 0, atMs: Date.now(), target: { kind: 'site' }, effect: 'purge', untilMs: Date.now() + 60_000 }] });
    await Bun.sleep(2);
    await brain.publish({ put: [brain.record('/one', 'right', fields)] });
    await obey();
    stop();
    expect((await get('/one')).body.toString()).toBe('right');
  });
});

test('a soft purge makes copies stale: the origin is asked while it answers, and in an outage they are there', async () => {
  const { brain, get, obey, stop, asked } = await scene((made) => [made.record('/one', 'one', fields), made.record('/two', 'two', fields)]);
  expect(await source(get('/one'))).toBe('shadow');
  await brain.order('soft-purge', resource('/one'));
  await brain.order('soft-purge', resource('/two'));
  await obey();
  expect((await get('/one')).body.toString()).toBe('live /one');
  expect(asked.map((one) => value(one, 'if-none-match'))).toEqual(['"1"']);
  // The new copy is good again.
  await until('the new copy answers', async () => await source(get('/one')) === 'shadow');
  stop();
  const old = await get('/two');
  expect([old.body.toString(), await source(Promise.resolve(old))]).toEqual(['two', expect.stringMatching(/shadow|rescue/)]);
});

test('what is held is not replaced by what passes by', async () => {
  const { brain, get, obey, stop } = await scene((made) => [made.record('/one', 'right', { ...fields, 'cache-control': 'max-age=0' })]);
  await brain.order('hold', resource('/one'));
  await obey();
  expect((await get('/one')).body.toString()).toBe('live /one');
  stop();
  await until('the outage is noticed', async () => (await get('/one')).body.toString() === 'right');
  expect((await get('/one')).body.toString()).toBe('right');
});

test('going back brings the old copy, though newer ones are published and captured, and lets other pages be', async () => {
  const { brain, get, obey, stop, kept } = await scene((made) => [made.record('/one', 'good', fields), made.record('/two', 'good', { ...fields, 'cache-control': 'max-age=0' }), made.record('/three', 'good', fields)]);
  await brain.publish({ put: [brain.record('/one', 'bad', fields), brain.record('/three', 'newer', fields), brain.record('/new', 'bad', fields)] });
  await obey();
  expect((await get('/one')).body.toString()).toBe('bad');
  expect((await get('/two')).body.toString()).toBe('live /two');
  await kept(1);
  await Bun.sleep(2);
  await brain.rollback(1, { only: (name) => name !== '/three' });
  await obey();
  stop();
  for (const [path, body] of [['/one', 'good'], ['/two', 'good'], ['/three', 'newer']] as const) expect([path, (await get(path)).body.toString()]).toEqual([path, body]);
  expect((await get('/new')).status).toBe(503);
});

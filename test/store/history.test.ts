/** Days of versions on a manual clock: what is kept can be gone back to, nothing else takes space, whoever lags catches up, and death or damage at any moment lose nothing. */
import { expect, test } from 'bun:test';
import { Catalog, type CatalogChange, CatalogReader, noChange, type ShadowRecord, shadowId } from '../../src/catalog/index.ts';
import type { FeedKey, Filling, FillingId } from '../../src/compose/types.ts';
import { ManualClock, type Random, seededRandom, silentLog } from '../../src/kernel/index.ts';
import { MemoryDisk } from './memory-disk.ts';
import { sampleRecord } from './sample-record.ts';

const seed = 20_261_124;
const dirs = ['/a/catalog', '/b/catalog'];
const minuteMs = 60_000;
const limits = { keepVersions: 10, keepForMs: 180 * minuteMs };

export interface State {
  readonly records: ReadonlyMap<string, ShadowRecord>;
  readonly fillings: ReadonlyMap<FillingId, Filling>;
}

/** For what is done in the background: on a disk in memory publishing alone would leave it none. */
const room = async (): Promise<void> => { for (let n = 0; n < 4; n++) await new Promise((resolve) => { setImmediate(resolve); }); };

const filling = (n: number, text: string): Filling => ({
  id: `/products/:id#price?id=${n}` as FillingId, feed: `feed${n % 3}` as FeedKey, maxAgeMs: minuteMs, valueTimeMs: 1, // tests make keys by hand
  versions: [{ text, profile: n % 2 === 0 ? new Map([['books', 0.5]]) : undefined }], fallback: undefined, version: 0,
});

function randomChange(random: Random, round: number, fat: string): CatalogChange {
  const some = (count: number): number[] => Array.from({ length: random.below(count + 1) }, () => random.below(60));
  return {
    ...noChange,
    put: some(3).map((n) => ({ ...sampleRecord(n), body: sampleRecord(random.below(500)).body, headers: [['x-round', `${round}${fat}`] as const] })),
    remove: some(2).map((n) => shadowId(sampleRecord(n))),
    fill: some(3).map((n) => filling(n, `${round}`)),
    unfill: some(1).map((n) => filling(n, '').id),
    heard: [[`feed${round % 3}` as FeedKey, round]], // as above
  };
}

const stateOf = (catalog: Catalog): State => ({
  records: new Map([...catalog.records()].map((record) => [shadowId(record), record])),
  fillings: new Map([...catalog.fillings()].map((one) => [one.id, one])),
});

const sorted = <K, V>(map: ReadonlyMap<K, V>): [K, V][] => [...map].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
function expectSame(actual: State, expected: State | undefined): void {
  expect(sorted(actual.records)).toEqual(sorted(expected?.records ?? new Map()));
  expect(sorted(actual.fillings)).toEqual(sorted(expected?.fillings ?? new Map()));
}

async function expectHistory(catalog: Catalog, states: ReadonlyMap<number, State>): Promise<void> {
  const bodies = new Set<string>();
  for (const { version, records } of catalog.versions()) {
    const state = await catalog.stateAt(version);
    expectSame(state, states.get(version));
    expect(state.records.size).toBe(records);
    for (const record of state.records.values()) bodies.add(record.body);
  }
  expect([...catalog.liveBlobs()].map(String).sort()).toEqual([...bodies].sort());
}

/** The last `keepVersions`, and one for each ten minutes of the time that is kept. */
function expectPoints(catalog: Catalog, times: readonly number[], nowMs: number): void {
  const kept = catalog.versions();
  for (let back = 0; back < Math.min(limits.keepVersions, times.length - 1); back++) expect(kept.at(-1 - back)?.version).toBe(catalog.head() - back);
  const buckets = (list: readonly number[]): number[] => [...new Set(list.map((ms) => Math.floor(ms / (10 * minuteMs))))].sort((a, b) => a - b);
  const wanted = buckets(times.filter((ms) => ms > nowMs - limits.keepForMs));
  expect(buckets(kept.map((info) => info.publishedAtMs))).toEqual(expect.arrayContaining(wanted));
  // Twice the whole versions while thinning waits, one for each ten minutes, and the boundaries of full versions.
  expect(kept.length).toBeLessThanOrEqual(2 * limits.keepVersions + wanted.length + 8);
}

test('two days of versions: what is kept is as it was, files and bodies stay few, and laggards catch up', async () => {
  const random = seededRandom(seed);
  const clock = new ManualClock();
  const disk = new MemoryDisk();
  let catalog = await Catalog.open({ dirs, clock, log: silentLog, disk, ...limits });
  const states = new Map<number, State>();
  const times: number[] = [];
  const follower = { applied: 0, records: new Map<string, ShadowRecord>(), fillings: new Map<FillingId, Filling>(), fulls: 0 };
  const follow = async (): Promise<void> => {
    for await (const delta of new CatalogReader({ dirs, log: silentLog, disk }).since(follower.applied)) {
      if (delta.full) {
        follower.records.clear();
        follower.fillings.clear();
        follower.fulls += 1;
      }
      for (const id of delta.remove) follower.records.delete(id);
      for (const id of delta.unfill) follower.fillings.delete(id);
      for (const record of delta.put) follower.records.set(shadowId(record), record);
      for (const one of delta.fill) follower.fillings.set(one.id, one);
      follower.applied = delta.version;
    }
    expect(follower.applied).toBe(catalog.head());
    expectSame(follower, stateOf(catalog));
  };
  for (let version = 0; version < 2500; version++) {
    clock.advance(random.below(2 * minuteMs) + 1);
    await catalog.publish(version, randomChange(random, version, 'x'.repeat(random.below(900))));
    states.set(version + 1, stateOf(catalog));
    times.push(clock.nowMs());
    await room();
    if (random.below(40) === 0) await follow();
    if (random.below(200) === 0) {
      await catalog.close();
      expectPoints(catalog, times, clock.nowMs());
      await expectHistory(catalog, states);
      const before = catalog.versions();
      catalog = await Catalog.open({ dirs, clock, log: silentLog, disk, ...limits });
      expect(catalog.versions().map(({ version: kept }) => kept)).toEqual(before.map(({ version: kept }) => kept));
      await expectHistory(catalog, states);
    }
  }
  await follow();
  // The first time, and wherever a lag was longer than what is kept.
  expect(follower.fulls).toBeLessThanOrEqual(3);
  await catalog.close();
  const names = [...disk.files.keys()].filter((path) => path.startsWith('/a/'));
  expect(names.filter((name) => name.endsWith('.span')).length).toBeGreaterThan(5);
  expect(names.length).toBeLessThan(120);
  expect(catalog.counters()).toMatchObject({ corrupt: 0, folderFailures: 0 });
}, 60_000);

test('a process that dies after any single change of a file loses nothing that was published, and no kept version', async () => {
  const random = seededRandom(seed + 1);
  const clock = new ManualClock();
  const disk = new MemoryDisk();
  const catalog = await Catalog.open({ dirs, clock, log: silentLog, disk, ...limits });
  const states = new Map<number, State>([[0, { records: new Map(), fillings: new Map() }]]);
  const deaths: { readonly files: ReadonlyMap<string, Uint8Array>; readonly promised: number; readonly atMs: number }[] = [];
  disk.changed = () => { if (random.below(10) === 0) deaths.push({ files: new Map(disk.files), promised: catalog.head(), atMs: clock.nowMs() }); };
  for (let version = 0; version < 120; version++) {
    clock.advance(random.below(5 * minuteMs) + 1);
    // Fat, so that full versions are written too.
    await catalog.publish(version, randomChange(random, version, 'x'.repeat(20_000)));
    states.set(version + 1, stateOf(catalog));
  }
  await catalog.close();
  expect([...disk.files.keys()].some((name) => name.endsWith('.full'))).toBe(true);
  expect(deaths.length).toBeGreaterThan(50);
  for (const { files, promised, atMs } of deaths) {
    await using again = await Catalog.open({ dirs, clock: new ManualClock(atMs), log: silentLog, disk: new MemoryDisk(files), ...limits });
    expect(again.head()).toBeGreaterThanOrEqual(promised);
    expect(again.head()).toBeLessThanOrEqual(promised + 1);
    expectSame(stateOf(again), states.get(again.head()));
    await expectHistory(again, states);
  }
}, 60_000);

test('a damaged span is replaced from another directory; damaged in all, what came after a full version is still there', async () => {
  const random = seededRandom(seed + 2);
  const clock = new ManualClock();
  const disk = new MemoryDisk();
  const catalog = await Catalog.open({ dirs, clock, log: silentLog, disk, ...limits });
  const states = new Map<number, State>();
  for (let version = 0; version < 120; version++) {
    clock.advance(3 * minuteMs);
    await catalog.publish(version, randomChange(random, version, 'x'.repeat(30_000)));
    states.set(version + 1, stateOf(catalog));
  }
  await catalog.close();
  const spans = [...disk.files.keys()].filter((name) => name.endsWith('.span') && name.startsWith('/a/'));
  expect(spans.length).toBeGreaterThan(3);
  const damage = (path: string): void => { disk.files.set(path, Buffer.from(disk.files.get(path) ?? []).fill(0, 40, 60)); };
  for (const path of spans) damage(path);
  await using mended = await Catalog.open({ dirs, clock, log: silentLog, disk, ...limits });
  expect(mended.counters()).toMatchObject({ corrupt: spans.length, replaced: spans.length });
  await expectHistory(mended, states);
  expect(mended.versions()).toEqual(catalog.versions());
  const [first = ''] = spans;
  for (const path of [first, first.replace('/a/', '/b/')]) damage(path);
  await using after = await Catalog.open({ dirs, clock, log: silentLog, disk, ...limits });
  expect(after.head()).toBe(120);
  expect(after.versions().length).toBeLessThan(mended.versions().length);
  await expectHistory(after, states);
}, 60_000);

test('bodies and files for old versions alone stay within their bound; the oldest versions go first', async () => {
  const clock = new ManualClock();
  const disk = new MemoryDisk();
  await using catalog = await Catalog.open({ dirs, clock, log: silentLog, disk, ...limits, historyBytesMax: 60_000 });
  for (let version = 0; version < 60; version++) {
    clock.advance(5 * minuteMs);
    // Each version retires a body of 5,000 bytes.
    await catalog.publish(version, { ...noChange, put: [sampleRecord(1, { body: sampleRecord(version).body, bodyBytes: 5000 })] });
  }
  await catalog.close();
  expect(catalog.head()).toBe(60);
  const kept = catalog.versions();
  expect(kept.at(-1)?.version).toBe(60);
  // What was published since the last thinning comes on top.
  expect(catalog.liveBlobs().size).toBeLessThanOrEqual(12 + limits.keepVersions);
  expect(catalog.liveBlobs().size).toBeGreaterThan(8);
});

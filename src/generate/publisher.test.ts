import { expect, test } from 'bun:test';
import type { CatalogChange, ShadowRecord } from '../catalog/index.ts';
import type { FeedKey, Filling, FillingId } from '../compose/types.ts';
import { createLog, ManualClock, silentLog, systemClock, type BlobDigest, type ResourceKey, type VariationKey } from '../kernel/index.ts';
import { openMemoryStore } from '../store/index.ts';
import { Holdings } from './holdings.ts';
import { Publisher, type CatalogWriter } from './publisher.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function recordOf(resource: string, body: BlobDigest, bodyBytes: number, responseTimeMs = 1000): ShadowRecord {
  return {
    resource: resource as ResourceKey, variation: '' as VariationKey, vary: [], status: 200, headers: [], body, bodyBytes, // spelled as their makers would
    requestTimeMs: responseTimeMs, responseTimeMs, madeBy: 'generate', version: 0,
  };
}

function setUp(failing = { times: 0 }) {
  const blobs = openMemoryStore();
  const holdings = new Holdings([]);
  const waiting = new Set<BlobDigest>();
  const published: { put: number; remove: readonly string[] }[] = [];
  const versions: number[] = [];
  const events: string[] = [];
  const catalog: CatalogWriter = {
    head: () => published.length,
    get: () => undefined, rules: () => [], liveBlobs: () => new Set(),
    async publish(base, change) {
      const { put, remove } = change;
      if (failing.times-- > 0) throw new Error('disk full');
      published.push({ put: put.length, remove });
      return { ...change, version: base + 1, publishedAtMs: 0, full: false, put: put.map((record) => ({ ...record, version: base + 1 })) };
    },
  };
  const log = createLog({ clock: systemClock, level: 'error', write: (line) => events.push(line) });
  const clock = new ManualClock();
  const publisher = new Publisher({ catalog, blobs, holdings, clock, log: failing.times > 0 ? log : silentLog, onPublished: (version) => versions.push(version), renewalsMs: 10_000, waiting: () => waiting });
  const keep = (resource: string, text: string, atMs = 1000): Promise<ShadowRecord> => publisher.writing(async (put) => {
    const record = recordOf(resource, await put(bytes(text)), text.length, atMs);
    publisher.put(record);
    return record;
  });
  return { clock, waiting, blobs, holdings, published, versions, events, publisher, keep };
}

test('a batch is one version; nothing pending is none', async () => {
  const { publisher, keep, versions, published, holdings } = setUp();
  await publisher.publish();
  await keep('/a', 'one');
  await keep('/a', 'two', 2000);
  const b = await keep('/b', 'three');
  await publisher.publish();
  publisher.remove(b);
  await publisher.publish();
  await publisher.publish();
  expect(versions).toEqual([1, 2]);
  expect(published).toEqual([{ put: 2, remove: [] }, { put: 0, remove: ['/b\n'] }]);
  expect([...holdings.all()].map((record) => [record.resource, record.version])).toEqual([['/a' as ResourceKey, 1]]);
});

test('an older answer that comes late does not replace a newer', async () => {
  const { keep, holdings } = setUp();
  await keep('/a', 'new', 2000);
  await keep('/a', 'old', 1000);
  expect([...holdings.all()].map((record) => record.responseTimeMs)).toEqual([2000]);
});

test('what could not be published goes with the next, and newer word wins', async () => {
  const { publisher, keep, published, versions, events, clock } = setUp({ times: 1 });
  const a = await keep('/a', 'one');
  await keep('/b', 'two');
  const failed = publisher.publish();
  publisher.remove(a);
  await failed;
  expect(publisher.failures).toBe(1);
  expect(events[0]).toContain('disk full');
  expect(publisher.pending).toBe(2);
  expect(publisher.resting).toBe(true);
  clock.advance(2000);
  expect(publisher.resting).toBe(false);
  await publisher.publish();
  expect(versions).toEqual([1]);
  expect(published).toEqual([{ put: 1, remove: ['/a\n'] }]);
});

test('copies that only grew younger wait for others; what is new, changed or gone does not', async () => {
  const { publisher, keep, published, clock } = setUp();
  const due = async (): Promise<number> => {
    await publisher.publishDue();
    return published.length;
  };
  await keep('/a', 'one');
  await keep('/b', 'two');
  expect(await due()).toBe(1);
  const a = await keep('/a', 'one', 2000);
  expect(await due()).toBe(1);
  clock.advance(9000);
  await keep('/b', 'two', 11_000);
  expect(await due()).toBe(1);
  clock.advance(1000);
  expect(await due()).toBe(2);
  expect(published[1]).toEqual({ put: 2, remove: [] });
  await keep('/b', 'two', 12_000);
  await keep('/a', 'changed', 12_000);
  expect(await due()).toBe(3);
  expect(published[2]).toEqual({ put: 2, remove: [] });
  await keep('/b', 'two', 13_000);
  publisher.put({ ...a, status: 404, responseTimeMs: 13_000 });
  expect(await due()).toBe(4);
  await keep('/b', 'two', 14_000);
  publisher.remove(a);
  expect(await due()).toBe(5);
  clock.advance(60_000);
  expect(await due()).toBe(5);
});

test('collection frees what no copy uses and never what is being written', async () => {
  const { publisher, keep, blobs, holdings } = setUp();
  await keep('/a', 'one', 1000);
  await keep('/a', 'two', 2000);
  await keep('/b', 'shared');
  await keep('/c', 'shared');
  expect(holdings.bytes).toBe(9);
  const [freed] = await Promise.all([publisher.collect(), keep('/d', 'late'), keep('/e', 'later')]);
  expect(freed).toEqual({ blobs: 1, bytes: 3 });
  for (const record of holdings.all()) expect(await blobs.has(record.body)).toBe(true);
  expect(holdings.records).toBe(5);
});

test('a version waits for what is being made to fill its pages, and says which feeds were heard', async () => {
  const filling = (id: string, text: string): Filling => ({ id: id as FillingId, feed: 'prices' as FeedKey, maxAgeMs: 1000, valueTimeMs: 1, versions: [{ text, profile: undefined }], fallback: undefined, version: 0 }); // spelled as their makers would
  const changes: CatalogChange[] = [];
  const told: unknown[] = [];
  const failing = { times: 0 };
  const holdings = new Holdings([]);
  const wanted: string[] = [];
  const clock = new ManualClock();
  const publisher: Publisher = new Publisher({
    blobs: openMemoryStore(), holdings, clock, log: silentLog, onPublished: () => undefined, renewalsMs: 10_000, waiting: () => [],
    catalog: {
      head: () => changes.length, liveBlobs: () => new Set(), get: () => undefined, rules: () => [],
      async publish(base, change) {
        if (failing.times-- > 0) throw new Error('disk full');
        changes.push(change);
        return { ...change, version: base + 1, publishedAtMs: 0, full: false };
      },
    },
    slots: {
      want: (resource) => { wanted.push(`+${resource}`); }, unwant: (resource) => { wanted.push(`-${resource}`); }, handAgain: () => undefined,
      async finish() { if (changes.length === 0) publisher.fill(filling('/a#price', '10')); },
      heard: () => [['prices' as FeedKey, 5]], published: (heard) => { told.push(heard); },
    },
  });
  const record = recordOf('/a', 'x' as BlobDigest, 1); // no body is read here
  publisher.put(record);
  await publisher.publish();
  expect(changes.map(({ put, fill, heard }) => [put.length, ...fill.map(({ id }) => String(id)), ...heard.map(([feed, heardMs]) => `${feed} ${heardMs}`)])).toEqual([[1, '/a#price', 'prices 5']]);

  failing.times = 1;
  publisher.fill(filling('/a#price', '11'));
  publisher.unfill('/b#price' as FillingId);
  await publisher.publishFillings(200); // a version was made a moment ago
  expect([changes.length, failing.times]).toEqual([1, 1]);
  clock.advance(200);
  await publisher.publishFillings(200);
  expect([changes.length, told.length, [...publisher.unpublishedFeeds()]]).toEqual([1, 1, ['prices' as FeedKey]]);
  clock.advance(200);
  await publisher.publishFillings(200); // storage failed a moment ago: it is left in peace
  expect(changes.length).toBe(1);
  publisher.fill(filling('/a#price', '12'));
  publisher.remove(record);
  await publisher.publish();
  expect(changes.slice(1).map(({ fill, unfill, remove }) => [fill.map(({ versions }) => versions[0]?.text), unfill, remove])).toEqual([[['12'], ['/b#price'], ['/a\n']]]);
  expect([wanted, [...publisher.unpublishedFeeds()], told.length]).toEqual([['+/a', '-/a'], [], 2]);
});

test('what a rule keeps out of a version is not held either: there is what the catalog has', async () => {
  const { publisher, keep, holdings } = setUp();
  const rolledBack = recordOf('/held', 'a'.repeat(64) as BlobDigest, 3); // spelled as a digest is
  let refused = true;
  const catalog: CatalogWriter = {
    head: () => 0, get: (id) => (id === '/held\n' ? rolledBack : undefined), rules: () => [], liveBlobs: () => new Set(),
    publish: (base, change) => Promise.resolve({ ...change, version: base + 1, publishedAtMs: 0, full: false, put: refused ? [] : change.put }),
  };
  const strict = new Publisher({ catalog, blobs: openMemoryStore(), holdings, clock: new ManualClock(), log: silentLog, onPublished: () => undefined, renewalsMs: 10_000, waiting: () => [] });
  strict.put(recordOf('/held', 'b'.repeat(64) as BlobDigest, 3, 5000)); // as above
  strict.put(recordOf('/purged', 'c'.repeat(64) as BlobDigest, 3, 5000)); // as above
  await strict.publish();
  expect([...holdings.all()]).toEqual([rolledBack]);
  refused = false;
  await keep('/other', 'text');
  await publisher.publish();
  expect([...holdings.all()].map(({ resource }) => String(resource))).toEqual(['/held', '/other']);
});

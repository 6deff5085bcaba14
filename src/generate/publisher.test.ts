import { expect, test } from 'bun:test';
import type { ShadowRecord } from '../catalog/index.ts';
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
    liveBlobs: () => new Set(),
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

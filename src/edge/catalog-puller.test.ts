/** The puller with the real catalog, local store and copies. */
import { afterEach, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Catalog, CatalogReader, type CatalogRule, noChange, type ShadowRecord, shadowId } from '../catalog/index.ts';
import type { FeedKey, Filling, FillingId } from '../compose/index.ts';
import { type BlobDigest, ManualClock, silentLog } from '../kernel/index.ts';
import { digestOf, type LocalStore, openLocalStore } from '../store/index.ts';
import { sampleBody, sampleRecord } from '../../test/store/sample-record.ts';
import { TemporaryFolders } from '../../test/store/temporary-folder.ts';
import { CatalogPuller, type PullerOptions } from './catalog-puller.ts';
import { Copies } from './copies.ts';

const temporary = new TemporaryFolders();
const cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  temporary.remove();
});

interface Scene {
  readonly clock: ManualClock;
  readonly catalog: Catalog;
  readonly local: LocalStore;
  readonly puller: CatalogPuller;
  readonly filled: FillingId[];
  readonly heard: (readonly [FeedKey, number])[];
  readonly missing: ShadowRecord[];
}

const bodies = new Map<BlobDigest, Uint8Array>(Array.from({ length: 100 }, (_, n) => [digestOf(sampleBody(n)), sampleBody(n)]));

async function open(changes: (scene: Scene) => Partial<PullerOptions> = () => ({})): Promise<Scene> {
  const clock = new ManualClock(2e12);
  const dirs = [temporary.make()];
  const catalog = await Catalog.open({ dirs, clock, log: silentLog });
  const local = openLocalStore({ path: temporary.make(), clock, log: silentLog, limits: { variantsPerVariation: 8, storageBytes: 1 << 28 } });
  const lists = { filled: [] as FillingId[], heard: [] as (readonly [FeedKey, number])[], missing: [] as ShadowRecord[] };
  const copies = new Copies(local, { memoryCacheBytes: 1 << 20, variantsPerVariation: 8 });
  const options = {
    reader: new CatalogReader({ dirs, log: silentLog }), bodies: { get: (digest: BlobDigest) => Promise.resolve(bodies.get(digest)) }, local, copies, log: silentLog, ruled: () => undefined,
    missing: (records: readonly ShadowRecord[]) => { lists.missing.push(...records); },
    filled: (ids: readonly FillingId[]) => { lists.filled.push(...ids); },
    heard: (pairs: Iterable<readonly [FeedKey, number]>) => { lists.heard.push(...pairs); },
  };
  const scene = { clock, catalog, local, ...lists };
  const whole: Scene = { ...scene, puller: new CatalogPuller({ ...options, ...changes({ ...scene, puller: new CatalogPuller(options) }) }) };
  cleanUps.push(async () => {
    await whole.puller.close();
    await local.close();
    await catalog.close();
  });
  return whole;
}

const id = (n: number): FillingId => `r#s?id=${n}` as FillingId; // tests make names by hand
const feed = 'prices' as FeedKey; // as above
const filling = (n: number, text = ''): Filling => ({ id: id(n), feed, maxAgeMs: 1000, valueTimeMs: 1, versions: [{ text, profile: undefined }], fallback: undefined, version: 0 });
const rule = (clock: ManualClock, changes: Partial<CatalogRule> = {}): CatalogRule => ({ version: 0, atMs: clock.nowMs(), target: { kind: 'site' }, effect: 'purge', untilMs: clock.nowMs() + 1e9, ...changes });
const idsOf = (local: LocalStore): FillingId[] => [...local.fillings()].map((one) => one.id).sort();

test('brings fillings, times and rules, tells of them, and drops what a full catalog does not list', async () => {
  const { catalog, local, puller, filled, heard, clock } = await open();
  await local.putFillings([filling(90)]);
  await catalog.publish(0, { ...noChange, fill: [filling(1), filling(2)], heard: [[feed, 7]], rules: [rule(clock, { effect: 'hold' })] });
  await puller.pull();
  expect([idsOf(local), [...local.heard()], local.rules().length]).toEqual([[id(1), id(2)], [[feed, 7]], 1]);
  expect([[...filled].sort(), heard]).toEqual([[id(1), id(2), id(90)], [[feed, 7]]]);
  filled.length = 0;
  await catalog.publish(1, { ...noChange, fill: [filling(2, 'new')], unfill: [id(1)] });
  await puller.pull();
  expect([filled, local.filling(id(1)), local.filling(id(2))?.versions[0]?.text, local.appliedVersion()]).toEqual([[id(2), id(1)], undefined, 'new', 2]);
});

test('coded bodies come with their record; one that can not be had costs its coding alone', async () => {
  const { catalog, local, puller, missing } = await open();
  const coded = (n: number): { coding: 'br'; body: BlobDigest; bodyBytes: number } => ({ coding: 'br', body: sampleRecord(n).body, bodyBytes: 200 });
  await catalog.publish(0, { ...noChange, put: [sampleRecord(1, { codings: [coded(50)] }), sampleRecord(2, { codings: [coded(5000)] })] });
  await puller.pull();
  expect([local.hasBody(coded(50).body), local.hasBody(coded(5000).body), local.stats().records, missing.length]).toEqual([true, false, 2, 0]);
});

test('copies of one small version come together, though their bodies come one after the other', async () => {
  const counts: number[] = [];
  let before: Promise<unknown> = Promise.resolve();
  const { catalog, puller, local } = await open((scene) => ({
    bodies: {
      get(digest) {
        before = before.then(async () => {
          // What was put when the body before this one came is written when this is.
          await new Promise((resolve) => { setImmediate(resolve); });
          await scene.local.setAppliedVersion(0);
          counts.push(scene.local.stats().records);
        });
        return before.then(() => bodies.get(digest));
      },
    },
  }));
  await catalog.publish(0, { ...noChange, put: Array.from({ length: 5 }, (_, n) => sampleRecord(n)) });
  await puller.pull();
  expect([counts, local.stats().records]).toEqual([[0, 0, 0, 0, 0], 5]);
});

test('an order that is published while a large version is applied is in force before that is done', async () => {
  const order: { ruledAfter?: number } = {};
  let fetched = 0;
  const { catalog, puller, clock, local } = await open((scene) => ({
    bodies: {
      async get(digest) {
        fetched += 1;
        if (fetched === 10) {
          await scene.catalog.publish(1, { ...noChange, rules: [rule(scene.clock, { effect: 'soft-purge' })] });
          void puller.pull();
        }
        return bodies.get(digest);
      },
    },
    ruled: () => { order.ruledAfter ??= fetched; },
  }));
  await catalog.publish(0, { ...noChange, put: Array.from({ length: 100 }, (_, n) => sampleRecord(n)) });
  await puller.pull();
  expect(order.ruledAfter).toBeLessThan(70);
  expect([fetched, local.appliedVersion(), local.rules().length]).toEqual([100, 2, 1]);
  clock.advance(2e9);
  await catalog.publish(2, { ...noChange, put: [sampleRecord(1)] });
  await puller.pull();
  expect(local.rules()).toEqual([]);
});

test('orders that were given while the edge was away are in force before it answers', async () => {
  const ruled: CatalogRule[][] = [];
  const { catalog, local, puller, clock } = await open(() => ({ ruled: (rules) => { ruled.push([...rules]); } }));
  await catalog.publish(0, { ...noChange, put: [sampleRecord(1)] });
  await puller.pull();
  await catalog.publish(1, { ...noChange, put: [sampleRecord(2)], rules: [rule(clock)] });
  await puller.ruleFirst();
  expect([local.rules().length, ruled.length, local.appliedVersion(), local.stats().records]).toEqual([1, 1, 1, 1]);
  await puller.pull();
  expect([local.rules().length, ruled.length, local.appliedVersion(), local.stats().records]).toEqual([1, 1, 2, 0]);
});

test('after going back, the catalog and every edge say of the chosen resources what the old version said, whatever edges had captured', async () => {
  const step = fc.record({
    put: fc.array(fc.record({ n: fc.nat(9), body: fc.nat(99) }), { maxLength: 4 }), remove: fc.array(fc.nat(9), { maxLength: 2 }),
    capture: fc.array(fc.record({ n: fc.nat(9), body: fc.nat(99) }), { maxLength: 2 }), pulls: fc.boolean(),
  });
  await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 8 }), fc.nat(), fc.nat(3), async (steps, pick, chosen) => {
    const { catalog, local, puller, clock } = await open();
    const made = (n: number, body: number, version: number): ShadowRecord =>
      sampleRecord(n, { body: sampleRecord(body).body, version, requestTimeMs: clock.nowMs(), responseTimeMs: clock.nowMs() });
    for (const [version, { put, remove, capture, pulls }] of steps.entries()) {
      clock.advance(10);
      await catalog.publish(version, { ...noChange, put: put.map(({ n, body }) => made(n, body, 0)), remove: remove.map((n) => shadowId(sampleRecord(n))) });
      if (pulls) await puller.pull();
      clock.advance(10);
      for (const { n, body } of capture) await local.put(made(n, body, 0), sampleBody(body));
    }
    const to = 1 + (pick % steps.length);
    const only = (record: Pick<ShadowRecord, 'resource'>): boolean => chosen === 0 || Number(record.resource.slice('/products/'.length)) % (chosen + 1) === 0;
    const then = (await catalog.stateAt(to)).records;
    const before = new Map([...catalog.records()].map((record) => [shadowId(record), record]));
    clock.advance(10);
    await catalog.rollback(catalog.head(), to, chosen === 0 ? {} : { only: (resource) => only({ resource }) });
    await puller.pull();
    // Captures that nothing published replaces are swept in the background; here at once.
    await local.removeMatching((record) => record.version === 0 && only(record));
    for (let n = 0; n < 10; n++) {
      const sample = sampleRecord(n);
      const expected = (only(sample) ? then : before).get(shadowId(sample));
      expect(catalog.get(shadowId(sample))?.body).toEqual(expected?.body);
      if (!only(sample)) continue;
      const [there] = local.records(sample.resource, sample.variation);
      expect([there?.body, there?.responseTimeMs]).toEqual([expected?.body, expected?.responseTimeMs]);
    }
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
    temporary.remove();
  }), { seed: 5, numRuns: 40 });
}, 30_000);

import { afterEach, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { ForeshadowError, ManualClock, silentLog, type ResourceKey, type VariationKey } from '../../kernel/index.ts';
import type { ShadowRecord } from '../../catalog/index.ts';
import { sampleBody, sampleRecord } from '../../../test/store/sample-record.ts';
import { TemporaryFolders } from '../../../test/store/temporary-folder.ts';
import { digestOf, type LocalStore } from '../index.ts';
import { openLocalBodies, openLocalStore } from './index.ts';

const temporary = new TemporaryFolders();
const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]();
  temporary.remove();
});

const clock = new ManualClock();
function open(path: string, limits: { variantsPerVariation?: number; storageBytes?: number } = {}): LocalStore {
  const store = openLocalStore({ path, limits: { variantsPerVariation: 8, storageBytes: 1 << 30, ...limits }, clock, log: silentLog });
  opened.push(store);
  return store;
}

const putSample = (store: LocalStore, n: number, changes: Partial<ShadowRecord> = {}): Promise<void> => store.put(sampleRecord(n, changes), sampleBody(n));
const resource = (text: string): ResourceKey => text as ResourceKey; // tests make keys by hand
const variation = (text: string): VariationKey => text as VariationKey; // tests make keys by hand
const found = (store: LocalStore, n: number): readonly ShadowRecord[] => store.records(sampleRecord(n).resource, sampleRecord(n).variation);
const big = (n: number, bytes: number): { record: ShadowRecord; body: Uint8Array } => {
  const body = sampleBody(n, bytes);
  return { record: sampleRecord(n, { body: digestOf(body), bodyBytes: body.byteLength }), body };
};

describe('records and bodies', () => {
  test('what was put is there at once, whole, and again after a restart', async () => {
    const path = temporary.make();
    const store = open(path);
    const odd = sampleRecord(1, { vary: [['accept-encoding', 'gzip']], headers: [['x-odd', 'ü\u2028"\n'], ['set', ''], ['set', 'b']] });
    await store.put(odd, sampleBody(1));
    await putSample(store, 2);
    await store.setAppliedVersion(17);
    for (const restart of [false, true]) {
      if (restart) await store.close();
      const one = restart ? open(path) : store;
      expect(found(one, 1)).toEqual([odd]);
      expect(found(one, 2)).toEqual([sampleRecord(2)]);
      expect(Buffer.from(one.body(odd.body) ?? [])).toEqual(Buffer.from(sampleBody(1)));
      expect(one.hasBody(odd.body)).toBe(true);
      expect(one.appliedVersion()).toBe(17);
      expect(one.stats()).toMatchObject({ records: 2, bodies: 2, corrupt: 0 });
    }
  });

  test('nothing is found of what was never put', () => {
    const store = open(temporary.make());
    expect(found(store, 1)).toEqual([]);
    expect(store.variations(resource('/products/1'))).toEqual([]);
    expect(store.body(sampleRecord(1).body)).toBeUndefined();
    expect(store.appliedVersion()).toBe(0);
  });

  test('lists the variations of one resource and of no other, whatever their length', async () => {
    const store = open(temporary.make());
    const long = resource(`/long?${'q'.repeat(9000)}`);
    for (const name of ['', 'device=mobile', 'device=desktop']) {
      await putSample(store, 1, { variation: variation(name) });
      await putSample(store, 1, { resource: long, variation: variation(name) });
    }
    await putSample(store, 10);
    expect([...store.variations(resource('/products/1'))].sort()).toEqual(['', 'device=desktop', 'device=mobile'].map(variation));
    expect(store.variations(long)).toHaveLength(3);
    expect(store.records(long, variation('device=mobile'))).toHaveLength(1);
  });

  test('a newer copy replaces an older one of the same identity, never the other way round', async () => {
    const store = open(temporary.make());
    await putSample(store, 1, { responseTimeMs: 100, status: 200 });
    await putSample(store, 1, { responseTimeMs: 200, status: 404 });
    await putSample(store, 1, { responseTimeMs: 150, status: 500 });
    expect(found(store, 1).map((record) => record.status)).toEqual([404]);
    await putSample(store, 1, { responseTimeMs: 200, status: 410 });
    expect(found(store, 1).map((record) => record.status)).toEqual([410]);
  });

  test('keeps as many copies of a variation as allowed, the newest', async () => {
    const store = open(temporary.make(), { variantsPerVariation: 3 });
    for (const n of [3, 1, 5, 2, 4]) await putSample(store, 7, { vary: [['accept-encoding', `v${n}`]], responseTimeMs: n });
    expect(found(store, 7).map((record) => record.responseTimeMs).sort()).toEqual([3, 4, 5]);
    expect(store.stats().records).toBe(3);
  });

  test('removes one copy, or all of a resource, and the bodies nobody else uses', async () => {
    const store = open(temporary.make());
    const shared = { body: sampleRecord(1).body, bodyBytes: sampleRecord(1).bodyBytes };
    await putSample(store, 1);
    await store.put(sampleRecord(3, shared), undefined);
    await store.put(sampleRecord(3, { ...shared, vary: [['x', '1']] }), undefined);
    await store.remove(sampleRecord(3).resource, sampleRecord(3).variation, []);
    expect(found(store, 3).map((record) => record.vary)).toEqual([[['x', '1']]]);
    await store.removeResource(sampleRecord(1).resource);
    expect(found(store, 1)).toEqual([]);
    expect(store.hasBody(shared.body)).toBe(true);
    await store.removeResource(sampleRecord(3).resource);
    expect(store.hasBody(shared.body)).toBe(false);
    expect(store.stats()).toMatchObject({ records: 0, bodies: 0 });
  });

  test('a body that one change frees and the next uses again stays', async () => {
    const store = open(temporary.make());
    await putSample(store, 1);
    const { body, bodyBytes } = sampleRecord(1);
    await Promise.all([store.removeResource(sampleRecord(1).resource), store.put(sampleRecord(2, { body, bodyBytes }), sampleBody(1))]);
    expect(Buffer.from(store.body(body) ?? [])).toEqual(Buffer.from(sampleBody(1)));
  });

  test('many puts at once all arrive', async () => {
    const store = open(temporary.make());
    await Promise.all(Array.from({ length: 1000 }, (_, n) => putSample(store, n)));
    for (let n = 0; n < 1000; n++) {
      expect(found(store, n)).toHaveLength(1);
      expect(store.body(sampleRecord(n).body)?.byteLength).toBe(200);
    }
  });
});

test('after a full catalog, its copies that are listed no more go; captures stay', async () => {
  const store = open(temporary.make());
  await Promise.all(Array.from({ length: 600 }, (_, n) => putSample(store, n, { version: n % 3 === 0 ? 0 : 4 })));
  const gone = await store.removeUnlisted((id) => Number(/\d+/.exec(id)?.[0]) % 2 === 0);
  expect(gone).toBe(200);
  for (let n = 0; n < 600; n++) expect(found(store, n)).toHaveLength(n % 3 === 0 || n % 2 === 0 ? 1 : 0);
});

test('a directory that is deleted under the store is an error of puts, never a crash', async () => {
  const path = temporary.make();
  const store = open(path);
  await putSample(store, 1);
  rmSync(path, { recursive: true });
  const error: unknown = await putSample(store, 2).catch((thrown: unknown) => thrown);
  expect(error instanceof ForeshadowError && error.code).toBe('storage-failed');
  expect(found(store, 1)).toHaveLength(1);
});

describe('bounded disk', () => {
  test('the oldest captures go first, the catalog\'s copies never', async () => {
    const store = open(temporary.make(), { storageBytes: 2_000_000 });
    for (let n = 0; n < 20; n++) {
      const { record, body } = big(n, 20_000);
      await store.put({ ...record, version: 3 }, body);
    }
    for (let n = 100; n < 300; n++) {
      const { record, body } = big(n, 20_000);
      await store.put(record, body);
    }
    for (let n = 0; n < 20; n++) expect(store.body(big(n, 20_000).record.body)).toBeDefined();
    const captured = Array.from({ length: 200 }, (_, n) => found(store, 100 + n).length);
    expect(captured.indexOf(1)).toBeGreaterThan(100);
    expect(captured.slice(captured.indexOf(1)).every((count) => count === 1)).toBe(true);
    expect(store.stats().bytes).toBeLessThan(2_200_000);
  });

  test('a newer capture of the catalog\'s copy is as safe', async () => {
    const store = open(temporary.make(), { storageBytes: 2_000_000 });
    const { record, body } = big(1, 20_000);
    await store.put({ ...record, version: 3 }, body);
    await store.put({ ...record, responseTimeMs: record.responseTimeMs + 1 }, body);
    for (let n = 100; n < 300; n++) await store.put(big(n, 20_000).record, big(n, 20_000).body);
    expect(found(store, 1)).toHaveLength(1);
    expect(store.body(record.body)).toBeDefined();
  });

  test('space of replaced bodies is used again, and everything is there after a restart', async () => {
    const path = temporary.make();
    const store = open(path, { storageBytes: 4_000_000 });
    for (let round = 0; round < 20; round++) {
      for (let n = 0; n < 30; n++) {
        const body = sampleBody(n, 20_000 + round);
        await store.put(sampleRecord(n, { body: digestOf(body), bodyBytes: body.byteLength, version: round + 1, responseTimeMs: round }), body);
      }
    }
    expect(store.stats().bytes).toBeLessThan(2_500_000);
    await store.close();
    const again = open(path, { storageBytes: 4_000_000 });
    for (let n = 0; n < 30; n++) expect(again.body(digestOf(sampleBody(n, 20_019)))?.byteLength).toBe(20_019);
    expect(again.stats()).toMatchObject({ records: 30, bodies: 30, corrupt: 0 });
  });
});

describe('a second reader', () => {
  test('sees bodies while the edge has the store open, and from before it existed', async () => {
    const path = temporary.make();
    const bodies = openLocalBodies(path);
    opened.push(bodies);
    expect(bodies.body(sampleRecord(1).body)).toBeUndefined();
    const store = open(path);
    await putSample(store, 1);
    await Bun.sleep(0);
    expect(Buffer.from(bodies.body(sampleRecord(1).body) ?? [])).toEqual(Buffer.from(sampleBody(1)));
  });
});

describe('damage', () => {
  const fill = async (path: string): Promise<void> => {
    const store = open(path);
    for (let n = 0; n < 50; n++) await putSample(store, n);
    await store.close();
  };

  test('a body with a flipped bit is not returned, counted, forgotten, and can be put again', async () => {
    const path = temporary.make();
    await fill(path);
    const file = `${path}/bodies/${readdirSync(`${path}/bodies`)[0]}`;
    const bytes = readFileSync(file);
    bytes[bytes.indexOf('Product 7<')] = 0;
    writeFileSync(file, bytes);
    const store = open(path);
    const { body } = sampleRecord(7);
    expect(store.body(body)).toBeUndefined();
    expect(store.stats().corrupt).toBe(1);
    expect(store.body(sampleRecord(8).body)).toBeDefined();
    await putSample(store, 7);
    expect(Buffer.from(store.body(body) ?? [])).toEqual(Buffer.from(sampleBody(7)));
  });

  const damages: Record<string, (bytes: Buffer) => Buffer> = {
    'a foreign file': () => Buffer.alloc(30_000, 'not a database '),
    'a short file': () => Buffer.from('hello'),
    'a truncated file': (bytes) => bytes.subarray(0, 20_480),
    'zeros': (bytes) => Buffer.alloc(bytes.byteLength),
    'a bit flipped in the middle': (bytes) => {
      bytes[bytes.byteLength >> 1] = (bytes[bytes.byteLength >> 1] ?? 0) ^ 4;
      return bytes;
    },
  };
  for (const [name, damage] of Object.entries(damages)) {
    test(`${name} in place of the index is moved aside, and an empty store takes its place`, async () => {
      const path = temporary.make();
      await fill(path);
      const file = `${path}/index/data.mdb`;
      writeFileSync(file, damage(readFileSync(file)));
      const store = open(path);
      expect(store.stats()).toMatchObject({ records: 0, bodies: 0, corrupt: 1 });
      expect(readdirSync(path).filter((one) => one.startsWith('index.corrupt-'))).toHaveLength(1);
      await putSample(store, 3);
      expect(store.body(sampleRecord(3).body)).toBeDefined();
    });
  }

  test('an index whose opening ended the process twice is moved aside at the third attempt; once is forgiven', async () => {
    const path = temporary.make();
    await fill(path);
    writeFileSync(`${path}/index.opening`, '1');
    const forgiven = open(path);
    expect(forgiven.stats().corrupt).toBe(0);
    await forgiven.close();
    expect(readdirSync(path)).not.toContain('index.opening');
    writeFileSync(`${path}/index.opening`, '2');
    expect(open(path).stats()).toMatchObject({ records: 0, corrupt: 1 });
    expect(readdirSync(path)).not.toContain('index.opening');
  });

  test('a directory that can not be one is a clear error', () => {
    const file = `${temporary.make()}/file`;
    writeFileSync(file, '');
    expect(() => open(`${file}/below`)).toThrow(ForeshadowError);
  });
});

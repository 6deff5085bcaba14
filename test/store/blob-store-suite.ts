/** What every blob store must do, whatever it is made of. `open` gives an empty store; `reopen`, where there is one, closes and opens it again. */
import { afterEach, expect, test } from 'bun:test';
import fc from 'fast-check';
import { seededRandom, type BlobDigest } from '../../src/kernel/index.ts';
import { digestOf, type BlobStore } from '../../src/store/index.ts';

export interface StoreFactory {
  open(): Promise<BlobStore>;
  reopen?(store: BlobStore): Promise<BlobStore>;
  cleanUp(): Promise<void>;
}

function randomBytes(seed: number, length: number): Uint8Array {
  const random = seededRandom(seed);
  return Uint8Array.from({ length }, () => random.below(256));
}

const utf8 = (text: string): Uint8Array => Buffer.from(text);

export function blobStoreSuite(name: string, factory: StoreFactory): void {
  let store: BlobStore | undefined;
  const fresh = async (): Promise<BlobStore> => {
    store = await factory.open();
    return store;
  };
  afterEach(async () => {
    await store?.close();
    store = undefined;
    await factory.cleanUp();
  });

  test(`${name}: gives back what was put, under its SHA-256`, async () => {
    const blobs = await fresh();
    const digest = await blobs.put(utf8('abc'));
    // FIPS 180-4's own example.
    expect<string>(digest).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(Buffer.from((await blobs.get(digest)) ?? []).toString()).toBe('abc');
    expect(await blobs.has(digest)).toBe(true);
  });

  test(`${name}: knows nothing of what was never put`, async () => {
    const blobs = await fresh();
    const digest = digestOf(utf8('never'));
    expect(await blobs.get(digest)).toBeUndefined();
    expect(await blobs.has(digest)).toBe(false);
  });

  test(`${name}: keeps the empty body and bodies of odd lengths`, async () => {
    const blobs = await fresh();
    for (const length of [0, 1, 7, 8, 9, 63, 4095, 4097, 300_001]) {
      const bytes = randomBytes(length, length);
      const digest = await blobs.put(bytes);
      expect(Buffer.compare((await blobs.get(digest)) ?? utf8('absent'), bytes)).toBe(0);
    }
  });

  test(`${name}: keeps one copy of equal bodies, also when they are put together`, async () => {
    const blobs = await fresh();
    const digests = await Promise.all(Array.from({ length: 20 }, () => blobs.put(utf8('same'))));
    expect(new Set(digests).size).toBe(1);
    await blobs.put(utf8('same'));
    const stats = await blobs.stats();
    expect([stats.blobs, stats.bytes]).toEqual([1, 4]);
  });

  test(`${name}: a caller's later change of its buffer does not change what is kept`, async () => {
    const blobs = await fresh();
    const mine = Buffer.from('before');
    const digest = await blobs.put(mine);
    mine.write('after!');
    expect(Buffer.from((await blobs.get(digest)) ?? []).toString()).toBe('before');
  });

  test(`${name}: lists digests in order, page by page, each once`, async () => {
    const blobs = await fresh();
    const put = await Promise.all(Array.from({ length: 257 }, (_, n) => blobs.put(utf8(`body ${n}`))));
    const listed: BlobDigest[] = [];
    for (let cursor: BlobDigest | undefined; ; ) {
      const page = await blobs.list(cursor, 10);
      expect(page.length).toBeLessThanOrEqual(10);
      if (page.length === 0) break;
      listed.push(...page);
      cursor = page.at(-1);
    }
    expect(listed).toEqual([...put].sort());
    expect(await blobs.list(undefined, 1000)).toEqual([...put].sort());
  });

  test(`${name}: collect forgets exactly what is not live, and says how much`, async () => {
    const blobs = await fresh();
    const live = await Promise.all(Array.from({ length: 20 }, (_, n) => blobs.put(utf8(`live ${n}`))));
    const dead = await Promise.all(Array.from({ length: 30 }, (_, n) => blobs.put(utf8(`dead ${n + 10}`))));
    expect(await blobs.collect(new Set(live))).toEqual({ blobs: 30, bytes: 30 * 7 });
    for (const digest of live) expect(await blobs.has(digest)).toBe(true);
    for (const digest of dead) {
      expect(await blobs.has(digest)).toBe(false);
      expect(await blobs.get(digest)).toBeUndefined();
    }
    expect(await blobs.collect(new Set(live))).toEqual({ blobs: 0, bytes: 0 });
    expect((await blobs.stats()).blobs).toBe(20);
  });

  test(`${name}: what was collected can be put again`, async () => {
    const blobs = await fresh();
    const digest = await blobs.put(utf8('back'));
    await blobs.collect(new Set());
    expect(await blobs.has(digest)).toBe(false);
    await blobs.put(utf8('back'));
    expect(Buffer.from((await blobs.get(digest)) ?? []).toString()).toBe('back');
  });

  test(`${name}: puts, syncs and reads from many callers at once`, async () => {
    const blobs = await fresh();
    await Promise.all(Array.from({ length: 50 }, async (_, caller) => {
      const bytes = randomBytes(caller, 1000 + caller);
      const digest = await blobs.put(bytes);
      await blobs.sync();
      expect(Buffer.compare((await blobs.get(digest)) ?? utf8(''), bytes)).toBe(0);
    }));
  });

  test(`${name}: any order of puts, syncs, collections and restarts keeps what is live`, async () => {
    const step = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), body: fc.nat(40) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('sync' as const) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('collect' as const), keep: fc.nat(3) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
    );
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      let blobs = await fresh();
      const model = new Map<BlobDigest, Uint8Array>();
      for (const one of steps) {
        if (one.do === 'put') {
          const bytes = randomBytes(one.body, one.body * 37);
          model.set(await blobs.put(bytes), bytes);
        } else if (one.do === 'sync') {
          await blobs.sync();
        } else if (one.do === 'collect') {
          const live = new Set([...model.keys()].filter((_, n) => n % 4 > one.keep));
          for (const digest of model.keys()) if (!live.has(digest)) model.delete(digest);
          await blobs.collect(live);
        } else if (factory.reopen) {
          blobs = await factory.reopen(blobs);
          store = blobs;
        }
        expect(await blobs.list(undefined, 1000)).toEqual([...model.keys()].sort());
      }
      for (const [digest, bytes] of model) expect(Buffer.compare((await blobs.get(digest)) ?? utf8('absent'), bytes)).toBe(0);
      await blobs.close();
      await factory.cleanUp();
    }), { seed: 20_261_123, numRuns: 25 });
  });
}

/** Disks that fill up, turn read-only, vanish, lie or rot, under the replicated store. */
import { afterEach, describe, expect, test } from 'bun:test';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { type BlobDigest, ForeshadowError, ManualClock, seededRandom, silentLog } from '../../src/kernel/index.ts';
import { type BlobStore, digestOf, openVolumes } from '../../src/store/index.ts';
import { FaultyDisk } from './faulty-disk.ts';
import { sampleBody } from './sample-record.ts';
import { TemporaryFolders } from './temporary-folder.ts';

const temporary = new TemporaryFolders();
const opened: BlobStore[] = [];
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close().catch(() => undefined);
  temporary.remove();
});

const clock = new ManualClock();
async function open(paths: readonly string[], options: { copies?: number; disk?: FaultyDisk; site?: string } = {}): Promise<BlobStore> {
  const store = await openVolumes({ paths, site: 'test', clock, log: silentLog, limits: { segmentBytes: 8192, retryAfterMs: 1000 }, ...options });
  opened.push(store);
  return store;
}

function volumes(count: number): string[] {
  const folder = temporary.make();
  return Array.from({ length: count }, (_, n) => `${folder}/v${n}`);
}

async function fill(store: BlobStore, count: number, from = 0): Promise<BlobDigest[]> {
  const digests = await Promise.all(Array.from({ length: count }, (_, n) => store.put(sampleBody(from + n))));
  await store.sync();
  return digests;
}

async function expectAll(store: BlobStore, digests: readonly BlobDigest[], from = 0): Promise<void> {
  for (const [n, digest] of digests.entries()) {
    expect(Buffer.from((await store.get(digest)) ?? [])).toEqual(Buffer.from(sampleBody(from + n)));
  }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => 'no error', (error: unknown) => (error instanceof ForeshadowError ? error.code : String(error)));
}

const states = async (store: BlobStore): Promise<string[]> => (await store.stats()).volumes.map((volume) => volume.state);

describe('one volume fails', () => {
  for (const [name, operations, code] of [
    ['is full', ['write'], 'ENOSPC'],
    ['is read-only', ['write', 'name', 'sync'], 'EROFS'],
    ['may not be written any more', ['name'], 'EACCES'],
    ['can not be flushed', ['sync'], 'EIO'],
  ] as const) {
    test(`${name}: writes go to the others, nothing is lost, and it is used again once it works`, async () => {
      const paths = volumes(3);
      const disk = new FaultyDisk();
      const store = await open(paths, { disk });
      const before = await fill(store, 40);
      disk.break(paths[1] ?? '', operations, code);
      const during = await fill(store, 140, 1000);
      expect(await states(store)).toEqual(['ok', 'degraded', 'ok']);
      expect((await store.stats()).volumes[1]?.error).toBeDefined();
      await expectAll(store, before);
      await expectAll(store, during, 1000);
      disk.mend();
      clock.advance(1001);
      await fill(store, 10, 200);
      expect(await states(store)).toEqual(['ok', 'ok', 'ok']);
      // Two copies each: any one volume may go.
      await store.close();
      rmSync(paths[0] ?? '', { recursive: true });
      const again = await open(paths);
      await expectAll(again, before);
      await expectAll(again, during, 1000);
    });
  }

  test('vanishes: reads go on from the others, and it comes back with what it had', async () => {
    const paths = volumes(2);
    const store = await open(paths);
    const digests = await fill(store, 40);
    await store.close();
    const again = await open(paths);
    renameSync(paths[0] ?? '', `${paths[0]}-gone`);
    await expectAll(again, digests);
    expect(await states(again)).toEqual(['failed', 'ok']);
    const alone = await fill(again, 5, 300);
    await expectAll(again, alone, 300);
    // An empty directory in its place (a disk that is not mounted) is not taken for it.
    mkdirSync(paths[0] ?? '');
    clock.advance(1001);
    expect(await states(again)).toEqual(['failed', 'ok']);
    rmSync(paths[0] ?? '', { recursive: true });
    renameSync(`${paths[0]}-gone`, paths[0] ?? '');
    clock.advance(1001);
    expect(await states(again)).toEqual(['ok', 'ok']);
    await fill(again, 5, 400);
    expect((await again.stats()).corrupt).toBe(0);
  });

  test('was not there at the start: it joins later with what it has', async () => {
    const paths = volumes(2);
    const store = await open(paths);
    const digests = await fill(store, 20);
    await store.close();
    const disk = new FaultyDisk();
    disk.break(paths[0] ?? '', ['read', 'write', 'name', 'sync'], 'EIO');
    const again = await open(paths, { disk });
    expect(await states(again)).toEqual(['failed', 'ok']);
    await expectAll(again, digests);
    disk.mend();
    clock.advance(1001);
    expect(await states(again)).toEqual(['ok', 'ok']);
    disk.break(paths[1] ?? '', ['read'], 'EIO');
    await expectAll(again, digests);
  });
});

describe('no volume is left', () => {
  test('a full disk is storage-full with a hint; reads go on; writes work again when there is room', async () => {
    const paths = volumes(2);
    const disk = new FaultyDisk();
    const store = await open(paths, { disk });
    const digests = await fill(store, 10);
    disk.fault = (operation) => (operation === 'write' ? 'ENOSPC' : undefined);
    const error: unknown = await store.put(sampleBody(99)).catch((thrown: unknown) => thrown);
    expect(error instanceof ForeshadowError && [error.code, error.source, error.retry, error.hint.length > 10]).toEqual(['storage-full', 'storage', true, true]);
    await expectAll(store, digests);
    disk.mend();
    clock.advance(1001);
    await expectAll(store, await fill(store, 3, 500), 500);
  });

  test('a flush that fails everywhere is an error, never silence', async () => {
    const paths = volumes(2);
    const disk = new FaultyDisk();
    const store = await open(paths, { disk });
    await store.put(sampleBody(1));
    disk.fault = (operation) => (operation === 'sync' ? 'EIO' : undefined);
    expect(await codeOf(store.sync())).toBe('storage-failed');
    disk.mend();
    clock.advance(1001);
    const digest = await store.put(sampleBody(1));
    await store.sync();
    expect(await store.has(digest)).toBe(true);
  });

  test('nothing usable at the start is storage-failed', async () => {
    const disk = new FaultyDisk();
    disk.fault = () => 'EIO';
    expect(await codeOf(open(volumes(2), { disk }))).toBe('storage-failed');
  });
});

describe('identity', () => {
  const identityOf = (path: string): string => `${path}/volume.json`;

  test('a volume of another site, another store or a newer format is refused', async () => {
    const paths = volumes(2);
    await (await open(paths)).close();
    expect(await codeOf(open(paths, { site: 'other' }))).toBe('storage-failed');
    const elsewhere = volumes(1);
    await (await open(elsewhere)).close();
    expect(await codeOf(open([...paths, ...elsewhere]))).toBe('storage-failed');
    const [first = ''] = paths;
    const text = readFileSync(identityOf(first), 'utf8');
    writeFileSync(identityOf(first), text.replace('"format":1', '"format":2'));
    expect(await codeOf(open(paths))).toBe('storage-failed');
  });

  test('a damaged identity is set aside and made again, and the bodies are still there', async () => {
    const paths = volumes(2);
    const store = await open(paths);
    const digests = await fill(store, 10);
    await store.close();
    const [first = ''] = paths;
    for (const [n, bad] of ['{', '{"format":1}', '', 'no JSON at all'].entries()) {
      writeFileSync(identityOf(first), bad);
      clock.advance(1);
      const again = await open(paths);
      await expectAll(again, digests);
      expect(await states(again)).toEqual(['ok', 'ok']);
      await again.close();
      expect(readdirSync(first).filter((name) => name.includes('.damaged-'))).toHaveLength(n + 1);
    }
  });

  test('a directory with something else in it is refused, and left as it is', async () => {
    const [path = ''] = volumes(1);
    mkdirSync(path);
    writeFileSync(`${path}/holiday.jpg`, 'x');
    expect(await codeOf(open([path]))).toBe('storage-failed');
    expect(readdirSync(path)).toEqual(['holiday.jpg']);
  });

  test('an empty directory joins a store', async () => {
    const paths = volumes(3);
    const store = await open(paths.slice(0, 2));
    const digests = await fill(store, 10);
    await store.close();
    const more = await open(paths);
    await expectAll(more, digests);
    await fill(more, 30, 100);
    expect((await more.stats()).volumes[2]?.bytes).toBeGreaterThan(0);
  });
});

describe('rot', () => {
  const segmentsOf = (path: string): string[] => readdirSync(`${path}/blobs`).filter((name) => name.endsWith('.seg')).map((name) => `${path}/blobs/${name}`);

  test('a corrupt copy is not returned, is counted, and is replaced', async () => {
    const paths = volumes(2);
    const store = await open(paths);
    const digests = await fill(store, 20);
    for (const file of segmentsOf(paths[0] ?? '')) {
      const bytes = readFileSync(file);
      for (let at = 90; at < bytes.byteLength; at += 256) bytes[at] = (bytes[at] ?? 0) ^ 1;
      writeFileSync(file, bytes);
    }
    await expectAll(store, digests);
    const { corrupt, repaired } = await store.stats();
    expect(corrupt).toBeGreaterThan(3);
    expect(repaired).toBe(corrupt);
    // The repaired copies stand on their own; the others were read from the good volume first, and nobody has met their corrupt copies yet.
    await store.close();
    const alone = await open(paths.slice(0, 1));
    const there = await Promise.all(digests.map((digest) => alone.get(digest)));
    expect(there.filter((bytes) => bytes !== undefined).length).toBe(repaired);
    expect((await alone.stats()).corrupt).toBe(digests.length - repaired);
  });

  test('corrupt on every volume is absent, and can be put again', async () => {
    const paths = volumes(2);
    const store = await open(paths);
    const [digest] = await fill(store, 1);
    for (const path of paths) {
      for (const file of segmentsOf(path)) writeFileSync(file, readFileSync(file).fill(0));
    }
    expect(await store.get(digest ?? digestOf(new Uint8Array()))).toBeUndefined();
    expect((await store.stats()).corrupt).toBe(2);
    await expectAll(store, await fill(store, 1));
  });

  test('random bit flips, cuts and lost files: no wrong byte, and what one good copy is left of is found', async () => {
    const random = seededRandom(20_261_123);
    for (let round = 0; round < 40; round++) {
      const paths = volumes(2);
      const store = await open(paths);
      const digests = await fill(store, 60);
      await store.close();
      // Only one volume is damaged, so that everything must be found on the other.
      const victim = paths[random.below(2)] ?? '';
      for (const name of readdirSync(`${victim}/blobs`)) {
        const file = `${victim}/blobs/${name}`;
        const bytes = readFileSync(file);
        const kind = random.below(6);
        if (kind === 0) rmSync(file);
        else if (kind === 1) writeFileSync(file, bytes.subarray(0, random.below(bytes.byteLength)));
        else if (kind === 2) writeFileSync(file, Buffer.concat([bytes, bytes.subarray(0, random.below(bytes.byteLength))]));
        else if (kind < 5) {
          for (let flips = 1 + random.below(20); flips > 0; flips--) {
            const at = random.below(bytes.byteLength);
            bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
          }
          writeFileSync(file, bytes);
        }
      }
      const again = await open(paths);
      await expectAll(again, digests);
      await expectAll(again, await fill(again, 20, 900), 900);
      await again.close();
      temporary.remove();
    }
  });

  test('a torn tail costs only what was torn', async () => {
    const [path = ''] = volumes(1);
    const store = await open([path]);
    const digests = await fill(store, 30);
    await store.close();
    const last = segmentsOf(path).sort().at(-1) ?? '';
    writeFileSync(last, readFileSync(last).subarray(0, -30));
    const again = await open([path]);
    const there = await Promise.all(digests.map((digest) => again.has(digest)));
    expect(there.filter(Boolean).length).toBe(29);
    await expectAll(again, await fill(again, 30));
  });
});

describe('cost', () => {
  test('many callers share a flush', async () => {
    const disk = new FaultyDisk();
    const store = await open(volumes(2), { disk });
    await fill(store, 1);
    const before = disk.syncs;
    await Promise.all(Array.from({ length: 100 }, async (_, n) => {
      await store.put(sampleBody(n, 50));
      await store.sync();
    }));
    expect(disk.syncs - before).toBeLessThan(40);
  });

  test('reads go on while segments are rewritten under them', async () => {
    const paths = volumes(2);
    const store = await open(paths);
    const digests = await fill(store, 300);
    const live = digests.filter((_, n) => n % 4 === 0);
    let collecting = true;
    let reads = 0;
    const readers = Array.from({ length: 8 }, async (_, reader) => {
      for (let n = reader; collecting || reads < 100; n = (n + 3) % live.length) {
        expect((await store.get(live[n] ?? digestOf(new Uint8Array())))?.byteLength).toBe(200);
        reads += 1;
      }
    });
    await store.collect(new Set(live));
    collecting = false;
    await Promise.all(readers);
    expect(await store.stats()).toMatchObject({ blobs: live.length, corrupt: 0, repaired: 0 });
  });

  test('collecting gives the disk its space back', async () => {
    const paths = volumes(2);
    const store = await open(paths);
    const digests = await fill(store, 400);
    const used = async (): Promise<number> => (await store.stats()).volumes.reduce((sum, volume) => sum + volume.bytes, 0);
    const before = await used();
    await store.collect(new Set(digests.slice(0, 40)));
    expect(await used()).toBeLessThan(before / 3);
    await expectAll(store, digests.slice(0, 40));
    await store.close();
    const again = await open(paths);
    expect((await again.stats()).blobs).toBe(40);
    await expectAll(again, digests.slice(0, 40));
  });
});

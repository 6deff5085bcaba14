/** Random damage to catalog and local-store files, from a seed: nothing may crash, and nothing that is returned may differ from what was written. */
import { afterEach, expect, test } from 'bun:test';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Catalog, CatalogReader, type ShadowRecord, noChange, shadowId } from '../../src/catalog/index.ts';
import { ForeshadowError, ManualClock, type Random, seededRandom, silentLog } from '../../src/kernel/index.ts';
import { openLocalStore } from '../../src/store/index.ts';
import { FaultyDisk } from './faulty-disk.ts';
import { sampleBody, sampleRecord } from './sample-record.ts';
import { TemporaryFolders } from './temporary-folder.ts';

const temporary = new TemporaryFolders();
afterEach(() => { temporary.remove(); });

const clock = new ManualClock();
const seed = 20_261_123;
const keepVersions = 6;

function damage(random: Random, file: string): void {
  const bytes = readFileSync(file);
  const kind = random.below(5);
  if (kind === 0) rmSync(file);
  else if (kind === 1) writeFileSync(file, bytes.subarray(0, random.below(bytes.byteLength)));
  else if (kind === 2) writeFileSync(file, Buffer.concat([bytes, bytes.subarray(0, random.below(bytes.byteLength))]));
  else {
    for (let flips = 1 + random.below(5); flips > 0; flips--) {
      const at = random.below(bytes.byteLength);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
    }
    writeFileSync(file, bytes);
  }
}

/** Twelve versions in two directories; what each record said in each version. */
async function publishSome(dirs: readonly string[]): Promise<Map<string, ShadowRecord>[]> {
  const history: Map<string, ShadowRecord>[] = [new Map()];
  await using catalog = await Catalog.open({ dirs, clock, log: silentLog, keepVersions });
  for (let v = 0; v < 12; v++) {
    // Long enough that full versions are written on the way.
    const headers = [['x-fat', `${v} `.padEnd(60_000, 'x')] as const];
    await catalog.publish(v, { ...noChange, put: [0, 1, 2, 3].map((n) => sampleRecord((v * 3 + n) % 10, { headers })), remove: [shadowId(sampleRecord((v * 7) % 10))] });
    history.push(new Map([...catalog.records()].map((record) => [shadowId(record), record])));
  }
  return history;
}

test('one directory damaged at random: the catalog is whole, and the directory is mended', async () => {
  const random = seededRandom(seed);
  for (let round = 0; round < 8; round++) {
    const dirs = [temporary.make(), temporary.make()];
    const history = await publishSome(dirs);
    const victim = dirs[random.below(2)] ?? '';
    for (const name of readdirSync(victim)) if (random.below(2) === 0) damage(random, `${victim}/${name}`);
    const seen: string[] = [];
    for await (const delta of new CatalogReader({ dirs, log: silentLog }).since(9)) seen.push(`${delta.version} ${delta.full}`);
    expect(seen).toEqual(['10 false', '11 false', '12 false']);
    const catalog = await Catalog.open({ dirs, clock, log: silentLog, keepVersions });
    expect(new Map([...catalog.records()].map((record) => [shadowId(record), record]))).toEqual(history[12] ?? new Map());
    await catalog.close();
    await using alone = await Catalog.open({ dirs: [victim], clock, log: silentLog, keepVersions });
    expect(alone.head()).toBe(12);
    expect(alone.counters().corrupt).toBe(0);
    temporary.remove();
  }
});

test('both directories damaged at random: some published version, whole, or a clear error; and publishing goes on', async () => {
  const random = seededRandom(seed + 1);
  for (let round = 0; round < 12; round++) {
    const dirs = [temporary.make(), temporary.make()];
    const history = await publishSome(dirs);
    for (const dir of dirs) for (const name of readdirSync(dir)) if (random.below(3) === 0) damage(random, `${dir}/${name}`);
    try {
      for await (const delta of new CatalogReader({ dirs, log: silentLog }).since(round % 12)) {
        for (const record of delta.put) expect(history[record.version]?.get(shadowId(record))).toEqual(record);
      }
    } catch (error) {
      expect(error instanceof ForeshadowError && error.code).toBe('catalog-corrupt');
    }
    await using catalog = await Catalog.open({ dirs, clock, log: silentLog, keepVersions });
    expect(new Map([...catalog.records()].map((record) => [shadowId(record), record]))).toEqual(history[catalog.head()] ?? new Map());
    expect((await catalog.publish(catalog.head(), { ...noChange, put: [sampleRecord(1)] })).version).toBe(catalog.head());
    temporary.remove();
  }
});

test('a catalog directory that fails is left out, logged, and given what it missed', async () => {
  const dirs = [temporary.make(), temporary.make()];
  const disk = new FaultyDisk();
  await using catalog = await Catalog.open({ dirs, clock, log: silentLog, disk });
  await catalog.publish(0, { ...noChange, put: [sampleRecord(0)] });
  for (const [n, code] of ['ENOSPC', 'EROFS', 'EIO', 'ENOENT'].entries()) {
    disk.break(dirs[n % 2] ?? '', ['write', 'name', 'sync'], code);
    await catalog.publish(catalog.head(), { ...noChange, put: [sampleRecord(n)] });
    await catalog.publish(catalog.head(), { ...noChange, put: [sampleRecord(n + 10)] });
    disk.mend();
    clock.advance(30_001);
    await catalog.publish(catalog.head(), { ...noChange, put: [sampleRecord(n + 20)] });
    const names = dirs.map((dir) => readdirSync(dir).filter((name) => name.endsWith('.delta')));
    expect(names[0]).toEqual(names[1] ?? []);
    expect(names[0]).toHaveLength(catalog.head());
  }
  expect(catalog.counters()).toMatchObject({ corrupt: 0, replaced: 8, folderFailures: 4 });
});

test('a catalog no directory takes says so, keeps its version, and goes on when one works again', async () => {
  const dirs = [temporary.make(), temporary.make()];
  const disk = new FaultyDisk();
  await using catalog = await Catalog.open({ dirs, clock, log: silentLog, disk });
  await catalog.publish(0, { ...noChange, put: [sampleRecord(0)] });
  disk.fault = (operation) => (operation === 'write' ? 'ENOSPC' : undefined);
  const error: unknown = await catalog.publish(1, { ...noChange, put: [sampleRecord(1)] }).catch((thrown: unknown) => thrown);
  expect(error instanceof ForeshadowError && [error.code, error.retry]).toEqual(['storage-full', true]);
  expect(catalog.head()).toBe(1);
  expect(catalog.get(shadowId(sampleRecord(1)))).toBeUndefined();
  disk.mend();
  expect((await catalog.publish(1, { ...noChange, put: [sampleRecord(1)] })).version).toBe(2);
});

test('a local store damaged at random while it was closed: what it returns is what was put, and it takes new puts', async () => {
  const random = seededRandom(seed + 2);
  const open = (path: string) => openLocalStore({ path, limits: { variantsPerVariation: 4, storageBytes: 1e9 }, clock, log: silentLog });
  for (let round = 0; round < 15; round++) {
    const path = temporary.make();
    const before = open(path);
    await Promise.all(Array.from({ length: 100 }, (_, n) => before.put(sampleRecord(n), sampleBody(n))));
    await before.close();
    for (const folder of ['index', 'bodies']) {
      for (const name of readdirSync(`${path}/${folder}`)) if (random.below(2) === 0) damage(random, `${path}/${folder}/${name}`);
    }
    await using after = open(path);
    for (let n = 0; n < 100; n++) {
      for (const record of after.records(sampleRecord(n).resource, sampleRecord(n).variation)) expect(record).toEqual(sampleRecord(n));
      const body = after.body(sampleRecord(n).body);
      if (body) expect(Buffer.from(body)).toEqual(Buffer.from(sampleBody(n)));
    }
    await after.put(sampleRecord(3, { responseTimeMs: 1.8e12 }), sampleBody(3));
    expect(Buffer.from(after.body(sampleRecord(3).body) ?? [])).toEqual(Buffer.from(sampleBody(3)));
    temporary.remove();
  }
});

import { afterEach, describe, expect, test } from 'bun:test';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { ForeshadowError, ManualClock, silentLog } from '../kernel/index.ts';
import { sampleRecord } from '../../test/store/sample-record.ts';
import { TemporaryFolders } from '../../test/store/temporary-folder.ts';
import { Catalog, type CatalogDelta, CatalogReader, type ShadowRecord, noChange, shadowId } from './index.ts';

const temporary = new TemporaryFolders();
afterEach(() => { temporary.remove(); });

const clock = new ManualClock();
const folders = (count: number): string[] => Array.from({ length: count }, () => temporary.make());
const openCatalog = (dirs: string[], keepVersions = 100): Promise<Catalog> => Catalog.open({ dirs, clock, log: silentLog, keepVersions });
const numbers = (from: number, count: number): ShadowRecord[] => Array.from({ length: count }, (_, n) => sampleRecord(from + n));
const sorted = (records: Iterable<ShadowRecord>): ShadowRecord[] => [...records].sort((a, b) => (shadowId(a) < shadowId(b) ? -1 : 1));
const fileOf = (dir: string, version: number, kind = 'delta'): string => `${dir}/${String(version).padStart(10, '0')}.${kind}`;

async function read(dirs: string[], version: number): Promise<CatalogDelta[]> {
  const deltas: CatalogDelta[] = [];
  for await (const delta of new CatalogReader({ dirs, log: silentLog }).since(version)) deltas.push(delta);
  return deltas;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => 'no error', (error: unknown) => (error instanceof ForeshadowError ? error.code : String(error)));
}

describe('publishing', () => {
  test('numbers versions from 1, stamps records, and says what changed', async () => {
    await using catalog = await openCatalog(folders(2));
    expect(catalog.head()).toBe(0);
    const first = await catalog.publish(0, { ...noChange, put: numbers(0, 3) });
    expect([first.version, first.full, first.put.map((record) => record.version)]).toEqual([1, false, [1, 1, 1]]);
    const gone = shadowId(sampleRecord(1));
    const second = await catalog.publish(1, { ...noChange, put: [sampleRecord(0, { status: 404 })], remove: [gone, 'unknown'] });
    expect(second.remove).toEqual([gone]);
    expect(catalog.get(gone)).toBeUndefined();
    expect(catalog.get(shadowId(sampleRecord(0)))).toMatchObject({ status: 404, version: 2 });
    expect(catalog.get(shadowId(sampleRecord(2)))).toMatchObject({ status: 200, version: 1 });
    expect(catalog.bytes).toBe(400);
    expect(catalog.versions().map(({ version, put, remove, records }) => [version, put, remove, records])).toEqual([[1, 3, 0, 3], [2, 1, 1, 2]]);
  });

  test('refuses a base that is not the newest, and goes on', async () => {
    await using catalog = await openCatalog(folders(1));
    await catalog.publish(0, { ...noChange, put: numbers(0, 1) });
    expect(await codeOf(catalog.publish(0, { ...noChange, put: numbers(1, 1) }))).toBe('catalog-conflict');
    expect(await codeOf(catalog.publish(7, { ...noChange, put: numbers(1, 1) }))).toBe('catalog-conflict');
    expect((await catalog.publish(1, { ...noChange, put: numbers(1, 1) })).version).toBe(2);
  });

  test('of two writers on the same base exactly one wins, and its version is what is read', async () => {
    const dirs = folders(3);
    const writers = await Promise.all([openCatalog(dirs), openCatalog(dirs), openCatalog(dirs), openCatalog(dirs)]);
    const outcomes = await Promise.all(writers.map((writer, n) => codeOf(writer.publish(0, { ...noChange, put: numbers(n * 10, 2) }))));
    expect(outcomes.sort()).toEqual(['catalog-conflict', 'catalog-conflict', 'catalog-conflict', 'no error']);
    const winner = writers.find((writer) => writer.head() === 1);
    for (const writer of writers) await writer.close();
    await using again = await openCatalog(dirs);
    expect(sorted(again.records())).toEqual(sorted(winner?.records() ?? []));
  });

  test('is there again after a restart, byte for byte', async () => {
    const dirs = folders(2);
    const before = await openCatalog(dirs);
    const odd = sampleRecord(5, { vary: [['accept-encoding', 'gzip'], ['x-odd', 'ü\n"']], headers: [['x-empty', ''], ['x-sep', '\u2028\u0000']] });
    await before.publish(0, { ...noChange, put: [...numbers(0, 5), odd] });
    await before.publish(1, { ...noChange, put: numbers(3, 9), remove: [shadowId(sampleRecord(0))] });
    await before.close();
    await using after = await openCatalog(dirs);
    expect(after.head()).toBe(2);
    expect(sorted(after.records())).toEqual(sorted(before.records()));
    expect(after.get(shadowId(odd))?.headers).toEqual(odd.headers);
    expect(after.versions()).toEqual(before.versions());
    expect(after.bytes).toBe(before.bytes);
  });

  test('goes back to an earlier version as a new one', async () => {
    await using catalog = await openCatalog(folders(1));
    await catalog.publish(0, { ...noChange, put: numbers(0, 3) });
    const then = sorted(catalog.records()).map(({ body, status }) => [body, status]);
    await catalog.publish(1, { ...noChange, put: [sampleRecord(0, { status: 500 }), sampleRecord(8)], remove: [shadowId(sampleRecord(2))] });
    const back = await catalog.rollback(2, 1);
    expect([back.version, back.put.length, back.remove]).toEqual([3, 3, [shadowId(sampleRecord(8))]]);
    expect(sorted(catalog.records()).map(({ body, status }) => [body, status])).toEqual(then);
    expect(await codeOf(catalog.rollback(3, 77))).toBe('usage');
    expect(catalog.rules().map(({ effect }) => effect)).toEqual(['purge']);
    const untilMs = clock.nowMs() + 1000;
    await catalog.rollback(3, 1, { hold: { untilMs } });
    expect(catalog.rules().map(({ effect }) => effect)).toEqual(['purge', 'hold']);
    await catalog.rollback(4, 1);
    expect(catalog.rules().map(({ effect }) => effect)).toEqual(['purge']);
  });
});

describe('retention', () => {
  const publishMany = async (dirs: string[], keep: number, versions: number): Promise<Catalog> => {
    const catalog = await openCatalog(dirs, keep);
    const fat = 'x'.repeat(40_000);
    for (let v = 0; v < versions; v++) {
      await catalog.publish(v, { ...noChange, put: numbers(v % 7, 3).map((record) => ({ ...record, headers: [['x-fat', `${v} ${fat}`] as const] })) });
    }
    await catalog.close();
    return catalog;
  };

  test('writes full versions, deletes what no kept version needs, and still opens with the same history', async () => {
    const dirs = folders(2);
    const catalog = await publishMany(dirs, 5, 60);
    for (const dir of dirs) {
      const names = readdirSync(dir);
      expect(names.some((name) => name.endsWith('.full'))).toBe(true);
      expect(names).not.toContain('0000000001.delta');
      expect(names.filter((name) => name.endsWith('.delta')).length).toBeLessThan(45);
    }
    await using again = await openCatalog(dirs, 5);
    expect(again.head()).toBe(60);
    expect(again.versions()).toEqual(catalog.versions());
    expect(again.versions()).toHaveLength(5);
    expect(sorted(again.records())).toEqual(sorted(catalog.records()));
    expect(again.liveBlobs()).toEqual(catalog.liveBlobs());
    expect((await again.stateAt(57)).records.size).toBe(9);
  });

  test('live bodies are those of every kept version and of no other', async () => {
    const dirs = folders(1);
    const catalog = await openCatalog(dirs, 3);
    // Version v holds bodies v and v+1.
    for (let v = 1; v <= 6; v++) {
      const put = [sampleRecord(v, { resource: sampleRecord(1).resource }), sampleRecord(v + 1, { resource: sampleRecord(2).resource })];
      await catalog.publish(v - 1, { ...noChange, put: put.map((record) => ({ ...record, variation: sampleRecord(0).variation })) });
    }
    const expected = new Set([4, 5, 6, 7].map((n) => sampleRecord(n).body));
    expect(catalog.liveBlobs()).toEqual(expected);
    await catalog.close();
    await using again = await openCatalog(dirs, 3);
    expect(again.liveBlobs()).toEqual(expected);
  });
});

describe('following', () => {
  test('delta by delta from where one was', async () => {
    const dirs = folders(2);
    await using catalog = await openCatalog(dirs);
    const published: CatalogDelta[] = [];
    for (let v = 0; v < 4; v++) published.push(await catalog.publish(v, { ...noChange, put: numbers(v * 3, 4), remove: [shadowId(sampleRecord(v))] }));
    expect(await new CatalogReader({ dirs, log: silentLog }).head()).toBe(4);
    expect(await read(dirs, 2)).toEqual(published.slice(2));
    expect(await read(dirs, 4)).toEqual([]);
  });

  test('begins with everything when it knows nothing, too little, or a version that never was', async () => {
    const dirs = folders(1);
    await using catalog = await openCatalog(dirs);
    for (let v = 0; v < 3; v++) await catalog.publish(v, { ...noChange, put: numbers(v * 3, 4) });
    for (const from of [0, 99]) {
      const [all, ...rest] = await read(dirs, from);
      expect(rest).toEqual([]);
      expect([all?.version, all?.full]).toEqual([3, true]);
      expect(sorted(all?.put ?? [])).toEqual(sorted(catalog.records()));
    }
    rmSync(fileOf(dirs[0] ?? '', 1));
    await catalog.close();
  });

  test('an empty catalog has nothing to say', async () => {
    expect(await read(folders(2), 0)).toEqual([]);
    expect(await read([`${temporary.make()}/absent`], 5)).toEqual([]);
  });

  test('finds the newest version without HEAD, and with one that lags or is damaged', async () => {
    const dirs = folders(1);
    const catalog = await openCatalog(dirs);
    for (let v = 0; v < 3; v++) await catalog.publish(v, { ...noChange, put: numbers(v, 1) });
    await catalog.close();
    const head = `${dirs[0]}/HEAD`;
    const good = readFileSync(head, 'utf8');
    for (const text of [undefined, '', '9 0000000000000000\n', good.replace('3', '8')]) {
      if (text === undefined) rmSync(head);
      else writeFileSync(head, text);
      expect(await new CatalogReader({ dirs, log: silentLog }).head()).toBe(3);
    }
  });
});

describe('damage', () => {
  test('a damaged copy is never used, and is replaced from another directory', async () => {
    const dirs = folders(2);
    const catalog = await openCatalog(dirs);
    for (let v = 0; v < 3; v++) await catalog.publish(v, { ...noChange, put: numbers(v * 2, 2) });
    await catalog.close();
    const [first = '', second = ''] = dirs;
    const good = readFileSync(fileOf(first, 2));
    const bad = Buffer.from(good);
    bad[200] = (bad[200] ?? 0) ^ 1;
    writeFileSync(fileOf(first, 2), bad);
    rmSync(fileOf(second, 1));
    writeFileSync(fileOf(second, 3), good.subarray(0, 100));
    expect((await read(dirs, 1)).map((delta) => delta.version)).toEqual([2, 3]);
    await using again = await openCatalog(dirs);
    expect(again.counters()).toMatchObject({ corrupt: 2, replaced: 3 });
    expect(sorted(again.records())).toEqual(sorted(catalog.records()));
    for (const version of [1, 2, 3]) expect(readFileSync(fileOf(first, version))).toEqual(readFileSync(fileOf(second, version)));
  });

  test('damaged in every directory: the history ends before it, the rest is set aside, publishing goes on', async () => {
    const dirs = folders(2);
    const catalog = await openCatalog(dirs);
    for (let v = 0; v < 4; v++) await catalog.publish(v, { ...noChange, put: numbers(v * 2, 2) });
    await catalog.close();
    for (const dir of dirs) writeFileSync(fileOf(dir, 3), 'not a version\n');
    await using again = await openCatalog(dirs);
    expect(again.head()).toBe(2);
    expect((await again.publish(2, { ...noChange, put: numbers(9, 1) })).version).toBe(3);
    for (const dir of dirs) expect(readdirSync(dir).filter((name) => name.includes('.corrupt-')).length).toBe(2);
  });

  test('a file of a newer format stops the start with a clear error', async () => {
    const dirs = folders(1);
    const catalog = await openCatalog(dirs);
    await catalog.publish(0, { ...noChange, put: numbers(0, 1) });
    await catalog.close();
    const path = fileOf(dirs[0] ?? '', 1);
    const text = readFileSync(path, 'utf8').replace('"format":2', '"format":3');
    const body = text.slice(0, text.lastIndexOf('{"sha256"'));
    writeFileSync(path, `${body}{"sha256":"${new Bun.CryptoHasher('sha256').update(body).digest('hex')}"}\n`);
    expect(await codeOf(openCatalog(dirs))).toBe('catalog-corrupt');
  });

  test('directories that went separate ways: the longer history is kept, the other follows it', async () => {
    const dirs = folders(2);
    const together = await openCatalog(dirs);
    await together.publish(0, { ...noChange, put: numbers(0, 2) });
    await together.close();
    for (const [n, dir] of dirs.entries()) {
      const alone = await openCatalog([dir]);
      for (let v = 1; v < 3 + n; v++) await alone.publish(v, { ...noChange, put: numbers(100 * (n + 1) + v, 2) });
      await alone.close();
    }
    await using again = await openCatalog(dirs);
    expect(again.head()).toBe(4);
    expect([...again.records()].every((record) => !record.resource.startsWith('/products/10'))).toBe(true);
    for (const version of [2, 3, 4]) expect(readFileSync(fileOf(dirs[0] ?? '', version))).toEqual(readFileSync(fileOf(dirs[1] ?? '', version)));
  });
});

/** `kill -9` at moments drawn from a seed: what a child process was told is safe must be there when the next one opens the same directories. */
import { afterEach, expect, test } from 'bun:test';
import { Catalog, CatalogReader, shadowId } from '../../src/catalog/index.ts';
import { type Random, seededRandom, silentLog, systemClock } from '../../src/kernel/index.ts';
import { digestOf, openLocalBodies, openLocalStore, openVolumes } from '../../src/store/index.ts';
import { sampleBody, sampleRecord } from './sample-record.ts';
import { TemporaryFolders } from './temporary-folder.ts';

const temporary = new TemporaryFolders();
afterEach(() => { temporary.remove(); });

const seed = 20_261_123;
const deadlineMs = 60_000;

/**
 * Starts the child, kills it some milliseconds after it has said so many lines, and returns the last number it said. Counting lines rather than time
 * keeps a slow machine from killing every child before it has done anything.
 */
async function runAndKill(script: string, args: readonly string[], random: Random): Promise<number> {
  const linesBefore = random.below(12);
  const delayMs = random.next() * 12;
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/${script}`, ...args], { stdout: 'pipe', stderr: 'inherit' });
  let text = '';
  let kill: ReturnType<typeof setTimeout> | undefined;
  for await (const chunk of child.stdout) {
    text += Buffer.from(chunk).toString();
    if (text.split('\n').length > linesBefore) kill ??= setTimeout(() => { child.kill('SIGKILL'); }, delayMs);
  }
  await child.exited;
  clearTimeout(kill);
  expect(child.signalCode).toBe('SIGKILL');
  const whole = text.slice(0, Math.max(0, text.lastIndexOf('\n'))).split('\n');
  return Number(whole.at(-1)) || 0;
}

test('whatever was published survives kill -9 of the publisher, byte for byte, 20 times over', async () => {
  const folder = temporary.make();
  const random = seededRandom(seed);
  const paths = ['v0', 'v1', 'v2'].map((name) => `${folder}/${name}`);
  const dirs = paths.map((path) => `${path}/catalog`);
  let published = 0;
  for (let round = 0; round < 20; round++) {
    const said = await runAndKill('publisher-process.ts', [folder, '3'], random);
    published = Math.max(published, said);
    await using blobs = await openVolumes({ paths, copies: 2, site: 'test', clock: systemClock, log: silentLog });
    await using catalog = await Catalog.open({ dirs, clock: systemClock, log: silentLog, keepVersions: 5, keepForMs: 3_600_000 });
    expect(catalog.head()).toBeGreaterThanOrEqual(published);
    published = catalog.head();
    expect(await new CatalogReader({ dirs, log: silentLog }).head()).toBe(published);
    for (const { version } of catalog.versions()) expect((await catalog.stateAt(version)).records.size).toBeGreaterThan(0);
    for (const digest of catalog.liveBlobs()) expect((await blobs.get(digest))?.byteLength).toBe(200);
    for (let version = Math.max(1, published - 30); version <= published; version++) {
      for (const n of [0, 1, 2]) {
        const key = ((version - 1) * 2 + n) % 97;
        const record = catalog.get(shadowId(sampleRecord(key)));
        expect(record?.version).toBeGreaterThanOrEqual(version);
        expect(Buffer.from((await blobs.get(sampleRecord(key).body)) ?? [])).toEqual(Buffer.from(sampleBody(key)));
      }
    }
    expect((await blobs.stats()).corrupt).toBe(0);
    expect(catalog.counters()).toMatchObject({ corrupt: 0 });
  }
  expect(published).toBeGreaterThan(20);
}, deadlineMs);

test('a local store opens after kill -9 in the middle of writing, with every put that had resolved, 12 times over', async () => {
  const folder = temporary.make();
  const random = seededRandom(seed + 1);
  let applied = 0;
  for (let round = 0; round < 12; round++) {
    const said = await runAndKill('local-writer-process.ts', [folder], random);
    applied = Math.max(applied, said);
    await using store = openLocalStore({ path: folder, limits: { variantsPerVariation: 4, storageBytes: 400_000 }, clock: systemClock, log: silentLog });
    expect(store.appliedVersion()).toBeGreaterThanOrEqual(applied);
    applied = store.appliedVersion();
    for (let version = Math.max(1, applied - 30); version <= applied; version++) {
      for (let n = 0; n < 8; n++) {
        const key = (version * 5 + n) % 61;
        const [record] = store.records(sampleRecord(key).resource, sampleRecord(key).variation);
        expect(record?.version).toBeGreaterThanOrEqual(version);
        expect(Buffer.from(store.body(sampleRecord(key).body) ?? [])).toEqual(Buffer.from(sampleBody(key)));
      }
    }
    expect(store.stats().corrupt).toBe(0);
    expect(store.stats().bytes).toBeLessThan(800_000);
  }
  expect(applied).toBeGreaterThan(12);
}, deadlineMs);

test('another process reads bodies while the edge writes, evicts and rewrites', async () => {
  const folder = temporary.make();
  await using bodies = openLocalBodies(folder);
  expect(bodies.body(sampleRecord(5).body)).toBeUndefined();
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/local-writer-process.ts`, folder], { stdout: 'pipe', stderr: 'inherit' });
  let rounds = 0;
  let seen = 0;
  for await (const chunk of child.stdout) {
    rounds = Math.max(rounds, Number(Buffer.from(chunk).toString().trimEnd().split('\n').at(-1)) || 0);
    // The catalog's copies of the last round are never evicted; captures may be.
    for (let n = 0; n < 8 && rounds > 0; n++) {
      const key = (rounds * 5 + n) % 61;
      expect(Buffer.from(bodies.body(sampleRecord(key).body) ?? [])).toEqual(Buffer.from(sampleBody(key)));
      const capture = bodies.body(sampleRecord(1000 + rounds * 8 + n, { body: digestOf(sampleBody(1000 + rounds * 8 + n, 2000)) }).body);
      if (capture) expect(Buffer.from(capture)).toEqual(Buffer.from(sampleBody(1000 + rounds * 8 + n, 2000)));
      seen += 1;
    }
    if (rounds > 150) child.kill('SIGKILL');
  }
  await child.exited;
  expect(seen).toBeGreaterThan(50);
}, deadlineMs);

import { afterEach, describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { FeedKey, Filling, FillingId } from '../compose/types.ts';
import { ForeshadowError, ManualClock, silentLog, type ResourceKey } from '../kernel/index.ts';
import { sampleRecord } from '../../test/store/sample-record.ts';
import { TemporaryFolders } from '../../test/store/temporary-folder.ts';
import { Catalog, type CatalogDelta, CatalogReader, type CatalogRule, fillingFromTuple, fillingToTuple, hear, noChange, recordToTuple, rulesMax, type ShadowRecord, shadowId } from './index.ts';
import { feedsHeardMax } from './state.ts';

const temporary = new TemporaryFolders();
afterEach(() => { temporary.remove(); });

const clock = new ManualClock();
const id = (text: string): FillingId => text as FillingId; // tests make names by hand
const feed = (text: string): FeedKey => text as FeedKey; // tests make names by hand
const filling = (n: number, changes: Partial<Filling> = {}): Filling => ({
  id: id(`/products/:id#price?id=${n}`), feed: feed('prices'), maxAgeMs: 60_000, valueTimeMs: 5, versions: [{ text: `<b>${n}</b>`, profile: undefined }], fallback: undefined, version: 0, ...changes,
});
const open = (dirs: string[]): Promise<Catalog> => Catalog.open({ dirs, clock, log: silentLog });
const rule = (changes: Partial<CatalogRule> = {}): CatalogRule => ({ version: 0, atMs: clock.nowMs(), target: { kind: 'site' }, effect: 'soft-purge', untilMs: clock.nowMs() + 60_000, ...changes });

async function read(dirs: string[], version: number): Promise<CatalogDelta[]> {
  const deltas: CatalogDelta[] = [];
  for await (const delta of new CatalogReader({ dirs, log: silentLog }).since(version)) deltas.push(delta);
  return deltas;
}

describe('a version', () => {
  test('carries fillings, rules and times of feeds; they are there again after a restart, and in what readers get', async () => {
    const dirs = [temporary.make(), temporary.make()];
    const catalog = await open(dirs);
    const many = filling(2, { versions: [{ text: 'a', profile: new Map([['books', 0.5], ['ü', -1]]) }, { text: '\u2028', profile: new Map() }], fallback: '' });
    await catalog.publish(0, { ...noChange, fill: [filling(1), many, filling(3)], heard: [[feed('prices'), 10], [feed('recs?a=b'), 20]] });
    const second = await catalog.publish(1, { ...noChange, fill: [filling(1, { valueTimeMs: 9 })], unfill: [filling(3).id, filling(1).id, id('unknown')], rules: [rule()], heard: [[feed('prices'), 7]] });
    expect([second.unfill, second.fill.map((one) => one.version), second.rules.map((one) => one.version)]).toEqual([[filling(3).id], [2], [2]]);
    await catalog.close();
    await using again = await open(dirs);
    for (const one of [catalog, again]) {
      expect([...one.fillings()].map((held) => [held.id, held.version])).toEqual([[filling(1).id, 2], [many.id, 1]]);
      expect(one.filling(many.id)).toEqual({ ...many, version: 1 });
      expect([...one.heard()].sort()).toEqual([[feed('prices'), 10], [feed('recs?a=b'), 20]]);
      expect(one.rules()).toEqual(second.rules);
    }
    expect(await read(dirs, 1)).toEqual([second]);
    const [all] = await read(dirs, 0);
    expect([all?.full, all?.fill.length, all?.rules, all?.heard.length]).toEqual([true, 2, second.rules, 2]);
  });

  test('of format 1 is read as it was written', async () => {
    const dir = temporary.make();
    mkdirSync(dir, { recursive: true });
    const record = sampleRecord(1, { version: 1 });
    const body = `{"foreshadow":"catalog","format":1,"kind":"delta","version":1,"link":"","publishedAtMs":5,"remove":0,"put":1}\n${JSON.stringify(recordToTuple(record))}\n`;
    writeFileSync(`${dir}/0000000001.delta`, `${body}{"sha256":"${createHash('sha256').update(body).digest('hex')}"}\n`);
    await using catalog = await open([dir]);
    expect([...catalog.records()]).toEqual([record]);
    await catalog.publish(1, { ...noChange, fill: [filling(1)] });
    expect(readFileSync(`${dir}/0000000002.delta`, 'utf8')).toContain('"format":2');
    expect((await read([dir], 0))[0]).toMatchObject({ version: 2, put: [record] });
  });

  test('keeps codings of records, and their bodies alive', async () => {
    const dirs = [temporary.make()];
    const catalog = await open(dirs);
    const codings = [{ coding: 'br', body: sampleRecord(7).body, bodyBytes: 50 }, { coding: 'gzip', body: sampleRecord(8).body, bodyBytes: 60 }] as const;
    await catalog.publish(0, { ...noChange, put: [sampleRecord(1, { codings })] });
    await catalog.close();
    await using again = await open(dirs);
    expect(again.get(shadowId(sampleRecord(1)))?.codings).toEqual([...codings]);
    expect(again.bytes).toBe(310);
    expect([...again.liveBlobs()].sort()).toEqual([1, 7, 8].map((n) => sampleRecord(n).body).sort());
  });
});

test('a filling is the same when it is read again, and anything else is none', () => {
  const arbitrary = fc.record({
    id: fc.string().map(id), feed: fc.string().map(feed), maxAgeMs: fc.nat(), valueTimeMs: fc.nat(), fallback: fc.option(fc.string(), { nil: undefined }), version: fc.nat(),
    versions: fc.array(fc.record({ text: fc.string({ unit: 'binary' }), profile: fc.option(fc.dictionary(fc.string(), fc.integer()).map((entries) => new Map(Object.entries(entries))), { nil: undefined }) })),
  });
  fc.assert(fc.property(arbitrary, (one) => {
    expect(fillingFromTuple(JSON.parse(JSON.stringify(fillingToTuple(one))))).toEqual(one);
  }), { seed: 1, numRuns: 500 });
  fc.assert(fc.property(fc.jsonValue(), (value) => { expect(fillingFromTuple(value)).toBeUndefined(); }), { seed: 2, numRuns: 1000 });
});

describe('rules', () => {
  test('a purge takes with it what it binds, for good, and what was asked for before it is not published later', async () => {
    await using catalog = await open([temporary.make()]);
    const early = (n: number, changes: Partial<ShadowRecord> = {}): ShadowRecord => sampleRecord(n, { requestTimeMs: clock.nowMs() - 5, ...changes });
    await catalog.publish(0, { ...noChange, put: [early(1), early(2), early(3)] });
    const { resource } = sampleRecord(1);
    const purge = await catalog.publish(1, { ...noChange, put: [sampleRecord(4)], rules: [rule({ effect: 'purge', target: { kind: 'resource', resource } })] });
    expect([purge.remove, catalog.size]).toEqual([[shadowId(early(1))], 3]);
    // A capture of before the purge that the brain had not published yet, and a copy made since.
    expect((await catalog.publish(2, { ...noChange, put: [early(1)] })).put).toEqual([]);
    expect((await catalog.publish(3, { ...noChange, put: [early(1, { requestTimeMs: clock.nowMs() + 1 })] })).put).toHaveLength(1);
    clock.advance(60_000);
    expect(catalog.rules()).toEqual([]);
    expect(catalog.get(shadowId(early(1)))?.version).toBe(4);
  });

  test('more than may be in force are refused, and nothing is published', async () => {
    await using catalog = await open([temporary.make()]);
    const rules = Array.from({ length: rulesMax + 1 }, (_, n) => rule({ target: { kind: 'resource', resource: `/${n}` as ResourceKey } })); // tests make keys by hand
    const error: unknown = await catalog.publish(0, { ...noChange, rules }).catch((thrown: unknown) => thrown);
    expect(error instanceof ForeshadowError && error.code).toBe('usage');
    expect(catalog.head()).toBe(0);
    await catalog.publish(0, { ...noChange, rules: rules.slice(1) });
    // One for all takes the place of many.
    await catalog.publish(1, { ...noChange, rules: [rule({ effect: 'purge', untilMs: clock.nowMs() + 90_000 })] });
    expect(catalog.rules()).toHaveLength(1);
  });
});

test('feeds whose times are known are bounded: the one heard of longest ago is forgotten', () => {
  const heard = new Map<FeedKey, number>();
  hear(heard, Array.from({ length: feedsHeardMax }, (_, n) => [feed(`f${n}`), n] as const));
  expect(hear(heard, [[feed('f0'), 5], [feed('f1'), 0], [feed('new'), 1]])).toEqual([[feed('f0'), 5], [feed('new'), 1]]);
  expect([heard.size, heard.has(feed('f1')), heard.get(feed('f0'))]).toEqual([feedsHeardMax, false, 5]);
});

test('a resource\'s own history names the versions that changed it', async () => {
  await using catalog = await open([temporary.make()]);
  await catalog.publish(0, { ...noChange, put: [sampleRecord(1), sampleRecord(2)] });
  await catalog.publish(1, { ...noChange, put: [sampleRecord(2, { status: 404 })] });
  await catalog.publish(2, { ...noChange, remove: [shadowId(sampleRecord(1))] });
  expect((await catalog.history(sampleRecord(1).resource)).map(({ version, put, remove }) => [version, put, remove])).toEqual([[1, 1, 0], [3, 0, 1]]);
});

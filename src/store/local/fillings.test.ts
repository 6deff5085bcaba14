/** What the local store keeps besides copies: fillings, rules, when feeds were heard, coded bodies. */
import { afterEach, describe, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { open as openLmdb } from 'lmdb';
import type { CatalogRule } from '../../catalog/index.ts';
import type { FeedKey, Filling, FillingId } from '../../compose/types.ts';
import { ManualClock, silentLog } from '../../kernel/index.ts';
import { sampleBody, sampleRecord } from '../../../test/store/sample-record.ts';
import { TemporaryFolders } from '../../../test/store/temporary-folder.ts';
import { digestOf, type LocalStore } from '../index.ts';
import { openLocalStore } from './index.ts';

const temporary = new TemporaryFolders();
const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]();
  temporary.remove();
});

const clock = new ManualClock();
function open(path: string, storageBytes = 1 << 30): LocalStore {
  const store = openLocalStore({ path, limits: { variantsPerVariation: 8, storageBytes }, clock, log: silentLog });
  opened.push(store);
  return store;
}

const id = (n: number): FillingId => `/products/:id#price?id=${n}` as FillingId; // tests make names by hand
const prices = 'prices' as FeedKey; // as above
const filling = (n: number, text = `<b>${n}</b>`): Filling => ({
  id: id(n), feed: prices, maxAgeMs: 60_000, valueTimeMs: 5, versions: [{ text, profile: new Map([['books', 1]]) }], fallback: 'ask', version: 3,
});
const rule = (changes: Partial<CatalogRule> = {}): CatalogRule => ({ version: 9, atMs: 2e12, target: { kind: 'site' }, effect: 'purge', untilMs: 3e12, ...changes });
const found = (store: LocalStore, n: number): number[] => store.records(sampleRecord(n).resource, sampleRecord(n).variation).map((record) => record.status);

/** Changes bytes of the index's values, as a failing disk would. */
async function tamper(path: string, table: string, change: (value: Buffer) => Buffer): Promise<void> {
  const root = openLmdb<Buffer, Buffer>({ path: `${path}/index`, noSubdir: false, encoding: 'binary', keyEncoding: 'binary', maxDbs: 9 });
  const db = root.openDB<Buffer, Buffer>({ name: table, encoding: 'binary', keyEncoding: 'binary' });
  for (const { key, value } of [...db.getRange({})]) await db.put(Buffer.from(key), change(Buffer.from(value)));
  await root.close();
}

const flipped = (value: Buffer): Buffer => {
  value[value.byteLength - 3] = (value.at(-3) ?? 0) ^ 1;
  return value;
};

describe('fillings', () => {
  test('what was put is there, the last of each id, and again after a restart; what was removed is not', async () => {
    const path = temporary.make();
    const store = open(path);
    await store.putFillings(Array.from({ length: 300 }, (_, n) => filling(n)));
    await store.putFillings([filling(7, 'new')]);
    await store.removeFillings([id(8), id(999)]);
    for (const restart of [false, true]) {
      if (restart) await store.close();
      const one = restart ? open(path) : store;
      expect(one.filling(id(7))).toEqual(filling(7, 'new'));
      expect(one.filling(id(299))).toEqual(filling(299));
      expect([one.filling(id(8)), one.filling(id(999))]).toEqual([undefined, undefined]);
      expect([...one.fillings()].map((held) => held.id).sort()).toEqual(Array.from({ length: 300 }, (_, n) => id(n)).filter((name) => name !== id(8)).sort());
    }
  });

  test('those that are not listed go, and no others', async () => {
    const store = open(temporary.make());
    await store.putFillings(Array.from({ length: 1000 }, (_, n) => filling(n)));
    const gone = await store.removeUnlistedFillings((name) => name === id(3) || name === id(997));
    expect(gone).toHaveLength(998);
    expect([...store.fillings()].map((held) => held.id).sort()).toEqual([id(3), id(997)]);
    expect(store.stats()).toMatchObject({ corrupt: 0 });
  });

  test('requests get their turn while ten thousand are written', async () => {
    const store = open(temporary.make());
    let turns = 0;
    const timer = setInterval(() => { turns += 1; }, 0);
    await store.putFillings(Array.from({ length: 10_000 }, (_, n) => filling(n)));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(30);
  });

  test('a damaged one is left out and counted, and goes with the next clearing up', async () => {
    const path = temporary.make();
    const store = open(path);
    await store.putFillings([filling(1), filling(2)]);
    await store.close();
    await tamper(path, 'fillings', (value) => (value.includes('id=1') ? flipped(value) : value));
    rmSync(`${path}/index/sealed.json`, { force: true });
    const again = open(path);
    expect([again.filling(id(1)), again.filling(id(2))?.id]).toEqual([undefined, id(2)]);
    expect(again.stats().corrupt).toBe(1);
    await again.removeUnlistedFillings(() => true);
    await again.putFillings([filling(1)]);
    expect(again.filling(id(1))).toEqual(filling(1));
  });
});

test('rules and times of feeds are there after a restart; the newest time wins', async () => {
  const path = temporary.make();
  const store = open(path);
  await store.putRules([rule(), rule({ effect: 'hold', target: { kind: 'tag', tag: 't' } })]);
  await store.putRules([rule({ version: 11 })]);
  await store.putHeard([[prices, 50], ['b' as FeedKey, 1]]); // tests make names by hand
  await store.putHeard([[prices, 40]]);
  await store.close();
  const again = open(path);
  expect(again.rules()).toEqual([rule({ version: 11 })]);
  expect([...again.heard()].sort()).toEqual([['b' as FeedKey, 1], [prices, 50]]); // as above
});

test('rules that can not be read have the whole catalog read again', async () => {
  const path = temporary.make();
  const store = open(path);
  await store.putRules([rule()]);
  await store.setAppliedVersion(12);
  await store.close();
  await tamper(path, 'meta', (value) => (value.includes('purge') ? flipped(value) : value));
  rmSync(`${path}/index/sealed.json`, { force: true });
  const again = open(path);
  expect([again.rules(), again.appliedVersion(), again.stats().corrupt]).toEqual([[], 0, 1]);
});

describe('which copy stays', () => {
  test('of two published ones the later version, whenever the origin gave it; beside a capture the newer', async () => {
    const store = open(temporary.make());
    const put = (status: number, version: number, responseTimeMs: number): Promise<void> => store.put(sampleRecord(1, { status, version, responseTimeMs }), sampleBody(1));
    await put(201, 5, 500);
    await put(202, 6, 100);
    expect(found(store, 1)).toEqual([202]);
    await put(201, 5, 900);
    expect(found(store, 1)).toEqual([202]);
    await put(203, 0, 200);
    expect(found(store, 1)).toEqual([203]);
    await put(204, 7, 150);
    expect(found(store, 1)).toEqual([203]);
    // Going back: captures give way to what is published with the rule.
    await store.putRules([rule({ version: 8, only: 'captures' })]);
    await put(205, 8, 100);
    expect(found(store, 1)).toEqual([205]);
    await put(206, 0, 999);
    expect(found(store, 1)).toEqual([205]);
  });

  test('what a purge binds is not taken; what is unwanted goes, though not what has taken its place meanwhile', async () => {
    const store = open(temporary.make());
    for (let n = 0; n < 200; n++) await store.put(sampleRecord(n, { status: 201 }), sampleBody(n));
    const removing = store.removeMatching((record) => record.status === 201);
    await store.put(sampleRecord(150, { status: 202, responseTimeMs: 2e12, requestTimeMs: 2.5e12 }), sampleBody(150));
    await removing;
    expect(store.stats().records).toBe(1);
    expect(found(store, 150)).toEqual([202]);
    await store.putRules([rule()]);
    await store.put(sampleRecord(3), sampleBody(3));
    await store.put(sampleRecord(4, { version: 8 }), sampleBody(4));
    await store.put(sampleRecord(5, { version: 9 }), sampleBody(5));
    expect([found(store, 3), found(store, 4), found(store, 5)]).toEqual([[], [], [200]]);
  });
});

test('coded bodies are kept as long as their record, and go with it', async () => {
  const store = open(temporary.make());
  const [br, gzip] = [sampleBody(1001), sampleBody(1002)];
  const codings = [{ coding: 'br', body: digestOf(br), bodyBytes: br.byteLength }, { coding: 'gzip', body: digestOf(gzip), bodyBytes: gzip.byteLength }] as const;
  await store.put(sampleRecord(1, { codings, version: 1 }), sampleBody(1), [br, undefined]);
  expect([store.hasBody(codings[0].body), store.hasBody(codings[1].body), store.stats().bodies]).toEqual([true, false, 2]);
  await store.put(sampleRecord(1, { codings, version: 2 }), undefined, [undefined, gzip]);
  expect(Buffer.from(store.body(codings[1].body) ?? [])).toEqual(Buffer.from(gzip));
  expect(store.stats().bodies).toBe(3);
  await store.put(sampleRecord(1, { version: 3 }), undefined);
  expect([store.hasBody(codings[0].body), store.hasBody(codings[1].body), store.hasBody(sampleRecord(1).body)]).toEqual([false, false, true]);
});

test('a store of format 1 is read: its copies stay, and what it could not hold is empty', async () => {
  const path = temporary.make();
  const store = open(path);
  await store.put(sampleRecord(1), sampleBody(1));
  await store.setAppliedVersion(4);
  await store.close();
  await tamper(path, 'records', (value) => {
    value[0] = 1;
    return value;
  });
  await tamper(path, 'meta', (value) => {
    const { fillings: _, fillingBytes: __, ...state } = JSON.parse(value.toString());
    return Buffer.from(JSON.stringify({ ...state, format: 1 }));
  });
  rmSync(`${path}/index/sealed.json`, { force: true });
  const again = open(path);
  expect([found(again, 1), again.appliedVersion(), again.stats().corrupt]).toEqual([[200], 4, 0]);
  await again.putFillings([filling(1)]);
  await again.close();
  expect(open(path).filling(id(1))).toEqual(filling(1));
});

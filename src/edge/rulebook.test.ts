import { expect, test } from 'bun:test';
import type { CatalogRule, ShadowRecord } from '../catalog/index.ts';
import { silentLog } from '../kernel/index.ts';
import { sampleRecord } from '../../test/store/sample-record.ts';
import { Rulebook, RuleKeeper } from './rulebook.ts';

const rule = (changes: Partial<CatalogRule> = {}): CatalogRule => ({ version: 9, atMs: 2e12, target: { kind: 'site' }, effect: 'purge', untilMs: 3e12, ...changes });

test('without rules everything is good, and lists come back as they are', () => {
  const book = new Rulebook();
  const copies = [{ record: sampleRecord(1) }];
  expect([book.any, book.verdict(sampleRecord(1)), book.holds(sampleRecord(1), 0)]).toEqual([false, 'good', false]);
  expect(book.present(copies)).toBe(copies);
});

test('a verdict that is remembered is forgotten when the rules change', () => {
  const book = new Rulebook([rule({ effect: 'soft-purge' })]);
  const record = sampleRecord(1);
  expect([book.verdict(record), book.verdict(record)]).toEqual(['stale', 'stale']);
  book.use([rule()]);
  expect([book.verdict(record), book.present([{ record }])]).toEqual(['gone', []]);
  book.use([]);
  expect(book.verdict(record)).toBe('good');
});

/** A store of the records that are there, as far as sweeping sees it. */
function storeOf(records: ShadowRecord[], rules: readonly CatalogRule[]): ConstructorParameters<typeof RuleKeeper>[0]['local'] & { readonly sweeps: number } {
  let sweeps = 0;
  return {
    get sweeps() { return sweeps; },
    rules: () => rules,
    async removeMatching(unwanted) {
      sweeps += 1;
      await new Promise((resolve) => { setImmediate(resolve); });
      if (sweeps === 1 && records.length > 3) throw new Error('the disk is full');
      const gone = records.filter(unwanted);
      for (const record of gone) records.splice(records.indexOf(record), 1);
      return gone.length;
    },
  };
}

test('rules that the store remembers are in force from the start and swept; ones that come during a sweep are swept after it', async () => {
  const records = [1, 2, 3].map((n) => sampleRecord(n));
  const target = { kind: 'resource', resource: sampleRecord(1).resource } as const;
  const local = storeOf(records, [rule({ target })]);
  let forgotten = 0;
  const keeper = new RuleKeeper({ local, log: silentLog, forget: () => { forgotten += 1; } });
  expect(keeper.rulebook.verdict(sampleRecord(1))).toBe('gone');
  const swept = keeper.use();
  void keeper.use([rule({ target }), rule({ target: { kind: 'resource', resource: sampleRecord(2).resource } })]);
  await swept;
  expect(records.map((record) => record.resource)).toEqual([sampleRecord(3).resource]);
  expect([local.sweeps, forgotten]).toEqual([2, 2]);
  await keeper.use([rule({ effect: 'hold' }), rule({ effect: 'soft-purge' })]);
  expect(local.sweeps).toBe(2);
});

test('a sweep that fails leaves the rule in force, and the next one does the work', async () => {
  const records = [1, 2, 3, 4].map((n) => sampleRecord(n));
  const local = storeOf(records, [rule()]);
  const keeper = new RuleKeeper({ local, log: silentLog, forget: () => undefined });
  await keeper.use();
  expect([records.length, keeper.rulebook.verdict(sampleRecord(1))]).toEqual([4, 'gone']);
  await keeper.use();
  expect(records).toEqual([]);
  await keeper.settled();
});

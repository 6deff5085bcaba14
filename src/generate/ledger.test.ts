import { expect, test } from 'bun:test';
import { believedAfterMs, believedSightings } from './admission.ts';
import { Ledger } from './ledger.ts';

test('trouble is tried again soon, then later and later, up to ten minutes', () => {
  const ledger = new Ledger();
  let nowMs = 0;
  const waits: number[] = [];
  for (let i = 0; i < 12; i++) {
    ledger.refused('a', 'origin-timeout', undefined, nowMs);
    const next = ledger.get('a')?.notBeforeMs ?? 0;
    expect(ledger.mayTry('a', next - 1)).toBe(false);
    expect(ledger.mayTry('a', next)).toBe(true);
    waits.push(next - nowMs);
    nowMs = next;
  }
  expect(waits.slice(0, 3)).toEqual([5000, 10_000, 20_000]);
  expect(waits.at(-1)).toBe(600_000);
});

test('the site\'s own word waits longer; a good answer clears', () => {
  const ledger = new Ledger();
  ledger.refused('a', 'private', undefined, 0);
  expect(ledger.mayTry('a', 599_999)).toBe(false);
  expect(ledger.waiting(1)).toEqual({ private: 1 });
  ledger.clear('a');
  expect(ledger.mayTry('a', 1)).toBe(true);
});

test('doubts are looked at again often enough to be believed when they may be', () => {
  const ledger = new Ledger();
  ledger.refused('a', 'shrunken', { reason: 'shrunken', sightings: 1, firstMs: 0 }, 0);
  expect((ledger.get('a')?.notBeforeMs ?? 0) * believedSightings).toBeLessThan(believedAfterMs);
  expect(ledger.get('a')?.suspicion?.sightings).toBe(1);
});

test('our own reasons are not held against a target', () => {
  const ledger = new Ledger();
  for (const reason of ['aborted', 'robots', 'storage-full'] as const) ledger.refused('a', reason, undefined, 0);
  expect(ledger.size).toBe(0);
});

test('memory is bounded: the longest untouched goes', () => {
  const ledger = new Ledger(3);
  for (const id of ['a', 'b', 'c', 'a', 'd']) ledger.refused(id, 'origin-cut', undefined, 0);
  expect(ledger.size).toBe(3);
  expect(ledger.get('b')).toBeUndefined();
  expect(ledger.get('a')?.times).toBe(2);
});

test('what a passing answer said waits as long as a first word, however often it is said, and never changes what is known', () => {
  const ledger = new Ledger();
  ledger.advised('a', 'no-store', 0);
  ledger.advised('a', 'private', 1000);
  expect(ledger.get('a')).toEqual({ reason: 'no-store', suspicion: undefined, times: 1, notBeforeMs: 600_000 });
  for (let i = 1; i < 9; i++) ledger.advised('a', 'no-store', i * 600_000);
  expect(ledger.get('a')?.notBeforeMs).toBe(9 * 600_000);
  ledger.refused('b', 'private', undefined, 0);
  ledger.refused('b', 'private', undefined, 600_000);
  ledger.advised('b', 'no-store', 700_000);
  expect(ledger.get('b')).toMatchObject({ reason: 'private', notBeforeMs: 1_800_000 });
});

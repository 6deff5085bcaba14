import { describe, expect, test } from 'bun:test';
import type { FeedKey, Filling, FillingId } from '../compose/index.ts';
import { Fillings } from './fillings.ts';

const id = (n: number): FillingId => `/r#s?id=${n}` as FillingId; // as `compileSlots` names them
const feed = 'prices' as FeedKey; // as `feedKey` names them

function store(text: (n: number) => string): { readonly reads: number[]; filling(wanted: FillingId): Filling | undefined; heard(): readonly (readonly [FeedKey, number])[] } {
  const reads: number[] = [];
  return {
    reads,
    filling(wanted) {
      const n = Number(wanted.split('=')[1]);
      reads.push(n);
      return n < 0 ? undefined : { id: wanted, feed, maxAgeMs: 1000, valueTimeMs: 0, versions: [{ text: text(n), profile: undefined }], fallback: undefined, version: 1 };
    },
    heard: () => [[feed, 5]],
  };
}

describe('fillings in memory', () => {
  test('are read once, those that are not there too, until told that they changed', () => {
    const source = store(String);
    const fillings = new Fillings(source, 1 << 20);
    const [first] = [fillings.get(id(1)), fillings.get(id(1)), fillings.get(id(-1)), fillings.get(id(-1))];
    expect(source.reads).toEqual([1, -1]);
    fillings.changed([id(1), id(-1), id(7)]);
    const again = fillings.get(id(1));
    expect(again?.serial).not.toBe(first?.serial);
    fillings.get(id(-1));
    expect(source.reads).toEqual([1, -1, 1, -1]);
  });

  test('are bounded in bytes: those read first leave, and are read again', () => {
    const source = store(() => 'x'.repeat(1_000));
    const fillings = new Fillings(source, 20_000);
    for (let n = 0; n < 100; n++) fillings.get(id(n));
    expect(fillings.memory().bytes).toBeLessThanOrEqual(20_000);
    expect(fillings.memory().fillings).toBeGreaterThan(2);
    expect(fillings.get(id(0))?.filling.id).toBe(id(0));
    fillings.changed(Array.from({ length: 100 }, (_, n) => id(n)));
    expect(fillings.memory()).toEqual({ fillings: 0, bytes: 0 });
  });
});

test('the newest word on a feed counts, from the store or since', () => {
  const fillings = new Fillings(store(String), 1 << 20);
  expect(fillings.heardMs(feed)).toBe(5);
  fillings.hear([[feed, 9]]);
  fillings.hear([[feed, 7]]);
  expect([fillings.heardMs(feed), fillings.heardMs('other' as FeedKey)]).toEqual([9, undefined]); // a feed nobody named
});

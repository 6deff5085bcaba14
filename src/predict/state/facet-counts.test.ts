import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { seededRandom, ByteReader, ByteWriter } from '../../kernel/index.ts';
import { DecayedCounts } from './decayed-counts.ts';
import { FacetCounts } from './facet-counts.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** Owners and their pairs, counted as the engine does. */
function counted(owners: number, pairsMax: number, detailed = true): { readonly whole: DecayedCounts; readonly pairs: FacetCounts; readonly add: (atMs: number, ...rows: (readonly [number, number, number])[]) => void } {
  const whole = new DecayedCounts();
  whole.grow(owners);
  const pairs = new FacetCounts({ owners: whole, ownersMax: owners, pairsMax, detailed });
  pairs.growOwners(owners);
  return {
    whole, pairs, add: (atMs, ...rows) => {
      whole.advance(atMs);
      const [indexes, facets, counts] = [Int32Array.from(rows, ([owner]) => owner), Int32Array.from(rows, ([, facet]) => facet), Float64Array.from(rows, ([, , count]) => count)];
      pairs.add(indexes, facets, counts, atMs);
      whole.add(indexes, counts, atMs);
    },
  };
}

function facetsOf(counts: FacetCounts, owner: number): number[] {
  const found: number[] = [];
  for (let slot = counts.first(owner); slot >= 0; slot = counts.after(slot)) found.push(counts.facetAt(slot));
  return found.sort((a, b) => a - b);
}

/** All slots there are, as the owner and the facet of each. */
function listed(counts: FacetCounts): string[] {
  return Array.from({ length: counts.slotCount }, (_, position) => counts.slotAt(position)).filter((slot) => slot >= 0).map((slot) => `${counts.ownerAt(slot)} ${counts.facetAt(slot)}`).sort();
}

describe('FacetCounts', () => {
  test('keeps pairs apart and fades them over a day and an hour', () => {
    const { pairs, add } = counted(4, 100);
    add(hourMs, [1, 5, 3], [1, 6, 1]);
    add(25 * hourMs, [2, 5, 9]);
    expect(facetsOf(pairs, 1)).toEqual([5, 6]);
    expect(pairs.weightAt(pairs.find(1, 5)) * pairs.factor(25 * hourMs)).toBeCloseTo(3 / Math.E, 6);
    expect(pairs.hourAt(pairs.find(1, 6)) * pairs.hourFactor(3 * hourMs)).toBeCloseTo(Math.exp(-2), 6);
    expect([pairs.totalAt(pairs.find(2, 5)), pairs.lastSeenAt(pairs.find(2, 5)), pairs.lastSeenAt(pairs.find(1, 5))]).toEqual([9, 25 * hourMs, hourMs]);
    expect([pairs.find(2, 6), pairs.find(3, 5), pairs.first(0)]).toEqual([-1, -1, -1]);
  });

  test('is what exact sums are, whatever comes in which order, and after a restart', () => {
    fc.assert(fc.property(fc.array(fc.array(fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 3 }), fc.integer({ min: 1, max: 50 })), { maxLength: 6 }), { maxLength: 40 }), fc.integer({ min: 1, max: 4000 }), (minutes, gapMin) => {
      const { whole, pairs, add } = counted(6, 100);
      const exact = new Map<string, { day: number; hour: number; total: number; lastMs: number }>();
      let nowMs = 1_700_000_040_000;
      for (const rows of minutes) {
        add(nowMs, ...rows);
        for (const [owner, facet, count] of rows) {
          const before = exact.get(`${owner} ${facet}`) ?? { day: 0, hour: 0, total: 0, lastMs: nowMs };
          const ageMin = (nowMs - before.lastMs) / minuteMs;
          exact.set(`${owner} ${facet}`, { day: before.day * Math.exp(-ageMin / 1440) + count, hour: before.hour * Math.exp(-ageMin / 60) + count, total: before.total + count, lastMs: nowMs });
        }
        nowMs += gapMin * minuteMs;
      }
      const writer = new ByteWriter('TEST', 1);
      pairs.write(writer, 6);
      const read = new FacetCounts({ owners: whole, ownersMax: 6, pairsMax: 100, detailed: true });
      read.read(new ByteReader(writer.finish(), 'TEST', 1, 'a test'), 6, 4);
      for (const counts of [pairs, read]) {
        expect(listed(counts)).toEqual([...exact.keys()].sort());
        expect(counts.size).toBe(exact.size);
        for (const [id, { day, hour, total, lastMs }] of exact) {
          const [owner = 0, facet = 0] = id.split(' ').map(Number);
          const slot = counts.find(owner, facet);
          expect([counts.ownerAt(slot), counts.facetAt(slot), counts.totalAt(slot), counts.lastSeenAt(slot)]).toEqual([owner, facet, total, lastMs]);
          const ageMin = (nowMs - lastMs) / minuteMs;
          const close = (found: number, want: number): boolean => Math.abs(found - want) <= 1e-4 * want + 1e-9;
          expect([close(counts.weightAt(slot) * counts.factor(nowMs), day * Math.exp(-ageMin / 1440)), close(counts.hourAt(slot) * counts.hourFactor(nowMs), hour * Math.exp(-ageMin / 60))]).toEqual([true, true]);
        }
      }
    }), { numRuns: 150, seed: 21 });
  });

  test('a pair that is its owner\'s only one takes no room of its own', () => {
    const { pairs, add } = counted(1000, 4000);
    for (let minute = 0; minute < 3; minute++) add(hourMs + minute * minuteMs, ...Array.from({ length: 1000 }, (_, owner) => [owner, owner % 7, 2] as const));
    expect([pairs.size, pairs.bytes]).toEqual([1000, 4000]);
    add(2 * hourMs, [3, 1, 5]);
    expect([pairs.size, facetsOf(pairs, 3), pairs.totalAt(pairs.find(3, 3)), pairs.totalAt(pairs.find(3, 1))]).toEqual([1001, [1, 3], 6, 5]);
  });

  test('at the limit the weakest go, the strong stay, and lists stay whole', () => {
    const { pairs, add } = counted(20, 80);
    const random = seededRandom(3);
    for (let pair = 0; pair < 400; pair++) add(hourMs + pair, [pair % 20, Math.floor(pair / 20), 1 + Math.floor(random.next() * 3)], [0, 99, 50], [7, 98, 40]);
    expect(pairs.size).toBeLessThanOrEqual(80);
    expect(Array.from({ length: 20 }, (_, owner) => facetsOf(pairs, owner).length).reduce((sum, length) => sum + length, 0)).toBe(pairs.size);
    expect(listed(pairs).length).toBe(pairs.size);
    expect([facetsOf(pairs, 0), facetsOf(pairs, 7)]).toEqual([expect.arrayContaining([99]), expect.arrayContaining([98])]);
    expect(pairs.totalAt(pairs.find(0, 99))).toBe(400 * 50);
  });

  test('at the limit what has just come stays, before what hardly ever came', () => {
    const { pairs, add } = counted(20, 16);
    for (let owner = 0; owner < 6; owner++) add(hourMs, [owner, 1, 1], [owner, 2, 2]);
    add(2 * hourMs, ...Array.from({ length: 12 }, (_, facet) => [10, facet, 50] as const));
    expect(facetsOf(pairs, 10)).toEqual(Array.from({ length: 12 }, (_, facet) => facet));
    expect(pairs.totalAt(pairs.find(10, 11))).toBe(50);
  });

  test('who has lost all pairs for want of room does not give what was counted to the next one', () => {
    const { pairs, add } = counted(3, 8);
    add(hourMs, [0, 1, 1], [0, 2, 1]);
    for (let facet = 0; facet < 12; facet++) add(2 * hourMs, [1, facet, 9], [2, facet, 9]);
    expect(facetsOf(pairs, 0)).toEqual([]);
    add(3 * hourMs, [0, 5, 1]);
    expect([facetsOf(pairs, 0), pairs.totalAt(pairs.find(0, 5))]).toEqual([[5], 1]);
  });

  test('an owner\'s pairs can be let go, and its number be another\'s', () => {
    const { whole, pairs, add } = counted(3, 80);
    add(hourMs, [0, 1, 1], [0, 2, 1], [1, 1, 4], [2, 1, 1]);
    for (const owner of [0, 1]) {
      pairs.clear(owner);
      whole.clear(owner);
    }
    expect([facetsOf(pairs, 0), facetsOf(pairs, 1), facetsOf(pairs, 2), pairs.size]).toEqual([[], [], [1], 1]);
    add(2 * hourMs, [0, 3, 7]);
    expect([facetsOf(pairs, 0), pairs.totalAt(pairs.find(0, 3))]).toEqual([[3], 7]);
  });

  test('lists that do not agree are refused', () => {
    const { whole, pairs, add } = counted(3, 80);
    add(hourMs, [0, 1, 1], [0, 2, 1], [1, 1, 4], [1, 2, 4], [2, 3, 1]);
    const writer = new ByteWriter('TEST', 1);
    pairs.write(writer, 3);
    const bytes = writer.finish().slice(5, -4);
    const read = (at: number, to: number, facets = 4): (() => void) => () => {
      const inner = bytes.slice();
      inner[at] = to;
      const again = new ByteWriter('TEST', 1);
      again.raw(inner);
      new FacetCounts({ owners: whole, ownersMax: 3, pairsMax: 80, detailed: true }).read(new ByteReader(again.finish(), 'TEST', 1, 'a test'), 3, facets);
    };
    read(0, bytes[0] ?? 0)();
    // Heads of three owners, the number of places, the first free one, and then who is next.
    expect(read(0, 4)).toThrow('does not agree');
    expect(read(14, 1)).toThrow('does not agree');
    expect(read(0, bytes[0] ?? 0, 3)).toThrow('does not agree');
  });
});

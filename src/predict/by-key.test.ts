import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { orderByKey, sumByKey } from './by-key.ts';

test('entries are ordered by key, those of one key stay in their order, and each key is added up once', () => {
  fc.assert(fc.property(fc.constantFrom(1, 3, 2000, 2048, 2049, 5_000_000, 16_777_214), fc.array(fc.tuple(fc.nat(), fc.nat({ max: 9 })), { maxLength: 300 }), (span, entries) => {
    const keys = Int32Array.from(entries, ([key]) => key % span);
    const order = orderByKey(keys, span);
    expect([...order]).toEqual(Array.from(keys.keys()).sort((a, b) => (keys[a] ?? 0) - (keys[b] ?? 0) || a - b));
    const sorted = Int32Array.from(order, (entry) => keys[entry] ?? 0);
    const sums = sumByKey(sorted, Float64Array.from(order, (entry) => entries[entry]?.[1] ?? 0));
    const exact = new Map<number, number>();
    entries.forEach(([key, count]) => exact.set(key % span, (exact.get(key % span) ?? 0) + count));
    expect(Array.from(sums.keys, (key, i) => [key, sums.counts[i] ?? 0])).toEqual([...exact].sort(([a], [b]) => a - b));
    expect([...sums.firsts]).toEqual([...Array.from(sums.keys, (key) => sorted.indexOf(key)), sorted.length]);
  }), { seed: 17, numRuns: 200 });
});

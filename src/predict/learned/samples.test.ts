import { describe, expect, test } from 'bun:test';
import { seededRandom } from '../../kernel/index.ts';
import { featuresOf } from './features.ts';
import { Samples } from './samples.ts';

describe('Samples', () => {
  const width = featuresOf.site.length;

  test('keep the newest, the oldest first', () => {
    const samples = new Samples('site', 100);
    const columns = featuresOf.site.map(() => new Uint8Array(30));
    for (let batch = 0; batch < 10; batch++) {
      columns[0]?.fill(batch);
      samples.add(columns, new Float64Array(30), new Float64Array(30).fill(batch + 1), seededRandom(1));
    }
    const { counts, codes } = samples.rows();
    expect(samples.length).toBe(100);
    expect([counts[0], counts[9], counts[10], counts[99]]).toEqual([7, 7, 8, 10]);
    expect([codes[0], codes[99 * width]]).toEqual([6, 9]);
    expect(codes.length).toBe(100 * width);
  });

  test('thin out what nobody asked for, and weigh what is left so that nothing is bent', () => {
    const random = seededRandom(9);
    const rows = 40_000;
    const offsets = Float64Array.from({ length: rows }, () => Math.log(10 ** (-3 + 2.5 * random.next())));
    const counts = offsets.map((offset) => (random.next() < 1 - Math.exp(-Math.exp(offset)) ? 1 : 0));
    const samples = new Samples('site', rows);
    samples.add(featuresOf.site.map(() => new Uint8Array(rows)), offsets, counts, random);
    const kept = samples.rows();
    expect(samples.length).toBeLessThan(rows / 4);
    const sum = (column: Iterable<number>): number => { let total = 0; for (const value of column) total += value; return total; };
    expect(sum(kept.counts) / sum(counts)).toBeCloseTo(1, 5);
    expect(sum(kept.offsets.map(Math.exp)) / sum(offsets.map(Math.exp))).toBeCloseTo(1, 1);
  });
});

import { describe, expect, test } from 'bun:test';
import { seededRandom } from '../../kernel/index.ts';
import { featureBlock, featureRanges } from './features.ts';
import { codeOf, missing, Samples, valueOf } from './samples.ts';

describe('Samples', () => {
  const width = featureRanges.site.length;

  test('keep the newest, the oldest first', () => {
    const samples = new Samples('site', 100);
    const block = featureBlock('site', 30);
    for (let batch = 0; batch < 10; batch++) {
      block.values.fill(batch / 10, 0, 30);
      samples.add(block, new Float64Array(30), new Float64Array(30).fill(batch + 1), seededRandom(1));
    }
    const { counts, codes } = samples.rows();
    expect(samples.length).toBe(100);
    expect([counts[0], counts[9], counts[10], counts[99]]).toEqual([7, 7, 8, 10]);
    expect(codes[99 * width]).toBe(codeOf(0.9, featureRanges.site[0]?.from ?? 0, featureRanges.site[0]?.to ?? 1));
    expect(codes.length).toBe(100 * width);
  });

  test('thin out what nobody asked for, and weigh what is left so that nothing is bent', () => {
    const random = seededRandom(9);
    const rows = 40_000;
    const offsets = Float64Array.from({ length: rows }, () => Math.log(10 ** (-3 + 2.5 * random.next())));
    const counts = offsets.map((offset) => (random.next() < 1 - Math.exp(-Math.exp(offset)) ? 1 : 0));
    const samples = new Samples('site', rows);
    samples.add(featureBlock('site', rows), offsets, counts, random);
    const kept = samples.rows();
    expect(samples.length).toBeLessThan(rows / 4);
    const sum = (column: Iterable<number>): number => { let total = 0; for (const value of column) total += value; return total; };
    expect(sum(kept.counts) / sum(counts)).toBeCloseTo(1, 5);
    expect(sum(kept.offsets.map(Math.exp)) / sum(offsets.map(Math.exp))).toBeCloseTo(1, 1);
  });

  test('tell values apart within their range, and know what is missing', () => {
    for (let value = -5; value <= 5; value += 0.37) expect(Math.abs(valueOf(codeOf(value, -5, 5), -5, 5) - value)).toBeLessThanOrEqual(10 / 254 / 2 + 1e-9);
    expect([codeOf(-9, -5, 5), codeOf(9, -5, 5), codeOf(-Infinity, -5, 5), codeOf(Infinity, -5, 5)]).toEqual([0, 254, 0, 254]);
    expect(codeOf(NaN, -5, 5)).toBe(missing);
    expect(valueOf(missing, -5, 5)).toBeNaN();
  });
});

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { LogHistogram } from './log-histogram.ts';

const values = fc.array(fc.double({ min: 0.3, max: 100_000, noNaN: true }), { minLength: 1, maxLength: 300 });

describe('LogHistogram', () => {
  test('knows any quantile to a bucket', () => {
    fc.assert(fc.property(values, fc.double({ min: 0.01, max: 0.999, noNaN: true }), (numbers, q) => {
      const histogram = new LogHistogram();
      for (const value of numbers) histogram.add(value);
      const sorted = [...numbers].sort((a, b) => a - b);
      const exact = sorted[Math.ceil(q * sorted.length) - 1] ?? Number.NaN;
      const found = histogram.quantile(q) ?? Number.NaN;
      expect(found / exact).toBeGreaterThan(1 / 1.0906);
      expect(found / exact).toBeLessThan(1.0906);
    }), { seed: 1, numRuns: 200 });
  });

  test('takes anything, and stays within its range', () => {
    const histogram = new LogHistogram();
    for (const value of [0, -5, Number.NaN, 1e12, Number.POSITIVE_INFINITY]) histogram.add(value);
    expect(histogram.total).toBe(5);
    expect(histogram.quantile(0.1)).toBeLessThan(0.3);
    expect(histogram.quantile(1)).toBeCloseTo(262_144, 0);
  });

  test('is empty at first and after clear', () => {
    const histogram = new LogHistogram();
    expect(histogram.quantile(0.5)).toBeUndefined();
    histogram.add(10);
    histogram.clear();
    expect(histogram.quantile(0.5)).toBeUndefined();
    expect(histogram.total).toBe(0);
  });

  test('stretching multiplies every value, within its range', () => {
    const histogram = new LogHistogram();
    for (const value of [1, 10, 100]) histogram.add(value, 2);
    histogram.stretch(8);
    expect(histogram.total).toBe(6);
    expect((histogram.quantile(0.5) ?? 0) / 80).toBeGreaterThan(0.9);
    expect((histogram.quantile(0.5) ?? 0) / 80).toBeLessThan(1.1);
    histogram.stretch(1e9);
    expect(histogram.total).toBe(6);
    expect(histogram.quantile(0)).toBeGreaterThan(200_000);
  });

  test('merging adds, fading lets new weight prevail', () => {
    const old = new LogHistogram();
    for (let i = 0; i < 100; i++) old.add(10);
    const histogram = new LogHistogram();
    histogram.merge(old);
    histogram.fade(0.1);
    for (let i = 0; i < 20; i++) histogram.add(1000);
    expect(histogram.total).toBeCloseTo(30, 6);
    expect(histogram.quantile(0.5)).toBeGreaterThan(900);
    expect(old.quantile(0.5)).toBeLessThan(11);
  });
});

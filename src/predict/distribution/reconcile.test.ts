import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { reconcile } from './reconcile.ts';

test('whole and parts agree, between where they were, and what is nothing stays so', () => {
  const mean = fc.oneof(fc.constant(0), fc.double({ min: 1e-9, max: 1e6, noNaN: true }));
  fc.assert(fc.property(mean, fc.array(mean, { maxLength: 6 }), mean, (whole, list, elsewhere) => {
    const parts = Float64Array.from(list);
    const before = list.reduce((sum, part) => sum + part, elsewhere);
    const agreed = reconcile(whole, parts, elsewhere);
    if (!(before > 0) || whole === 0) {
      expect([agreed, [...parts]]).toEqual([whole, list]);
      return;
    }
    const after = parts.reduce((sum, part) => sum + part, (elsewhere * agreed) / before);
    expect(Math.abs(after - agreed)).toBeLessThanOrEqual(1e-9 * agreed);
    expect(agreed).toBeGreaterThanOrEqual(Math.min(whole, before) * (1 - 1e-12));
    expect(agreed).toBeLessThanOrEqual(Math.max(whole, before) * (1 + 1e-12));
  }), { seed: 11, numRuns: 300 });
});

test('half of the difference goes to each side', () => {
  const parts = Float64Array.of(1, 2);
  expect(reconcile(4, parts, 1)).toBeCloseTo(4, 12);
  const unequal = Float64Array.of(2, 2);
  // Variances 6 and 4: the whole of 6 gives up 6/10 of the difference of 2.
  expect(reconcile(6, unequal, 0)).toBeCloseTo(4.8, 12);
  expect([...unequal]).toEqual([2.4, 2.4]);
});

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { probabilityOfAny, quantiles } from './negative-binomial.ts';

describe('probabilityOfAny', () => {
  test('is Poisson without dispersion, and 1 − (1 + αm)^(−1/α) with it', () => {
    expect(probabilityOfAny(0.7, 0)).toBeCloseTo(1 - Math.exp(-0.7), 12);
    expect(probabilityOfAny(0.7, 2)).toBeCloseTo(1 - (1 + 1.4) ** -0.5, 12);
    expect(probabilityOfAny(0, 1)).toBe(0);
    expect(probabilityOfAny(1e-12, 1e-12)).toBeCloseTo(1e-12, 20);
  });
});

describe('quantiles', () => {
  // Of mean 4 and dispersion ½ (shape 2), P(X ≤ k) = 1 − (2/3)^(k+1) (1 + (k+1)/3); the others are Poisson tables.
  test.each([[3.2, 0, [3, 6, 8]], [0.01, 0, [0, 0, 0]], [0.02, 0, [0, 0, 1]], [4, 0.5, [3, 9, 15]]] as const)('of mean %d and dispersion %d', (mean, dispersion, expected) => {
    expect(quantiles(mean, dispersion, [0.5, 0.9, 0.99])).toEqual([...expected]);
  });

  test('ascend, and grow with the mean', () => {
    fc.assert(fc.property(fc.double({ min: 0, max: 5000, noNaN: true }), fc.double({ min: 0, max: 10, noNaN: true }), (mean, dispersion) => {
      const [low = 0, middle = 0, high = 0] = quantiles(mean, dispersion, [0.5, 0.9, 0.99]);
      expect(low).toBeLessThanOrEqual(middle);
      expect(middle).toBeLessThanOrEqual(high);
      expect(quantiles(mean * 1.5 + 1, dispersion, [0.9])[0]).toBeGreaterThanOrEqual(middle);
    }), { numRuns: 300, seed: 2 });
  });

  test('the approximation for large means joins the exact one', () => {
    for (const dispersion of [0, 0.1, 1]) {
      const exact = quantiles(299.9, dispersion, [0.5, 0.9, 0.99]);
      const approximate = quantiles(300.1, dispersion, [0.5, 0.9, 0.99]);
      exact.forEach((value, i) => { expect(Math.abs((approximate[i] ?? 0) / value - 1)).toBeLessThan(0.02); });
    }
  });
});

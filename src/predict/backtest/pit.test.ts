import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { seededRandom } from '../../kernel/index.ts';
import { probabilityOfAny, quantiles } from '../distribution/negative-binomial.ts';
import { cumulative, pitPart } from './pit.ts';

describe('cumulative', () => {
  // Poisson table of mean 2: P(X ≤ 1) = .40601, P(X ≤ 2) = .67668. Mean 4, dispersion ½: P(X ≤ k) = 1 − (2/3)^(k+1) (1 + (k+1)/3).
  test.each([[2, 0, 2, 0.40601, 0.67668], [2, 0, 0, 0, 0.13534], [4, 0.5, 0, 0, 1 / 9], [4, 0.5, 2, 1 - (4 / 9) * (5 / 3), 1 - (8 / 27) * 2]])(
    'of mean %d and dispersion %d at %d', (mean, dispersion, count, below, upTo) => {
      const found = cumulative(mean, dispersion, count);
      expect(found.below).toBeCloseTo(below, 4);
      expect(found.upTo).toBeCloseTo(upTo, 4);
    });

  test('is in line with quantiles and P(≥1), for large means too', () => {
    fc.assert(fc.property(fc.double({ min: 0.001, max: 280, noNaN: true }), fc.double({ min: 0, max: 5, noNaN: true }), (mean, dispersion) => {
      expect(1 - cumulative(mean, dispersion, 0).upTo).toBeCloseTo(probabilityOfAny(mean, dispersion), 9);
      const q90 = quantiles(mean, dispersion, [0.9])[0] ?? 0;
      const { below, upTo } = cumulative(mean, dispersion, q90);
      expect(below).toBeLessThan(0.9 + 1e-9);
      expect(upTo).toBeGreaterThanOrEqual(0.9 - 1e-9);
    }), { numRuns: 200, seed: 4 });
    const far = cumulative(5000, 0, 5000);
    expect(far.upTo).toBeCloseTo(0.5038, 3);
  });

  test('nothing expected and nothing come is the whole scale', () => {
    expect(cumulative(0, 1, 0)).toEqual({ below: 0, upTo: 1 });
    expect(cumulative(0, 1, 3).below).toBe(1);
  });
});

test('of counts drawn from their forecast every part of the scale gets its own length, however few are expected', () => {
  const random = seededRandom(5);
  for (const mean of [0.05, 0.7, 6]) {
    let within = 0;
    const draws = 40_000;
    for (let i = 0; i < draws; i++) {
      const count = random.poisson(mean);
      const { below, upTo } = cumulative(mean, 0, count);
      within += pitPart(0.95, below, upTo) - pitPart(0.05, below, upTo);
    }
    expect(Math.abs(within / draws - 0.9)).toBeLessThan(0.004);
  }
});

test('a count astride a level counts in part', () => {
  expect([pitPart(0.5, 0.2, 0.4), pitPart(0.5, 0.6, 0.8), pitPart(0.5, 0.25, 0.75)]).toEqual([1, 0, 0.5]);
});

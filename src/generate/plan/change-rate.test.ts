import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { seededRandom } from '../../kernel/index.ts';
import { changePrior, changeRate, changesBehindOne, learnChange, noEvidence, type ChangeObservation } from './change-rate.ts';

const prior = changePrior(1 / 1440);
const after = (seen: readonly ChangeObservation[]): number => changeRate(seen.reduce((evidence, one) => learnChange(evidence, one, prior), noEvidence), prior);

describe('changeRate', () => {
  test('without observations is the prior\'s mean, and spans that are none say nothing', () => {
    expect(after([])).toBeCloseTo(1 / 1440, 12);
    expect(after([{ minutes: 0, changed: true }, { minutes: Number.NaN, changed: true }, { sinceChangeMinutes: -3 }])).toBeCloseTo(1 / 1440, 12);
  });

  test.each([0.002, 0.02, 0.2])('finds a rate of %d a minute from bits at irregular intervals', (rate) => {
    const random = seededRandom(17);
    let sum = 0;
    for (let page = 0; page < 60; page++) {
      sum += after(Array.from({ length: 200 }, () => {
        const minutes = 0.1 / rate + random.exponential(1 / rate);
        return { minutes, changed: random.exponential(1 / rate) < minutes };
      })) / 60;
    }
    expect(Math.abs(sum / rate - 1)).toBeLessThan(0.06);
  });

  test('what did not change looks the same however often it was looked at', () => {
    fc.assert(fc.property(fc.array(fc.double({ min: 1 / 60, max: 500, noNaN: true }), { minLength: 1, maxLength: 60 }), (spans) => {
      const once = after([{ minutes: spans.reduce((sum, minutes) => sum + minutes, 0), changed: false }]);
      expect(after(spans.map((minutes) => ({ minutes, changed: false }))) / once).toBeCloseTo(1, 9);
    }), { numRuns: 100, seed: 4 });
  });

  test('one change seen within a second is one change, not one a second', () => {
    const rate = after([{ minutes: 600, changed: false }, { minutes: 1 / 60, changed: true }]);
    expect(rate).toBeGreaterThan(1 / 1000);
    expect(rate).toBeLessThan(1 / 500);
  });

  test('a date of its last change tells more than a bit', () => {
    expect(after([{ sinceChangeMinutes: 40_000 }])).toBeLessThan(1 / 20_000);
    expect(after([{ sinceChangeMinutes: 4 }, { sinceChangeMinutes: 2 }, { sinceChangeMinutes: 3 }])).toBeGreaterThan(1 / 150);
  });

  test('is the posterior mean: the moments of the exact one, by quadrature', () => {
    fc.assert(fc.property(fc.double({ min: 0.2, max: 12, noNaN: true }), fc.double({ min: 0.5, max: 300, noNaN: true }), fc.double({ min: 0.01, max: 600, noNaN: true }), (shape, minutes, span) => {
      let mass = 0;
      let first = 0;
      // Substituted u = ln λ, so that the pole of small shapes is integrable.
      for (let u = -18; u < 7; u += 0.005) {
        const rate = Math.exp(u);
        const weight = Math.exp(shape * u - minutes * rate) * -Math.expm1(-span * rate);
        mass += weight;
        first += weight * rate;
      }
      const flat = { shape: 0, minutes: 0 };
      expect(changeRate(learnChange({ shape, minutes }, { minutes: span, changed: true }, flat), flat) / (first / mass)).toBeCloseTo(1, 4);
    }), { numRuns: 60, seed: 8 });
  });

  test('follows a page that changes its habits, and never counts more than it can forget', () => {
    const calm = Array.from({ length: 2000 }, () => ({ minutes: 60, changed: false }));
    const lively = Array.from({ length: 60 }, () => ({ minutes: 20, changed: true }));
    expect(after(calm)).toBeLessThan(1e-5);
    expect(after([...calm, ...lively])).toBeGreaterThan(2e-4);
    const evidence = Array.from({ length: 500 }, () => ({ minutes: 10, changed: true })).reduce((known, one) => learnChange(known, one, prior), noEvidence);
    expect(evidence.shape).toBeLessThanOrEqual(24);
  });
});

test('where one change was seen, one is expected at least, and about the rate\'s share in a long span', () => {
  expect(changesBehindOne(1e-9, 1)).toBe(1);
  expect(changesBehindOne(0.1, 10)).toBeCloseTo(1 / (1 - Math.exp(-1)), 9);
  expect(changesBehindOne(1, 50)).toBeCloseTo(50, 9);
});

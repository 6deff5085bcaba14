import { describe, expect, test } from 'bun:test';
import { seededRandom } from '../../kernel/index.ts';
import { estimateChangeRate } from './change-rate.ts';

describe('estimateChangeRate', () => {
  test('knows nothing without observations', () => {
    expect(estimateChangeRate([])).toBe(0);
    expect(estimateChangeRate([{ minutes: 0, changed: true }, { minutes: Number.NaN, changed: true }])).toBe(0);
  });

  test.each([0.002, 0.02, 0.2])('finds a rate of %d a minute from bits at irregular intervals', (rate) => {
    const random = seededRandom(17);
    const observations = Array.from({ length: 4000 }, () => {
      const minutes = 1 + random.exponential(1 / rate);
      return { minutes, changed: random.exponential(1 / rate) < minutes };
    });
    const estimate = estimateChangeRate(observations);
    expect(Math.abs(estimate / rate - 1)).toBeLessThan(0.08);
  });

  test('stays finite where everything changed and above zero where nothing did', () => {
    const always = estimateChangeRate(Array.from({ length: 30 }, () => ({ minutes: 10, changed: true })));
    const never = estimateChangeRate(Array.from({ length: 30 }, () => ({ minutes: 10, changed: false })));
    expect(always).toBeGreaterThan(0.3);
    expect(always).toBeLessThan(1);
    expect(never).toBeGreaterThan(0);
    expect(never).toBeLessThan(0.003);
  });

  test('equal intervals give the textbook answer: −ln(share unchanged)/τ, with half of each kind added', () => {
    const observations = Array.from({ length: 10 }, (_, i) => ({ minutes: 5, changed: i < 4 }));
    expect(estimateChangeRate(observations)).toBeCloseTo(-Math.log(6.5 / 11) / 5, 6);
  });
});

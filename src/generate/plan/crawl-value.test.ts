import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { crawlValue, entire } from './crawl-value.ts';
import type { Refreshing } from './crawl-value.ts';

const base: Refreshing = { ageMin: 20, worthPerMinute: 1, changesPerMinute: 0, passivePerMinute: 0, targetAgeMin: 30, outageMin: 15, penalty: 'harmonic' };

/** V = μ ∫₀ᵃ c′(s) (1 − e^(−ps))/p ds by the midpoint rule, from the definition in the header. */
function byQuadrature(of: Refreshing): number {
  const { ageMin: a, passivePerMinute: p, changesPerMinute: delta, targetAgeMin: target, outageMin: outage } = of;
  const steps = 20_000;
  let sum = 0;
  for (let i = 0; i < steps; i++) {
    const s = ((i + 0.5) * a) / steps;
    const age = s < target - outage ? 0 : s < target ? 1 / outage : 0.05 / s;
    const change = delta === 0 ? 0 : of.penalty === 'binary' ? delta * Math.exp(-delta * s) : -Math.expm1(-delta * s) / s;
    const kept = p === 0 ? s : -Math.expm1(-p * s) / p;
    sum += (age + 0.5 * change) * kept;
  }
  return (of.worthPerMinute * sum * a) / steps;
}

describe('crawlValue', () => {
  test.each(['harmonic', 'binary'] as const)('the closed form of the %s penalty is the integral it stands for', (penalty) => {
    const rate = fc.oneof(fc.constant(0), fc.double({ min: 1e-4, max: 5, noNaN: true }));
    fc.assert(fc.property(fc.double({ min: 0.1, max: 300, noNaN: true }), rate, rate, (ageMin, changesPerMinute, passivePerMinute) => {
      const of = { ...base, penalty, ageMin, changesPerMinute, passivePerMinute };
      const expected = byQuadrature(of);
      expect(Math.abs(crawlValue(of) - expected)).toBeLessThan(2e-3 * expected + 1e-3);
    }), { numRuns: 60, seed: 3 });
  });

  test('is Azar\'s crawl value for the binary penalty alone', () => {
    const [delta, tau] = [0.03, 25];
    const value = crawlValue({ ...base, penalty: 'binary', ageMin: tau, changesPerMinute: delta, targetAgeMin: Infinity });
    expect(value).toBeCloseTo(0.5 * (1 / delta) * (1 - Math.exp(-delta * tau) - delta * tau * Math.exp(-delta * tau)), 10);
  });

  test('is nothing while the copy would outlast an outage', () => {
    expect(crawlValue({ ...base, ageMin: 15 })).toBe(0);
    expect(crawlValue({ ...base, ageMin: 15.1 })).toBeGreaterThan(0);
  });

  test('never falls with age, demand or change, and never rises with passing requests', () => {
    const positive = fc.double({ min: 0.01, max: 100, noNaN: true });
    fc.assert(fc.property(positive, positive, positive, positive, (ageMin, worthPerMinute, changesPerMinute, passivePerMinute) => {
      const of = { ...base, ageMin, worthPerMinute, changesPerMinute: changesPerMinute / 100, passivePerMinute: passivePerMinute / 100 };
      const value = crawlValue(of) * (1 - 1e-9);
      expect(crawlValue({ ...of, ageMin: ageMin * 1.1 })).toBeGreaterThanOrEqual(value);
      expect(crawlValue({ ...of, worthPerMinute: worthPerMinute * 1.1 })).toBeGreaterThanOrEqual(value);
      expect(crawlValue({ ...of, passivePerMinute: of.passivePerMinute * 0.9 })).toBeGreaterThanOrEqual(value);
    }), { numRuns: 300, seed: 5 });
  });

  test('goes on growing beyond the target, so that nothing starves', () => {
    const old = crawlValue({ ...base, ageMin: 3000 });
    expect(old).toBeGreaterThan(5 * crawlValue({ ...base, ageMin: 30 }));
  });
});

describe('entire', () => {
  // Ein(1), Ein(2), Ein(10), from the tables of DLMF 6.
  test.each([[0, 0], [1, 0.796599599297053], [2, 1.319263356], [10, 2.879804914864508]])('Ein(%d) = %d', (x, value) => {
    expect(entire(x)).toBeCloseTo(value, 8);
  });
});

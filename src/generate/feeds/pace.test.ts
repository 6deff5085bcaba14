import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { failureWaitMaxMs, failureWaitMs, jittered, retryAfterMaxMs, silenceMs } from './pace.ts';

const failing = { failures: 1, everyMs: 10_000, maxAgeMs: 120_000, heardAgoMs: undefined, retryAfterMs: undefined };

test('a feed that fails is asked again after a second, then double, to a minute', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 8, 1000].map((failures) => failureWaitMs({ ...failing, failures }))).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  expect(failureWaitMs({ ...failing, everyMs: 100 })).toBe(100);
});

test('while a value may still be shown, never later than a quarter of maxAge', () => {
  const late = { ...failing, failures: 20 };
  expect(failureWaitMs({ ...late, heardAgoMs: 0 })).toBe(30_000);
  expect(failureWaitMs({ ...late, heardAgoMs: 119_999 })).toBe(30_000);
  expect(failureWaitMs({ ...late, heardAgoMs: 120_000 })).toBe(60_000);
  expect(failureWaitMs({ ...late, heardAgoMs: 0, maxAgeMs: 30 * 86_400_000 })).toBe(60_000);
  expect(failureWaitMs({ ...late, heardAgoMs: 0, maxAgeMs: 400, everyMs: 100 })).toBe(100);
});

test('waits lie between the shortest and the longest there is, Retry-After being the least', () => {
  fc.assert(fc.property(
    fc.record({
      failures: fc.integer({ min: 1, max: 2000 }), everyMs: fc.integer({ min: 100, max: 86_400_000 }), maxAgeMs: fc.integer({ min: 100, max: 30 * 86_400_000 }),
      heardAgoMs: fc.option(fc.integer({ min: -1000, max: 86_400_000 }), { nil: undefined }), retryAfterMs: fc.option(fc.integer({ min: 0, max: 1e12 }), { nil: undefined }),
    }),
    (facts) => {
      const waitMs = failureWaitMs(facts);
      expect(waitMs).toBeGreaterThanOrEqual(Math.min(facts.everyMs, 1000, failureWaitMaxMs));
      expect(waitMs).toBeGreaterThanOrEqual(Math.min(facts.retryAfterMs ?? 0, retryAfterMaxMs));
      expect(waitMs).toBeLessThanOrEqual(Math.max(failureWaitMaxMs, Math.min(facts.retryAfterMs ?? 0, retryAfterMaxMs)));
    },
  ), { seed: 4, numRuns: 300 });
});

test('a stream may be silent for half of maxAge, from a second to a minute', () => {
  expect([100, 30_000, 3_600_000].map(silenceMs)).toEqual([1000, 15_000, 60_000]);
});

test('jitter is up to a tenth earlier, never later', () => {
  expect([jittered(1000, 0), jittered(1000, 0.5), jittered(1000, 1)]).toEqual([1000, 950, 900]);
});

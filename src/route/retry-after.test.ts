import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { retryAfterS } from './retry-after.ts';

const probeMs = 2000;

test('grows with the outage, within bounds', () => {
  const after = (state: 'down' | 'failing', lastedMs: number): number => retryAfterS(state, 0, 3000, probeMs, lastedMs, 0);
  expect(after('down', 0)).toBe(5);
  expect(after('failing', 0)).toBe(2);
  expect(after('down', 60_000)).toBe(15);
  expect(after('down', 86_400_000)).toBe(60);
  expect(retryAfterS('down', 0, 48_000, probeMs, 0, 0)).toBe(50);
  expect(retryAfterS('recovering', 0, 0, probeMs, 600_000, 0)).toBe(1);
});

test('is a whole number of seconds from 1 to 90, spread over clients', () => {
  const state = fc.constantFrom('healthy', 'strained', 'failing', 'down', 'recovering');
  fc.assert(fc.property(state, fc.nat(), fc.nat(4_294_967_295), fc.nat(60_000), (from, lastedMs, position, holdMs) => {
    const seconds = retryAfterS(from, 1000, holdMs, probeMs, 1000 + lastedMs, position);
    expect(Number.isInteger(seconds)).toBe(true);
    expect(seconds).toBeGreaterThanOrEqual(1);
    expect(seconds).toBeLessThanOrEqual(90);
  }), { seed: 5, numRuns: 300 });
  expect(retryAfterS('down', 0, 0, probeMs, 60_000, 4_294_967_295)).toBe(23);
});

import { describe, expect, test } from 'bun:test';
import { seededRandom } from '../../kernel/index.ts';
import { DecayedCounts, scalesMin } from './decayed-counts.ts';

const minuteMs = 60_000;
const startMs = 1_700_000_040_000;

describe('DecayedCounts', () => {
  test('agree with exact sums within 1e-4 over months, from one request a week to a million a minute', () => {
    const perMinute = [1 / 10_080, 1 / 700, 0.02, 0.7, 40, 3000, 1_000_000];
    const random = seededRandom(6);
    const counts = new DecayedCounts();
    counts.grow(perMinute.length);
    const exact = perMinute.map(() => scalesMin.map(() => 0));
    const keeps = scalesMin.map((tau) => Math.exp(-1 / tau));
    const totals = perMinute.map(() => 0);
    const minutes = 100 * 1440;
    let nowMs = startMs;
    for (let minute = 0; minute < minutes; minute++, nowMs += minuteMs) {
      counts.advance(nowMs);
      const busy: number[] = [];
      const came: number[] = [];
      perMinute.forEach((rate, key) => {
        const count = rate >= 1 ? Math.round(rate * (0.5 + random.next())) : random.next() < rate ? 1 : 0;
        exact[key]?.forEach((sum, scale, sums) => { sums[scale] = sum * (keeps[scale] ?? 0) + count; });
        if (count === 0) return;
        busy.push(key);
        came.push(count);
        totals[key] = (totals[key] ?? 0) + count;
      });
      counts.add(Int32Array.from(busy), Float64Array.from(came), nowMs);
    }
    const factors = counts.factors(nowMs - minuteMs);
    perMinute.forEach((_, key) => {
      scalesMin.forEach((_tau, scale) => {
        const want = exact[key]?.[scale] ?? 0;
        const found = (counts.columns[scale]?.[key] ?? 0) * (factors[scale] ?? 0);
        // What is less than a billionth of a request may be nothing.
        if (Math.abs(found - want) > 1e-4 * want + 1e-9) throw new Error(`key ${key}, scale ${scale}: ${found}, not ${want}`);
      });
      expect(counts.totals[key]).toBe((totals[key] ?? 0) % 2 ** 32);
    });
    expect(totals[6] ?? 0).toBeGreaterThan(2 ** 32);
  });

  test('know the minutes of the first and the last request, and forget a key whole', () => {
    const counts = new DecayedCounts();
    counts.grow(2);
    expect([counts.has(0), counts.lastSeenAt(0), counts.firstSeenAt(0)]).toEqual([false, 0, 0]);
    for (const minute of [0, 5, 3]) counts.add(Int32Array.of(0), Float64Array.of(1), startMs + minute * minuteMs);
    expect([counts.has(0), counts.firstSeenAt(0), counts.lastSeenAt(0)]).toEqual([true, startMs, startMs + 5 * minuteMs]);
    counts.clear(0);
    expect([counts.has(0), counts.lastSeenAt(0), counts.totals[0], ...counts.columns.map((column) => column[0])]).toEqual([false, 0, 0, 0, 0, 0, 0, 0]);
  });

  test('a skipped time did not pass', () => {
    const [skipped, never] = [new DecayedCounts(), new DecayedCounts()];
    for (const counts of [skipped, never]) {
      counts.grow(2);
      counts.advance(startMs);
      counts.add(Int32Array.of(0), Float64Array.of(3), startMs);
    }
    skipped.skip(120 * minuteMs);
    expect(skipped.factors(startMs + 121 * minuteMs)).toEqual(never.factors(startMs + minuteMs));
    expect([skipped.lastSeenAt(0), skipped.firstSeenAt(0), skipped.lastSeenAt(1)]).toEqual([startMs + 120 * minuteMs, startMs + 120 * minuteMs, 0]);
  });
});

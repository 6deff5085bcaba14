import { expect, test } from 'bun:test';
import { Copies } from './copies.ts';
import { captures, isDemand } from './hour-bucket.ts';
import type { TraceMinute } from './hour-bucket.ts';
import { Misses } from './misses.ts';

const minuteMs = 60_000;

function minute(startMin: number, keys: readonly number[], flags = isDemand | captures): TraceMinute {
  return {
    minuteMs: startMin * minuteMs, timeMs: Float64Array.from(keys, () => startMin * minuteMs), resource: Int32Array.from(keys),
    region: new Int32Array(keys.length), flags: new Uint8Array(keys.length).fill(flags), client: new Int32Array(keys.length), referer: new Int32Array(keys.length).fill(-1),
  };
}

test('each missed request has the first reason that fits', () => {
  const misses = new Misses();
  const copies = new Copies();
  copies.grow(3000);
  // 0 fresh; 1 once; 2 often enough to be refreshed; 3 rare; 4 rare and now a burst; 2000 never.
  for (const before of [minute(1, [1, 2, 3, 4]), minute(2, [2, 3, 4]), minute(99, [0, 0])]) {
    misses.endMinute(before);
    copies.capture(before);
  }
  const expected = new Float64Array(3000);
  expected[2] = 0.2;
  expected[3] = 0.007;
  expected[4] = 0.007;
  misses.outage([minute(100, [0, 1, 2, 2, 3, 4, 4, 4, 4, 2000]), minute(101, [3, 2000], captures)], { copies, freshForMs: 30 * minuteMs, outageMin: 15, expected, leastRefreshedPerMinute: 0.1 });
  expect([...misses.totals]).toEqual([1, 1, 4, 1, 2]);
  expect(misses.most(2)).toEqual([{ key: 4, missed: 4, why: 'burst' }, { key: 2, missed: 2, why: 'budget' }]);
});

test('over outages the most frequent reason is named, and equals come in the order of their numbers', () => {
  const misses = new Misses();
  const copies = new Copies();
  copies.grow(10);
  const start = { copies, freshForMs: 30 * minuteMs, outageMin: 15, expected: new Float64Array(10), leastRefreshedPerMinute: 0.1 };
  misses.outage([minute(100, [5, 3])], start);
  misses.endMinute(minute(100, [5, 5, 3]));
  misses.outage([minute(200, [5]), minute(201, [5])], start);
  misses.outage([minute(300, [3])], start);
  expect(misses.most(10)).toEqual([{ key: 5, missed: 3, why: 'too-rare' }, { key: 3, missed: 2, why: 'never-seen' }]);
});

import { expect, test } from 'bun:test';
import { captures, isDemand } from '../../src/predict/backtest/index.ts';
import type { TraceMinute } from '../../src/predict/backtest/index.ts';
import { BoundedCache } from './caches.ts';

function minute(startMin: number, keys: readonly number[]): TraceMinute {
  return {
    minuteMs: startMin * 60_000, timeMs: Float64Array.from(keys, () => startMin * 60_000), resource: Int32Array.from(keys), region: new Int32Array(keys.length),
    flags: new Uint8Array(keys.length).fill(isDemand | captures), client: new Int32Array(keys.length), referer: new Int32Array(keys.length).fill(-1),
  };
}

function inside(cache: BoundedCache, keys: number): number[] {
  const scores = new Float64Array(keys);
  cache.scores(scores);
  return [...scores.keys()].filter((key) => (scores[key] ?? 0) > 0).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0));
}

test('LRU lets the least recently used go, and its copy', () => {
  const cache = new BoundedCache('LRU', 2);
  cache.take(minute(0, [0, 1, 0, 2]), 4);
  expect(inside(cache, 4)).toEqual([2, 0]);
  expect(cache.copies.madeMs[1]).toBe(-Infinity);
  expect(cache.copies.madeMs[0]).toBe(0);
});

test('LFU keeps what was used most, and the newcomer', () => {
  const cache = new BoundedCache('LFU', 2);
  cache.take(minute(0, [0, 0, 0, 1, 1, 2]), 4);
  expect(inside(cache, 4)).toEqual([0, 2]);
  cache.take(minute(1, [1]), 4);
  // 1 has been used three times by now, 2 once.
  expect(inside(cache, 4).sort()).toEqual([0, 1]);
});

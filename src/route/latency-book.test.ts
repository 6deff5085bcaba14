import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { LatencyBook, unknownRescueMs } from './latency-book.ts';
import { LogHistogram } from './log-histogram.ts';

function bookOf(rescueAfterMs: number | 'auto' = 'auto', latencyP95Ms?: number): LatencyBook {
  return new LatencyBook({ groups: 3, rescueAfterMs, latencyP95Ms }, 0);
}

function teach(book: LatencyBook, group: number, latencyMs: number, times: number): void {
  for (let i = 0; i < times; i++) book.learn(group, latencyMs, 1);
  book.refresh(1000);
}

describe('rescue delay', () => {
  test('is a second before anything is known', () => {
    expect(bookOf().rescueDelayMs(0)).toBe(unknownRescueMs);
    expect(bookOf().rescueDelayMs(99)).toBe(unknownRescueMs);
  });

  test('follows the route, else the site', () => {
    const book = bookOf();
    teach(book, 0, 20, 100);
    expect(book.rescueDelayMs(0)).toBeGreaterThan(45);
    expect(book.rescueDelayMs(0)).toBeLessThan(55);
    expect(book.rescueDelayMs(1)).toBe(book.rescueDelayMs(0));
    teach(book, 1, 60, 60);
    expect(book.rescueDelayMs(1)).toBeGreaterThan(120);
    expect(book.rescueDelayMs(0)).toBeLessThan(55);
  });

  test('is between 30 and 200 ms once known, whatever the latency below 160 ms', () => {
    fc.assert(fc.property(fc.double({ min: 0.3, max: 145, noNaN: true }), (latencyMs) => {
      const book = bookOf();
      teach(book, 0, latencyMs, 50);
      expect(book.rescueDelayMs(0)).toBeGreaterThanOrEqual(30);
      expect(book.rescueDelayMs(0)).toBeLessThanOrEqual(200);
    }), { seed: 2, numRuns: 50 });
  });

  test('gives a slow route its usual 95th percentile and 200 ms more', () => {
    const book = bookOf();
    teach(book, 0, 800, 100);
    expect(book.rescueDelayMs(0)).toBeGreaterThan(950);
    expect(book.rescueDelayMs(0)).toBeLessThan(1100);
  });

  test('is what is configured, if it is', () => {
    const book = bookOf(75);
    teach(book, 0, 800, 100);
    expect(book.rescueDelayMs(0)).toBe(75);
    expect(book.rescueDelayMs(2)).toBe(75);
  });
});

describe('what is slow, and what is too slow', () => {
  test('nothing before anything is known, unless a limit is configured', () => {
    expect(bookOf().tolerableMs(0)).toBe(Number.POSITIVE_INFINITY);
    expect(bookOf().slowMs(0)).toBe(Number.POSITIVE_INFINITY);
    expect(bookOf('auto', 800).slowMs(0)).toBe(800);
    expect(bookOf('auto', 800).tolerableMs(0)).toBe(1600);
  });

  test('without a limit, half a second is always tolerable', () => {
    const book = bookOf();
    teach(book, 0, 10, 100);
    expect(book.tolerableMs(0)).toBe(500);
    expect(book.slowMs(0)).toBeCloseTo(110, -1);
  });

  test('a route slower than the limit on its good days is measured against itself', () => {
    const book = bookOf('auto', 300);
    teach(book, 0, 1000, 100);
    expect(book.slowMs(0)).toBeGreaterThan(1400);
    expect(book.tolerableMs(0)).toBeGreaterThan(3800);
  });
});

test('the usual follows a lasting change within minutes, and a quiet route forgets nothing', () => {
  const book = bookOf();
  teach(book, 1, 40, 60);
  let nowMs = 0;
  for (let minute = 0; minute < 60; minute++) {
    for (let i = 0; i < 600; i++) book.learn(0, minute < 30 ? 10 : 100, 1);
    nowMs += 60_000;
    book.refresh(nowMs);
  }
  expect(book.rescueDelayMs(0)).toBe(200);
  expect(book.usualP95Ms()).toBeGreaterThan(95);
  expect(book.rescueDelayMs(1)).toBeGreaterThan(80);
  expect(book.rescueDelayMs(1)).toBeLessThan(110);
});

describe('learning anew', () => {
  const steady = (latencyMs: number, times: number): LogHistogram => {
    const histogram = new LogHistogram();
    for (let i = 0; i < times; i++) histogram.add(latencyMs);
    return histogram;
  };

  test.each([1000, 20])('makes the site and its faster routes what %d answers say, and leaves slower routes alone', (times) => {
    const book = bookOf();
    teach(book, 0, 20, 1000);
    teach(book, 1, 4000, 100);
    book.relearn(steady(600, times));
    expect(book.usualP95Ms()).toBeGreaterThan(550);
    expect(book.usualP95Ms()).toBeLessThan(650);
    expect(book.rescueDelayMs(0)).toBe(book.rescueDelayMs(2));
    expect(book.tolerableMs(0)).toBeGreaterThan(2000);
    expect(book.knows(0)).toBe(false);
    expect(book.rescueDelayMs(1)).toBeGreaterThan(3900);
    teach(book, 0, 20, 100);
    expect(book.rescueDelayMs(0)).toBeLessThan(60);
  });
});

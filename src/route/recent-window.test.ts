import { expect, test } from 'bun:test';
import { RecentWindow } from './recent-window.ts';

test('remembers ten seconds and no more', () => {
  const window = new RecentWindow();
  for (let second = 0; second < 30; second++) {
    for (let i = 0; i < 10; i++) window.good(second * 1000 + i, second < 20 ? 10 : 50, 100);
    window.bad(second * 1000 + 500);
  }
  const nowMs = 29_999;
  expect(window.answersPerSecond(nowMs)).toBeCloseTo(11, 2);
  expect(window.summary(nowMs, 10)).toMatchObject({ answers: 110, bad: 10 });
  expect(window.summary(nowMs, 2)).toMatchObject({ answers: 22, bad: 2 });
  expect(window.latencyP95Ms(nowMs)).toBeGreaterThan(45);
  expect(window.summary(nowMs, 10).slowness).toBeGreaterThan(0.45);
  expect(window.summary(nowMs, 10).slowness).toBeLessThan(0.55);
  expect(window.latencyP95Ms(60_000)).toBeUndefined();
  expect(window.answersPerSecond(60_000)).toBe(0);
});

test('is not slow where no limit is known', () => {
  const window = new RecentWindow();
  window.good(0, 5000, Number.POSITIVE_INFINITY);
  expect(window.summary(0, 10)).toEqual({ answers: 1, bad: 0, slowness: 0 });
});

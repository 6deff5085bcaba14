import { describe, expect, test } from 'bun:test';
import { OwnLatency } from './own-latency.ts';

/** Answers one after the other, each begun when the last had ended. */
function answers(own: OwnLatency, count: number, latencyMs: (turn: number) => number, section = '/p'): void {
  for (let turn = 0; turn < count; turn++) {
    own.started(turn * 1000);
    own.ended(turn * 1000 + latencyMs(turn), section, latencyMs(turn));
  }
}

describe('wait', () => {
  test('is 0 while nobody waits, whatever sections take', () => {
    const own = new OwnLatency();
    answers(own, 100, () => 20);
    answers(own, 100, () => 300, '/reports');
    expect(own.wait(undefined)).toBe(0);
  });

  test('is the time waited over the time served, found even in a queue that was there from the start', () => {
    const own = new OwnLatency();
    // One in six meets no queue; the others wait four times as long as they are served.
    answers(own, 600, (turn) => (turn % 6 === 0 ? 20 : 100));
    expect(own.wait(undefined)).toBeGreaterThan(0.5);
  });

  test('of a millisecond or two is jitter', () => {
    const own = new OwnLatency();
    answers(own, 100, (turn) => (turn % 2 === 0 ? 1 : 3));
    expect(own.wait(undefined)).toBe(0);
    expect(own.waitMs(undefined)).toBe(0);
  });
});

test('what this process itself is late is no wait, and people who wait less are believed', () => {
  const queue = (turn: number): number => (turn % 6 === 0 ? 20 : 100);
  const own = new OwnLatency();
  answers(own, 600, queue);
  expect(own.wait(40)).toBeLessThan(own.wait(undefined));
  expect(own.wait(21)).toBe(0);
  const starved = new OwnLatency();
  answers(starved, 100, () => 20);
  for (let turn = 0; turn < 60; turn++) {
    starved.late(40);
    starved.ended(0, '/p', 100);
  }
  expect(starved.wait(undefined)).toBe(0);
  expect(starved.isStrained(0)).toBe(false);
  for (let look = 0; look < 200; look++) starved.late(0);
  answers(starved, 60, () => 100);
  expect(starved.wait(undefined)).toBeGreaterThan(1);
});

test('three slow ones in a row are a strain, answered or not; two are not, and nothing is while little is known', () => {
  const own = new OwnLatency();
  for (const atMs of [0, 1, 2]) own.started(atMs);
  expect(own.isStrained(60_000)).toBe(false);
  for (let i = 0; i < 3; i++) own.ended(3, '/p', undefined);
  answers(own, 50, () => 20);
  answers(own, 2, () => 400);
  expect(own.isStrained(100_000)).toBe(false);
  own.started(100_000);
  expect(own.isStrained(100_050)).toBe(false);
  expect(own.isStrained(100_200)).toBe(true);
  own.ended(100_201, '/p', 20);
  expect(own.isStrained(100_201)).toBe(false);
});

test('effort tells slow sections from quick ones, within bounds', () => {
  const own = new OwnLatency();
  expect(own.effort('/p')).toBe(1);
  for (let round = 0; round < 20; round++) {
    answers(own, 9, () => 20, '/p');
    answers(own, 1, () => 900, '/reports');
  }
  expect(own.effort('/reports')).toBe(4);
  expect(own.effort('/p')).toBe(0.25);
  expect(own.effort('/unknown')).toBe(1);
});

test('sections are bounded: the longest untouched is learned anew', () => {
  const own = new OwnLatency();
  answers(own, 30, () => 500, '/first');
  answers(own, 30, () => 20, '/second');
  expect(own.effort('/first')).toBeGreaterThan(1);
  for (let i = 0; i < 1000; i++) answers(own, 1, () => 20, `/${i}`);
  expect([own.effort('/first'), own.effort('/999')]).toEqual([1, own.effort('/999')]);
  expect(own.effort('/first')).toBe(1);
});

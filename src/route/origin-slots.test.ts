import { describe, expect, test } from 'bun:test';
import { OriginSlots } from './origin-slots.ts';

/** Slots that saw an origin carry up to `most` at once while it was well. */
function experienced(most: number): OriginSlots {
  const slots = new OriginSlots(0);
  for (let round = 0; round < 100; round++) {
    for (let i = 0; i < most; i++) slots.begin();
    for (let i = 0; i < most; i++) {
      slots.succeeded(true);
      slots.end(false);
    }
  }
  slots.refresh(1000);
  slots.restart();
  return slots;
}

/** Begins as many as find room, then ends them all well. */
function round(slots: OriginSlots): number {
  let begun = 0;
  while (slots.freeForReturned && begun < 1000) {
    slots.begin();
    begun++;
  }
  for (let i = 0; i < begun; i++) {
    slots.succeeded(false);
    slots.end(false);
  }
  return begun;
}

describe('the window of a return', () => {
  test('starts at two, grows by successes, and never beyond what was carried before', () => {
    const slots = experienced(12);
    const rounds = Array.from({ length: 80 }, () => round(slots));
    expect(rounds[0]).toBe(2);
    expect(Math.max(...rounds)).toBe(12);
    expect(rounds.every((begun, i) => i === 0 || begun >= (rounds[i - 1] ?? 0))).toBe(true);
  });

  test('does not grow while it is not what holds requests back', () => {
    const slots = experienced(12);
    for (let i = 0; i < 100; i++) {
      slots.begin();
      if (i > 0) slots.succeeded(false);
      slots.end(false);
    }
    expect(round(slots)).toBeLessThan(16);
    const idle = experienced(12);
    for (let i = 0; i < 40; i++) round(idle);
    for (let i = 0; i < 100; i++) {
      idle.begin();
      idle.succeeded(false);
      idle.end(false);
    }
    expect(round(idle)).toBe(12);
  });

  test('shrinks once for an episode of failures, and for late answers only when they are many', () => {
    const slots = experienced(12);
    for (let i = 0; i < 40; i++) round(slots);
    slots.failed(1000);
    slots.failed(1001);
    expect(round(slots)).toBe(8);
    slots.wasLate(5000);
    expect(round(slots)).toBeGreaterThanOrEqual(8);
    for (let i = 0; i < 20; i++) slots.wasLate(6000 + i);
    expect(round(slots)).toBeLessThan(8);
    for (let i = 0; i < 100; i++) slots.failed(10_000 + i * 1000);
    expect(round(slots)).toBe(2);
  });

  test('rises beyond what was carried only where that turns many away without harm', () => {
    const slots = experienced(12);
    for (let second = 2; second < 60; second++) {
      round(slots);
      for (let i = 0; i < 30; i++) slots.turnedAway();
      slots.refresh(second * 1000);
    }
    expect(slots.crowded).toBe(true);
    expect(round(slots)).toBeGreaterThan(14);
  });
});

test('requests that pile up at an origin that hangs teach nothing', () => {
  const slots = experienced(12);
  for (let i = 0; i < 1000; i++) slots.begin();
  for (let i = 0; i < 1000; i++) slots.end(false);
  slots.refresh(2000);
  for (let i = 0; i < 80; i++) round(slots);
  expect(round(slots)).toBe(12);
});

describe('room for others', () => {
  test('reads that only the origin can answer leave half to writes', () => {
    const slots = experienced(12);
    let begun = 0;
    while (slots.freeForUncovered(false, true)) {
      slots.begin();
      begun++;
    }
    expect(begun).toBe(6);
    while (slots.freeForUncovered(false, false)) {
      slots.begin();
      begun++;
    }
    expect(begun).toBe(12);
    expect(slots.freeForUncovered(true, true)).toBe(true);
  });

  test('a healthy origin is limited only by a multiple of what it carried', () => {
    const fresh = new OriginSlots(0);
    for (let i = 0; i < 5000; i++) fresh.begin();
    expect(fresh.freeWhileWell).toBe(true);
    const slots = experienced(100);
    for (let i = 0; i < 900; i++) slots.begin();
    expect(slots.freeWhileWell).toBe(true);
    for (let i = 0; i < 200; i++) slots.begin();
    expect(slots.freeWhileWell).toBe(false);
  });

  test('ends below nothing are ignored', () => {
    const slots = new OriginSlots(0);
    slots.end(false);
    expect(slots.inFlight).toBe(0);
  });
});

describe('an origin whose answers take several times as long', () => {
  test('may have as many times as many at once, reached as fast in time', () => {
    const slower = experienced(12);
    slower.stretch(8);
    slower.refresh(2000);
    let rounds = 1;
    while (round(slower) < 90 && rounds < 10_000) rounds++;
    expect(rounds).toBeLessThan(400); // eight times that without
    for (let i = 0; i < 100; i++) expect(round(slower)).toBeLessThan(12 * 8 * 1.1);
  });
});

import { expect, test } from 'bun:test';
import type { ResourceKey } from '../kernel/index.ts';
import { FirstAsked } from './first-asked.ts';

const key = (text: string): ResourceKey => text as ResourceKey; // spelled as resourceKey would

test('a resource has its time from when it was first asked for, however often it is asked for again', () => {
  const asked = new FirstAsked(10_000);
  for (const atMs of [50_000, 52_000, 59_999]) expect(asked.hadItsTime(key('/a'), atMs)).toBe(false);
  expect(asked.hadItsTime(key('/b'), 60_000)).toBe(false);
  for (const atMs of [60_000, 61_000, 99_000]) expect(asked.hadItsTime(key('/a'), atMs)).toBe(true);
});

test('a clock that is put back keeps nothing waiting', () => {
  const asked = new FirstAsked(10_000);
  asked.hadItsTime(key('/a'), 5_000_000);
  expect(asked.hadItsTime(key('/a'), 1_000_000)).toBe(true);
});

test('what is remembered is bounded: the longest known goes, and waits once more', () => {
  const asked = new FirstAsked(10, 2);
  for (const name of ['/a', '/b', '/c']) asked.hadItsTime(key(name), 0);
  expect(asked.hadItsTime(key('/c'), 10)).toBe(true);
  expect(asked.hadItsTime(key('/b'), 10)).toBe(true);
  expect(asked.hadItsTime(key('/a'), 10)).toBe(false);
});

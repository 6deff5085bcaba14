import { expect, test } from 'bun:test';
import { History, historyMax, sightingsMax } from './history.ts';

const copy = (bytes: number) => ({ bytes, words: bytes / 10, mainWords: bytes / 20 });

test('one odd copy is not the measure of the next', () => {
  const history = new History();
  for (const bytes of [5000, 5200, 50_000, 5100]) history.observe('a', copy(bytes));
  expect(history.usual('a')).toEqual({ bytes: 5200, words: 520, mainWords: 260 });
});

test('what shrinks a little each time is measured by what it was', () => {
  const history = new History();
  for (const bytes of [8000, 8000, 8000]) history.observe('a', copy(bytes));
  for (const bytes of [5000, 3100]) history.observe('a', copy(bytes));
  expect(history.usual('a')?.bytes).toBe(8000);
});

test('two are judged by the greater, few are kept, and what is over is forgotten', () => {
  const history = new History();
  for (const bytes of [100, 300]) history.observe('a', copy(bytes));
  expect(history.usual('a')?.bytes).toBe(300);
  for (let i = 0; i < sightingsMax; i++) history.observe('a', copy(50));
  expect(history.usual('a')?.bytes).toBe(50);
  history.forget('a');
  expect(history.usual('a')).toBeUndefined();
});

test('what is remembered is bounded: the longest untouched is forgotten', () => {
  const history = new History();
  for (let i = 0; i < historyMax; i++) history.observe(`/${i}`, copy(1));
  history.observe('/0', copy(2));
  history.observe('/new', copy(3));
  expect([history.size, history.usual('/1'), history.usual('/0')?.bytes]).toEqual([historyMax, undefined, 2]);
});

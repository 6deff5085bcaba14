import { expect, test } from 'bun:test';
import { headerReader } from './headers.ts';

test('reads lines of one name joined, and absence as null', () => {
  const reader = headerReader([['a', '1'], ['b', 'x'], ['a', '2'], ['c', '']]);
  expect([reader.get('a'), reader.get('b'), reader.get('c'), reader.get('d')]).toEqual(['1, 2', 'x', '', null]);
});

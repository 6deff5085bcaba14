import { expect, test } from 'bun:test';
import { fnv1a } from './fnv.ts';

test('is FNV-1a: the published values', () => {
  expect(['', 'a', 'foobar'].map(fnv1a)).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968]);
});

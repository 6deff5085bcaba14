import { describe, expect, test } from 'bun:test';
import { headerReader, type HeaderList } from './headers.ts';
import { headMatches, updateStored } from './update.ts';

const stored: HeaderList = [['content-type', 'text/html'], ['content-length', '10'], ['a', '1'], ['link', '</x>'], ['link', '</y>'], ['age', '100'], ['cache-control', 'max-age=2']];

test('the later fields replace their namesakes, all lines of them', () => {
  const later: HeaderList = [['link', '</z>'], ['cache-control', 'max-age=9'], ['b', '2']];
  expect(updateStored(stored, later)).toEqual([
    ['content-type', 'text/html'], ['content-length', '10'], ['a', '1'], ['link', '</z>'], ['cache-control', 'max-age=9'], ['b', '2'],
  ]);
});

test('what describes the stored body stays, and no cookie comes in', () => {
  const later: HeaderList = [['content-length', '0'], ['content-type', 'text/plain'], ['content-encoding', 'br'], ['set-cookie', 'a=b'], ['age', '5']];
  expect(updateStored(stored, later)).toEqual([...stored.filter(([name]) => name !== 'age'), ['age', '5']]);
});

describe('headMatches', () => {
  const before: HeaderList = [['etag', '"a"'], ['last-modified', 'x']];
  test.each<[HeaderList, boolean]>([
    [[], true], [[['etag', '"a"'], ['content-length', '10']], true], [[['etag', '"b"']], false], [[['last-modified', 'y']], false], [[['content-length', '11']], false],
  ])('%p: %p', (head, matches) => {
    expect(headMatches(before, 10, headerReader(head))).toBe(matches);
  });
});

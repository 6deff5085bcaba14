import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { mostSimilar, parseProfile, profileFrom } from './profile.ts';

const entries = (text: string | null): unknown => {
  const profile = parseProfile(text);
  return profile && Object.fromEntries(profile);
};

describe('a profile as text', () => {
  test.each([
    ['books:0.8,garden:0.2', { books: 1, garden: 0.25 }],
    [' books : .5 , garden:1e0', { books: 0.5, garden: 1 }],
    ['books%3A0.8%2Cgarden%3A0.2', { books: 1, garden: 0.25 }],
    ['a:b:1', { 'a:b': 1 }],
    ['0.8,0.2,-0.4', { 0: 1, 1: 0.25, 2: -0.5 }],
    ['[1, 2]', { 0: 0.5, 1: 1 }],
    ['{"books":2,"garden":1}', { books: 1, garden: 0.5 }],
    ['%7B%22books%22%3A2%7D', { books: 1 }],
    ['100%:1', { '100%': 1 }],
    ['__proto__:1,x:1', JSON.parse('{"__proto__":1,"x":1}')],
    ['x:1e308,y:1e308', { x: 1, y: 1 }],
  ])('%s', (text, expected) => {
    expect(entries(text)).toEqual(expected);
  });

  test.each([[null], [''], ['books'], ['books:'], ['books:x'], ['books:0.8,garden'], [':1,a:2'], ['0.8,,0.2'], ['0x10'], ['Infinity'], ['x:1e999'], ['{"a":"1"}'], ['{"a":{"b":1}}'], ['[null]'], ['[1'], ['[]'], ['{}'], ['0,0'], ['a:0']])('none: %p', (text) => {
    expect(parseProfile(text)).toBeUndefined();
  });

  test('bounded in length and in names', () => {
    const names = (count: number): string => Array.from({ length: count }, (_, i) => `n${i}:1`).join(',');
    expect(parseProfile(names(64))?.size).toBe(64);
    expect(parseProfile(names(65))?.size).toBe(64);
    expect(parseProfile(`a:1,b:${'0'.repeat(1018)}`)?.size).toBe(2);
    expect(parseProfile(`a:1,b:${'0'.repeat(1019)}`)).toBeUndefined();
  });

  test('never throws, and every weight is finite and at most 1', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json(), fc.array(fc.double()).map((list) => list.join(','))), (text) => {
      for (const weight of parseProfile(text)?.values() ?? []) expect(Math.abs(weight)).toBeLessThanOrEqual(1);
    }), { seed: 5, numRuns: 500 });
  });
});

test('a profile in a document', () => {
  expect(profileFrom({ a: 1, b: 2 })).toEqual(new Map([['a', 0.5], ['b', 1]]));
  expect(profileFrom([4, 0])).toEqual(new Map([['0', 1], ['1', 0]]));
  for (const value of [undefined, null, 1, 'a:1', { a: '1' }, [Number.NaN], [[1]]]) expect(profileFrom(value)).toBeUndefined();
});

describe('the most similar', () => {
  const of = (...texts: string[]): (ReadonlyMap<string, number> | undefined)[] => texts.map(parseProfile);
  test.each([
    ['a:1', ['b:1', 'a:0.5,b:0.5', 'a:0.1'], 2],
    ['a:1', ['a:0.3', 'a:7', 'a:1'], 0],
    ['a:1,b:1', ['a:1', 'b:1', 'a:2,b:1'], 2],
    ['a:1', ['b:1', 'c:1'], 0],
    ['a:1,b:1,c:1', ['a:1,b:1,c:6', 'a:6,b:1,c:1'], 0], // equal, but for the last bit of their sums
    ['a:1', ['a:-1', 'c:1'], 1],
    ['a:1', ['none', 'c:1', 'a:1'], 2],
    ['a:1', ['c:1', 'none'], 0],
  ])('of %s', (wanted, profiles, expected) => {
    expect(mostSimilar(of(...profiles), parseProfile(wanted))).toBe(expected);
  });

  test('without a profile, or anything to choose from: the first', () => {
    expect([mostSimilar(of('a:1', 'b:1'), undefined), mostSimilar([], parseProfile('a:1')), mostSimilar(of('b:1'), parseProfile('a:1'))]).toEqual([0, 0, 0]);
  });

  test('has the largest cosine, and is the first that has', () => {
    const vector = fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 3, maxLength: 3 }).filter((list) => list.some((weight) => weight !== 0));
    fc.assert(fc.property(fc.array(vector, { minLength: 2, maxLength: 8 }), vector, (lists, wanted) => {
      const cosines = lists.map((list) => list.reduce((sum, weight, i) => sum + weight * (wanted[i] ?? 0), 0) / Math.hypot(...list) / Math.hypot(...wanted));
      const largest = Math.max(...cosines);
      expect(mostSimilar(lists.map(profileFrom), profileFrom(wanted))).toBe(cosines.findIndex((at) => at > largest - 1e-9));
    }), { seed: 6, numRuns: 300 });
  });
});

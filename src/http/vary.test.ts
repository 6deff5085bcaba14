import { describe, expect, test } from 'bun:test';
import { headerReader, type HeaderList } from './headers.ts';
import { acceptedEncodings, normaliseVaried, variedHeaders, variesOnEverything, varyMatches, varyValues } from './vary.ts';

const standIns = new Set(['user-agent', 'cookie']);

test.each([[null, false], ['Foo', false], ['*', true], ['*, *', true], [', *', true], ['Foo, *', true], ['*, Foo', true], ['x*', false]])(
  'Vary %p is everything: %p', (vary, everything) => {
    expect(variesOnEverything(vary)).toBe(everything);
  });

test('varied headers are sorted, each once, without those a dimension stands in for', () => {
  expect(variedHeaders('Foo, User-Agent,,foo , ACCEPT-Encoding, Cookie', standIns)).toEqual(['accept-encoding', 'foo']);
  expect(variedHeaders(null, standIns)).toEqual([]);
  expect(variedHeaders('User-Agent', standIns)).toEqual([]);
});

describe('a copy matches', () => {
  const matches = (vary: string, first: HeaderList, second: HeaderList): boolean =>
    varyMatches(varyValues(variedHeaders(vary, standIns), headerReader(first)), headerReader(second));

  test.each<[string, HeaderList, HeaderList, boolean]>([
    ['Foo', [['foo', '1']], [['foo', '1']], true],
    ['Foo', [['foo', '1']], [['foo', '2']], false],
    ['Foo', [], [['foo', '1']], false],
    ['Foo', [['foo', '1']], [], false],
    ['Foo', [], [], true],
    ['Foo', [['foo', '1'], ['other', '2']], [['other', '3'], ['foo', '1']], true],
    ['Foo, Bar', [['foo', '1'], ['bar', 'a']], [['bar', 'a'], ['foo', '1']], true],
    ['Foo, Bar', [['foo', '1'], ['bar', 'a']], [['foo', '1']], false],
    ['Foo', [['foo', '1, 2']], [['foo', '1'], ['foo', '2']], true],
    ['Foo', [['foo', '1,2']], [['foo', ' 1, 2 ']], true],
    ['Foo', [['foo', '"1,2"']], [['foo', '"1, 2"']], false],
    ['Accept-Language', [['accept-language', 'en, de']], [['accept-language', ' eN ,   De']], true],
    ['Accept-Language', [['accept-language', 'en, de']], [['accept-language', 'de, en']], false],
    ['Accept-Encoding', [['accept-encoding', 'gzip, br']], [['accept-encoding', 'br;q=1.0, gzip;q=0.8, deflate']], true],
    ['Accept-Encoding', [['accept-encoding', 'gzip, br']], [['accept-encoding', 'gzip']], false],
    ['User-Agent', [['user-agent', 'a']], [['user-agent', 'b']], true],
  ])('Vary: %s, %p and %p: %p', (vary, first, second, expected) => {
    expect(matches(vary, first, second)).toBe(expected);
  });
});

test.each([
  ['gzip, deflate, br, zstd', 'br,gzip,zstd'], ['BR', 'br'], ['', 'identity'], ['identity', 'identity'], ['gzip;q=0', 'identity'],
  ['gzip;q=0.000, br;q=0.1', 'br'], ['*', 'br,gzip,zstd'], ['*;q=0', 'identity'], ['*, br;q=0', 'gzip,zstd'], ['x-gzip', 'gzip'],
])('Accept-Encoding %p is %p', (value, expected) => {
  expect(acceptedEncodings(value)).toBe(expected);
});

test('an absent header is the empty value', () => {
  expect(normaliseVaried('accept-encoding', null)).toBe('');
  expect(normaliseVaried('foo', null)).toBe('');
});

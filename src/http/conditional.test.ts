import { describe, expect, test } from 'bun:test';
import { ifRangeHolds, isConditional, judgeConditions, matchesEtag, validationFields, validatorsOf } from './conditional.ts';
import { headerReader, type HeaderList } from './headers.ts';

const t0 = Date.UTC(2026, 10, 23, 12);
const at = (seconds: number): string => new Date(t0 + seconds * 1000).toUTCString();
const validators = (headers: HeaderList): ReturnType<typeof validatorsOf> => validatorsOf(headerReader(headers), t0);

describe('judgeConditions', () => {
  const both: HeaderList = [['etag', '"a"'], ['last-modified', at(-5000)], ['date', at(0)]];
  test.each<[string, HeaderList, HeaderList, number]>([
    ['no condition', both, [], 200],
    ['the same tag', both, [['if-none-match', '"a"']], 304],
    ['another tag', both, [['if-none-match', '"b"']], 200],
    ['any', both, [['if-none-match', '*']], 304],
    ['first of several', both, [['if-none-match', '"a", "b", "c"']], 304],
    ['middle of several', both, [['if-none-match', '"b","a" , "c"']], 304],
    ['last of several lines', both, [['if-none-match', '"b"'], ['if-none-match', '"a"']], 304],
    ['weak against strong', both, [['if-none-match', 'W/"a"']], 304],
    ['strong against weak', [['etag', 'W/"a"']], [['if-none-match', '"a"']], 304],
    ['a comma in the tag', [['etag', '"a,b"']], [['if-none-match', '"x", "a,b"']], 304],
    ['half of a tag', [['etag', '"a,b"']], [['if-none-match', '"a"']], 200],
    ['quotes forgotten', both, [['if-none-match', 'a']], 304],
    ['a tag, none stored', [], [['if-none-match', '"a"']], 200],
    ['the tag goes before the date', both, [['if-none-match', '"a"'], ['if-modified-since', at(-10_000)]], 304],
    ['also when it says no', both, [['if-none-match', '"b"'], ['if-modified-since', at(0)]], 200],
    ['the same date', both, [['if-modified-since', at(-5000)]], 304],
    ['a later date', both, [['if-modified-since', at(-4000)]], 304],
    ['an earlier date', both, [['if-modified-since', at(-6000)]], 200],
    ['no date at all', both, [['if-modified-since', 'foo']], 200],
    ['Date in place of Last-Modified', [['date', at(-10)]], [['if-modified-since', at(-10)]], 304],
    ['Date is later', [['date', at(-10)]], [['if-modified-since', at(-11)]], 200],
    ['If-Match holds', both, [['if-match', '"x", "a"']], 200],
    ['If-Match fails', both, [['if-match', '"b"']], 412],
    ['If-Match any', both, [['if-match', '*']], 200],
    ['If-Match is strong', [['etag', 'W/"a"']], [['if-match', 'W/"a"']], 412],
    ['If-Unmodified-Since holds', both, [['if-unmodified-since', at(-5000)]], 200],
    ['If-Unmodified-Since fails', both, [['if-unmodified-since', at(-5001)]], 412],
    ['If-Match goes before If-Unmodified-Since', both, [['if-match', '"a"'], ['if-unmodified-since', at(-9000)]], 200],
    ['If-Match, then If-None-Match', both, [['if-match', '"a"'], ['if-none-match', '"a"']], 304],
  ])('%s', (_name, stored, request, status) => {
    expect<number>(judgeConditions(headerReader(request), validators(stored), t0)).toBe(status);
    expect(isConditional(headerReader(request))).toBe(request.length > 0);
  });

  test('an obsolete date format is read too', () => {
    const request = headerReader([['if-modified-since', 'Sunday, 06-Nov-94 08:49:37 GMT']]);
    expect(judgeConditions(request, validators([['last-modified', 'Sun, 06 Nov 1994 08:49:37 GMT']]), t0)).toBe(304);
  });
});

describe('ifRangeHolds', () => {
  const stored = validators([['etag', '"a"'], ['last-modified', at(-60)], ['date', at(0)]]);
  test.each([[null, true], ['"a"', true], ['"b"', false], ['W/"a"', false], [at(-60), true], [at(-59), false], ['foo', false]])('%p: %p', (value, holds) => {
    expect(ifRangeHolds(value, stored, t0)).toBe(holds);
  });
  test('a weak tag or a date from the same second as Date is not strong enough', () => {
    expect(ifRangeHolds('"a"', validators([['etag', 'W/"a"']]), t0)).toBe(false);
    expect(ifRangeHolds(at(0), validators([['last-modified', at(0)], ['date', at(0)]]), t0)).toBe(false);
  });
});

test('validation asks with what is stored', () => {
  expect(validationFields(headerReader([['etag', 'W/"a"'], ['last-modified', 'x'], ['date', 'y']]))).toEqual([['if-none-match', 'W/"a"'], ['if-modified-since', 'x']]);
  expect(validationFields(headerReader([]))).toEqual([]);
});

test('a list of garbage matches nothing', () => {
  expect(matchesEtag(',,"', '"a"', 'weak')).toBe(false);
  expect(matchesEtag('"a', '"a"', 'strong')).toBe(false);
});

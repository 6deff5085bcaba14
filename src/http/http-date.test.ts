import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { parseHttpDate } from './http-date.ts';

const nowMs = Date.UTC(2026, 10, 23);
const expected = Date.UTC(1994, 10, 6, 8, 49, 37);

describe('parseHttpDate', () => {
  test.each([
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
    'SUN, 06 nov 1994 08:49:37 gMT',
    '  Sun, 06 Nov 1994 08:49:37 GMT ',
  ])('reads %p', (text) => {
    expect(parseHttpDate(text, nowMs)).toBe(expected);
  });

  test.each([
    '', '0', '-1', 'now', 'Thu, 18 Aug 2050 02:01:18 UTC', 'Thu, 18 Aug 2050 02:01:18 AEST', 'Thu, 18 Aug 50 02:01:18 GMT',
    'Thu 18 Aug 2050 02:01:18 GMT', 'Thu, 18  Aug  2050 02:01:18 GMT', 'Thu, 18-Aug-2050 02:01:18 GMT', 'Thu, 18 Aug 2050 02.01.18 GMT',
    'Thu, 18 Aug 2050 2:01:18 GMT', 'Thu, 18 Aug 2050 02:01:18 GMT, Thu, 18 Aug 2050 02:01:19 GMT', 'Thu, 31 Feb 2050 02:01:18 GMT',
    'Thu, 00 Aug 2050 02:01:18 GMT', 'Thu, 18 Foo 2050 02:01:18 GMT', 'Thu, 18 Aug 2050 24:01:18 GMT', 'Thu, 18 Aug 2050 02:60:18 GMT',
    'Thu, 18 Aug 2050 02:01:61 GMT', '2050-08-18T02:01:18Z',
  ])('refuses %p', (text) => {
    expect(parseHttpDate(text, nowMs)).toBeUndefined();
  });

  test('puts two-digit years no more than 50 years ahead', () => {
    expect(parseHttpDate('Thursday, 18-Aug-50 02:01:18 GMT', nowMs)).toBe(Date.UTC(2050, 7, 18, 2, 1, 18));
    expect(parseHttpDate('Tuesday, 18-Aug-76 02:01:18 GMT', nowMs)).toBe(Date.UTC(2076, 7, 18, 2, 1, 18));
    expect(parseHttpDate('Thursday, 18-Aug-77 02:01:18 GMT', nowMs)).toBe(Date.UTC(1977, 7, 18, 2, 1, 18));
  });

  test('takes a leap second for the second before', () => {
    expect(parseHttpDate('Sat, 31 Dec 2016 23:59:60 GMT', nowMs)).toBe(Date.UTC(2016, 11, 31, 23, 59, 59));
  });

  test('reads every IMF-fixdate', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 253_402_300_799 }), (seconds) => {
      expect(parseHttpDate(new Date(seconds * 1000).toUTCString(), nowMs)).toBe(seconds * 1000);
    }), { numRuns: 500 });
  });
});

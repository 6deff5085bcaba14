import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { noDirectives, parseCacheControl, parseTargeted, responseDirectives } from './cache-control.ts';
import { headerReader } from './headers.ts';

describe('parseCacheControl', () => {
  test('an absent field says nothing', () => {
    expect(parseCacheControl(null)).toBe(noDirectives);
    expect(parseCacheControl('')).toBe(noDirectives);
  });

  test.each([
    ['max-age=3600', 3600],
    ['MaX-aGe=3600', 3600],
    ['max-age="3600"', 3600],
    ['max-age=003600', 3600],
    ['foobar, max-age=3600', 3600],
    [',, ,max-age=3600,,', 3600],
    ['public,max-age=3600,immutable', 3600],
    ['max-age=99999999999', 2_147_483_648],
    ['max-age=1800, max-age=1', 1800],
    ['max-age=1, max-age=1800', 1],
    ['extension="max-age=3600", max-age=1', 1],
    ['max-age=1, extension="max-age=3600"', 1],
    ['extension="a\\", max-age=3600", max-age=1', 1],
    ['extension="a, max-age=1', 1],
    ['max-age=-3600', 0],
    ['max-age=3600.0', 0],
    ["max-age='3600'", 0],
    ['max-age=a3600', 0],
    ['max-age=3600a', 0],
    ['max-age =3600', 0],
    ['max-age= 3600', 0],
    ['max-age=', 0],
    ['max-age', 0],
  ])('%p has a max-age of %p', (value, seconds) => {
    expect(parseCacheControl(value).maxAgeS).toBe(seconds);
  });

  test.each(['no-store', 'No-StOrE', 'max-age=10, no-store', 'no-store;', ' no-store '])('%p', (value) => {
    expect(parseCacheControl(value).noStore).toBe(value !== 'no-store;');
  });

  test('tells qualified from unqualified no-cache and private', () => {
    const qualified = parseCacheControl('no-cache="a, B", private="set-cookie"');
    expect(qualified).toMatchObject({ noCache: false, noCacheFields: ['a', 'b'], private: false, privateFields: ['set-cookie'] });
    expect(parseCacheControl('no-cache="", private=')).toMatchObject({ noCache: true, private: true });
    expect(parseCacheControl('no-cache, private')).toMatchObject({ noCache: true, private: true });
  });

  test('what widens use of a stale answer must be readable', () => {
    expect(parseCacheControl('stale-while-revalidate=x, stale-if-error')).toMatchObject({ staleWhileRevalidateS: undefined, staleIfErrorS: undefined });
    expect(parseCacheControl('stale-while-revalidate=30, stale-if-error=60')).toMatchObject({ staleWhileRevalidateS: 30, staleIfErrorS: 60 });
  });

  test('max-stale without a value is any staleness', () => {
    expect(parseCacheControl('max-stale').maxStaleS).toBe(Number.POSITIVE_INFINITY);
    expect(parseCacheControl('max-stale=5').maxStaleS).toBe(5);
  });

  test('finds a directive among whatever else is there', () => {
    const noise = fc.stringMatching(/^[a-z"=\\ 0-9;]{0,12}$/).filter((text) => (text.match(/"/g)?.length ?? 0) === 0 && !/^\s*max-age/.test(text));
    fc.assert(fc.property(fc.array(noise, { maxLength: 6 }), fc.array(noise, { maxLength: 6 }), (before, after) => {
      expect(parseCacheControl([...before, 'max-age=77', ...after].join(',')).maxAgeS).toBe(77);
    }), { numRuns: 500 });
  });
});

describe('CDN-Cache-Control', () => {
  const read = (cdn: string, cc = 'max-age=1'): ReturnType<typeof responseDirectives> =>
    responseDirectives(headerReader([['cache-control', cc], ['cdn-cache-control', cdn]]));

  test('replaces Cache-Control when it is valid', () => {
    expect(read('max-age=3600', 'no-store')).toMatchObject({ targeted: true, directives: { maxAgeS: 3600, noStore: false } });
    expect(read('no-store').directives).toMatchObject({ noStore: true, maxAgeS: undefined });
    expect(read('private, no-cache, foobar').directives).toMatchObject({ private: true, noCache: true });
    expect(read('max-age=99999999999').directives.maxAgeS).toBe(2_147_483_648);
    expect(read('max-age=-5').directives.maxAgeS).toBe(0);
    expect(read('no-store=?0, max-age=9').directives).toMatchObject({ noStore: false, maxAgeS: 9 });
  });

  test.each(['', 'max-age=10000, &&&&&', 'max-age="10000"', 'max-age=10.5', 'max-age', 'MaX-aGe=3600', 'max-age =100', 'max-age= 100', 'max-age=10,'])(
    'is ignored when it is %p', (value) => {
      expect(parseTargeted(value)).toBeUndefined();
      expect(read(value)).toMatchObject({ targeted: false, directives: { maxAgeS: 1 } });
    });
});

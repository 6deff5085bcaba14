import { describe, expect, test } from 'bun:test';
import { ageS, freshnessOf, judgeReuse, mayAnswerInOutage, noDemands, requestDemands, ttlS, type Freshness } from './freshness.ts';
import type { HeaderList } from './headers.ts';

const t0 = Date.UTC(2026, 10, 23, 12);
const at = (seconds: number): string => new Date(t0 + seconds * 1000).toUTCString();
const dayS = 86_400;

function stored(headers: HeaderList, status = 200, delayMs = 0): Freshness {
  return freshnessOf({ status, headers, requestTimeMs: t0 - delayMs, responseTimeMs: t0 });
}
/** Seconds from arrival until stale. */
const freshFor = (headers: HeaderList, status = 200): number => (stored(headers, status).freshUntilMs - t0) / 1000;

describe('freshness lifetime', () => {
  test.each<[string, HeaderList, number]>([
    ['max-age', [['cache-control', 'max-age=60']], 60],
    ['s-maxage goes before max-age', [['cache-control', 'max-age=3600, s-maxage=1']], 1],
    ['s-maxage on another line', [['cache-control', 'max-age=3600'], ['cache-control', 's-maxage=1']], 1],
    ['max-age goes before Expires', [['cache-control', 'max-age=60'], ['expires', at(-7200)], ['date', at(0)]], 60],
    ['max-age=0 goes before Expires', [['cache-control', 'max-age=0'], ['expires', at(3600)]], 0],
    ['Expires less Date', [['expires', at(300)], ['date', at(0)]], 300],
    ['Expires before Date', [['expires', at(300)], ['date', at(400)]], 0],
    ['Expires that is no date', [['expires', '0'], ['last-modified', at(-dayS)]], 0],
    ['two Expires', [['expires', at(10)], ['expires', at(20)]], 0],
    ['a Date that is none', [['expires', at(10)], ['date', 'foo']], 10],
    ['CDN-Cache-Control before both', [['cdn-cache-control', 'max-age=9'], ['cache-control', 'max-age=60'], ['expires', at(99)]], 9],
    ['CDN-Cache-Control without a lifetime leaves Expires out', [['cdn-cache-control', 'foo'], ['expires', at(99)]], 0],
    ['a tenth of the time since Last-Modified', [['last-modified', at(-1000)], ['date', at(0)]], 100],
    ['a guess is at most a day', [['last-modified', at(-400 * dayS)], ['date', at(0)]], dayS],
    ['a Last-Modified to come', [['last-modified', at(1000)]], 0],
    ['nothing at all', [['etag', '"a"']], 0],
    ['no-cache keeps the guess', [['cache-control', 'no-cache'], ['last-modified', at(-1000)]], 100],
  ])('%s', (_name, headers, seconds) => {
    expect(freshFor(headers)).toBe(seconds);
  });

  test.each([[200, 100], [203, 100], [204, 100], [404, 100], [410, 100], [501, 100], [201, 0], [302, 0], [403, 0], [502, 0], [599, 0]])(
    'a guess for status %p is %p s', (status, seconds) => {
      expect(freshFor([['last-modified', at(-1000)], ['date', at(0)]], status)).toBe(seconds);
    });

  test('public allows a guess for any status', () => {
    expect(freshFor([['last-modified', at(-1000)], ['cache-control', 'public']], 599)).toBe(100);
  });
});

describe('age', () => {
  test.each<[string, HeaderList, number, number]>([
    ['none', [], 0, 0],
    ['Age', [['age', '30']], 0, 30],
    ['the first of a list', [['age', '7200, 0']], 0, 7200],
    ['the first of several lines', [['age', '0'], ['age', '7200']], 0, 0],
    ['not a number', [['age', 'abc']], 0, 0],
    ['negative', [['age', '-7200']], 0, 0],
    ['with a fraction', [['age', '7200.0']], 0, 0],
    ['overflowing', [['age', '99999999999']], 0, 2_147_483_648],
    ['Date in the past', [['date', at(-100)]], 0, 100],
    ['Date in the future', [['date', at(10)], ['age', '15']], 0, 15],
    ['the greater of Date and Age', [['date', at(-10)], ['age', '25']], 0, 25],
    ['the time the origin took', [['age', '5']], 3000, 8],
  ])('%s', (_name, headers, delayMs, seconds) => {
    expect(ageS(stored(headers, 200, delayMs), t0)).toBe(seconds);
    expect(ageS(stored(headers, 200, delayMs), t0 + 7000)).toBe(seconds + 7);
  });

  test('ttl counts down and goes below zero', () => {
    const freshness = stored([['cache-control', 'max-age=10']]);
    expect(ttlS(freshness, t0)).toBe(10);
    expect(ttlS(freshness, t0 + 83_000)).toBe(-73);
  });
});

describe('judgeReuse', () => {
  const judge = (headers: HeaderList, afterS: number, cacheControl: string | null = null, pragma: string | null = null): string =>
    judgeReuse(stored(headers), requestDemands(cacheControl, pragma), false, t0 + afterS * 1000);
  const minute: HeaderList = [['cache-control', 'max-age=60']];

  test('fresh to the second, then validate', () => {
    expect(judge(minute, 59)).toBe('fresh');
    expect(judge(minute, 60)).toBe('validate');
    expect(judge([...minute, ['age', '7200']], 0)).toBe('validate');
  });

  test('stale-while-revalidate in its window only, and not against must-revalidate', () => {
    const headers: HeaderList = [['cache-control', 'max-age=1, stale-while-revalidate=4']];
    expect(judge(headers, 3)).toBe('stale-while-revalidate');
    expect(judge(headers, 5)).toBe('validate');
    expect(judge([['cache-control', 'max-age=1, stale-while-revalidate=4, must-revalidate']], 3)).toBe('validate');
  });

  test('no-cache is always validated', () => {
    expect(judge([['cache-control', 'max-age=60, no-cache']], 0)).toBe('validate');
    expect(judge([['cache-control', 'max-age=60, no-cache="x"']], 0)).toBe('fresh');
  });

  test.each<[string, number, string]>([
    ['no-cache', 0, 'validate'],
    ['no-store', 0, 'validate'],
    ['max-age=0', 1, 'validate'],
    ['max-age=5', 5, 'fresh'],
    ['max-age=5', 6, 'validate'],
    ['min-fresh=20', 30, 'fresh'],
    ['min-fresh=20', 50, 'validate'],
    ['min-fresh=20, max-stale', 50, 'validate'],
    ['max-stale=20', 70, 'stale-while-revalidate'],
    ['max-stale=20', 90, 'validate'],
    ['max-stale', 9000, 'stale-while-revalidate'],
    ['nothing-to-see-here', 0, 'fresh'],
    ['nothing-to-see-here', 61, 'validate'],
  ])('a request with %p after %p s: %p', (cacheControl, afterS, verdict) => {
    expect(judge(minute, afterS, cacheControl)).toBe(verdict as ReturnType<typeof judgeReuse>); // a row of the table above
  });

  test('max-stale does not go against the origin', () => {
    for (const directive of ['must-revalidate', 'proxy-revalidate', 's-maxage=60']) {
      expect(judge([['cache-control', `max-age=60, ${directive}`]], 61, 'max-stale')).toBe('validate');
    }
  });

  test('Pragma counts only without Cache-Control', () => {
    expect(judge(minute, 0, null, 'no-cache')).toBe('validate');
    expect(judge(minute, 0, 'foo', 'no-cache')).toBe('fresh');
    expect(requestDemands(null, 'foo')).toBe(noDemands);
  });

  test('a guess is not good enough for a personal request', () => {
    const guess = stored([['last-modified', at(-1000)]]);
    expect(judgeReuse(guess, noDemands, false, t0)).toBe('fresh');
    expect(judgeReuse(guess, noDemands, true, t0)).toBe('validate');
    expect(judgeReuse(stored(minute), noDemands, true, t0)).toBe('fresh');
  });

  test('what differs by cookies is no match for a personal request', () => {
    const anonymous = stored([...minute, ['vary', 'Accept-Encoding, Cookie']]);
    expect(judgeReuse(anonymous, noDemands, false, t0)).toBe('fresh');
    expect(judgeReuse(anonymous, noDemands, true, t0)).toBe('validate');
  });
});

describe('mayAnswerInOutage', () => {
  const dayMs = dayS * 1000;
  const may = (cacheControl: string, afterS: number, override = false, status = 200): boolean =>
    mayAnswerInOutage(stored([['cache-control', cacheControl]], status), override, dayMs, t0 + afterS * 1000);

  test('stale, up to the operator\'s limit, where the origin does not forbid it', () => {
    expect(may('max-age=2', 3)).toBe(true);
    expect(may('max-age=2', dayS + 1)).toBe(true);
    expect(may('max-age=2', dayS + 2)).toBe(false);
  });

  test.each(['must-revalidate', 'proxy-revalidate', 's-maxage=2'])('fresh only under %s', (directive) => {
    expect(may(`max-age=2, ${directive}`, 1)).toBe(true);
    expect(may(`max-age=2, ${directive}`, 3)).toBe(false);
    expect(may(`max-age=2, ${directive}`, 3, true)).toBe(true);
  });

  test('never under no-cache', () => {
    expect(may('max-age=2, no-cache', 1)).toBe(false);
    expect(may('max-age=2, no-cache', 1, true)).toBe(true);
  });

  test('stale-if-error is the origin\'s own limit, also beside s-maxage', () => {
    expect(may('max-age=2, stale-if-error=60', 61)).toBe(true);
    expect(may('max-age=2, stale-if-error=60', 62)).toBe(false);
    expect(may('s-maxage=2, stale-if-error=60', 61)).toBe(true);
    expect(may('s-maxage=2, stale-while-revalidate=60', 61)).toBe(true);
    expect(may('s-maxage=2, stale-if-error=60, must-revalidate', 61)).toBe(false);
  });

  test('an error that is fresh is not served stale', () => {
    expect(may('max-age=2', 1, false, 503)).toBe(true);
    expect(may('max-age=2', 3, false, 503)).toBe(false);
  });
});

import { describe, expect, test } from 'bun:test';
import { cookieValue, hasOtherCookies } from './cookie.ts';

describe('cookieValue', () => {
  test.each([
    [null, undefined], ['', undefined], ['segment=vip', 'vip'], ['a=1; segment=vip; b=2', 'vip'], ['a=1;segment=vip', 'vip'],
    ['xsegment=no; segment=vip', 'vip'], ['segmentx=no; segment=vip', 'vip'], ['a=segment=no; segment=vip', 'vip'], ['a="segment=no"; segment=vip', 'vip'],
    ['segment=', ''], ['segment="vip"', 'vip'], ['segment=a=b', 'a=b'], ['segment=first; segment=second', 'first'], ['segment', undefined],
    ['  segment= vip ;', 'vip'], ['a=1; Segment=vip', undefined],
  ])('%p: %p', (cookie, expected) => {
    expect(cookieValue(cookie, 'segment')).toBe(expected);
  });
});

describe('hasOtherCookies', () => {
  const declared = new Set(['segment', 'interests']);
  test.each([
    [null, false], ['', false], ['segment=vip', false], ['segment=vip; interests=a', false], ['segment=vip; sid=1', true], ['sid', true],
    [' ; ;segment=x;', false], ['a=segment', true],
  ])('%p: %p', (cookie, expected) => {
    expect(hasOtherCookies(cookie, declared)).toBe(expected);
  });
});

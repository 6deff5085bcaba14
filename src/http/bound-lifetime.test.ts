import { expect, test } from 'bun:test';
import { boundDirectives, boundExpires } from './bound-lifetime.ts';

test.each([
  ['max-age=600', 'max-age=40'],
  ['max-age=20, public', 'max-age=20, public'],
  ['public, s-maxage="900", max-age=600, stale-while-revalidate=60, stale-if-error=60, immutable', 'public, s-maxage=40, max-age=40'],
  ['no-store', 'no-store'],
  ['private="x, max-age=9", Max-Age=99', 'private="x, max-age=9", max-age=40'],
  ['max-age=soon', 'max-age=soon'],
  ['', ''],
])('%s of an answer 30 s old that holds for 10 s more: %s', (value, bounded) => { expect(boundDirectives(value, 30, 10)).toBe(bounded); });

test('Expires comes forward, never back', () => {
  const nowMs = Date.parse('2026-01-01T00:00:00Z');
  const at = (s: number): string => new Date(nowMs + s * 1000).toUTCString();
  expect([boundExpires(at(60), 10, nowMs), boundExpires(at(5), 10, nowMs), boundExpires('0', 10, nowMs)]).toEqual([at(10), at(5), '0']);
});

import { expect, test } from 'bun:test';
import type { ResourceKey, VariationKey } from '../kernel/index.ts';
import { RefusedCaptures, refusedMax } from './refused-captures.ts';

const visit = (path: string) => ({ method: 'read', authorized: false, otherCookies: false, resource: path as ResourceKey, variation: '' as VariationKey }) as const; // spelled as their makers would
const live = { status: 200, headers: new Headers({ 'cache-control': 'no-store' }) };

test('the least of what passes is told: each variation once, and no more than the bound between two readings', () => {
  const refused = new RefusedCaptures();
  for (let i = 0; i < refusedMax + 5; i++) for (let times = 0; times < 2; times++) refused.note(visit(`/p${i}`), live, 'no-store');
  const told = refused.take();
  expect([told.length, told[0], told.at(-1)?.resource]).toEqual([refusedMax, { resource: '/p0' as ResourceKey, variation: '' as VariationKey, reason: 'no-store' }, `/p${refusedMax - 1}` as ResourceKey]);
  expect(refused.take()).toEqual([]);
});

test('only what lies in the answer is told', () => {
  const refused = new RefusedCaptures();
  refused.note(visit('/a'), { status: 200, headers: new Headers({ 'cache-control': 'max-age=5' }) }, 'no-store');
  for (const reason of ['cookie', 'authorization', 'method', 'partial', 'route', 'emptied', 'foreign-host', 'self-redirect', 'no-lifetime']) refused.note(visit('/a'), live, reason);
  for (const status of [400, 401, 403, 406, 412, 416, 429, 500, 503]) refused.note(visit('/a'), { ...live, status }, 'status');
  expect(refused.take()).toEqual([]);
  refused.note(visit('/a'), { ...live, status: 404 }, 'status');
  expect(refused.take().map(({ reason }) => reason)).toEqual(['status']);
});

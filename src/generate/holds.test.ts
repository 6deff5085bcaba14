import { expect, test } from 'bun:test';
import type { CatalogRule } from '../catalog/index.ts';
import { ManualClock, type ResourceKey } from '../kernel/index.ts';
import { Holds } from './holds.ts';

const key = (path: string): ResourceKey => path as ResourceKey; // tests name resources themselves

test('holds bind their target alone, by tags of the copies there are, and until they end; purges hold nothing', () => {
  const clock = new ManualClock();
  const hold = (target: CatalogRule['target'], effect: CatalogRule['effect'] = 'hold'): CatalogRule => ({ version: 3, atMs: 0, target, effect, untilMs: clock.nowMs() + 1000 });
  let rules: readonly CatalogRule[] = [];
  const holds = new Holds(() => rules, clock);
  expect(holds.has(key('/a'), [])).toBe(false);
  rules = [hold({ kind: 'resource', resource: key('/a') }), hold({ kind: 'tag', tag: 'news' }), hold({ kind: 'pattern', pattern: '/p/**' }, 'purge')];
  expect(['/a', '/b', '/p/1'].map((path) => holds.has(key(path), []))).toEqual([true, false, false]);
  expect(holds.has(key('/b'), [{ headers: [] }, { headers: [['surrogate-key', 'home news']] }])).toBe(true);
  clock.advance(1001);
  expect(holds.has(key('/a'), [])).toBe(false);
});

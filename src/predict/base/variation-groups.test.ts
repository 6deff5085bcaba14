import { expect, test } from 'bun:test';
import type { ResourceKey } from '../../kernel/index.ts';
import { groupPairsMax, VariationGroups, variationClass } from './variation-groups.ts';

const dayMs = 86_400_000;
const one = Int32Array.of(1);
const classOf = (path: string): number => variationClass(path as ResourceKey);

test('counts fade over a day, through months', () => {
  const groups = new VariationGroups();
  for (let day = 1; day <= 120; day++) groups.add(one, Int32Array.of(2), Float64Array.of(10), day * dayMs);
  expect(groups.count(1, 2, 121 * dayMs)).toBeCloseTo(10 / (Math.E - 1), 3);
  expect([groups.count(1, 3, 121 * dayMs), groups.count(2, 2, 121 * dayMs)]).toEqual([0, 0]);
});

test('at the limit the weakest pairs go', () => {
  const groups = new VariationGroups();
  const columns = 64;
  for (let group = 0; group * columns <= groupPairsMax; group++) {
    groups.add(new Int32Array(columns).fill(group), Int32Array.from({ length: columns }, (_, i) => i), new Float64Array(columns).fill(group < 5 ? 9 : 1), dayMs);
  }
  expect(groups.size).toBeLessThanOrEqual(groupPairsMax);
  expect(groups.size).toBeGreaterThan(groupPairsMax / 2);
  expect(groups.count(4, 63, dayMs)).toBe(9);
});

test('a class is the first segment and the extension', () => {
  expect(classOf('/news/2024/a.html?x=1')).toBe(classOf('/news/b.html'));
  expect(new Set(['/news/a.html', '/news/a', '/shop/a', '/a.css', '/a'].map(classOf)).size).toBe(5);
});

import { expect, test } from 'bun:test';
import { seededRandom } from './random.ts';

test('Poisson counts have their mean as mean and variance, and none are expected of nothing', () => {
  const random = seededRandom(3);
  for (const mean of [0.2, 3]) {
    const counts = Array.from({ length: 40_000 }, () => random.poisson(mean));
    const average = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    const variance = counts.reduce((sum, count) => sum + (count - average) ** 2, 0) / counts.length;
    expect(Math.abs(average / mean - 1)).toBeLessThan(0.03);
    expect(Math.abs(variance / mean - 1)).toBeLessThan(0.05);
  }
  expect(random.poisson(0)).toBe(0);
});

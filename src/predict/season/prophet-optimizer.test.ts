import { expect, test } from 'bun:test';
import { seededRandom } from '../../kernel/index.ts';
import { optimizeProphet } from './prophet-optimizer.ts';

test('slope, change of slope, season and noise are found', () => {
  const random = seededRandom(4);
  const length = 300;
  const t = Array.from({ length }, (_, i) => i / (length - 1));
  const X = t.map((time) => [Math.sin(40 * time), Math.cos(40 * time)]);
  const changes = [0.2, 0.4, 0.6, 0.8];
  const y = t.map((time, i) => 0.3 + 0.5 * time - 1.2 * Math.max(0, time - 0.6) + 0.2 * (X[i]?.[0] ?? 0) + 0.05 * (random.next() + random.next() - 1));
  const data = { T: length, y, t, cap: [], S: 4, t_change: changes, trend_indicator: 0, K: 2, s_a: [1, 1], s_m: [0, 0], X, sigmas: [10, 10], tau: 0.5 };
  const { k, m, delta, beta, sigmaObs, trend } = optimizeProphet(undefined, JSON.stringify(data)).params;
  expect(Math.abs(m - 0.3)).toBeLessThan(0.02);
  expect(Math.abs(k - 0.5)).toBeLessThan(0.1);
  expect(Math.abs((delta[2] ?? 0) + 1.2)).toBeLessThan(0.2);
  for (const other of [0, 1, 3]) expect(Math.abs(delta[other] ?? 1)).toBeLessThan(0.2);
  expect([Math.abs((beta[0] ?? 0) - 0.2) < 0.01, Math.abs(beta[1] ?? 1) < 0.01]).toEqual([true, true]);
  expect(Math.abs(sigmaObs - 0.0204)).toBeLessThan(0.004);
  expect(Math.abs((trend[length - 1] ?? 0) - (0.8 - 0.48))).toBeLessThan(0.03);
});

test('a small prior scale of changes keeps the slope', () => {
  const t = Array.from({ length: 100 }, (_, i) => i / 99);
  const y = t.map((time) => (time > 0.5 ? 0.1 : 0));
  const data = { T: 100, y, t, cap: [], S: 1, t_change: [0.5], trend_indicator: 0, K: 1, s_a: [1], s_m: [0], X: t.map(() => [0]), sigmas: [1], tau: 1e-4 };
  expect(Math.abs(optimizeProphet(undefined, JSON.stringify(data)).params.delta[0] ?? 1)).toBeLessThan(0.02);
  expect(optimizeProphet(undefined, JSON.stringify({ ...data, trend_indicator: 2 })).params.trend.every((value) => Math.abs(value - 0.05) < 0.01)).toBe(true);
});

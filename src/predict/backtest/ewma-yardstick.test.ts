import { expect, test } from 'bun:test';
import { seededRandom } from '../../kernel/index.ts';
import { EwmaYardstick, yardstickTausMin } from './ewma-yardstick.ts';

const minuteMs = 60_000;

/** P(at least one). */
function chance(yardstick: EwmaYardstick, row: number, scale: number, minutes: number): number {
  return -Math.expm1(-yardstick.surpriseOfNone(row, scale, minutes));
}

/** Rows of gamma-distributed rates (shape 1), asked for as Poisson processes for some minutes. */
function play(minutes: number, meanPerMinute: number): { readonly yardstick: EwmaYardstick; readonly perMinute: readonly number[] } {
  const random = seededRandom(9);
  const perMinute = Array.from({ length: 4000 }, () => random.exponential(meanPerMinute));
  const yardstick = new EwmaYardstick();
  const rows = new Map<number, number>();
  const next = perMinute.map((rate) => random.exponential(1 / rate));
  for (let minute = 0; minute < minutes; minute++) {
    perMinute.forEach((rate, key) => {
      for (let at = next[key] ?? 0; at < minute + 1; at = next[key] ?? 0) {
        const row = rows.get(key) ?? yardstick.add();
        rows.set(key, row);
        yardstick.count(row, 1, minute * minuteMs);
        next[key] = at + random.exponential(1 / rate);
      }
    });
  }
  yardstick.fit(minutes * minuteMs);
  return { yardstick, perMinute: [...rows.keys()].map((key) => perMinute[key] ?? 0) };
}

test('on steady demand the longest memory says best, and what it says comes true', () => {
  const { yardstick, perMinute } = play(3000, 0.004);
  expect(yardstick.rows).toBe(perMinute.length);
  const losses = yardstickTausMin.map((_, scale) => perMinute.reduce((sum, rate, row) => {
    const came = -Math.expm1(-15 * rate);
    const p = chance(yardstick, row, scale, 15);
    return sum - came * Math.log(p) - (1 - came) * Math.log(1 - p);
  }, 0));
  expect(losses[2] ?? 0).toBeLessThan(losses[1] ?? 0);
  expect(losses[1] ?? 0).toBeLessThan(losses[0] ?? 0);
  const said = perMinute.reduce((sum, _, row) => sum + chance(yardstick, row, 2, 15), 0);
  const came = perMinute.reduce((sum, rate) => sum - Math.expm1(-15 * rate), 0);
  expect(Math.abs(said / came - 1)).toBeLessThan(0.1);
});

test('a rate of its own counts the less the thinner it is, and fades', () => {
  const { yardstick } = play(600, 0.004);
  const busy = yardstick.add();
  const once = yardstick.add();
  for (let minute = 600; minute < 660; minute++) yardstick.count(busy, 2, minute * minuteMs);
  yardstick.count(once, 1, 659 * minuteMs);
  yardstick.fit(660 * minuteMs);
  expect(chance(yardstick, busy, 0, 15)).toBeGreaterThan(0.99);
  expect(chance(yardstick, once, 0, 15)).toBeLessThan(0.3);
  const before = chance(yardstick, once, 0, 15);
  yardstick.fit(800 * minuteMs);
  expect(chance(yardstick, once, 0, 15)).toBeLessThan(before / 2);
});

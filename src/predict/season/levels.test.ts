import { expect, test } from 'bun:test';
import { seededRandom } from '../../kernel/index.ts';
import { Levels, blendCount } from './levels.ts';

const slot = 3;

function play(levels: Levels, minutes: number, rateAt: (minute: number) => number): Float64Array {
  const random = seededRandom(2);
  const blends = new Float64Array(blendCount);
  const means = new Float32Array(blendCount);
  let count = 0;
  let awaited = false;
  for (let minute = 0; minute < minutes; minute++) {
    const now = random.poisson(rateAt(minute));
    levels.add(slot, now, 1);
    count += now;
    if ((minute + 1) % 5 !== 0) continue;
    if (awaited) levels.score(slot, 0, means, 0, count);
    count = 0;
    awaited = true;
    levels.levels(slot, blends, 0, 1);
    for (let i = 0; i < blendCount; i++) means[i] = (blends[i] ?? 0) * 5;
  }
  return blends;
}

test('a level that jumps about is told by the last minutes, one that stays by the day', () => {
  const jumping = new Levels();
  const jump = play(jumping, 4 * 1440, (minute) => (Math.floor(minute / 45) % 2 === 0 ? 40 : 4))[jumping.best(slot, 0)] ?? 0;
  const steady = new Levels();
  const blends = play(steady, 4 * 1440, () => 2);
  expect(jumping.best(slot, 0)).not.toBe(steady.best(slot, 0));
  const bestOfSteady = blends[steady.best(slot, 0)] ?? 0;
  expect(Math.abs(bestOfSteady - 2)).toBeLessThan(0.15);
  // The last 45 minutes were of 4 or 40 a minute.
  expect(Math.min(Math.abs(Math.log(jump / 4)), Math.abs(Math.log(jump / 40)))).toBeLessThan(0.5);
});

test('a path told afterwards is as if it had always been told; silence lowers the level', () => {
  const path = (minute: number): number => 1 + 0.5 * Math.sin(minute / 100);
  const [known, told] = [new Levels(), new Levels()];
  for (let minute = 0; minute < 2000; minute++) {
    known.add(slot, 3 * path(minute), path(minute));
    told.add(slot, 3 * path(minute), 1);
  }
  told.retell(slot, 2000, 5, (ago) => path(2000 - ago - 0.5));
  const [first, second, silent] = [new Float64Array(blendCount), new Float64Array(blendCount), new Float64Array(blendCount)];
  known.levels(slot, first, 0, 1);
  told.levels(slot, second, 0, 1);
  told.levels(slot, silent, 30, path(2015));
  for (let i = 0; i < blendCount; i++) {
    expect(Math.abs((first[i] ?? 0) - (second[i] ?? 0))).toBeLessThan(0.05);
    expect(silent[i] ?? 0).toBeLessThan(second[i] ?? 0);
  }
});

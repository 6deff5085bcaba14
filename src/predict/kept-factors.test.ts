import { expect, test } from 'bun:test';
import { KeptFactors } from './kept-factors.ts';

const minuteMs = 60_000;

test('a key is asked about once in five minutes, whichever keys come and go beside it', () => {
  const kept = new KeptFactors();
  const asked: number[][] = [];
  const of = (atMin: number, ...keys: number[]) => [...kept.of(Int32Array.from(keys), Float64Array.from(keys, (key) => key / 10), atMin * minuteMs, (some, perMinute) => {
    asked.push([...some]);
    return perMinute.map((rate) => rate * 10 + atMin);
  })];
  expect(of(0, 2, 5, 9)).toEqual([2, 5, 9]);
  expect(of(1, 2, 4, 9, 12)).toEqual([2, 5, 9, 13]);
  expect(of(4, 2, 4, 9, 12)).toEqual([2, 5, 9, 13]);
  expect(of(5, 2, 12)).toEqual([7, 17]);
  expect(asked).toEqual([[2, 5, 9], [4, 12], [2, 12]]);
  kept.drop();
  expect(of(6, 2)).toEqual([8]);
});

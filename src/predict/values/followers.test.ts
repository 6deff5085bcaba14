import { expect, test } from 'bun:test';
import { ChangeTimes, timedValuesMax } from './change-times.ts';
import { Followers, followersMax, statesMax } from './followers.ts';

test('what came after what is bounded: the longest untouched and the rarest go', () => {
  const followers = new Followers();
  for (let i = 0; i < statesMax; i++) followers.add(`${i}`, 'x');
  followers.add('0', 'y');
  followers.add('one more', 'x');
  expect([followers.of('0')?.size, followers.of('1'), followers.of('2')?.size]).toEqual([2, undefined, 1]);
  for (let i = 0; i < 10; i++) followers.add('0', 'often');
  for (let i = 0; i < 100; i++) followers.add('0', `once ${i}`);
  const counts = followers.of('0');
  expect([counts?.size, counts?.has('often'), counts?.has('once 99'), counts?.has('once 0')]).toEqual([followersMax, true, true, false]);
});

test('old followers fade', () => {
  const followers = new Followers();
  for (let i = 0; i < 40; i++) followers.add('a', 'before');
  for (let i = 0; i < 40; i++) followers.add('a', 'now');
  expect(followers.of('a')?.get('now') ?? 0).toBeGreaterThan(1.5 * (followers.of('a')?.get('before') ?? 0));
});

test('values that last differently are bounded', () => {
  const times = new ChangeTimes();
  const stay = (text: string, minutes: number): void => { times.learn({ times: [0, 600_000, 1_200_000], text }, 0, minutes, true); };
  const factor = (text: string): number => times.paceOf({ times: [0, 600_000], text }).factor;
  for (let i = 0; i < 20; i++) {
    stay('long', 100);
    stay('short', 1);
  }
  expect(factor('long')).toBeLessThan(0.6 * factor('short'));
  for (let i = 0; i < timedValuesMax; i++) stay(`${i}`, 1);
  expect([factor('long'), factor('short')]).toEqual([1, 1]);
});

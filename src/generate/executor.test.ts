import { expect, test } from 'bun:test';
import { createLog, ManualClock, type ResourceKey, type VariationKey } from '../kernel/index.ts';
import { Budget } from './budget.ts';
import { Executor, type ExecutorParts } from './executor.ts';
import type { Job } from './make-copy.ts';
import { Schedule } from './schedule.ts';

test('nothing of a plan that is not newer than the last is done', () => {
  const clock = new ManualClock();
  const schedule = new Schedule(clock, createLog({ clock, level: 'error', write: (line) => { throw new Error(line); } }));
  const budget = new Budget({ originRequestsPerSecond: 20, originShare: 1, generateConcurrency: 8 }, clock);
  budget.setPaused(true); // so that what was taken stays where it can be counted
  const shop = { publisher: { resting: false }, holdings: { variation: () => [] } };
  const executor = new Executor({ shop, budget, schedule, fetcher: () => Promise.reject(new Error('nothing is fetched')) } as unknown as ExecutorParts); // no other part is looked at before a fetch
  const job = (path: string): Job => ({ resource: path as ResourceKey, variation: '' as VariationKey, varied: [], kind: 'first' }); // spelled as the real ones would be
  expect([executor.take(7, [job('/a'), job('/b')]), executor.queued]).toEqual([true, 2]);
  expect([executor.take(7, [job('/c')]), executor.queued]).toEqual([false, 2]);
  expect([executor.take(6, [job('/c')]), executor.queued]).toEqual([false, 2]);
  expect([executor.take(8, [job('/c')]), executor.queued]).toEqual([true, 1]);
});

import { expect, test } from 'bun:test';
import { ManualClock } from '../kernel/index.ts';
import { Budget } from './budget.ts';
import { Levers } from './levers.ts';

const budgets = { originRequestsPerSecond: 20, originShare: 0.05, generateConcurrency: 8, storageBytes: 1e9 };

test('an order is in force at once, and only what it names; a reload goes back to the configuration but leaves a pause alone', () => {
  const clock = new ManualClock();
  const budget = new Budget(budgets, clock);
  const levers = new Levers(budget, clock, budgets);
  expect(levers.settings()).toEqual({ paused: false, surgeUntilMs: undefined, budgets: { originRequestsPerSecond: 20, originShare: 0.05, generateConcurrency: 8 } });
  levers.change({ budgets: { originRequestsPerSecond: 5 } });
  expect(budget.state().limitPerSecond).toBe(5);
  expect(levers.settings().budgets.generateConcurrency).toBe(8);
  levers.change({ paused: true });
  expect(budget.pause()).toBe('paused');
  levers.configure(budgets);
  expect([budget.pause(), budget.state().limitPerSecond]).toEqual(['paused', 20]);
  levers.change({ paused: false });
  expect(budget.pause()).toBeUndefined();
});

test('a surge lasts as long as ordered, and is ended by another order', () => {
  const clock = new ManualClock();
  const budget = new Budget(budgets, clock);
  const levers = new Levers(budget, clock, budgets);
  levers.change({ surgeMs: 30_000 });
  expect([levers.settings().surgeUntilMs, budget.surging]).toEqual([clock.nowMs() + 30_000, true]);
  levers.change({ surgeMs: 0 });
  expect([levers.settings().surgeUntilMs, budget.surging]).toEqual([undefined, false]);
});

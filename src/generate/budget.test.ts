import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { ManualClock } from '../kernel/index.ts';
import { Budget, reportValidMs, type BudgetLimits, type OriginCondition } from './budget.ts';

const limits: BudgetLimits = { originRequestsPerSecond: 20, originShare: 1, generateConcurrency: 8 };

function condition(clock: ManualClock, facts: Partial<OriginCondition> & { state?: OriginCondition['view']['state']; share?: number; sinceMs?: number }): OriginCondition {
  return {
    atMs: clock.nowMs(), view: { state: facts.state ?? 'healthy', share: facts.share ?? 0, sinceMs: facts.sinceMs ?? clock.nowMs() },
    latencyP95Ms: facts.latencyP95Ms, usualP95Ms: facts.usualP95Ms, requestsPerSecond: facts.requestsPerSecond ?? 0,
  };
}

/** Asks as often as allowed for `seconds`, each request taking `latencyMs` and no time of its own; counts the yeses. */
function spend(budget: Budget, clock: ManualClock, seconds: number, kind: 'first' | 'refresh' = 'first', latencyMs = 15): number {
  let taken = 0;
  for (let tick = 0; tick < seconds * 100; tick++) {
    clock.advance(10);
    while (budget.tryTake(kind)) {
      taken++;
      budget.finish({ latencyMs });
    }
  }
  return taken;
}

test('never more than the limit over any span, whatever is asked when', () => {
  fc.assert(fc.property(
    fc.array(fc.record({ waitMs: fc.integer({ min: 0, max: 2000 }), asks: fc.integer({ min: 0, max: 60 }) }), { maxLength: 60 }),
    (steps) => {
      const clock = new ManualClock();
      const budget = new Budget(limits, clock);
      const taken: number[] = [];
      for (const step of steps) {
        clock.advance(step.waitMs);
        for (let i = 0; i < step.asks; i++) {
          if (!budget.tryTake('first')) continue;
          taken.push(clock.monotonicMs());
          budget.finish({ latencyMs: 10 });
        }
      }
      for (let i = 0; i < taken.length; i++) {
        for (let j = i; j < taken.length; j++) {
          const seconds = ((taken[j] ?? 0) - (taken[i] ?? 0)) / 1000;
          expect(j - i + 1).toBeLessThanOrEqual(limits.originRequestsPerSecond * seconds + limits.originRequestsPerSecond / 5 + 1e-6);
        }
      }
    },
  ), { seed: 7, numRuns: 100 });
});

test('a healthy origin gets the whole rate', () => {
  const clock = new ManualClock();
  expect(spend(new Budget(limits, clock), clock, 30)).toBeGreaterThan(595);
});

test('concurrency is bounded until requests finish', () => {
  const clock = new ManualClock();
  const budget = new Budget({ ...limits, originRequestsPerSecond: 1000 }, clock);
  let taken = 0;
  while (budget.tryTake('first')) taken++;
  expect(taken).toBe(8);
  expect(budget.state().inUse).toBe(8);
  budget.finish({ latencyMs: 5 });
  expect(budget.tryTake('first')).toBe(true);
});

test.each([['strained', 'origin-strained'], ['failing', 'origin-failing'], ['down', 'origin-down'], ['recovering', 'origin-recovering']] as const)(
  'an origin that is %s is left alone at once', (state, pause) => {
    const clock = new ManualClock();
    const budget = new Budget(limits, clock);
    budget.observeOrigin(condition(clock, { state, share: 0.9 }));
    expect(budget.pause()).toBe(pause);
    expect(budget.tryTake('first')).toBe(false);
    expect(budget.capacity(1000)).toBe(0);
    budget.observeOrigin(condition(clock, {}));
    expect(budget.tryTake('first')).toBe(true);
  });

test('late in recovery a quarter of the rate is used', () => {
  const clock = new ManualClock();
  const budget = new Budget(limits, clock);
  let taken = 0;
  for (let second = 0; second < 20; second++) {
    budget.observeOrigin(condition(clock, { state: 'recovering', share: 0.2 }));
    taken += spend(budget, clock, 1);
  }
  expect(taken).toBeGreaterThan(90);
  expect(taken).toBeLessThan(110);
});

test('early in recovery nothing is asked for a while, then one at a time, a trickle', () => {
  const clock = new ManualClock();
  const budget = new Budget(limits, clock);
  const sinceMs = clock.nowMs();
  let taken = 0;
  for (let second = 0; second < 115; second++) {
    budget.observeOrigin(condition(clock, { state: 'recovering', share: 0.99, sinceMs }));
    taken += spend(budget, clock, 1);
    if (second === 13) expect(taken).toBe(0);
  }
  expect(taken).toBeGreaterThan(90);
  expect(taken).toBeLessThan(110);
  budget.observeOrigin(condition(clock, { state: 'recovering', share: 0.99, sinceMs }));
  while (budget.tryTake('first'));
  expect(budget.state().inUse).toBeLessThanOrEqual(1);
});

test('a report that got old says nothing', () => {
  const clock = new ManualClock();
  const budget = new Budget(limits, clock);
  budget.observeOrigin(condition(clock, { state: 'down', share: 1 }));
  clock.advance(reportValidMs + 1);
  expect(budget.pause()).toBeUndefined();
});

test('people\'s latency beyond the usual backs off, and comes back when it does', () => {
  const clock = new ManualClock();
  const budget = new Budget(limits, clock);
  for (let second = 0; second < 10; second++) {
    budget.observeOrigin(condition(clock, { latencyP95Ms: 400, usualP95Ms: 40 }));
    spend(budget, clock, 1);
  }
  expect(budget.state().ratePerSecond).toBeLessThan(2);
  for (let second = 0; second < 15; second++) {
    budget.observeOrigin(condition(clock, { latencyP95Ms: 42, usualP95Ms: 40 }));
    spend(budget, clock, 1);
  }
  expect(budget.state().ratePerSecond).toBe(20);
});

test('own latency beyond the usual backs off without anybody else\'s word', () => {
  const clock = new ManualClock();
  const budget = new Budget(limits, clock);
  spend(budget, clock, 10, 'first', 15);
  spend(budget, clock, 10, 'first', 500);
  expect(budget.state().ratePerSecond).toBeLessThan(2);
});

test('jitter of a fast origin is no congestion', () => {
  const clock = new ManualClock();
  const budget = new Budget(limits, clock);
  spend(budget, clock, 10, 'first', 5);
  spend(budget, clock, 10, 'first', 55);
  expect(budget.state().ratePerSecond).toBe(20);
});

test('failures in a row mean rest, longer each time, with one trial between', () => {
  const clock = new ManualClock();
  const budget = new Budget(limits, clock);
  for (let i = 0; i < 3; i++) {
    expect(budget.tryTake('first')).toBe(true);
    budget.finish('failed');
  }
  expect(budget.pause()).toBe('own-failures');
  clock.advance(2001);
  expect(budget.tryTake('first')).toBe(true);
  expect(budget.tryTake('first')).toBe(false);
  budget.finish('failed');
  clock.advance(2001);
  expect(budget.pause()).toBe('own-failures');
  clock.advance(2001);
  expect(budget.tryTake('first')).toBe(true);
  budget.finish({ latencyMs: 5 });
  expect(budget.pause()).toBeUndefined();
  expect(spend(budget, clock, 1)).toBeGreaterThan(4);
});

test('refreshes stay within their share of what the origin gets; first copies do not', () => {
  const clock = new ManualClock();
  const budget = new Budget({ ...limits, originShare: 0.05 }, clock);
  let refreshes = 0;
  for (let second = 0; second < 100; second++) {
    budget.observeOrigin(condition(clock, { requestsPerSecond: 38 }));
    refreshes += spend(budget, clock, 1, 'refresh');
  }
  expect(refreshes).toBeGreaterThan(195); // 2/s of 40/s is 5 %
  expect(refreshes).toBeLessThan(203);
  expect(spend(budget, clock, 1, 'first')).toBeGreaterThan(18);
});

test('a site nobody visits is still refreshed, a little', () => {
  const clock = new ManualClock();
  const refreshes = spend(new Budget({ ...limits, originShare: 0.05 }, clock), clock, 100, 'refresh');
  expect(refreshes).toBeGreaterThan(18);
  expect(refreshes).toBeLessThan(23);
});

test('an operator\'s pause and new limits take effect at once', () => {
  const clock = new ManualClock();
  const budget = new Budget(limits, clock);
  budget.setPaused(true);
  expect(budget.tryTake('first')).toBe(false);
  budget.setPaused(false);
  budget.configure({ ...limits, originRequestsPerSecond: 5 });
  const taken = spend(budget, clock, 10);
  expect(taken).toBeGreaterThan(48);
  expect(taken).toBeLessThan(53);
});

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
  const budget = new Budget(limits, clock);
  // It begins at a quarter and has risen to the whole after eight seconds.
  spend(budget, clock, 8);
  expect(spend(budget, clock, 30)).toBeGreaterThan(595);
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
    clock.advance(200);
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
  // Beside people these have 15 % of the limit and 5 % of what people ask: 4.9 a second.
  expect(spend(budget, clock, 10, 'first')).toBeGreaterThan(45);
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
  spend(budget, clock, 10);
  budget.configure({ ...limits, originRequestsPerSecond: 5 });
  const taken = spend(budget, clock, 10);
  expect(taken).toBeGreaterThan(45);
  expect(taken).toBeLessThan(53);
});

test('no second ever has more requests than the limit, however they are spread', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 50, maxLength: 200 }), (waits) => {
    const clock = new ManualClock();
    const budget = new Budget(limits, clock);
    const taken: number[] = [];
    for (const waitMs of waits) {
      clock.advance(waitMs);
      while (budget.tryTake('first')) {
        taken.push(clock.monotonicMs());
        budget.finish({ latencyMs: 10 });
      }
    }
    for (const [at, fromMs] of taken.entries()) expect(taken.slice(at).filter((atMs) => atMs < fromMs + 1000).length).toBeLessThanOrEqual(20);
  }), { seed: 11, numRuns: 60 });
});

/** As `spend`, while people ask so many a second and are answered as usual. */
function spendBeside(budget: Budget, clock: ManualClock, seconds: number, requestsPerSecond: number, latencyMs: () => number): number {
  let taken = 0;
  for (let second = 0; second < seconds; second++) {
    budget.observeOrigin(condition(clock, { requestsPerSecond, latencyP95Ms: 40, usualP95Ms: 40 }));
    for (let tick = 0; tick < 100; tick++) {
      clock.advance(10);
      while (budget.tryTake('first')) {
        taken++;
        budget.finish({ latencyMs: latencyMs() }, '/p');
      }
    }
  }
  return taken;
}

test('where own requests wait at the origin, little is asked beside people, one at a time', () => {
  const clock = new ManualClock();
  const budget = new Budget(limits, clock);
  spendBeside(budget, clock, 20, 100, () => 20);
  const free = spendBeside(budget, clock, 20, 100, () => 20);
  expect(free / 20).toBeGreaterThan(7);
  let turn = 0;
  // Now every second request finds a queue.
  spendBeside(budget, clock, 60, 100, () => (turn++ % 2 === 0 ? 20 : 60));
  expect(spendBeside(budget, clock, 60, 100, () => (turn++ % 2 === 0 ? 20 : 60)) / 60).toBeLessThan(0.6);
  expect(budget.state().concurrency).toBe(1);
  expect(budget.state().wait).toBeGreaterThan(0.4);
});

test('an origin that is as quick as the machine it runs on is not taken for a busy one: its jitter is the scheduler\'s', () => {
  const clock = new ManualClock();
  const budget = new Budget(limits, clock);
  let turn = 0;
  const jittery = (): number => (turn++ % 3 === 0 ? 9 : 1);
  spendBeside(budget, clock, 20, 10, () => 1);
  spendBeside(budget, clock, 20, 10, jittery);
  expect(spendBeside(budget, clock, 20, 10, jittery) / 20).toBeGreaterThan(3);
});

test('within a second of own requests hanging nothing more begins, and one at a time tries again', () => {
  const clock = new ManualClock();
  const budget = new Budget(limits, clock);
  spend(budget, clock, 10, 'first', 20);
  let begun = 0;
  for (let tick = 0; tick < 100; tick++) {
    clock.advance(10);
    while (budget.tryTake('first')) begun++; // and nobody answers
  }
  expect(budget.pause()).toBe('own-latency');
  expect(begun).toBeLessThan(8);
  for (let i = 0; i < begun; i++) budget.finish({ latencyMs: 2000 }, '');
  let trials = 0;
  for (let tick = 0; tick < 1000; tick++) {
    clock.advance(10);
    while (budget.tryTake('first')) {
      trials++;
      budget.finish({ latencyMs: 2000 });
    }
  }
  expect(trials).toBeGreaterThan(0);
  expect(trials).toBeLessThan(5);
  expect(spend(budget, clock, 60, 'first', 20)).toBeGreaterThan(100);
});

test('a surge lifts the share and doubles the rate for a minute in ten, whether forecast or asked for', () => {
  const clock = new ManualClock();
  const budget = new Budget({ ...limits, originShare: 0.01 }, clock);
  spend(budget, clock, 10);
  let surging = 0;
  let most = 0;
  for (let second = 0; second < 700; second++) {
    budget.observeOrigin({ ...condition(clock, { requestsPerSecond: 40 }), failureExpected: 0.9 });
    const taken = spend(budget, clock, 1, 'refresh', 20);
    most = Math.max(most, taken);
    if (budget.state().surge) surging++;
  }
  expect(most).toBeGreaterThan(35);
  expect(most).toBeLessThanOrEqual(40);
  expect(surging).toBeGreaterThan(110); // a minute, and after ten the next one
  expect(surging).toBeLessThan(125);
  const asked = new Budget(limits, clock);
  asked.surge(clock.nowMs() + 5000);
  expect(asked.state().surge).toBe(true);
  clock.advance(5001);
  expect(asked.state().surge).toBe(false);
});

test('a surge goes on while the origin is strained, at half the limit, but not while people wait thrice as long, nor once it fails', () => {
  const clock = new ManualClock();
  const budget = new Budget(limits, clock);
  spend(budget, clock, 10);
  const tell = (facts: Parameters<typeof condition>[1]): void => { budget.observeOrigin({ ...condition(clock, facts), failureExpected: 0.8 }); };
  tell({ state: 'strained', latencyP95Ms: 80, usualP95Ms: 40 });
  expect([budget.pause(), budget.state().ratePerSecond]).toEqual([undefined, 10]);
  tell({ state: 'strained', latencyP95Ms: 400, usualP95Ms: 40 });
  expect([budget.pause(), budget.state().surge]).toEqual(['origin-strained', false]);
  tell({ state: 'failing' });
  expect([budget.pause(), budget.state().surge]).toEqual(['origin-failing', false]);
});

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { ResourceKey, VariationKey } from '../../kernel/index.ts';
import { Changes } from '../changes.ts';
import { makePlan } from './plan.ts';
import type { PlanCandidate, PlanInput } from './plan.ts';

const minuteMs = 60_000;
const goal = { targetAgeMs: 30 * minuteMs, outageMs: 15 * minuteMs };
let serial = 0;

function candidate(facts: Partial<PlanCandidate> = {}): PlanCandidate {
  return {
    resource: `/${serial++}` as ResourceKey, variation: '' as VariationKey, demandPerMinute: 1, weight: 1, changesPerMinute: 0,
    copyAgeMs: 25 * minuteMs, cost: 1, notBeforeMs: 0, passivePerMinute: 0, ...facts,
  };
}

function plan(candidates: readonly PlanCandidate[], requests: number, more: Partial<PlanInput> = {}) {
  return makePlan({ number: 7, atMs: 1000 * minuteMs, candidates, budget: { requests, refreshRequests: requests }, goal, ...more });
}

describe('makePlan', () => {
  test('puts what has no copy first, by demand per cost', () => {
    const never = candidate({ copyAgeMs: undefined, demandPerMinute: 0.1 });
    const dear = candidate({ copyAgeMs: undefined, demandPerMinute: 0.5, cost: 10 });
    const old = candidate({ copyAgeMs: 300 * minuteMs, demandPerMinute: 50 });
    const { items } = plan([old, dear, never], 100);
    expect(items.map(({ resource, why }) => [resource, why])).toEqual([[never.resource, 'never-copied'], [dear.resource, 'never-copied'], [old.resource, 'too-old']]);
  });

  test('a long list of discovered pages leaves a fifth of the budget to copies that grow old', () => {
    const discovered = Array.from({ length: 50 }, () => candidate({ copyAgeMs: undefined, demandPerMinute: 5e-4 }));
    const old = Array.from({ length: 50 }, () => candidate({ copyAgeMs: 60 * minuteMs }));
    const { items } = plan([...discovered, ...old], 20);
    expect(items.filter(({ why }) => why === 'never-copied').length).toBe(16);
    expect(items.filter(({ why }) => why === 'too-old').length).toBe(4);
    expect(plan(discovered, 20).items.length).toBe(20);
  });

  test('first copies hardly anybody will ask for wait for the refreshes that matter, and go before those that don\'t', () => {
    const unlikely = candidate({ copyAgeMs: undefined, demandPerMinute: 5e-6 });
    const likely = candidate({ copyAgeMs: undefined, demandPerMinute: 2e-5 });
    const matters = candidate({ copyAgeMs: 40 * minuteMs });
    const minor = candidate({ copyAgeMs: 16 * minuteMs, demandPerMinute: 0.01 });
    expect(plan([minor, unlikely, matters, likely], 20).items.map(({ resource }) => resource)).toEqual([likely, matters, unlikely, minor].map(({ resource }) => resource));
  });

  test('of equal value, what costs the origin less time goes first', () => {
    const slow = candidate({ copyAgeMs: 40 * minuteMs, effort: 3 });
    const quick = candidate({ copyAgeMs: 40 * minuteMs });
    expect(plan([slow, quick], 1).items.map(({ resource }) => resource)).toEqual([quick.resource]);
  });

  test('in a surge what an outage would ask for and not find, or find too old, goes before everything, and says so', () => {
    const missing = candidate({ copyAgeMs: undefined, demandPerMinute: 0.5 });
    const old = candidate({ copyAgeMs: 31 * minuteMs, demandPerMinute: 20 });
    const listed = candidate({ copyAgeMs: undefined, demandPerMinute: 1e-4 });
    const ageing = candidate({ copyAgeMs: 25 * minuteMs, demandPerMinute: 90 });
    const { items } = plan([listed, ageing, missing, old], 10, { surge: true });
    expect(items.map(({ resource, why }) => [resource, why])).toEqual([[old.resource, 'surge'], [missing.resource, 'surge'], [listed.resource, 'never-copied'], [ageing.resource, 'ageing']]);
  });

  test('pages at rest are not fetched on a guess again and again, whatever the budget; one the site calls changed is, once', () => {
    const changes = new Changes();
    const pages = Array.from({ length: 300 }, (_, i) => candidate({ demandPerMinute: 200 / (i + 1) }));
    const madeMin = pages.map(() => 0);
    const guesses = [0, 0, 0, 0, 0, 0];
    for (let minute = 1; minute < 360; minute++) {
      const candidates = pages.map((page, i) => ({ ...page, changesPerMinute: changes.rate(page.resource), copyAgeMs: (minute - (madeMin[i] ?? 0)) * minuteMs }));
      for (const { resource, why } of plan(candidates, 1000, { atMs: minute * minuteMs }).items) {
        const i = pages.findIndex((page) => page.resource === resource);
        changes.observe(resource, (minute - (madeMin[i] ?? 0)) * minuteMs, false);
        madeMin[i] = minute;
        if (why === 'changed') guesses[Math.floor(minute / 60)] = (guesses[Math.floor(minute / 60)] ?? 0) + 1;
      }
    }
    expect(guesses.slice(2).reduce((sum, count) => sum + count, 0)).toBeLessThan(100); // of 72,000 chances
    const told = { demandPerMinute: 1e-4, copyAgeMs: 2 * minuteMs, changesPerMinute: 5 };
    expect(plan([candidate({ ...told, saidChanged: true }), candidate(told)], 5).items.length).toBe(1);
  });

  test('says why each is planned and why each is not', () => {
    const facts: readonly (readonly [Partial<PlanCandidate>, string])[] = [
      [{ copyAgeMs: undefined }, 'never-copied'],
      [{ copyAgeMs: 40 * minuteMs }, 'too-old'],
      [{ copyAgeMs: 20 * minuteMs }, 'ageing'],
      [{ copyAgeMs: 10 * minuteMs, changesPerMinute: 1 }, 'changed'],
      [{ copyAgeMs: 10 * minuteMs }, 'fresh'],
      [{ copyAgeMs: 40 * minuteMs, demandPerMinute: 0 }, 'no-demand'],
      [{ copyAgeMs: undefined, notBeforeMs: 1001 * minuteMs }, 'backing-off'],
      [{ copyAgeMs: 16 * minuteMs, demandPerMinute: 1e-8, passivePerMinute: 1 }, 'passing-requests'],
    ];
    for (const [fact, reason] of facts) {
      const { items, refused } = plan([candidate(fact)], 10);
      expect([...items.map(({ why }) => why as string), ...refused.map((refusal) => refusal.reason)]).toEqual([reason]);
    }
    expect(plan([candidate(), candidate()], 1).refused.map(({ reason }) => reason)).toEqual(['budget']);
    expect(plan([candidate(), candidate()], 2, { budget: { requests: 2, refreshRequests: 1 } }).refused.map(({ reason }) => reason)).toEqual(['refresh-budget']);
  });

  test('renews what nobody passes by rather than what the next request renews anyway', () => {
    const busy = candidate({ demandPerMinute: 2, passivePerMinute: 2, copyAgeMs: 16 * minuteMs });
    const quiet = candidate({ demandPerMinute: 0.2, passivePerMinute: 0.2, copyAgeMs: 28 * minuteMs });
    const uncapturable = candidate({ demandPerMinute: 2, passivePerMinute: 0, copyAgeMs: 16 * minuteMs });
    expect(plan([busy, quiet, uncapturable], 3).items.map(({ resource }) => resource)).toEqual([uncapturable.resource, quiet.resource, busy.resource]);
  });

  test('keeps both budgets, plans nothing twice, accounts for every candidate, and depends on nothing but its input', () => {
    const arbitrary = fc.record({
      demandPerMinute: fc.double({ min: 0, max: 10, noNaN: true }), changesPerMinute: fc.double({ min: 0, max: 1, noNaN: true }),
      copyAgeMs: fc.option(fc.integer({ min: 0, max: 100 * minuteMs }), { nil: undefined }), cost: fc.integer({ min: 1, max: 5 }),
      notBeforeMs: fc.constantFrom(0, 2000 * minuteMs), passivePerMinute: fc.double({ min: 0, max: 2, noNaN: true }),
    });
    fc.assert(fc.property(fc.array(arbitrary, { maxLength: 60 }), fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 }), (facts, requests, refreshRequests) => {
      const candidates = facts.map((fact) => candidate(fact));
      const made = plan(candidates, requests, { budget: { requests, refreshRequests } });
      const costOf = (refreshes: boolean): number => made.items.reduce((sum, { cost, why }) => sum + (!refreshes || why !== 'never-copied' ? cost : 0), 0);
      expect(costOf(false)).toBeLessThanOrEqual(requests);
      expect(costOf(true)).toBeLessThanOrEqual(refreshRequests);
      expect(new Set(made.items.map(({ resource }) => resource)).size).toBe(made.items.length);
      expect(made.items.length + Object.values(made.refusedCounts).reduce((sum, count) => sum + count, 0)).toBe(candidates.length);
      expect(plan(candidates, requests, { budget: { requests, refreshRequests } })).toEqual(made);
    }), { numRuns: 200, seed: 9 });
  });

  test('is frozen, numbered, and lists no more refusals than asked', () => {
    const made = plan(Array.from({ length: 30 }, () => candidate()), 5, { refusalsMax: 3 });
    expect([Object.isFrozen(made), Object.isFrozen(made.items), made.number, made.refused.length, made.refusedCounts.budget]).toEqual([true, true, 7, 3, 25]);
  });

  // Cho & Garcia-Molina: five pages that change 1 to 5 times a day, equal demand, five refreshes a day. The freshest schedule
  // refreshes them 1.15, 1.36, 1.35, 1.14 and 0 times a day, for a mean freshness of .374 (uniform: .365).
  test('reaches the known optimum of freshness under a budget', () => {
    const dayMs = 1440 * minuteMs;
    const stepsPerDay = 5;
    const days = 1400;
    // While the price finds its level, nothing is measured.
    const settled = 200 * stepsPerDay * 40;
    const changes = [1, 2, 3, 4, 5].map((perDay) => perDay / 1440);
    const madeMs = changes.map((_, page) => -page * 60 * minuteMs);
    const refreshes = changes.map(() => 0);
    let freshness = 0;
    // One refresh a fifth of a day is the budget; the day is walked in finer steps so that refreshes fall when they are worth most.
    const fine = 40;
    let allowance = 0;
    let price = 0;
    for (let step = 0; step < days * stepsPerDay * fine; step++) {
      const atMs = (step * dayMs) / (stepsPerDay * fine);
      allowance += 1 / fine;
      const candidates = changes.map((changesPerMinute, page) => candidate({
        resource: String(page) as ResourceKey, changesPerMinute, copyAgeMs: atMs - (madeMs[page] ?? 0), demandPerMinute: 1,
      }));
      const [first] = plan(candidates, 1, { atMs, goal: { targetAgeMs: Infinity, outageMs: minuteMs, penalty: 'binary', guessWorthMin: 0 } }).items;
      // A refresh is made when its value reaches the price, and the price follows the allowance.
      price = Math.max(0, price * (1 - 0.002 * (allowance - 2)));
      if (price === 0) price = 1;
      if (first && first.value >= price) {
        const page = Number(first.resource);
        madeMs[page] = atMs;
        if (step >= settled) refreshes[page] = (refreshes[page] ?? 0) + 1;
        allowance -= 1;
      }
      if (step < settled) continue;
      for (const [page, rate] of changes.entries()) freshness += Math.exp((-rate * (atMs - (madeMs[page] ?? 0))) / minuteMs) / changes.length;
    }
    const perDay = refreshes.map((count) => count / (days - 200));
    [1.15, 1.36, 1.35, 1.14, 0].forEach((optimum, page) => { expect(Math.abs((perDay[page] ?? 0) - optimum)).toBeLessThan(0.015); });
    const mean = freshness / ((days - 200) * stepsPerDay * fine);
    expect(mean).toBeGreaterThan(0.374 * 0.99);
    expect(mean).toBeLessThan(0.374 * 1.01);
  });
});

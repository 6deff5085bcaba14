import { expect, test } from 'bun:test';
import type { ResourceKey, VariationKey } from '../../kernel/index.ts';
import { PlanJournal } from './journal.ts';
import { makePlan, type PlanCandidate } from './plan.ts';

const minuteMs = 60_000;

function candidate(path: string, facts: Partial<PlanCandidate> = {}): PlanCandidate {
  return {
    resource: path as ResourceKey, variation: '' as VariationKey, demandPerMinute: 1, weight: 1, changesPerMinute: 0, // spelled as the real ones would be
    copyAgeMs: undefined, cost: 1, notBeforeMs: 0, passivePerMinute: 0, ...facts,
  };
}

function plan(number: number, requests: number, candidates: readonly PlanCandidate[]) {
  return makePlan({ number, atMs: number * 1000, candidates, budget: { requests, refreshRequests: requests }, goal: { targetAgeMs: 10 * minuteMs, outageMs: 5 * minuteMs } });
}

test('two plans are compared: what entered, what left and why, what moved, what is planned for another reason', () => {
  const journal = new PlanJournal();
  journal.add(plan(1, 4, [candidate('/a', { demandPerMinute: 9 }), candidate('/b', { demandPerMinute: 8 }), candidate('/c', { copyAgeMs: 8 * minuteMs }), candidate('/d', { copyAgeMs: 6 * minuteMs })]));
  journal.add(plan(2, 3, [candidate('/b', { demandPerMinute: 8 }), candidate('/e', { demandPerMinute: 20 }), candidate('/c', { copyAgeMs: 11 * minuteMs }), candidate('/d', { notBeforeMs: 1e12, copyAgeMs: 6 * minuteMs })]));
  const diff = journal.diff(1, 2);
  expect(diff?.entered.map(({ resource }) => String(resource))).toEqual(['/e']);
  expect(diff?.left.map(({ resource, now }) => [String(resource), now])).toEqual([['/a', 'gone'], ['/d', 'backing-off']]);
  expect(diff?.moved.map(({ item, from, to }) => [String(item.resource), from, to])).toEqual([]);
  expect(diff?.reasonChanged.map(({ item, before }) => [String(item.resource), before, item.why])).toEqual([['/c', 'ageing', 'too-old']]);
  expect(journal.diff(2, 1)?.entered.map(({ resource }) => String(resource))).toEqual(['/a', '/d']);
  journal.add(plan(3, 3, [candidate('/e', { demandPerMinute: 1 }), candidate('/b', { demandPerMinute: 8 })]));
  expect(journal.diff(2, 3)?.moved.map(({ item, from, to }) => [String(item.resource), from, to])).toEqual([['/b', 1, 0], ['/e', 0, 1]]);
});

test('a plan compared with itself is no different, and one that is not kept is none', () => {
  const journal = new PlanJournal();
  journal.add(plan(1, 4, [candidate('/a'), candidate('/b')]));
  expect(journal.diff(1, 1)).toEqual({ from: 1, to: 1, entered: [], left: [], moved: [], reasonChanged: [] });
  expect([journal.diff(1, 2), journal.get(7)]).toEqual([undefined, undefined]);
});

test('the last 50 plans are kept, of each the first 500 items and 100 refusals, all counted', () => {
  const journal = new PlanJournal();
  const many = Array.from({ length: 900 }, (_, i) => candidate(`/${i}`));
  for (let number = 1; number <= 60; number++) journal.add(plan(number, 700, number === 60 ? many : []));
  expect(journal.list().length).toBe(50);
  expect(journal.list()[0]).toMatchObject({ number: 60, items: 700, planned: { 'never-copied': 700 } });
  expect(journal.list()[0]?.refused.budget).toBe(200);
  expect([journal.get(60)?.first.length, journal.get(60)?.firstRefused.length, journal.get(10)]).toEqual([500, 100, undefined]);
});

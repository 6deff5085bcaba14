/**
 * The one schedule whose optimum is printed in a paper (Cho & Garcia-Molina, TODS 2003): five pages that change 1 to 5 times a day, asked for
 * equally, five refreshes a day. Best for freshness are 1.15, 1.36, 1.35, 1.14 and 0 refreshes a day: .374 fresh.
 */
import { makePlan } from '../../src/generate/plan/index.ts';
import type { ResourceKey, VariationKey } from '../../src/kernel/index.ts';

export const knownRates = [1.15, 1.36, 1.35, 1.14, 0] as const;
export const knownFreshness = 0.374;

const minutesPerDay = 1440;
/** Moments a day at which a refresh may begin. */
const momentsPerDay = 200;
const refreshesPerDay = 5;

export interface KnownResult {
  readonly refreshesPerDay: readonly number[];
  readonly freshness: number;
}

/** The planner says which page is worth most and what; it is refreshed when that reaches a price, and the price follows the budget. */
export function playKnown(days: number, settleDays: number): KnownResult {
  const changes = knownRates.map((_, page) => (page + 1) / minutesPerDay);
  const madeAt = changes.map((_, page) => -page * 60);
  const refreshes = changes.map(() => 0);
  let fresh = 0;
  let allowance = 0;
  let price = 1;
  for (let moment = 0; moment < days * momentsPerDay; moment++) {
    const minute = (moment * minutesPerDay) / momentsPerDay;
    const settled = moment >= settleDays * momentsPerDay;
    allowance += refreshesPerDay / momentsPerDay;
    const [first] = makePlan({
      number: 1, atMs: minute * 60_000, budget: { requests: 1, refreshRequests: 1 }, refusalsMax: 0,
      goal: { targetAgeMs: Infinity, outageMs: 60_000, penalty: 'binary', guessWorthMin: 0 },
      candidates: changes.map((changesPerMinute, page) => ({
        resource: String(page) as ResourceKey, variation: '' as VariationKey, // any names will do
        demandPerMinute: 1, weight: 1, changesPerMinute, copyAgeMs: (minute - (madeAt[page] ?? 0)) * 60_000, cost: 1, notBeforeMs: 0, passivePerMinute: 0,
      })),
    }).items;
    price *= Math.max(0.5, 1 - 0.002 * (allowance - 2));
    if (first && first.value >= price) {
      const page = Number(first.resource);
      madeAt[page] = minute;
      allowance -= 1;
      if (settled) refreshes[page] = (refreshes[page] ?? 0) + 1;
    }
    if (settled) for (const [page, rate] of changes.entries()) fresh += Math.exp(-rate * (minute - (madeAt[page] ?? 0))) / changes.length;
  }
  return { refreshesPerDay: refreshes.map((count) => count / (days - settleDays)), freshness: fresh / ((days - settleDays) * momentsPerDay) };
}

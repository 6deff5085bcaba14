/** A site at rest, a budget that knows no bounds: how often are pages that never change fetched on the guess that they have? */
import { Changes } from '../../src/generate/changes.ts';
import { makePlan } from '../../src/generate/plan/index.ts';
import type { ResourceKey, VariationKey } from '../../src/kernel/index.ts';

export interface AtRest {
  readonly pages: number;
  readonly hours: number;
  /** Fetches because a copy had reached or would reach the freshness target. */
  readonly forAge: number;
  /** Fetches on a guess, in each hour. */
  readonly guesses: readonly number[];
}

/** Pages asked for as in Zipf's law, 600 requests a minute, planned for every second minute; no request that passes renews anything. */
export function playAtRest(pages: number, hours: number, budgetPerMinute: number): AtRest {
  const changes = new Changes();
  const keys = Array.from({ length: pages }, (_, page) => `/${page}` as ResourceKey); // spelled as resourceKey would
  const weights = keys.map((_, rank) => (rank + 1) ** -0.9);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  // First copies come one after the other.
  const madeAt = keys.map((_, page) => -((page * 7) % 10));
  const guesses = Array.from({ length: hours }, () => 0);
  let forAge = 0;
  for (let minute = 0; minute < hours * 60; minute += 2) {
    const plan = makePlan({
      number: minute, atMs: minute * 60_000, budget: { requests: 2 * budgetPerMinute, refreshRequests: 2 * budgetPerMinute }, refusalsMax: 0,
      goal: { targetAgeMs: 600_000, outageMs: 300_000 },
      candidates: keys.map((resource, page) => ({
        resource, variation: '' as VariationKey, demandPerMinute: (600 * (weights[page] ?? 0)) / sum, weight: 1, changesPerMinute: changes.rate(resource),
        copyAgeMs: (minute - (madeAt[page] ?? 0)) * 60_000, cost: 1, notBeforeMs: 0, passivePerMinute: 0,
      })),
    });
    for (const { resource, why } of plan.items) {
      const page = Number(resource.slice(1));
      changes.observe(resource, (minute - (madeAt[page] ?? 0)) * 60_000, false);
      madeAt[page] = minute;
      if (why === 'changed') guesses[Math.floor(minute / 60)] = (guesses[Math.floor(minute / 60)] ?? 0) + 1;
      else forAge++;
    }
  }
  return { pages, hours, forAge, guesses };
}

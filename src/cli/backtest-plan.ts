/** The generator's own planner as a backtest asks it: about whole resources, all alike in cost and weight, whose answers passing requests renew. */
import { makePlan } from '../generate/plan/index.ts';
import type { PlanCandidate } from '../generate/plan/index.ts';
import type { VariationKey } from '../kernel/index.ts';
import type { PlanRefreshes } from '../predict/backtest/index.ts';

/** Numbers its plans. */
export function planRefreshes(): PlanRefreshes {
  let number = 0;
  return ({ atMs, rates, budget, freshForMs, outageMs }) => {
    const candidates = rates.map(({ resource, perMinute, ageMs }): PlanCandidate => ({
      resource, variation: '' as VariationKey, demandPerMinute: perMinute, weight: 1, changesPerMinute: 0, // a trace's resources have one variation
      copyAgeMs: ageMs, cost: 1, notBeforeMs: 0, passivePerMinute: perMinute,
    }));
    const plan = makePlan({
      number: ++number, atMs, candidates, budget: { requests: budget, refreshRequests: budget },
      goal: { targetAgeMs: freshForMs, outageMs }, refusalsMax: 0,
    });
    return plan.items.map(({ resource }) => resource);
  };
}

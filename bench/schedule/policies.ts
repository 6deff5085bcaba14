/**
 * Schedules under comparison. Each is asked once a minute which pages to refresh, and told what a refresh found. The planner's are the product's
 * own `makePlan`: with what `Changes` learns from the bits, or, clairvoyant, with the true rates.
 */
import { Changes } from '../../src/generate/changes.ts';
import { makePlan, type PlanCandidate } from '../../src/generate/plan/index.ts';
import type { ResourceKey, VariationKey } from '../../src/kernel/index.ts';
import { lambdaCrawlRates } from './optimum.ts';
import type { SimulatedSite } from './simulated-site.ts';

export interface Policy {
  readonly name: string;
  /** At most `budget` pages; ages in minutes. */
  choose(minute: number, budget: number, ages: Float64Array): Iterable<number>;
  found(page: number, betweenMinutes: number, changed: boolean): void;
}

export interface PlannerFacts {
  readonly site: SimulatedSite;
  readonly name: string;
  readonly changeRate: 'learned' | 'true';
  /** Requests a minute as the planner knows them. */
  readonly demand: Float64Array;
  /** Part of passing requests that renew the copy. */
  readonly passive: Float64Array;
}

export function planner({ site, name, changeRate, demand, passive }: PlannerFacts): Policy {
  const changes = new Changes();
  const keys = Array.from({ length: site.demand.length }, (_, page) => `/${page}` as ResourceKey); // spelled as resourceKey would
  const variation = '' as VariationKey; // the one of a page without dimensions
  let number = 0;
  return {
    name,
    choose(minute, budget, ages) {
      const candidates = keys.map((resource, page): PlanCandidate => ({
        resource, variation, demandPerMinute: demand[page] ?? 0, weight: 1,
        changesPerMinute: changeRate === 'true' ? site.changeRate[page] ?? 0 : changes.rate(resource),
        copyAgeMs: (ages[page] ?? 0) * 60_000, cost: 1, notBeforeMs: 0, passivePerMinute: (demand[page] ?? 0) * (passive[page] ?? 0),
      }));
      const { items } = makePlan({
        number: ++number, atMs: minute * 60_000, candidates, budget: { requests: budget, refreshRequests: budget },
        goal: { targetAgeMs: Infinity, outageMs: 60_000 }, refusalsMax: 0,
      });
      return items.map(({ resource }) => Number(resource.slice(1)));
    },
    found(page, betweenMinutes, changed) {
      const resource = keys[page];
      if (resource !== undefined) changes.observe(resource, betweenMinutes * 60_000, changed);
    },
  };
}

/** Refreshes each page at a rate of its own: a page is due when it has saved up one refresh. Rates are scaled to the budget. */
function atRates(name: string, ratesOf: (budget: number) => Float64Array, everyMinutes: number): Policy {
  let rates = new Float64Array(0);
  let credit = new Float64Array(0);
  return {
    name,
    choose(minute, budget) {
      if (minute % everyMinutes === 0) {
        rates = Float64Array.from(ratesOf(budget));
        const scale = budget / rates.reduce((sum, rate) => sum + rate, 0);
        // A page needs no more than one refresh a minute: there is nothing newer to be had here.
        for (let page = 0; page < rates.length; page++) rates[page] = Math.min(1, (rates[page] ?? 0) * scale);
        if (credit.length === 0) credit = Float64Array.from(rates, (_, page) => (page * 0.618_033_988_75) % 1);
      }
      const due: number[] = [];
      for (let page = 0; page < rates.length; page++) {
        credit[page] = (credit[page] ?? 0) + (rates[page] ?? 0);
        if ((credit[page] ?? 0) >= 1) due.push(page);
      }
      if (due.length > budget) due.sort((a, b) => (credit[b] ?? 0) - (credit[a] ?? 0)).length = Math.floor(budget);
      for (const page of due) credit[page] = (credit[page] ?? 0) - 1;
      return due;
    },
    found: () => undefined,
  };
}

export function rivals(site: SimulatedSite): readonly Policy[] {
  const topOf = (count: number) => (): Float64Array => {
    const least = site.demand.toSorted().at(-count) ?? 0;
    return site.demand.map((rate) => (rate >= least ? 1 : 0));
  };
  return [
    atRates('uniform', () => site.demand.map(() => 1), 1_000_000),
    atRates('proportional to demand', () => site.demand, 10),
    atRates('proportional to changes', () => site.changeRate, 10),
    ...[0.02, 0.1, 0.3].map((part) => atRates(`top ${100 * part} %`, topOf(Math.ceil(site.demand.length * part)), 10)),
    atRates('LambdaCrawl, true rates, evenly', (budget) => lambdaCrawlRates(site, budget), 10),
  ];
}

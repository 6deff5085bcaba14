/**
 * What is known about the best schedule. LambdaCrawl (Kolobov et al., NeurIPS 2019): with a harmonic penalty, pages refreshed at rates
 * ρ = (−Δ + √(Δ² + 4μΔ/λ)) / 2 are best among schedules that refresh at random moments, λ such that the rates add up to the budget; the cost is
 * then Σ μ ln(1 + Δ/ρ). Refreshing at even intervals costs less at equal rates, ρ ∫₀^{1/ρ} Ein(Δs) ds; the best of those solves, page by page,
 * crawl value = λ at the interval's end (the value is the derivative of the cost by the rate).
 */
import { entire } from '../../src/generate/plan/crawl-value.ts';

export interface Rates {
  readonly demand: Float64Array;
  readonly changeRate: Float64Array;
}

/** Refreshes a minute of each page; together `budget`. */
export function lambdaCrawlRates(site: Rates, budget: number): Float64Array {
  const rates = new Float64Array(site.demand.length);
  bisectPrice((price) => {
    let sum = 0;
    for (let page = 0; page < rates.length; page++) {
      const delta = site.changeRate[page] ?? 0;
      const rate = (-delta + Math.sqrt(delta * delta + (4 * (site.demand[page] ?? 0) * delta) / price)) / 2;
      rates[page] = rate;
      sum += rate;
    }
    return sum > budget;
  });
  return rates;
}

/** Harmonic penalty per request at random moments of refresh: the closed form. */
export function lambdaCrawlCost(site: Rates, rates: Float64Array): number {
  let cost = 0;
  let demand = 0;
  for (let page = 0; page < rates.length; page++) {
    demand += site.demand[page] ?? 0;
    if ((site.changeRate[page] ?? 0) > 0) cost += (site.demand[page] ?? 0) * Math.log1p((site.changeRate[page] ?? 0) / (rates[page] ?? 0));
  }
  return cost / demand;
}

/** Intervals of even refreshing at which every page's crawl value is the same, and their harmonic penalty per request. */
export function evenOptimum(site: Rates, budget: number): { readonly cost: number; readonly price: number } {
  const { demand, changeRate } = site;
  const intervals = new Float64Array(demand.length);
  const price = bisectPrice((at) => {
    let sum = 0;
    for (let page = 0; page < intervals.length; page++) {
      intervals[page] = intervalAt(at, demand[page] ?? 0, changeRate[page] ?? 0);
      sum += 1 / (intervals[page] ?? Infinity);
    }
    return sum > budget;
  });
  let cost = 0;
  let asked = 0;
  for (let page = 0; page < intervals.length; page++) {
    asked += demand[page] ?? 0;
    const delta = changeRate[page] ?? 0;
    if (delta > 0) cost += (demand[page] ?? 0) * meanPenalty(delta * (intervals[page] ?? 0));
  }
  return { cost: cost / asked, price };
}

/** The age at which renewing is worth the price. V(a) = μ (a + (e^(−Δa) − 1)/Δ) grows with a. */
function intervalAt(price: number, demand: number, delta: number): number {
  if (!(delta > 0) || !(demand > 0)) return Infinity;
  // In units of 1/Δ: x + e^(−x) − 1 = Δ·price/μ, by Newton from above.
  const goal = (delta * price) / demand;
  let x = goal + Math.sqrt(2 * goal);
  for (let step = 0; step < 40; step++) {
    const next = x - (x + Math.expm1(-x) - goal) / -Math.expm1(-x);
    if (Math.abs(next - x) < 1e-10 * x) break;
    x = next;
  }
  return x / delta;
}

/** Mean of Ein over [0, x]: Ein(x) − (x + e^(−x) − 1)/x. */
function meanPenalty(x: number): number {
  return x < 1e-4 ? x / 2 : entire(x) - (x + Math.expm1(-x)) / x;
}

/** Finds the price at which `isTooMuch` begins to say no, and leaves it evaluated there. */
function bisectPrice(isTooMuch: (price: number) => boolean): number {
  let low = -30;
  let high = 30;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (isTooMuch(Math.exp(middle))) low = middle;
    else high = middle;
  }
  isTooMuch(Math.exp(high));
  return Math.exp(high);
}

/**
 * The rates every stage starts from: for a resource its share of the site's requests at several scales of time, times how busy the site is now; for a
 * region its share of that. Pure reading of the state, one batch of rows at a time.
 */
import type { RegionPrior } from './prior-choice.ts';
import { RateReader, RegionShares } from './rates.ts';
import type { Batch } from '../stage.ts';
import type { EngineState } from '../state/state.ts';

/** Requests a minute of each row as of `nowMs`. */
export function baseRates(state: EngineState, batch: Batch, nowMs: number): Float64Array {
  if (batch.level === 'site') return new RateReader(state, nowMs).ratesOf(batch.keys);
  const [rates] = regionRates(state, batch, nowMs, [state.regionPrior.trusted]);
  return rates ?? new Float64Array(batch.length);
}

/** Those of a batch of pairs by each of several priors. */
export function regionRates(state: EngineState, batch: Batch, nowMs: number, priors: readonly RegionPrior[]): Float64Array[] {
  const reader = new RateReader(state, nowMs);
  const keyRates = reader.ratesOf(batch.keys);
  let before: { readonly busyness: number; readonly own: Float64Array } | undefined;
  return priors.map((prior) => {
    const shares = new RegionShares(state, nowMs, prior);
    // To go through all regions of a resource is most of the work, and the same whatever the strength.
    const own: Float64Array = before?.busyness === prior.busyness ? before.own : shares.ownOf(batch.keys);
    before = { busyness: prior.busyness, own };
    const rates = new Float64Array(batch.length);
    for (let i = 0; i < rates.length; i++) rates[i] = ((keyRates[i] ?? 0) * shares.part(batch.pairs[i] ?? -1, batch.regions[i] ?? -1)) / (prior.strength + (own[i] ?? 0));
    return rates;
  });
}

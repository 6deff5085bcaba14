/**
 * The rates every stage starts from: for a resource its share of the site's requests at several scales of time, times how busy the site is now; for a
 * region its share of that. Pure reading of the state, one batch of rows at a time.
 */
import { RateReader, RegionShares } from './rates.ts';
import type { Batch } from '../stage.ts';
import type { EngineState } from '../state/state.ts';

/** Requests a minute of each row as of `nowMs`. */
export function baseRates(state: EngineState, batch: Batch, nowMs: number): Float64Array {
  const reader = new RateReader(state, nowMs);
  const rates = new Float64Array(batch.length);
  if (batch.level === 'site') {
    for (let i = 0; i < batch.length; i++) rates[i] = reader.rate(batch.keys[i] ?? 0);
    return rates;
  }
  const shares = new RegionShares(state, nowMs);
  return regionRates(batch, reader, shares);
}

/** The same with this strength of the region prior. */
export function regionRates(batch: Batch, reader: RateReader, shares: RegionShares): Float64Array {
  const rates = new Float64Array(batch.length);
  let totalOf = -1;
  let total = 1;
  let rate = 0;
  for (let i = 0; i < batch.length; i++) {
    const key = batch.keys[i] ?? 0;
    // Rows of one resource stand together in most batches.
    if (key !== totalOf) {
      totalOf = key;
      total = shares.total(key);
      rate = reader.rate(key);
    }
    rates[i] = (rate * shares.part(batch.pairs[i] ?? -1, batch.regions[i] ?? -1)) / total;
  }
  return rates;
}

/**
 * Forecasts for people to leaf through: the keys of largest expected count in one region (or everywhere) at one horizon, page by page. The cursor names
 * the last line by its value and key, so that a page begins where the one before it ended even if forecasts have moved since.
 */
import { ForeshadowError } from '../kernel/index.ts';
import type { RegionName, ResourceKey } from '../kernel/index.ts';
import { baseRates } from './base/base-rates.ts';
import { everywhere, horizonsMin } from './forecaster.ts';
import type { Forecast, HorizonMin, Total } from './forecaster.ts';
import type { FullForecasts } from './full-forecasts.ts';
import type { Pipeline } from './pipeline.ts';
import { largest } from './selection.ts';
import { siteBatch } from './stage.ts';
import type { Batch } from './stage.ts';
import { pickedInts } from './state/columns.ts';
import type { EngineState } from './state/state.ts';

export interface ForecastQuery {
  readonly region: RegionName;
  readonly horizonMin: HorizonMin;
  readonly limit: number;
  readonly cursor: string | undefined;
}

export interface ForecastPage {
  readonly atMs: number;
  readonly region: RegionName;
  readonly horizonMin: HorizonMin;
  /** Most expected first. */
  readonly items: readonly Forecast[];
  readonly nextCursor: string | undefined;
  /** All resources together; undefined for a region that is not watched as a series, and before two hours of demand. */
  readonly total: Total | undefined;
}

/** Keys that are looked at: those of largest base rate. Whoever leafs further wants the backtest's forecast file. */
export const pagedMax = 20_000;

/** Throws `usage` for a cursor that is none. */
export function forecastPage(state: EngineState, pipeline: Pipeline, full: FullForecasts, nowMs: number, query: ForecastQuery): Omit<ForecastPage, 'total'> {
  const { region, horizonMin, limit } = query;
  const after = query.cursor === undefined ? undefined : readCursor(query.cursor);
  const horizon = horizonsMin.indexOf(horizonMin);
  const batch = candidates(state, region, nowMs);
  const rates = pipeline.rates(batch, horizon, nowMs);
  const ordered = orderOf(state, batch, rates);
  const from = after ? ordered.findIndex(({ rate, resource }) => rate < after.rate || (rate === after.rate && resource > after.resource)) : 0;
  const shown = from < 0 ? [] : ordered.slice(from, from + limit);
  const last = shown.at(-1);
  return {
    atMs: nowMs, region, horizonMin,
    items: shown.flatMap(({ resource }) => full.of(nowMs, resource, region)?.[horizon] ?? []),
    nextCursor: last && from + limit < ordered.length ? writeCursor(last.rate, last.resource) : undefined,
  };
}

/** By the rate before calibration, equal ones by name: the order of the cursor. */
function orderOf(state: EngineState, { length, keys }: Batch, rates: Float64Array): { readonly rate: number; readonly resource: ResourceKey }[] {
  const rows: { readonly rate: number; readonly resource: ResourceKey }[] = [];
  for (let row = 0; row < length; row++) {
    const resource = state.resources.keyAt(keys[row] ?? 0);
    if (resource !== undefined) rows.push({ rate: rates[row] ?? 0, resource });
  }
  return rows.sort((a, b) => b.rate - a.rate || (a.resource < b.resource ? -1 : 1));
}

function candidates(state: EngineState, region: RegionName, nowMs: number): Batch {
  if (region === everywhere) {
    const all = siteBatch(Int32Array.from(state.resources.indexes()));
    return siteBatch(pickedInts(all.keys, largest(baseRates(state, all, nowMs), all.length, pagedMax)));
  }
  const { regions, regionsOf } = state;
  const regionIndex = regions.indexOf(region);
  const slots: number[] = [];
  for (let at = 0; at < regionsOf.slotCount && regionIndex !== undefined; at++) {
    const slot = regionsOf.slotAt(at);
    if (slot >= 0 && regionsOf.facetAt(slot) === regionIndex) slots.push(slot);
  }
  const ofSlots = (pairs: Int32Array): Batch => ({
    level: 'region', length: pairs.length, pairs, keys: pairs.map((slot) => regionsOf.ownerAt(slot)), regions: new Int32Array(pairs.length).fill(regionIndex ?? -1),
  });
  const all = ofSlots(Int32Array.from(slots));
  return ofSlots(pickedInts(all.pairs, largest(baseRates(state, all, nowMs), all.length, pagedMax)));
}

function writeCursor(rate: number, resource: ResourceKey): string {
  return Buffer.from(JSON.stringify([rate, resource])).toString('base64url');
}

function readCursor(cursor: string): { readonly rate: number; readonly resource: string } {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(parsed) && typeof parsed[0] === 'number' && typeof parsed[1] === 'string') return { rate: parsed[0], resource: parsed[1] };
  } catch {
    // Told below.
  }
  throw new ForeshadowError('usage', { source: 'client', message: 'cursor is not one that a page of forecasts gave', hint: 'leave it out to begin anew' });
}

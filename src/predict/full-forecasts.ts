/**
 * The full distribution of keys: rates of both levels at every horizon, calibrated each by its own past, made to add up, and drawn out to P(≥1)
 * and quantiles. Reads state and pipeline; keeps nothing.
 */
import type { RegionName, ResourceKey } from '../kernel/index.ts';
import { baseRates } from './base/base-rates.ts';
import { distribution } from './distribution/distribution.ts';
import { reconcile } from './distribution/reconcile.ts';
import type { Calibrated, Calibration } from './evidence/calibration.ts';
import { everywhere, horizonsMin } from './forecaster.ts';
import type { Forecast } from './forecaster.ts';
import type { Pipeline } from './pipeline.ts';
import { siteBatch } from './stage.ts';
import type { Batch } from './stage.ts';
import type { EngineState } from './state/state.ts';

/** Keys, and for each the run of its pairs. */
interface Rows {
  readonly site: Batch;
  readonly region: Batch;
  /** Where each key's pairs begin in `region`; one entry more than keys. */
  readonly starts: Int32Array;
}

/** A region a single key is asked about, whether or not they have met. */
interface AskedRegion {
  readonly name: RegionName;
  /** −1: never seen. */
  readonly index: number;
}

/** Calibrated forecasts of a batch at one horizon, by row. */
export interface CalibratedColumns {
  readonly batch: Batch;
  readonly mean: Float64Array;
  readonly dispersionForAny: Float64Array;
  readonly dispersionForQuantiles: Float64Array;
}

/** Both levels at one horizon; the pairs of a key stand together, in the order of the keys. */
export interface ForecastColumns {
  readonly ofKeys: CalibratedColumns;
  readonly ofPairs: CalibratedColumns;
}

/** One key in `every`. */
export interface KeyPart {
  readonly every: number;
  readonly offset: number;
}

export const wholePart: KeyPart = { every: 1, offset: 0 };

/** Keys whose forecasts are made at one time, so that memory stays bounded. */
const chunk = 20_000;

export class FullForecasts {
  readonly #state: EngineState;
  readonly #pipeline: Pipeline;

  constructor(state: EngineState, pipeline: Pipeline) {
    this.#state = state;
    this.#pipeline = pipeline;
  }

  /** One key in one region, or everywhere; undefined for a key never seen. */
  of(nowMs: number, resource: ResourceKey, region: RegionName): readonly Forecast[] | undefined {
    const { resources, regions } = this.#state;
    const index = resources.indexOf(resource);
    if (index === undefined) return undefined;
    const asked = region === everywhere ? undefined : { name: region, index: regions.indexOf(region) ?? -1 };
    for (const forecasts of this.#distributions(this.#rowsOf([index], 0, asked), nowMs, asked)) if (forecasts[0]?.region === region) return forecasts;
    return undefined;
  }

  /** One key everywhere, and in every region it was asked for from. */
  everywhereOf(nowMs: number, resource: ResourceKey): readonly Forecast[] | undefined {
    const index = this.#state.resources.indexOf(resource);
    if (index === undefined) return undefined;
    return [...this.#distributions(this.#rowsOf([index], 0, undefined), nowMs, undefined)].flat();
  }

  /** All keys seen since `sinceMs`, with the regions they were seen in since; each key's own forecasts first, then its regions'. */
  *all(nowMs: number, sinceMs: number): Iterable<readonly Forecast[]> {
    for (const rows of this.#seenSince(sinceMs)) yield* this.#distributions(rows, nowMs, undefined);
  }

  /** The same at one horizon as columns, some keys at a time: for who reads all of them often. */
  *columns(nowMs: number, sinceMs: number, horizon: number, part: KeyPart): Iterable<ForecastColumns> {
    for (const rows of this.#seenSince(sinceMs, part)) {
      const [ofKeys, ofPairs] = [this.#baseOf(rows.site, nowMs), this.#baseOf(rows.region, nowMs)];
      yield this.#columnsOf(rows, ofKeys, ofPairs, horizon, this.#pipeline.rates(rows.site, horizon, nowMs, ofKeys), this.#pipeline.rates(rows.region, horizon, nowMs, ofPairs));
    }
  }

  *#seenSince(sinceMs: number, { every, offset }: KeyPart = wholePart): Iterable<Rows> {
    const { resources, byResource } = this.#state;
    let keys: number[] = [];
    for (let index = 0; index < resources.span; index++) {
      if (byResource.lastSeenAt(index) < sinceMs || !resources.has(index) || (index + offset) % every !== 0) continue;
      keys.push(index);
      if (keys.length < chunk) continue;
      yield this.#rowsOf(keys, sinceMs, undefined);
      keys = [];
    }
    yield this.#rowsOf(keys, sinceMs, undefined);
  }

  #rowsOf(keys: readonly number[], sinceMs: number, asked: AskedRegion | undefined): Rows {
    const { regionsOf, regions } = this.#state;
    const owners: number[] = [];
    const facets: number[] = [];
    const pairs: number[] = [];
    const starts = new Int32Array(keys.length + 1);
    keys.forEach((key, row) => {
      starts[row] = pairs.length;
      for (let slot = regionsOf.first(key); slot >= 0; slot = regionsOf.after(slot)) {
        const region = regionsOf.facetAt(slot);
        if (regionsOf.lastSeenAt(slot) < sinceMs || regions.keyAt(region) === everywhere) continue;
        owners.push(key);
        facets.push(region);
        pairs.push(slot);
      }
      if (!asked || (asked.index >= 0 && regionsOf.find(key, asked.index) >= 0)) return;
      owners.push(key);
      facets.push(asked.index);
      pairs.push(-1);
    });
    starts[keys.length] = pairs.length;
    return { site: siteBatch(new Int32Array(keys)), region: { level: 'region', length: pairs.length, keys: new Int32Array(owners), regions: new Int32Array(facets), pairs: new Int32Array(pairs) }, starts };
  }

  *#distributions(rows: Rows, nowMs: number, asked: AskedRegion | undefined): Iterable<readonly Forecast[]> {
    const { resources, regions } = this.#state;
    const { site, region, starts } = rows;
    const [ofKeys, ofPairs] = [this.#baseOf(site, nowMs), this.#baseOf(region, nowMs)];
    const [keyRates, pairRates] = [this.#pipeline.ratesOfAll(site, nowMs, ofKeys), this.#pipeline.ratesOfAll(region, nowMs, ofPairs)];
    const none = new Float64Array(0);
    const columns = horizonsMin.map((_, horizon) => this.#columnsOf(rows, ofKeys, ofPairs, horizon, keyRates[horizon] ?? none, pairRates[horizon] ?? none));
    for (let row = 0; row < site.length; row++) {
      const resource = resources.keyAt(site.keys[row] ?? 0);
      if (resource === undefined) continue;
      yield columns.map(({ ofKeys: at }, horizon) => distribution(resource, everywhere, horizon, calibratedAt(at, row)));
      for (let pair = starts[row] ?? 0; pair < (starts[row + 1] ?? 0); pair++) {
        const facet = region.regions[pair] ?? -1;
        const name = facet < 0 ? asked?.name : regions.keyAt(facet);
        if (name !== undefined) yield columns.map(({ ofPairs: at }, horizon) => distribution(resource, name, horizon, calibratedAt(at, pair)));
      }
    }
  }

  /** Both levels at one horizon: calibrated each by its own past, then made to add up. */
  #columnsOf(rows: Rows, keyBase: Float64Array, pairBase: Float64Array, horizon: number, keyRates: Float64Array, pairRates: Float64Array): ForecastColumns {
    const { siteCalibration, regionCalibration } = this.#state;
    const ofKeys = calibratedColumns(rows.site, siteCalibration, keyRates, horizon);
    const ofPairs = calibratedColumns(rows.region, regionCalibration, pairRates, horizon);
    for (let row = 0; row < rows.site.length; row++) {
      const from = rows.starts[row] ?? 0;
      const to = rows.starts[row + 1] ?? 0;
      const mean = ofKeys.mean[row] ?? 0;
      ofKeys.mean[row] = reconcile(mean, ofPairs.mean.subarray(from, to), mean * unlisted(keyBase[row] ?? 0, pairBase, from, to));
    }
    return { ofKeys, ofPairs };
  }

  #baseOf(batch: Batch, nowMs: number): Float64Array {
    return baseRates(this.#state, batch, nowMs);
  }
}

/** Calibrates a batch's rates at one horizon. */
function calibratedColumns(batch: Batch, calibration: Calibration, rates: Float64Array, horizon: number): CalibratedColumns {
  const minutes = horizonsMin[horizon] ?? 0;
  const columns = { batch, mean: new Float64Array(batch.length), dispersionForAny: new Float64Array(batch.length), dispersionForQuantiles: new Float64Array(batch.length) };
  for (let row = 0; row < batch.length; row++) {
    const calibrated = calibration.correct(horizon, (rates[row] ?? 0) * minutes);
    columns.mean[row] = calibrated.mean;
    columns.dispersionForAny[row] = calibrated.dispersionForAny;
    columns.dispersionForQuantiles[row] = calibrated.dispersionForQuantiles;
  }
  return columns;
}

function calibratedAt({ mean, dispersionForAny, dispersionForQuantiles }: CalibratedColumns, row: number): Calibrated {
  return { mean: mean[row] ?? 0, dispersionForAny: dispersionForAny[row] ?? 0, dispersionForQuantiles: dispersionForQuantiles[row] ?? 0 };
}

/** The part of a key's requests expected from regions that are not among its pairs here. */
function unlisted(base: number, pairs: Float64Array, from: number, to: number): number {
  let listed = 0;
  for (let i = from; i < to; i++) listed += pairs[i] ?? 0;
  return base > listed ? 1 - listed / base : 0;
}

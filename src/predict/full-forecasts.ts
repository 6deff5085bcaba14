/**
 * The full distribution of keys: rates of both levels at every horizon, calibrated each by its own past, made to add up, and drawn out to P(≥1)
 * and quantiles. Reads state and pipeline; keeps nothing.
 */
import type { RegionName, ResourceKey } from '../kernel/index.ts';
import { baseRates } from './base/base-rates.ts';
import { distribution } from './distribution/distribution.ts';
import { reconcile } from './distribution/reconcile.ts';
import type { Calibrated } from './evidence/calibration.ts';
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

interface LevelRates {
  readonly base: Float64Array;
  /** Per horizon. */
  readonly perMinute: readonly Float64Array[];
}

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
    const { resources, byResource } = this.#state;
    let keys: number[] = [];
    for (let index = 0; index < resources.span; index++) {
      if (byResource.lastSeenAt(index) < sinceMs || !resources.has(index)) continue;
      keys.push(index);
      if (keys.length < chunk) continue;
      yield* this.#distributions(this.#rowsOf(keys, sinceMs, undefined), nowMs, undefined);
      keys = [];
    }
    yield* this.#distributions(this.#rowsOf(keys, sinceMs, undefined), nowMs, undefined);
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
    return { site: siteBatch(Int32Array.from(keys)), region: { level: 'region', length: pairs.length, keys: Int32Array.from(owners), regions: Int32Array.from(facets), pairs: Int32Array.from(pairs) }, starts };
  }

  *#distributions({ site, region, starts }: Rows, nowMs: number, asked: AskedRegion | undefined): Iterable<readonly Forecast[]> {
    const { resources, regions } = this.#state;
    const ofKeys = this.#ratesOf(site, nowMs);
    const ofPairs = this.#ratesOf(region, nowMs);
    for (let row = 0; row < site.length; row++) {
      const resource = resources.keyAt(site.keys[row] ?? 0);
      if (resource === undefined) continue;
      const from = starts[row] ?? 0;
      const to = starts[row + 1] ?? 0;
      const whole: Forecast[] = [];
      const parts: Forecast[][] = Array.from({ length: to - from }, () => []);
      const means = new Float64Array(to - from);
      for (let horizon = 0; horizon < horizonsMin.length; horizon++) {
        const key = this.#state.siteCalibration.correct(horizon, (ofKeys.perMinute[horizon]?.[row] ?? 0) * (horizonsMin[horizon] ?? 0));
        const calibrated = this.#calibratePairs(ofPairs, from, to, horizon, means);
        const agreed = reconcile(key.mean, means, key.mean * unlisted(ofKeys.base[row] ?? 0, ofPairs.base, from, to));
        whole.push(distribution(resource, everywhere, horizon, { ...key, mean: agreed }));
        calibrated.forEach((pair, i) => {
          const facet = region.regions[from + i] ?? -1;
          const name = facet < 0 ? asked?.name : regions.keyAt(facet);
          if (name !== undefined) parts[i]?.push(distribution(resource, name, horizon, { ...pair, mean: means[i] ?? 0 }));
        });
      }
      yield whole;
      yield* parts;
    }
  }

  /** Fills `means` with those of a key's pairs. */
  #calibratePairs(rates: LevelRates, from: number, to: number, horizon: number, means: Float64Array): Calibrated[] {
    const found: Calibrated[] = [];
    for (let i = from; i < to; i++) {
      const pair = this.#state.regionCalibration.correct(horizon, (rates.perMinute[horizon]?.[i] ?? 0) * (horizonsMin[horizon] ?? 0));
      means[i - from] = pair.mean;
      found.push(pair);
    }
    return found;
  }

  #ratesOf(batch: Batch, nowMs: number): LevelRates {
    const base = baseRates(this.#state, batch, nowMs);
    return { base, perMinute: horizonsMin.map((_, horizon) => this.#pipeline.rates(batch, horizon, nowMs, base)) };
  }
}

/** The part of a key's requests expected from regions that are not among its pairs here. */
function unlisted(base: number, pairs: Float64Array, from: number, to: number): number {
  let listed = 0;
  for (let i = from; i < to; i++) listed += pairs[i] ?? 0;
  return base > listed ? 1 - listed / base : 0;
}

/**
 * The baseline prediction engine. Per resource: decayed counts at four scales, blended into a rate (`rate-blend.ts`).
 * Per region: the resource's rate times the region's share of it, shrunk towards the region's share of the whole site, so
 * that a region that has seen little of a page borrows from the others. Distributions are negative binomial, corrected by
 * what earlier predictions of the same density and horizon were worth (`calibration.ts`).
 *
 * Deterministic and causal: everything follows from what was observed, in the order it was observed. Memory is bounded by
 * `keysMax` resources, four times as many pairs of (resource, region) and of (resource, variation), and 4,096 regions and variations.
 */
import type { DemandCount } from '../demand/window.ts';
import type { RegionName, ResourceKey } from '../kernel/index.ts';
import type { DecayedCounts } from './state/decayed-counts.ts';
import { distributions } from './distribution/distribution.ts';
import { everywhere, horizonsMin } from './forecaster.ts';
import type { DemandRate, Forecast, Forecaster } from './forecaster.ts';
import { HeldOut } from './evidence/held-out.ts';
import type { KeyTable } from './state/key-table.ts';
import { RateReader, RegionShares } from './base/rates.ts';
import { largest } from './selection.ts';
import { readSnapshot, writeSnapshot } from './state/snapshot.ts';
import { createState } from './state/state.ts';
import type { EngineState } from './state/state.ts';
import { VariationShares } from './base/variation-shares.ts';
import type { VariationShare } from './base/variation-shares.ts';

/** Regions and variations are bounded by the config; counts of any beyond this many are put to the last one. */
const facetsMax = 4096;
/** Part of the keys that makes room when there is none. */
const evictedPart = 1 / 16;
/** Horizon whose correction `rates` uses, as an index into `horizonsMin`. */
const planHorizon = 2;

export class DemandEngine implements Forecaster {
  readonly #keysMax: number;
  readonly #state: EngineState;
  readonly #heldOut: HeldOut;
  #generation = 0;
  /** Good until the next observation. */
  #shares: { readonly nowMs: number; readonly reader: VariationShares } | undefined;

  /** `keysMax`: resources kept; the least asked for make room for new ones. `snapshot`: what an engine before this one left. */
  constructor(options: { readonly keysMax: number; readonly snapshot?: Uint8Array }) {
    this.#keysMax = Math.max(16, options.keysMax);
    this.#state = options.snapshot ? readSnapshot(options.snapshot, this.#keysMax) : createState(this.#keysMax);
    this.#heldOut = new HeldOut(this.#state);
  }

  observe(minuteMs: number, counts: readonly DemandCount[]): void {
    const state = this.#state;
    this.#shares = undefined;
    if (state.beganMs === 0 || minuteMs < state.beganMs) state.beganMs = minuteMs;
    this.#heldOut.advance(minuteMs, this.#generation + state.regionsOf.generation);
    for (const columns of [state.byResource, state.byRegion, state.byVariation]) columns.advance(minuteMs);
    const ofResource = state.byResource.weights(minuteMs);
    const ofRegion = state.byRegion.weights(minuteMs);
    const ofVariation = state.byVariation.weights(minuteMs);
    for (const { resource, variation, region, count } of counts) {
      const index = this.#intern(resource, minuteMs);
      const regionIndex = internFacet(state.regions, state.byRegion, region);
      const variationIndex = internFacet(state.variations, state.byVariation, variation);
      state.byResource.add(index, count, minuteMs, ofResource);
      state.byRegion.add(regionIndex, count, minuteMs, ofRegion);
      state.byVariation.add(variationIndex, count, minuteMs, ofVariation);
      state.regionsOf.add(index, regionIndex, count, minuteMs);
      state.variationsOf.add(index, variationIndex, count, minuteMs);
    }
  }

  rates(nowMs: number, limit: number): DemandRate[] {
    const { resources, byResource, siteCalibration } = this.#state;
    const rates = new RateReader(this.#state, nowMs).all();
    const minutes = horizonsMin[planHorizon];
    const found: DemandRate[] = [];
    for (const index of largest(rates, resources.span, limit)) {
      const resource = resources.keyAt(index);
      if (resource === undefined) continue;
      const { mean } = siteCalibration.correct(planHorizon, (rates[index] ?? 0) * minutes);
      found.push({ resource, perMinute: mean / minutes, lastSeenMs: byResource.lastSeenMs[index] ?? 0 });
    }
    return found;
  }

  forecast(nowMs: number, resource: ResourceKey, region: RegionName): readonly Forecast[] | undefined {
    const { resources, regions, siteCalibration, regionCalibration } = this.#state;
    const index = resources.indexOf(resource);
    if (index === undefined) return undefined;
    const perMinute = new RateReader(this.#state, nowMs).rate(index);
    if (region === everywhere) return distributions(resource, region, perMinute, siteCalibration);
    const regionIndex = regions.indexOf(region);
    const share = regionIndex === undefined ? 0 : new RegionShares(this.#state, nowMs).share(index, regionIndex);
    return distributions(resource, region, perMinute * share, regionCalibration);
  }

  *forecasts(nowMs: number, sinceMs: number, pMin: number): Iterable<Forecast> {
    const { resources, regions, byResource, regionsOf, siteCalibration, regionCalibration } = this.#state;
    const reader = new RateReader(this.#state, nowMs);
    const shares = new RegionShares(this.#state, nowMs);
    for (let index = 0; index < resources.span; index++) {
      const resource = resources.keyAt(index);
      if (resource === undefined || (byResource.lastSeenMs[index] ?? 0) < sinceMs) continue;
      const perMinute = reader.rate(index);
      const total = shares.total(index);
      yield* ifLikely(distributions(resource, everywhere, perMinute, siteCalibration), pMin);
      for (let slot = regionsOf.first(index); slot >= 0; slot = regionsOf.after(slot)) {
        const region = regions.keyAt(regionsOf.facetAt(slot));
        if (region === undefined || region === everywhere || regionsOf.lastSeenAt(slot) < sinceMs) continue;
        yield* ifLikely(distributions(resource, region, (perMinute * shares.ofSlot(slot)) / total, regionCalibration), pMin);
      }
    }
  }

  variationShares(nowMs: number, resource: ResourceKey): readonly VariationShare[] {
    // A planner asks this for every resource at one time.
    if (!this.#shares || this.#shares.nowMs !== nowMs) this.#shares = { nowMs, reader: new VariationShares(this.#state, nowMs) };
    return this.#shares.reader.of(resource);
  }

  size(): { readonly keys: number; readonly bytes: number } {
    const { resources, byResource, regionsOf, variationsOf } = this.#state;
    // A key's string and its entry in the index take about 160 bytes; its columns are six doubles.
    return { keys: resources.size, bytes: resources.size * 160 + byResource.capacity * 48 + regionsOf.bytes + variationsOf.bytes };
  }

  /** Everything learned so far, for the next process. */
  snapshot(): Uint8Array {
    return writeSnapshot(this.#state);
  }

  #intern(resource: ResourceKey, nowMs: number): number {
    const { resources, byResource, regionsOf, variationsOf } = this.#state;
    const known = resources.indexOf(resource);
    if (known !== undefined) return known;
    if (resources.size >= this.#keysMax) this.#evict(nowMs);
    const index = resources.intern(resource);
    if (index >= byResource.capacity) {
      const capacity = Math.min(this.#keysMax, Math.max(1024, byResource.capacity * 2));
      byResource.grow(capacity);
      regionsOf.growOwners(capacity);
      variationsOf.growOwners(capacity);
    }
    return index;
  }

  /** Lets the keys of lowest rate go, at least one. */
  #evict(nowMs: number): void {
    const { resources, byResource, regionsOf, variationsOf } = this.#state;
    const rates = new RateReader(this.#state, nowMs).all();
    const order = resources.indexes().sort((a, b) => (rates[a] ?? 0) - (rates[b] ?? 0));
    for (const index of order.slice(0, Math.max(1, Math.floor(order.length * evictedPart)))) {
      resources.release(index);
      byResource.clear(index);
      regionsOf.clear(index);
      variationsOf.clear(index);
    }
    this.#generation++;
  }
}

function* ifLikely(forecasts: readonly Forecast[], pMin: number): Iterable<Forecast> {
  if ((forecasts.at(-1)?.p ?? 0) >= pMin) yield* forecasts;
}

function internFacet<Key extends string>(table: KeyTable<Key>, counts: DecayedCounts, key: Key): number {
  if (table.size >= facetsMax && table.indexOf(key) === undefined) return facetsMax - 1;
  const index = table.intern(key);
  if (index >= counts.capacity) counts.grow(Math.max(64, counts.capacity * 2));
  return index;
}

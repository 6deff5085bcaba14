/**
 * The Demand Prediction Engine. Counts of what was asked for, minute by minute, become per-key state (`state/`), base rates
 * (`base/`), rates corrected by the stages the gate lets in (`pipeline.ts`, `evidence/`), and distributions (`distribution/`) corrected by what earlier
 * predictions of the same density and horizon were worth.
 *
 * Deterministic and causal: everything follows from what was observed, in the order it was observed, and from when finished work was adopted. Memory is
 * bounded by `keysMax` resources, four times as many pairs of (resource, region) and of (resource, variation), 4,096 regions and variations, and each stage's own limits.
 */
import type { DemandCount, DemandStep } from '../demand/window.ts';
import type { RegionName, ResourceKey } from '../kernel/index.ts';
import type { DecayedCounts } from './state/decayed-counts.ts';
import { horizonsMin } from './forecaster.ts';
import type { DemandRate, Forecast, Forecaster } from './forecaster.ts';
import { HeldOut } from './evidence/held-out.ts';
import type { KeyTable } from './state/key-table.ts';
import { paceOf, RateReader } from './base/rates.ts';
import type { AccuracyRow } from './evidence/accuracy.ts';
import { Gate } from './evidence/gate.ts';
import type { Door } from './evidence/gate.ts';
import { Pipeline } from './pipeline.ts';
import { levels, siteBatch } from './stage.ts';
import type { Level, ObservedMinute, Stage, StageName } from './stage.ts';
import { createStages } from './stages.ts';
import type { Work, WorkDone } from './work.ts';
import { forecastPage } from './forecast-page.ts';
import type { ForecastPage, ForecastQuery } from './forecast-page.ts';
import { FullForecasts } from './full-forecasts.ts';
import type { ForecastColumns } from './full-forecasts.ts';
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

/** Rows beyond the asked-for ones, by base rate, that the stages are asked about: what they raise may pass what they don't. */
const stagedPart = 2;

export interface EngineOptions {
  /** Resources kept; the least asked for make room for new ones. */
  readonly keysMax: number;
  /** What an engine before this one left. */
  readonly snapshot?: Uint8Array;
  /** Of everything random in training. */
  readonly seed?: number;
  /** Stages left out, to see what each is worth. */
  readonly without?: ReadonlySet<StageName>;
}

export interface EngineReport {
  readonly doors: readonly Door[];
  readonly accuracy: readonly AccuracyRow[];
  readonly fallenBack: readonly Level[];
}

interface Parts {
  readonly gate: Gate;
  readonly stages: readonly Stage[];
}

export class DemandEngine implements Forecaster {
  readonly #keysMax: number;
  readonly #state: EngineState;
  readonly #gate: Gate;
  readonly #pipeline: Pipeline;
  readonly #heldOut: HeldOut;
  readonly #full: FullForecasts;
  #generation = 0;
  /** Good until the next observation. */
  #shares: { readonly nowMs: number; readonly reader: VariationShares } | undefined;

  constructor(options: EngineOptions) {
    this.#keysMax = Math.max(16, options.keysMax);
    const partsFor = (state: EngineState): Parts => ({
      gate: new Gate(), stages: createStages(state, { seed: options.seed ?? 1, without: options.without ?? new Set() }),
    });
    const { state, parts } = options.snapshot ? readSnapshot(options.snapshot, this.#keysMax, partsFor) : anew(this.#keysMax, partsFor);
    this.#state = state;
    this.#gate = parts.gate;
    this.#pipeline = new Pipeline(state, parts.stages, parts.gate);
    this.#heldOut = new HeldOut(state, this.#pipeline, parts.gate);
    this.#full = new FullForecasts(state, this.#pipeline);
  }

  observe(minuteMs: number, counts: readonly DemandCount[], steps: readonly DemandStep[] = []): void {
    const state = this.#state;
    this.#shares = undefined;
    if (state.beganMs === 0 || minuteMs < state.beganMs) state.beganMs = minuteMs;
    this.#heldOut.advance(minuteMs, this.#generation + state.regionsOf.generation);
    for (const columns of [state.byResource, state.byRegion, state.byVariation, state.pace]) columns.advance(minuteMs);
    const ofResource = state.byResource.weights(minuteMs);
    const ofRegion = state.byRegion.weights(minuteMs);
    const ofVariation = state.byVariation.weights(minuteMs);
    const dayFactor = state.byResource.factors(minuteMs)[3] ?? 0;
    let pace = 0;
    const keys = new Int32Array(counts.length);
    const regions = new Int32Array(counts.length);
    const born = new Uint8Array(counts.length);
    for (let i = 0; i < counts.length; i++) {
      const counted = counts[i];
      if (!counted) continue;
      const { resource, variation, region, count } = counted;
      const index = this.#intern(resource, minuteMs);
      const regionIndex = internFacet(state.regions, state.byRegion, region);
      const variationIndex = internFacet(state.variations, state.byVariation, variation);
      keys[i] = index;
      regions[i] = regionIndex;
      born[i] = state.byResource.has(index) ? 0 : 1;
      pace += paceOf(state, index, count, dayFactor);
      state.byResource.add(index, count, minuteMs, ofResource);
      state.byRegion.add(regionIndex, count, minuteMs, ofRegion);
      state.byVariation.add(variationIndex, count, minuteMs, ofVariation);
      state.regionsOf.add(index, regionIndex, count, minuteMs);
      state.variationsOf.add(index, variationIndex, count, minuteMs);
    }
    state.pace.add(0, pace, minuteMs, state.pace.weights(minuteMs));
    const observed = { startMs: minuteMs, keys, regions, born, counts: Float64Array.from(counts, ({ count }) => count), steps: this.#stepColumns(steps) };
    for (const stage of this.#pipeline.stages) stage.observe(observed);
  }

  work(nowMs: number): Work[] {
    return this.#pipeline.stages.flatMap((stage) => stage.work?.(nowMs) ?? []);
  }

  adopt(done: WorkDone): void {
    for (const stage of this.#pipeline.stages) stage.adopt?.(done);
  }

  rates(nowMs: number, limit: number): DemandRate[] {
    const { resources, byResource, siteCalibration } = this.#state;
    const base = new RateReader(this.#state, nowMs).all();
    const keys = this.#stagedKeys(base, limit, nowMs);
    const rates = this.#pipeline.rates(siteBatch(keys), planHorizon, nowMs, picked(base, keys));
    const minutes = horizonsMin[planHorizon];
    const found: DemandRate[] = [];
    for (const row of largest(rates, rates.length, limit)) {
      const index = keys[row] ?? 0;
      const resource = resources.keyAt(index);
      if (resource === undefined) continue;
      const { mean } = siteCalibration.correct(planHorizon, (rates[row] ?? 0) * minutes);
      found.push({ resource, perMinute: mean / minutes, lastSeenMs: byResource.lastSeenAt(index) });
    }
    return found;
  }

  forecast(nowMs: number, resource: ResourceKey, region: RegionName): readonly Forecast[] | undefined {
    return this.#full.of(nowMs, resource, region);
  }

  *forecasts(nowMs: number, sinceMs: number, pMin: number): Iterable<Forecast> {
    for (const forecasts of this.#full.all(nowMs, sinceMs)) if ((forecasts.at(-1)?.p ?? 0) >= pMin) yield* forecasts;
  }

  /** What is forecast of every key seen since `sinceMs` at one horizon (index into `horizonsMin`), as columns by the engine's own indexes, with the names of these. */
  columns(nowMs: number, sinceMs: number, horizon: number): { readonly parts: Iterable<ForecastColumns>; readonly names: Pick<EngineState, 'resources' | 'regions'> } {
    return { parts: this.#full.columns(nowMs, sinceMs, horizon), names: this.#state };
  }

  /** The most expected keys of a region, page by page. */
  page(nowMs: number, query: ForecastQuery): ForecastPage {
    return forecastPage(this.#state, this.#pipeline, this.#full, nowMs, query);
  }

  /** Everything forecast of one resource: everywhere, and in each region it was asked for from. Undefined for one never seen. */
  outlookOf(nowMs: number, resource: ResourceKey): readonly Forecast[] | undefined {
    return this.#full.everywhereOf(nowMs, resource);
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
    return writeSnapshot(this.#state, { gate: this.#gate, stages: this.#pipeline.stages });
  }

  /** Where each stage stands: let in or not, and what it gained; how good the forecasts of the last days were; where all stages are left aside. */
  report(): EngineReport {
    return { doors: this.#gate.doors(), accuracy: this.#state.accuracy.rows(), fallenBack: this.fallenBack() };
  }

  /** Levels at which all stages are left aside for now, because together they did worse than the base rates. */
  fallenBack(): readonly Level[] {
    return levels.filter((level) => this.#gate.fallenBack(level));
  }

  /** The keys of largest base rate, and those a stage raises. */
  #stagedKeys(base: Float64Array, limit: number, nowMs: number): Int32Array {
    const wanted = new Uint8Array(base.length);
    let count = 0;
    const want = (key: number): void => {
      if (wanted[key] !== 0) return;
      wanted[key] = 1;
      count++;
    };
    for (const key of largest(base, base.length, this.#pipeline.stages.length === 0 ? limit : limit * stagedPart)) want(key);
    for (const stage of this.#pipeline.stages) for (const key of stage.raised?.(nowMs) ?? []) want(key);
    // By index, so that equal rates come in the same order whatever the stages raised.
    const keys = new Int32Array(count);
    for (let key = 0, at = 0; key < wanted.length; key++) if (wanted[key] === 1) keys[at++] = key;
    return keys;
  }

  #stepColumns(steps: readonly DemandStep[]): ObservedMinute['steps'] {
    const indexOf = (key: ResourceKey): number => this.#state.resources.indexOf(key) ?? -1;
    const known = steps.filter(({ from, to }) => indexOf(from) >= 0 && indexOf(to) >= 0);
    return {
      from: Int32Array.from(known, ({ from }) => indexOf(from)), to: Int32Array.from(known, ({ to }) => indexOf(to)),
      lagsMin: Int32Array.from(known, ({ lagMin }) => lagMin), counts: Float64Array.from(known, ({ count }) => count),
    };
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
    const order = [...resources.indexes()].sort((a, b) => (rates[a] ?? 0) - (rates[b] ?? 0));
    for (const index of order.slice(0, Math.max(1, Math.floor(order.length * evictedPart)))) {
      resources.release(index);
      byResource.clear(index);
      regionsOf.clear(index);
      variationsOf.clear(index);
      for (const stage of this.#pipeline.stages) stage.forget(index);
    }
    this.#generation++;
  }
}

function internFacet<Key extends string>(table: KeyTable<Key>, counts: DecayedCounts, key: Key): number {
  if (table.size >= facetsMax && table.indexOf(key) === undefined) return facetsMax - 1;
  const index = table.intern(key);
  if (index >= counts.capacity) counts.grow(Math.max(64, counts.capacity * 2));
  return index;
}

function anew(keysMax: number, partsFor: (state: EngineState) => Parts): { readonly state: EngineState; readonly parts: Parts } {
  const state = createState(keysMax);
  return { state, parts: partsFor(state) };
}

/** Not `Float64Array.from`, which runs an iterator and costs five times as much. */
function picked(column: Float64Array, rows: Int32Array): Float64Array {
  const values = new Float64Array(rows.length);
  for (let i = 0; i < rows.length; i++) values[i] = column[rows[i] ?? 0] ?? 0;
  return values;
}

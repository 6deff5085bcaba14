/**
 * The Demand Prediction Engine. Counts of what was asked for, minute by minute, become per-key state (`state/`), base rates
 * (`base/`), rates corrected by the stages the gate lets in (`pipeline.ts`, `evidence/`), and distributions (`distribution/`) corrected by what earlier
 * predictions of the same density and horizon were worth.
 *
 * Deterministic and causal: everything follows from what was observed, in the order it was observed, and from when finished work was adopted. Memory is
 * bounded by `keysMax` resources, four times as many pairs of (resource, region) and of (resource, variation), 4,096 regions and variations, and each stage's own limits.
 */
import type { DemandCount } from '../demand/window.ts';
import { ForeshadowError } from '../kernel/index.ts';
import type { ByteWriter, RegionName, ResourceKey } from '../kernel/index.ts';
import { everywhere, horizonsMin } from './forecaster.ts';
import type { DemandRate, Emerging, Forecast, Forecaster, RateUse, SeriesSummary, Total } from './forecaster.ts';
import { HeldOut } from './evidence/held-out.ts';
import { Intake } from './intake.ts';
import { RateReader } from './base/rates.ts';
import type { AccuracyRow } from './evidence/accuracy.ts';
import { Gate } from './evidence/gate.ts';
import type { Door } from './evidence/gate.ts';
import { journeyColumns, noJourneys } from './journey-columns.ts';
import { Pipeline } from './pipeline.ts';
import { levels, siteBatch } from './stage.ts';
import type { Level, Stage, StageName } from './stage.ts';
import { createStages } from './stages.ts';
import type { Holiday } from './season/holidays.ts';
import type { Work, WorkDone } from './work.ts';
import { forecastPage } from './forecast-page.ts';
import type { ForecastPage, ForecastQuery } from './forecast-page.ts';
import { FullForecasts, wholePart } from './full-forecasts.ts';
import type { ForecastColumns } from './full-forecasts.ts';
import { largest, largestOfMany } from './selection.ts';
import { readSnapshot, writeSnapshot } from './state/snapshot.ts';
import { createState, skipTime, stateBytes } from './state/state.ts';
import type { EngineState } from './state/state.ts';
import { VariationShares } from './base/variation-shares.ts';
import type { VariationShare } from './base/variation-shares.ts';

/** Horizon whose correction `rates` uses, as an index into `horizonsMin`. */
const planHorizon = 2;

/** So many times the asked-for rows, by a rough rate, are looked at closely: what their blends and the stages raise may pass what they don't. */
const stagedPart = 2;

const minuteMs = 60_000;
const snapshotPartBytes = 1024 * 1024;
/** The longest stop of the engine, a night's, that is taken as if it had not been. What goes beyond lets demand decay as silence does. */
const stopMsMax = 6 * 60 * minuteMs;

export interface EngineOptions {
  /** Resources kept; the least asked for make room for new ones. */
  readonly keysMax: number;
  /** What an engine before this one left. */
  readonly snapshot?: Uint8Array;
  /** Of everything random in training. */
  readonly seed?: number;
  /** Whatever nobody outside knows: of the places of keys in tables. No outcome depends on it. */
  readonly hashSeed?: number;
  /** Stages left out, to see what each is worth. */
  readonly without?: ReadonlySet<StageName>;
  /** Days unlike other days, by name and dates in UTC (`2026-12-25`). */
  readonly holidays?: readonly Holiday[];
}

/** Expected requests a minute, highest first. */
export interface RateColumns {
  readonly keys: Int32Array;
  readonly perMinute: Float64Array;
}

export interface EngineReport {
  readonly doors: readonly Door[];
  readonly accuracy: readonly AccuracyRow[];
  readonly fallenBack: readonly Level[];
  readonly series: readonly SeriesSummary[];
}

interface Parts {
  readonly gate: Gate;
  readonly stages: readonly Stage[];
}

export class DemandEngine implements Forecaster {
  readonly #state: EngineState;
  readonly #gate: Gate;
  readonly #pipeline: Pipeline;
  readonly #heldOut: HeldOut;
  readonly #full: FullForecasts;
  readonly #intake: Intake;
  /** What a stop may still be forgiven, ms: 0 once a minute has been observed. */
  #stopMs: number;
  /** Minutes observed in this life. */
  #minutes = 0;
  /** Good until the next observation. */
  #shares: { readonly nowMs: number; readonly reader: VariationShares } | undefined;

  constructor(options: EngineOptions) {
    const { seed = 1, hashSeed = 0, without = new Set(), holidays = [], snapshot } = options;
    const limits = { keysMax: Math.max(16, options.keysMax), hashSeed };
    const partsFor = (state: EngineState): Parts => ({ gate: new Gate(), stages: createStages(state, { seed, without, holidays }) });
    const { state, parts } = snapshot ? readSnapshot(snapshot, limits, partsFor) : anew(createState(limits.keysMax, hashSeed), partsFor);
    this.#stopMs = snapshot && state.lastMinuteMs > 0 ? stopMsMax : 0;
    this.#state = state;
    this.#gate = parts.gate;
    this.#pipeline = new Pipeline(state, parts.stages, parts.gate);
    this.#heldOut = new HeldOut(state, this.#pipeline, parts.gate);
    this.#full = new FullForecasts(state, this.#pipeline);
    this.#intake = new Intake(state, limits.keysMax, (key) => { this.#pipeline.forget(key); });
  }

  observe(startMs: number, counts: readonly DemandCount[], journeys = noJourneys): void {
    const state = this.#state;
    this.#shares = undefined;
    this.#bridge(startMs);
    this.#stopMs = 0;
    this.#minutes++;
    if (state.beganMs === 0 || startMs < state.beganMs) state.beganMs = startMs;
    this.#heldOut.advance(startMs);
    const observed = { startMs, ...this.#intake.take(startMs, counts), ...journeyColumns(this.#state, journeys) };
    state.lastMinuteMs = Math.max(state.lastMinuteMs, startMs);
    for (const stage of this.#pipeline.stages) stage.observe(observed);
  }

  work(nowMs: number): Work[] {
    this.#awake(nowMs);
    return this.#pipeline.stages.flatMap((stage) => stage.work?.(nowMs) ?? []);
  }

  adopt(done: WorkDone): void {
    for (const stage of this.#pipeline.stages) stage.adopt?.(done);
  }

  rates(nowMs: number, limit: number, use: RateUse): DemandRate[] {
    const { resources, byResource } = this.#state;
    const { keys, perMinute } = this.rateColumns(nowMs, limit, use);
    const found: DemandRate[] = [];
    for (let row = 0; row < keys.length; row++) {
      const index = keys[row] ?? 0;
      const resource = resources.keyAt(index);
      if (resource !== undefined) found.push({ resource, perMinute: perMinute[row] ?? 0, lastSeenMs: byResource.lastSeenAt(index) });
    }
    return found;
  }

  /** The same as columns, by the engine's own indexes. */
  rateColumns(nowMs: number, limit: number, use: RateUse): RateColumns {
    this.#awake(nowMs);
    const reader = new RateReader(this.#state, nowMs);
    const staged = stagedKeys(reader.roughly(), limit, nowMs, this.#pipeline.stagesFor(use));
    const base = reader.ratesOf(staged);
    const rates = use === 'next' ? this.#pipeline.rates(siteBatch(staged), planHorizon, nowMs, base) : this.#pipeline.ratesForCopies(staged, planHorizon, nowMs, base);
    const minutes = horizonsMin[planHorizon];
    const rows = largest(rates, rates.length, limit);
    const keys = new Int32Array(rows.length);
    const perMinute = new Float64Array(rows.length);
    for (let i = 0; i < rows.length; i++) {
      keys[i] = staged[rows[i] ?? 0] ?? 0;
      perMinute[i] = this.#state.siteCalibration.correct(planHorizon, (rates[rows[i] ?? 0] ?? 0) * minutes).mean / minutes;
    }
    return { keys, perMinute };
  }

  forecast(nowMs: number, resource: ResourceKey, region: RegionName): readonly Forecast[] | undefined {
    this.#awake(nowMs);
    return this.#full.of(nowMs, resource, region);
  }

  *forecasts(nowMs: number, sinceMs: number, pMin: number): Iterable<Forecast> {
    this.#awake(nowMs);
    for (const forecasts of this.#full.all(nowMs, sinceMs)) if ((forecasts.at(-1)?.p ?? 0) >= pMin) yield* forecasts;
  }

  /** What is forecast at one horizon (index into `horizonsMin`) of every key seen since `sinceMs`, or of a part of them, as columns by the engine's own indexes. */
  columns(nowMs: number, sinceMs: number, horizon: number, part = wholePart): Iterable<ForecastColumns> {
    this.#awake(nowMs);
    return this.#full.columns(nowMs, sinceMs, horizon, part);
  }

  /** What indexes in columns stand for, until a key makes room for another. */
  get names(): Pick<EngineState, 'resources' | 'regions'> {
    return this.#state;
  }

  /** The most expected keys of a region, page by page. */
  page(nowMs: number, query: ForecastQuery): ForecastPage {
    this.#awake(nowMs);
    const total = this.totals(nowMs).find(({ region, horizonMin }) => region === query.region && horizonMin === query.horizonMin);
    return { ...forecastPage(this.#state, this.#pipeline, this.#full, nowMs, query), total };
  }

  /** Everything forecast of one resource: everywhere, and in each region it was asked for from. Undefined for one never seen. */
  outlookOf(nowMs: number, resource: ResourceKey): readonly Forecast[] | undefined {
    this.#awake(nowMs);
    return this.#full.everywhereOf(nowMs, resource);
  }

  variationShares(nowMs: number, resource: ResourceKey, region = everywhere): readonly VariationShare[] {
    // A planner asks this for every resource at one time.
    if (!this.#shares || this.#shares.nowMs !== nowMs) this.#shares = { nowMs, reader: new VariationShares(this.#state, nowMs) };
    return this.#shares.reader.of(resource, region === everywhere ? -1 : this.#state.regions.indexOf(region) ?? -1);
  }

  totals(nowMs: number): Total[] {
    this.#awake(nowMs);
    return this.#pipeline.stages.flatMap((stage) => stage.totals?.(nowMs) ?? []);
  }

  emerging(limit: number): Emerging[] {
    return this.#pipeline.stages.flatMap((stage) => stage.emerging?.(limit) ?? []).slice(0, limit);
  }

  size(): { readonly keys: number; readonly bytes: number } {
    return { keys: this.#state.resources.size, bytes: this.#pipeline.stages.reduce((sum, stage) => sum + stage.bytes(), stateBytes(this.#state) + this.#pipeline.bytes) };
  }

  /**
   * The same in pieces of at most 1 MiB, without a copy of the whole. To be taken before the next minute is observed: after that, the next piece is refused
   * (`snapshot-overtaken`), and it is begun anew.
   */
  *snapshotParts(): Generator<Uint8Array> {
    const minutes = this.#minutes;
    for (const part of this.#written().parts(snapshotPartBytes)) {
      if (this.#minutes !== minutes) throw new ForeshadowError('snapshot-overtaken', { source: 'internal', message: 'demand of another minute was counted while a snapshot was written', hint: 'begin it anew' });
      yield part;
    }
  }

  /** Everything learned so far, for the next process. */
  snapshot(): Uint8Array {
    return this.#written().finish();
  }

  /** Where each stage stands: let in or not, and what it gained; how good the forecasts of the last days were; where all stages are left aside; which model tells each series. */
  report(): EngineReport {
    return { doors: this.#gate.doors(), accuracy: this.#state.accuracy.rows(), fallenBack: this.fallenBack(), series: this.#pipeline.stages.flatMap((stage) => stage.series?.() ?? []) };
  }

  /** Levels at which all stages are left aside for now, because together they did worse than the base rates. */
  fallenBack(): readonly Level[] {
    return levels.filter((level) => this.#gate.fallenBack(level));
  }

  #written(): ByteWriter {
    return writeSnapshot(this.#state, { gate: this.#gate, stages: this.#pipeline.stages });
  }

  /**
   * After a start from a snapshot, until the first minute is told: the time in which nobody counted was not one in which nobody asked, so that for all decay it did
   * not pass. `firstMs` is the first minute that is, or may be, told.
   */
  #bridge(firstMs: number): void {
    const stopMs = Math.min(this.#stopMs, firstMs - (this.#state.lastMinuteMs + minuteMs));
    if (stopMs < minuteMs) return;
    this.#stopMs -= stopMs;
    skipTime(this.#state, stopMs);
    for (const stage of this.#pipeline.stages) stage.skip?.(stopMs);
  }

  /** The same when something is asked: the minute before is still open, or was told. */
  #awake(nowMs: number): void {
    if (this.#stopMs > 0) this.#bridge((Math.floor(nowMs / minuteMs) - 1) * minuteMs);
  }
}

function anew(state: EngineState, partsFor: (state: EngineState) => Parts): { readonly state: EngineState; readonly parts: Parts } {
  return { state, parts: partsFor(state) };
}

/** The keys of largest rough rate, and those a stage raises. */
function stagedKeys(rough: Float32Array, limit: number, nowMs: number, stages: readonly Stage[]): Int32Array {
  const wanted = new Uint8Array(rough.length);
  let count = 0;
  const want = (key: number): void => {
    if (wanted[key] !== 0) return;
    wanted[key] = 1;
    count++;
  };
  const usual = largestOfMany(rough, limit * stagedPart);
  for (let i = 0; i < usual.length; i++) want(usual[i] ?? 0);
  for (const stage of stages) for (const key of stage.raised?.(nowMs) ?? []) want(key);
  // By index, so that equal rates come in the same order whatever the stages raised.
  const keys = new Int32Array(count);
  for (let key = 0, at = 0; key < wanted.length; key++) if (wanted[key] === 1) keys[at++] = key;
  return keys;
}

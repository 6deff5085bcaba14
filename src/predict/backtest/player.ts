/**
 * Foreshadow's own part in a backtest: the real forecaster and the planner it was given, told only what has happened. It keeps
 * its copies as passing requests and its own refreshes make them.
 */
import type { DemandCount } from '../../demand/index.ts';
import type { RegionName, ResourceKey, VariationKey } from '../../kernel/index.ts';
import { DemandEngine } from '../engine.ts';
import type { RateColumns } from '../engine.ts';
import type { Door } from '../evidence/gate.ts';
import type { Forecast, Total } from '../forecaster.ts';
import type { KeyPart } from '../full-forecasts.ts';
import type { StageName } from '../stage.ts';
import { Copies } from './copies.ts';
import type { Saying } from './forecast-scores.ts';
import { isDemand } from './hour-bucket.ts';
import type { TraceMinute } from './hour-bucket.ts';
import type { TraceMinutes } from './trace-minutes.ts';
import { TraceJourneys } from './trace-journeys.ts';
import { TraceNumbers } from './trace-numbers.ts';
import { WorkSchedule } from './work-schedule.ts';
import type { DoWork } from './work-schedule.ts';

const minuteMs = 60_000;
const dayMs = 1440 * minuteMs;
/** The one variation of a resource in a trace. */
const whole = '' as VariationKey;
/** Forecasts below this are not handed out (CONTRACT: keys left out count as 0.001). */
const pMin = 0.001;

export interface PlannedRate {
  readonly resource: ResourceKey;
  /** Expected requests a minute, everywhere. */
  readonly perMinute: number;
  /** Age of its copy; undefined where there is none. */
  readonly ageMs: number | undefined;
}

/** What the planner is asked: of these resources, with copies of these ages, which to refresh now, most urgent first. */
export type PlanRefreshes = (question: {
  readonly atMs: number;
  /** Most expected first. */
  readonly rates: readonly PlannedRate[];
  readonly budget: number;
  readonly freshForMs: number;
  readonly outageMs: number;
}) => readonly ResourceKey[];

/** With the trace's number of the resource. */
interface NumberedRate extends PlannedRate {
  readonly key: number;
}

export interface PlayerOptions {
  readonly budgetPerMinute: number;
  readonly freshForMs: number;
  readonly outageLengthMs: number;
  /** Stages of the engine that are left out. */
  readonly without: ReadonlySet<StageName>;
}

/** What a player calls on. */
export interface PlayerHelp {
  readonly plan: PlanRefreshes;
  readonly doWork: DoWork;
}

export class ForeshadowPlayer {
  readonly copies = new Copies();
  readonly #trace: Pick<TraceMinutes, 'resources' | 'regions' | 'resourcesMax'>;
  readonly #options: PlayerOptions;
  readonly #plan: PlanRefreshes;
  readonly #forecaster: DemandEngine;
  readonly #work: WorkSchedule;
  readonly #numbers: TraceNumbers;
  #lastRates: readonly NumberedRate[] = [];
  readonly #journeys: TraceJourneys;
  readonly #candidates: number;
  #allowance = 0;
  /** Of each of the last minutes, as many as a copy stays young. */
  readonly #leastRefreshed: number[] = [];

  constructor(trace: Pick<TraceMinutes, 'resources' | 'regions' | 'resourcesMax'>, options: PlayerOptions, { plan, doWork }: PlayerHelp) {
    this.#trace = trace;
    this.#options = options;
    this.#plan = plan;
    this.#forecaster = new DemandEngine({ keysMax: trace.resourcesMax, without: options.without });
    this.#work = new WorkSchedule(doWork);
    this.#numbers = new TraceNumbers(trace, this.#forecaster.names);
    this.#journeys = new TraceJourneys(trace);
    // What can be kept fresh by refreshes alone, four times over; whoever is asked for less is not worth one.
    this.#candidates = Math.max(1000, Math.ceil(2 * options.budgetPerMinute * (options.freshForMs / minuteMs)));
  }

  /** Takes the requests of a minute that has ended, and refreshes what the planner says. Returns the number of refreshes allowed. */
  async endMinute(startMs: number, requests: TraceMinute | undefined, onRefresh: (resource: ResourceKey) => void): Promise<number> {
    if (requests) {
      this.copies.grow(this.#trace.resources.span);
      this.copies.capture(requests);
      this.#forecaster.observe(startMs, this.#countsOf(requests), this.#journeys.of(requests));
    }
    const atMs = startMs + minuteMs;
    await this.#work.turn(atMs, this.#forecaster);
    const budget = this.#allow();
    if (budget === 0) return 0;
    const rates = this.#ratesOf(this.#forecaster.rateColumns(atMs, this.#candidates, 'copies'), atMs);
    const chosen = this.#plan({ atMs, budget, rates, freshForMs: this.#options.freshForMs, outageMs: this.#options.outageLengthMs });
    const refreshed = new Set(chosen.slice(0, budget));
    for (const resource of refreshed) {
      const key = this.#trace.resources.indexOf(resource);
      if (key === undefined) continue;
      this.copies.refresh(key, atMs);
      onRefresh(resource);
    }
    this.#note(rates, refreshed);
    return budget;
  }

  /** The least requests a minute expected of a resource that was refreshed in the time a copy stays young. */
  get leastRefreshedPerMinute(): number {
    return Math.min(...this.#leastRefreshed);
  }

  /** What is forecast at one horizon of the keys seen in the last day, or of one in `every` of them, as columns. */
  saying(nowMs: number, horizon: number, part: KeyPart): Saying {
    return { parts: this.#forecaster.columns(nowMs, nowMs - dayMs, horizon, part), numbers: this.#numbers };
  }

  /** Requests a minute that were expected of each resource when it was last planned; 0 for one that was not among the most expected. */
  get expected(): Float64Array {
    const expected = new Float64Array(this.#trace.resources.span);
    for (const { key, perMinute } of this.#lastRates) expected[key] = perMinute;
    return expected;
  }

  /** Forecasts of the site and of regions as a whole. */
  totals(nowMs: number): readonly Total[] {
    return this.#forecaster.totals(nowMs);
  }

  /** Forecasts as of `nowMs` for every key seen in the last day. */
  forecasts(nowMs: number): Iterable<Forecast> {
    return this.#forecaster.forecasts(nowMs, nowMs - dayMs, pMin);
  }

  /** Waits for work under way, takes nothing of it, and tells how it all stands at the end. */
  async end(): Promise<{ readonly doors: readonly Door[]; readonly work: WorkSchedule['counts'] }> {
    await this.#work.end();
    return { doors: this.#forecaster.report().doors, work: this.#work.counts };
  }

  #ratesOf({ keys, perMinute }: RateColumns, atMs: number): readonly NumberedRate[] {
    const rates: NumberedRate[] = [];
    for (let i = 0; i < keys.length; i++) {
      const key = this.#numbers.resource(keys[i] ?? 0);
      const resource = this.#numbers.nameOf(key);
      const madeMs = this.copies.madeMs[key] ?? -Infinity;
      if (resource !== undefined) rates.push({ key, resource, perMinute: perMinute[i] ?? 0, ageMs: madeMs === -Infinity ? undefined : atMs - madeMs });
    }
    return this.#lastRates = rates;
  }

  #note(rates: readonly PlannedRate[], refreshed: ReadonlySet<ResourceKey>): void {
    let least = Infinity;
    // From the least expected on, so that few are looked up.
    for (let i = rates.length - 1; i >= 0; i--) {
      const rate = rates[i];
      if (rate && rate.perMinute < least && refreshed.has(rate.resource)) least = rate.perMinute;
    }
    this.#leastRefreshed.push(least);
    if (this.#leastRefreshed.length > this.#options.freshForMs / minuteMs) this.#leastRefreshed.shift();
  }

  /** Whole refreshes for this minute: never more than the budget; less than one a minute adds up. */
  #allow(): number {
    const perMinute = this.#options.budgetPerMinute;
    if (perMinute >= 1) return Math.floor(perMinute);
    this.#allowance += perMinute;
    const allowed = Math.floor(this.#allowance + 1e-9);
    this.#allowance -= allowed;
    return allowed;
  }

  #countsOf(requests: TraceMinute): DemandCount[] {
    const counts = new Map<number, number>();
    const regionsSpan = this.#trace.regions.span;
    for (let i = 0; i < requests.resource.length; i++) {
      if (((requests.flags[i] ?? 0) & isDemand) === 0) continue;
      const pair = (requests.resource[i] ?? 0) * regionsSpan + (requests.region[i] ?? 0);
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
    }
    const list: DemandCount[] = [];
    for (const [pair, count] of counts) {
      const resource = this.#numbers.nameOf(Math.floor(pair / regionsSpan));
      const region: RegionName | undefined = this.#trace.regions.keyAt(pair % regionsSpan);
      if (resource !== undefined && region !== undefined) list.push({ resource, variation: whole, region, count });
    }
    return list;
  }
}

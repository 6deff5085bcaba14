/**
 * The field on the same trace, outages and budget as Foreshadow's backtest: caches with as many places as Foreshadow had fresh copies, weighted rates and models of
 * single series as planners. Each planner refreshes, every minute, the resources of highest rate among those whose copy would be too old at the end of an outage
 * that starts now; where it says so, Foreshadow's own planner chooses by the same rates instead.
 */
import { planRefreshes } from '../../src/cli/backtest-plan.ts';
import { Copies, isDemand, Timeline } from '../../src/predict/backtest/index.ts';
import type { OutageScore, PlannedRate, PlayOptions, TraceMinute, TraceMinutes } from '../../src/predict/backtest/index.ts';
import { largest } from '../../src/predict/selection.ts';
import { BoundedCache } from './caches.ts';
import { SeriesRates } from './series-rates.ts';
import type { SeriesModel } from './series-rates.ts';

const minuteMs = 60_000;
const ewmaMin = 60;
/** Candidates that Foreshadow's planner is asked about. */
const candidatesMax = 2000;

export interface FieldResult {
  readonly policy: string;
  readonly coverage: number;
  /** Share of the requests answered by a copy that a refresh had made. */
  readonly byRefresh: number;
}

export interface SeriesResult {
  readonly model: string;
  /** Series fitted at a time, fits in all, failed ones, and milliseconds a fit. */
  readonly series: number;
  readonly fits: number;
  readonly failed: number;
  readonly msAFit: number;
  /** P(≥1 in 15 min) of the resources it was fitted to, in the outages: log loss by its rate (Poisson), by the weighted rate, and by Foreshadow. */
  readonly forecasts: number;
  readonly logLoss: number;
  readonly logLossOfEwma: number;
  readonly logLossOfForeshadow: number;
}

export interface FieldOptions extends Pick<PlayOptions, 'warmupMs' | 'outageEveryMs' | 'outageLengthMs' | 'freshForMs' | 'budgetPerMinute'> {
  /** Of each cache. */
  readonly places: number;
  readonly models: readonly SeriesModel[];
  /** P(≥1 in 15 min) by Foreshadow at the start of an outage. */
  readonly foreshadow: (atMs: number, resource: string) => number;
}

interface Runner {
  readonly name: string;
  readonly copies: Copies;
  /** Takes the requests of a minute that has ended. */
  take(requests: TraceMinute, keys: number): void;
  refresh(atMs: number, keys: number): void;
}

interface LossSums { forecasts: number; own: number; ewma: number; foreshadow: number }

export async function playField(trace: TraceMinutes, files: readonly string[], options: FieldOptions): Promise<{ readonly policies: FieldResult[]; readonly series: SeriesResult[] }> {
  const outageMin = options.outageLengthMs / minuteMs;
  const timeline = new Timeline(trace.read(files), 1, outageMin + 1);
  const ewma = new HourRate();
  const models = options.models.map((model) => new SeriesRates(model));
  const losses = models.map((): LossSums => ({ forecasts: 0, own: 0, ewma: 0, foreshadow: 0 }));
  const runners = makeRunners(trace, options, ewma, models);
  const scores = runners.map((): OutageScore => ({ requests: 0, covered: 0, byRefresh: 0, answered: 0 }));
  const first = await timeline.nextFrom(-Infinity) ?? 0;
  const scoredFrom = first + Math.ceil(options.warmupMs / minuteMs);
  for (let minute = first; await timeline.nextFrom(minute) !== undefined; minute++) {
    await timeline.moveTo(minute);
    const atMs = minute * minuteMs;
    const keys = trace.resources.span;
    if (atMs % options.outageEveryMs === 0 && minute >= scoredFrom && timeline.reaches(minute + outageMin - 1)) {
      const minutes = Array.from({ length: outageMin }, (_, offset) => timeline.at(minute + offset)).filter((requests) => requests !== undefined);
      runners.forEach(({ copies }, i) => {
        copies.grow(keys);
        for (const requests of minutes) copies.score(requests, options.freshForMs, scores[i] ?? { requests: 0, covered: 0, byRefresh: 0, answered: 0 });
      });
      models.forEach((model, i) => { judge(losses[i], model, ewma, minutes, atMs, (key) => options.foreshadow(atMs, trace.resources.keyAt(key) ?? '')); });
    }
    const requests = timeline.at(minute);
    ewma.take(requests, keys);
    if (requests) {
      for (const model of models) model.take(requests);
      for (const runner of runners) runner.take(requests, keys);
    }
    for (const model of models) model.advance(atMs + minuteMs);
    // Copies from more than six hours before are nothing to an outage.
    if (minute >= scoredFrom - 360) for (const runner of runners) runner.refresh(atMs + minuteMs, keys);
  }
  return {
    policies: runners.map(({ name }, i) => ({ policy: name, coverage: shareOf(scores[i], 'covered'), byRefresh: shareOf(scores[i], 'byRefresh') })),
    series: models.map((model, i) => seriesResult(model, losses[i])),
  };
}

function makeRunners(trace: TraceMinutes, options: FieldOptions, ewma: HourRate, models: readonly SeriesRates[]): Runner[] {
  const withModel = (model: SeriesRates) => (key: number, atMs: number): number => model.rate(key, atMs) ?? ewma.rate(key);
  const byHour = (key: number): number => ewma.rate(key);
  const after = models.map(({ model: { name, series } }) => `${name} of the top ${series}`);
  return [
    ...(['LRU', 'LFU'] as const).flatMap((kind) => [cacheRunner(kind, options, false), cacheRunner(kind, options, true)]),
    greedyRunner('weighted rate of 1 h', options, byHour),
    plannedRunner('weighted rate of 1 h, Foreshadow\'s planner', trace, options, byHour),
    ...models.map((model, i) => greedyRunner(after[i] ?? '', options, withModel(model))),
    ...models.map((model, i) => plannedRunner(`${after[i] ?? ''}, Foreshadow's planner`, trace, options, withModel(model))),
  ];
}

function cacheRunner(kind: 'LRU' | 'LFU', options: FieldOptions, refreshes: boolean): Runner {
  const cache = new BoundedCache(kind, options.places);
  let scores = new Float64Array(0);
  return {
    name: `${kind}, ${options.places} places${refreshes ? ', refreshed in its order' : ''}`, copies: cache.copies,
    take: (requests, keys) => { cache.take(requests, keys); },
    refresh(atMs, keys) {
      if (!refreshes) return;
      if (scores.length < keys) scores = new Float64Array(keys * 2);
      cache.scores(scores);
      refreshLargest(cache.copies, scores, keys, atMs, options);
    },
  };
}

/** Renews the resources of highest rate among those that would be too old. */
function greedyRunner(name: string, options: FieldOptions, rate: (key: number, atMs: number) => number): Runner {
  return rateRunner(name, rate, (copies, scores, keys, atMs) => { refreshLargest(copies, scores, keys, atMs, options); });
}

/** Renews what Foreshadow's planner says, by these rates. */
function plannedRunner(name: string, trace: TraceMinutes, options: FieldOptions, rate: (key: number, atMs: number) => number): Runner {
  const plan = planRefreshes();
  return rateRunner(name, rate, (copies, scores, keys, atMs) => {
    const rates: PlannedRate[] = [];
    for (const key of largest(scores, keys, candidatesMax)) {
      const resource = trace.resources.keyAt(key);
      const madeMs = copies.madeMs[key] ?? -Infinity;
      if (resource !== undefined) rates.push({ resource, perMinute: scores[key] ?? 0, ageMs: madeMs === -Infinity ? undefined : atMs - madeMs });
    }
    for (const resource of plan({ atMs, rates, budget: options.budgetPerMinute, freshForMs: options.freshForMs, outageMs: options.outageLengthMs })) {
      const key = trace.resources.indexOf(resource);
      if (key !== undefined) copies.refresh(key, atMs);
    }
  });
}

/** Copies that passing requests renew, and `renew` by every resource's rate. */
function rateRunner(name: string, rate: (key: number, atMs: number) => number, renew: (copies: Copies, scores: Float64Array, keys: number, atMs: number) => void): Runner {
  const copies = new Copies();
  let scores = new Float64Array(0);
  return {
    name, copies,
    take(requests, keys) {
      copies.grow(keys);
      copies.capture(requests);
    },
    refresh(atMs, keys) {
      if (scores.length < keys) scores = new Float64Array(keys * 2);
      for (let key = 0; key < keys; key++) scores[key] = rate(key, atMs);
      renew(copies, scores, keys, atMs);
    },
  };
}

/** Refreshes what is worth most among what would be too old; scores are lost. */
function refreshLargest(copies: Copies, scores: Float64Array, keys: number, atMs: number, { freshForMs, outageLengthMs, budgetPerMinute }: FieldOptions): void {
  for (let key = 0; key < keys; key++) if ((scores[key] ?? 0) < 1e-7 || atMs - (copies.madeMs[key] ?? -Infinity) <= freshForMs - outageLengthMs) scores[key] = 0;
  for (const key of largest(scores, keys, budgetPerMinute)) copies.refresh(key, atMs);
}

/** An exponentially weighted rate of an hour for every resource. */
class HourRate {
  #counts = new Float64Array(1024);

  take(requests: TraceMinute | undefined, keys: number): void {
    if (this.#counts.length < keys) {
      const wider = new Float64Array(keys * 2);
      wider.set(this.#counts);
      this.#counts = wider;
    }
    const kept = Math.exp(-1 / ewmaMin);
    for (let key = 0; key < keys; key++) this.#counts[key] = (this.#counts[key] ?? 0) * kept;
    for (let i = 0; requests && i < requests.resource.length; i++) {
      const key = requests.resource[i] ?? 0;
      if (((requests.flags[i] ?? 0) & isDemand) !== 0) this.#counts[key] = (this.#counts[key] ?? 0) + 1;
    }
  }

  /** Requests a minute. */
  rate(key: number): number {
    return (this.#counts[key] ?? 0) / ewmaMin;
  }
}

function judge(sums: LossSums | undefined, model: SeriesRates, ewma: HourRate, minutes: readonly TraceMinute[], atMs: number, foreshadow: (key: number) => number): void {
  if (!sums) return;
  const came = new Set<number>();
  for (const { resource, flags } of minutes) for (let i = 0; i < resource.length; i++) if (((flags[i] ?? 0) & isDemand) !== 0) came.add(resource[i] ?? 0);
  for (const key of model.fitted) {
    const loss = (p: number): number => -Math.log(Math.min(1 - 1e-6, Math.max(0.001, came.has(key) ? p : 1 - p)));
    sums.forecasts++;
    sums.own += loss(-Math.expm1(-15 * (model.rate(key, atMs) ?? 0)));
    sums.ewma += loss(-Math.expm1(-15 * ewma.rate(key)));
    sums.foreshadow += loss(foreshadow(key));
  }
}

function seriesResult({ model, fits, failed, fitMs }: SeriesRates, sums: LossSums | undefined): SeriesResult {
  const { forecasts = 0, own = 0, ewma = 0, foreshadow = 0 } = sums ?? {};
  const mean = (sum: number): number => sum / Math.max(1, forecasts);
  return { model: model.name, series: model.series, fits, failed, msAFit: fitMs / Math.max(1, fits), forecasts, logLoss: mean(own), logLossOfEwma: mean(ewma), logLossOfForeshadow: mean(foreshadow) };
}

function shareOf(score: OutageScore | undefined, what: 'covered' | 'byRefresh'): number {
  return score && score.requests > 0 ? score[what] / score.requests : 0;
}

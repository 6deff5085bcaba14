/**
 * Plays a trace through the real forecaster and the planner it is given, minute by minute in trace time, and asks at regular
 * moments: had the origin failed now, what would the copies have been worth? Rivals with the same budget, some of them
 * clairvoyant, are played beside it.
 *
 * Causal: at the end of minute m the product's side (`ForeshadowPlayer`) has been given the requests up to the end of m, and its
 * forecasts at the start of an outage what came before it. The future is in `Timeline`, which it never sees.
 */
import type { Forecast } from '../forecaster.ts';
import { horizonsMin } from '../forecaster.ts';
import type { Copies, OutageScore } from './copies.ts';
import { ForecastScores, yardstickHorizon } from './forecast-scores.ts';
import type { ScoreRow } from './forecast-scores.ts';
import { TotalScores } from './total-scores.ts';
import type { TotalRow } from './total-scores.ts';
import { Misses } from './misses.ts';
import type { MissReason } from './misses.ts';
import { ForeshadowPlayer } from './player.ts';
import type { PlanRefreshes } from './player.ts';
import type { StageName } from '../stage.ts';
import type { Door } from '../evidence/gate.ts';
import type { DoWork } from './work-schedule.ts';
import { Rival, RivalScores, reachOf, rivalNames } from './rivals.ts';
import type { RivalName } from './rivals.ts';
import { Timeline } from './timeline.ts';
import type { TraceMinute } from './hour-bucket.ts';
import type { TraceMinutes } from './trace-minutes.ts';

const minuteMs = 60_000;
/** Resources named in the result as missed most. */
const missedMost = 20;
/** After this much silence nothing is planned until the next request. */
const idleMin = 24 * 60;
/** Of a trace with more resources than this, one in several is scored in each outage, with all its regions. */
const scoredKeysMax = 10_000;
/** At horizons other than the yardstick's forecasts are scored in every so manieth outage: enough for the table, and cheap. */
const otherHorizonsEvery = 6;

export interface PlayOptions {
  readonly warmupMs: number;
  readonly outageEveryMs: number;
  readonly outageLengthMs: number;
  readonly freshForMs: number;
  /** Refreshes a minute. */
  readonly budgetPerMinute: number;
  /** Forecasts are handed out from the first minute on, not from the end of the warm-up. */
  readonly forecastsFromStart: boolean;
  /** Stages of the engine that are left out, to see what each contributes. */
  readonly without: ReadonlySet<StageName>;
}

export interface PlayHooks {
  readonly plan: PlanRefreshes;
  /** The engine's heavy work: here (`doWork`), or in another thread. */
  readonly doWork: DoWork;
  /** Every refresh, in order. */
  readonly onRefresh: (minuteMs: number, resource: string) => void;
  /** The forecasts at an outage's start; undefined when nobody wants them. */
  readonly onForecasts: ((atMs: number, forecasts: Iterable<Forecast>) => void) | undefined;
  readonly onMinute: (minuteMs: number) => void;
}

export type PolicyName = RivalName | 'foreshadow';
export const policyNames: readonly PolicyName[] = ['passive', 'popular', 'ewma', 'foreshadow', 'semiClairvoyant', 'clairvoyant'];

export interface Outage {
  readonly atMs: number;
  readonly scores: Readonly<Record<PolicyName, OutageScore>>;
}

export interface PlayResult {
  readonly firstMs: number;
  readonly lastMs: number;
  readonly outages: readonly Outage[];
  /** Scored requests by age of their copy in minutes, the last bin for older. */
  readonly ages: Readonly<Record<PolicyName, Float64Array>>;
  readonly forecasts: readonly ScoreRow[];
  readonly totals: readonly TotalRow[];
  readonly misses: { readonly byReason: Readonly<Record<MissReason, number>>; readonly most: readonly { readonly resource: string; readonly missed: number; readonly why: MissReason }[] };
  readonly keys: number;
  readonly refreshes: number;
  /** Where each of the engine's stages stood at the end. */
  readonly doors: readonly Door[];
  /** Copies young enough that Foreshadow had at the start of an outage, on average. */
  readonly freshCopies: number;
  /** Pieces of heavy work that were begun, and of these the lost ones. */
  readonly work: { readonly begun: number; readonly lost: number };
}

interface Scene {
  readonly trace: TraceMinutes;
  readonly timeline: Timeline;
  readonly options: PlayOptions;
  readonly hooks: PlayHooks;
  readonly player: ForeshadowPlayer;
  readonly rivals: readonly Rival[];
  readonly forecasts: ForecastScores;
  readonly totals: TotalScores;
  readonly misses: Misses;
  readonly outages: Outage[];
  /** Summed over outages. */
  freshCopies: number;
}

export async function playTrace(trace: TraceMinutes, files: readonly string[], options: PlayOptions, hooks: PlayHooks): Promise<PlayResult> {
  const outageMin = Math.ceil(options.outageLengthMs / minuteMs);
  const { behind, ahead } = reachOf(Math.max(outageMin, 30));
  const timeline = new Timeline(trace.read(files), behind, ahead);
  const player = new ForeshadowPlayer(trace, options, hooks);
  const scores = new RivalScores(outageMin);
  const scene: Scene = {
    trace, timeline, options, hooks, player, rivals: rivalNames.map((name) => new Rival(name)), forecasts: new ForecastScores(), totals: new TotalScores(trace.regions), misses: new Misses(), outages: [], freshCopies: 0,
  };
  const tooOldMs = options.freshForMs - options.outageLengthMs;
  const first = await timeline.nextFrom(-Infinity);
  if (first === undefined) return finish(scene, 0, 0, 0);
  const scoredFrom = first + Math.ceil(options.warmupMs / minuteMs);
  // The rivals have no state older than the age that is asked for, and EWMA's hour.
  const rivalsFrom = scoredFrom - Math.max(360, Math.ceil((2 * options.freshForMs) / minuteMs));
  let refreshes = 0;
  let lastBusy = first;
  let minute = first;
  for (let next: number | undefined = first; next !== undefined; next = await timeline.nextFrom(minute)) {
    if (next - lastBusy > idleMin && next > minute) minute = next;
    await timeline.moveTo(minute);
    playOutage(scene, minute, scoredFrom, outageMin);
    const requests = timeline.at(minute);
    const keys = trace.resources.span;
    if (requests) {
      lastBusy = minute;
      scene.forecasts.endMinute(requests);
      scene.misses.endMinute(requests);
      for (const rival of scene.rivals) {
        rival.copies.grow(keys);
        rival.copies.capture(requests);
      }
    }
    const budget = await player.endMinute(minute * minuteMs, requests, (resource) => {
      refreshes++;
      hooks.onRefresh(minute * minuteMs, resource);
    });
    if (minute >= rivalsFrom) {
      scores.moveTo(minute, timeline, keys);
      for (const rival of scene.rivals) rival.refresh(scores.of(rival.name), (minute + 1) * minuteMs, keys, budget, tooOldMs);
    }
    hooks.onMinute(minute * minuteMs);
    minute++;
  }
  return finish(scene, first, minute - 1, refreshes);
}

async function finish(scene: Scene, first: number, last: number, refreshes: number): Promise<PlayResult> {
  const copies: Record<string, Copies> = { foreshadow: scene.player.copies };
  for (const rival of scene.rivals) copies[rival.name] = rival.copies;
  return {
    firstMs: first * minuteMs, lastMs: last * minuteMs, outages: scene.outages, forecasts: scene.forecasts.rows(), totals: scene.totals.rows(), misses: missesOf(scene),
    ages: each((name) => copies[name]?.ages ?? new Float64Array(0)),
    keys: scene.trace.resources.size, refreshes, freshCopies: scene.freshCopies / Math.max(1, scene.outages.length), ...await scene.player.end(),
  };
}

function missesOf({ misses, trace }: Scene): PlayResult['misses'] {
  const [neverSeen = 0, seenOnce = 0, burst = 0, tooRare = 0, budget = 0] = misses.totals;
  return {
    byReason: { 'never-seen': neverSeen, 'seen-once': seenOnce, burst, 'too-rare': tooRare, budget },
    most: misses.most(missedMost).map(({ key, missed, why }) => ({ resource: trace.resources.keyAt(key) ?? '', missed, why })),
  };
}

function each<Value>(make: (name: PolicyName) => Value): Record<PolicyName, Value> {
  return {
    passive: make('passive'), popular: make('popular'), ewma: make('ewma'), foreshadow: make('foreshadow'),
    semiClairvoyant: make('semiClairvoyant'), clairvoyant: make('clairvoyant'),
  };
}

/** If an outage starts with this minute: its forecasts, and what every policy's copies would have answered. */
function playOutage(scene: Scene, minute: number, scoredFrom: number, outageMin: number): void {
  const { options, hooks, player, timeline } = scene;
  const atMs = minute * minuteMs;
  if (atMs % options.outageEveryMs >= minuteMs) return;
  const scored = minute >= scoredFrom;
  if (hooks.onForecasts && (scored || options.forecastsFromStart)) hooks.onForecasts(atMs, player.forecasts(atMs));
  if (!scored || !timeline.reaches(minute + outageMin - 1)) return;
  const scores = each((name) => {
    const copies = name === 'foreshadow' ? player.copies : scene.rivals.find((rival) => rival.name === name)?.copies;
    const score = { requests: 0, covered: 0, byRefresh: 0, answered: 0 };
    copies?.grow(scene.trace.resources.span);
    for (let offset = 0; offset < outageMin; offset++) {
      const requests = timeline.at(minute + offset);
      if (requests) copies?.score(requests, options.freshForMs, score);
    }
    return score;
  });
  scene.outages.push({ atMs, scores });
  scene.freshCopies += player.copies.youngerThan(options.freshForMs, atMs);
  scoreForecasts(scene, minute);
  scene.misses.outage(minutesOf(scene, minute, outageMin), {
    copies: player.copies, freshForMs: options.freshForMs, outageMin, expected: player.expected, leastRefreshedPerMinute: player.leastRefreshedPerMinute,
  });
}

/** Holds the forecasts to what came: at the yardstick's horizon in every outage, at the others in some. */
function scoreForecasts(scene: Scene, minute: number): void {
  const { player, timeline, forecasts, totals, outages, trace } = scene;
  const atMs = minute * minuteMs;
  // Another part each time, so that every key has its turn.
  const every = Math.max(1, Math.ceil(trace.resources.size / scoredKeysMax));
  const part = { every, offset: outages.length };
  const ofAll = player.totals(atMs);
  horizonsMin.forEach((horizonMin, horizon) => {
    if (!timeline.reaches(minute + horizonMin - 1)) return;
    const came = minutesOf(scene, minute, horizonMin);
    totals.score(horizon, ofAll, came, minutesOf(scene, minute - horizonMin, horizonMin));
    if (horizon === yardstickHorizon || outages.length % otherHorizonsEvery === 1) forecasts.score(atMs, horizon, player.saying(atMs, horizon, part), came);
  });
}

function minutesOf({ timeline }: Scene, from: number, count: number): TraceMinute[] {
  const minutes: TraceMinute[] = [];
  for (let minute = from; minute < from + count; minute++) {
    const requests = timeline.at(minute);
    if (requests) minutes.push(requests);
  }
  return minutes;
}

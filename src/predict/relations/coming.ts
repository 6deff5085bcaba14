/**
 * What is still to come of what was asked for lately. A visitor who asked for A asks for B later with probability p (steps ÷ requests of A), and so many minutes later as the
 * lag profile says. The base rate of B holds what A leads to on average already, so that only what A was asked for beyond its own rate λ counts:
 *   expected of B in the next h minutes, beyond its base = Σ over A of p · Σ over the last 30 minutes k of (n_A(k) − λ_A) · (part of the steps that have a lag of k to k + h − 1).
 * That is the conditional mean of a linear Hawkes process less its unconditional one (Hawkes 1971), with the mean in place of what made it. It is 0 on average,
 * so that it brings no bias. A region gets what was asked for there, less its share of the usual. What was asked for changes every minute and touches few sources; the usual
 * takes the whole graph and changes slowly, so that it is summed apart, and less often.
 */
import { horizonsMin } from '../forecaster.ts';
import type { Level } from '../stage.ts';
import type { KeySums } from './key-sums.ts';
import type { LagProfile } from './lag-profile.ts';
import { PairSums } from './pair-sums.ts';
import type { RecentMinute } from './recent-demand.ts';
import type { Ahead } from './sweeps-ahead.ts';
import type { TransitionGraph } from './transition-graph.ts';
import { targetsEach } from './transition-graph.ts';

const minuteMs = 60_000;
/** Upper ends of the classes of edges, by their decayed steps. */
const evidenceClasses = [0.75, 2, 6, 20, Infinity] as const;
/** What comes next of sweeps is a class of its own, after those. */
export const sweepClass = evidenceClasses.length;
export const classCount = evidenceClasses.length + 1;
/** Less probable steps are passed over. */
const probabilityMin = 1e-4;
/** Requests that a source's probabilities are held towards nothing by. */
const priorVisits = 1;

export interface Moment {
  readonly graph: TransitionGraph;
  readonly profile: LagProfile;
  readonly recent: readonly RecentMinute[];
  readonly ahead: Ahead;
  readonly nowMs: number;
}

/** Sums by a source or a target: at the site of each, in a region of each there. */
interface Sums {
  readonly sums: Float64Array;
  /** Where the columns are; `sums` may be another array afterwards. */
  place(index: number, region: number): number;
}

export interface Wanted {
  /** As indexes into `horizonsMin`: a column each, edges believed as far as `weights` says. */
  readonly horizons: readonly number[];
  /** Without them: a column a class of evidence, not weighed, at the first of the horizons. */
  readonly weights?: Float64Array;
}

/** Adds what each target gets of what was asked for lately, in requests. */
export function addComing(moment: Moment, level: Level, into: Sums, wanted: Wanted): void {
  const edges = new Edges(moment);
  const columns = wanted.horizons.length;
  if (level === 'site') {
    const sums = new Float64Array(moment.graph.span * columns);
    addAsked(moment, wanted, { sums, place: (source) => source * columns });
    for (let source = 0; source < moment.graph.span; source++) if (isAny(sums, source * columns, columns)) edges.addTargets(source, 0, sums, source * columns, into, wanted);
  } else {
    const asked = new PairSums(columns, moment.graph.span / 2);
    addAsked(moment, wanted, asked);
    for (let row = 0; row < asked.size; row++) edges.addTargets(asked.firstAt(row), asked.secondAt(row), asked.sums, row * columns, into, wanted);
  }
  addAhead(moment.ahead, level, into, wanted);
}

/** For each source asked for lately: Σ count × part that is still to come, a column a horizon. */
function addAsked({ graph, profile, recent, nowMs }: Moment, { horizons }: Wanted, into: Sums): void {
  for (const { startMs, keys, regions, counts } of recent) {
    const ageMin = Math.max(1, Math.round((nowMs - startMs) / minuteMs));
    const parts = horizons.map((horizon) => profile.coming(ageMin, horizonsMin[horizon] ?? 0));
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] ?? -1;
      const source = key < 0 ? -1 : graph.sourceOf(key);
      if (source < 0) continue;
      const at = into.place(source, regions[i] ?? 0);
      const { sums } = into;
      for (let column = 0; column < parts.length; column++) sums[at + column] = (sums[at + column] ?? 0) + (counts[i] ?? 0) * (parts[column] ?? 0);
    }
  }
}

function addAhead(ahead: Ahead, level: Level, into: Sums, { horizons, weights }: Wanted): void {
  for (let i = 0; i < ahead.length; i++) {
    const region = ahead.regions[i] ?? -1;
    if (level === 'region' && region < 0) continue;
    const at = into.place(ahead.keys[i] ?? 0, region) + (weights ? 0 : sweepClass);
    const { sums } = into;
    for (let column = 0; column < horizons.length; column++) {
      sums[at + column] = (sums[at + column] ?? 0) + (weights?.[sweepClass] ?? 1) * (ahead.within[i * horizonsMin.length + (horizons[column] ?? 0)] ?? 0);
    }
  }
}

/** Adds what each target gets usually, a column a class of evidence: Σ over all that leads to it of probability × rate a minute. Reads the whole graph: some milliseconds. */
export function addUsual(moment: Moment, rateOf: (key: number) => number, into: KeySums): void {
  const { graph } = moment;
  const edges = new Edges(moment);
  for (let source = 0; source < graph.span; source++) {
    const key = graph.keys[source] ?? -1;
    if (key < 0) continue;
    const perStep = edges.perStep(source);
    let rate = -1;
    for (let edge = source * targetsEach; edge < (source + 1) * targetsEach; edge++) {
      const target = graph.targets[edge] ?? -1;
      const steps = graph.steps[edge] ?? 0;
      const probability = steps * perStep;
      if (target < 0 || probability < probabilityMin) continue;
      if (rate < 0) rate = rateOf(key);
      const at = into.place(target) + edges.evidence(steps);
      const { sums } = into;
      sums[at] = (sums[at] ?? 0) + probability * rate;
    }
  }
}

class Edges {
  readonly #graph: TransitionGraph;
  readonly #factor: number;
  /** `evidenceClasses` in units of the landmark. */
  readonly #bounds: Float64Array;

  constructor({ graph, nowMs }: Moment) {
    this.#graph = graph;
    this.#factor = graph.factor(nowMs);
    this.#bounds = Float64Array.from(evidenceClasses, (bound) => bound / this.#factor);
  }

  /** What each of a source's steps, as they are counted, is of probability. */
  perStep(source: number): number {
    return this.#factor / ((this.#graph.visits[source] ?? 0) * this.#factor + priorVisits);
  }

  evidence(steps: number): number {
    let evidence = 0;
    while (evidence < sweepClass - 1 && steps >= (this.#bounds[evidence] ?? 0)) evidence++;
    return evidence;
  }

  /** Adds what the targets of a source get of what it was asked for: `asked`, from `from` on, a column a horizon. */
  addTargets(source: number, region: number, asked: Float64Array, from: number, into: Sums, { horizons, weights }: Wanted): void {
    const { targets, steps } = this.#graph;
    const perStep = this.perStep(source);
    for (let edge = source * targetsEach; edge < (source + 1) * targetsEach; edge++) {
      const target = targets[edge] ?? -1;
      const probability = (steps[edge] ?? 0) * perStep;
      if (target < 0 || probability < probabilityMin) continue;
      const evidence = this.evidence(steps[edge] ?? 0);
      const at = into.place(target, region);
      const { sums } = into;
      if (weights) {
        const weight = probability * (weights[evidence] ?? 0);
        for (let column = 0; column < horizons.length; column++) sums[at + column] = (sums[at + column] ?? 0) + weight * (asked[from + column] ?? 0);
      } else {
        sums[at + evidence] = (sums[at + evidence] ?? 0) + probability * (asked[from] ?? 0);
      }
    }
  }
}

function isAny(sums: Float64Array, from: number, length: number): boolean {
  for (let at = from; at < from + length; at++) if (sums[at] !== 0) return true;
  return false;
}

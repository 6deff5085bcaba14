/**
 * What is still to come of what was asked for lately. A visitor who asked for A asks for B later with probability p (steps ÷ requests of A), and so many minutes later as the
 * lag profile says. The base rate of B holds what A leads to on average already, so that only what A was asked for beyond its own rate λ counts:
 *   expected of B in the next h minutes, beyond its base = Σ over A of p · Σ over the last 30 minutes k of (n_A(k) − λ_A) · (part of the steps that have a lag of k to k + h − 1).
 * That is the conditional mean of a linear Hawkes process less its unconditional one (Hawkes 1971), with the mean in place of what made it. It is 0 on average,
 * so that it brings no bias. A region gets what was asked for there, less its share of the usual. What was asked for changes every minute and touches few sources; the usual
 * takes the whole graph and changes slowly, so that it is summed apart, and less often.
 */
import { journeyMin } from '../../demand/index.ts';
import { horizonsMin } from '../forecaster.ts';
import type { Level } from '../stage.ts';
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
const sweepClass = evidenceClasses.length;
export const classCount = evidenceClasses.length + 1;
/** Less probable steps are passed over. */
const probabilityMin = 1e-4;
/** Requests that a source's probabilities are held towards nothing by. */
const priorVisits = 1;

export interface Moment {
  readonly graph: TransitionGraph;
  readonly profile: LagProfile;
  readonly recent: readonly RecentMinute[];
  readonly ahead: readonly Ahead[];
  readonly nowMs: number;
  readonly rateOf: (key: number) => number;
}

/**
 * What each target gets of what was asked for lately, in requests: at the site (key, 0), in a region (key, region). One column a horizon, weighed, or one a class of evidence
 * at one horizon, not weighed.
 */
export interface Coming {
  readonly sums: PairSums;
  /** What a key gets usually, by the rates of all that leads to it (`usualSums`): column by column, to be taken off. */
  readonly usual: (at: number, column: number) => number;
}

type Give = (into: Float64Array, at: number, evidence: number, probability: number, parts: Float64Array, from: number) => void;

/** For each horizon, edges believed as far as `weights` says. */
export function comingByHorizon(moment: Moment, level: Level, asked: PairSums, usual: PairSums, weights: Float64Array): Coming {
  const parts = usualParts(moment.profile);
  const sums = coming(moment, level, asked, horizonsMin.length, (into, at, evidence, probability, given, from) => {
    const weight = probability * (weights[evidence] ?? 0);
    for (let h = 0; h < horizonsMin.length; h++) into[at + h] = (into[at + h] ?? 0) + weight * (given[from + h] ?? 0);
  });
  return {
    sums,
    usual: (at, horizon) => {
      let rate = 0;
      for (let evidence = 0; evidence < sweepClass; evidence++) rate += (weights[evidence] ?? 0) * (usual.sums[at + evidence] ?? 0);
      return rate * (parts[horizon] ?? 0);
    },
  };
}

/** At one horizon, apart for each class of evidence. */
export function comingByEvidence(moment: Moment, level: Level, asked: PairSums, usual: PairSums, horizon: number): Coming {
  const part = usualParts(moment.profile)[horizon] ?? 0;
  const sums = coming(moment, level, asked, classCount, (into, at, evidence, probability, given, from) => {
    into[at + evidence] = (into[at + evidence] ?? 0) + probability * (given[from + horizon] ?? 0);
  });
  return { sums, usual: (at, evidence) => (evidence < sweepClass ? (usual.sums[at + evidence] ?? 0) * part : 0) };
}

function coming(moment: Moment, level: Level, asked: PairSums, columns: number, give: Give): PairSums {
  const { graph } = moment;
  const edges = new Edges(moment);
  const sums = new PairSums(columns, asked.size * 4);
  asked.forEach((source, where, from) => {
    for (let edge = source * targetsEach; edge < (source + 1) * targetsEach; edge++) {
      const target = graph.targets[edge] ?? -1;
      if (target < 0) continue;
      const probability = edges.probability(source, edge);
      if (probability < probabilityMin) continue;
      const at = sums.place(target, level === 'site' ? 0 : where);
      give(sums.sums, at, edges.evidence(edge), probability, asked.sums, from);
    }
  });
  for (const { key, region: where, within } of moment.ahead) {
    if (level === 'region' && where < 0) continue;
    // Placed first: the sums may move when they grow.
    const at = sums.place(key, level === 'site' ? 0 : where);
    give(sums.sums, at, sweepClass, 1, within, 0);
  }
  return sums;
}

/** For each (source, region) asked for lately: Σ count × part that is still to come, a column a horizon. */
export function askedLately({ graph, profile, recent, nowMs }: Moment): PairSums {
  const asked = new PairSums(horizonsMin.length, recent.reduce((sum, { keys }) => sum + keys.length, 0) / 2);
  for (const { startMs, keys, regions, counts } of recent) {
    const ageMin = Math.max(1, Math.round((nowMs - startMs) / minuteMs));
    const parts = horizonsMin.map((horizonMin) => profile.coming(ageMin, horizonMin));
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] ?? -1;
      const source = key < 0 ? -1 : graph.sourceOf(key);
      if (source < 0) continue;
      const at = asked.place(source, regions[i] ?? 0);
      for (let h = 0; h < horizonsMin.length; h++) asked.sums[at + h] = (asked.sums[at + h] ?? 0) + (counts[i] ?? 0) * (parts[h] ?? 0);
    }
  }
  return asked;
}

/** For each target (key, 0), a column a class of evidence: Σ over all that leads to it of probability × rate a minute. Reads the whole graph: some milliseconds. */
export function usualSums(moment: Moment): PairSums {
  const { graph, rateOf } = moment;
  const edges = new Edges(moment);
  const usual = new PairSums(sweepClass, graph.span);
  for (let source = 0; source < graph.span; source++) {
    const key = graph.keys[source] ?? -1;
    if (key < 0) continue;
    let rate = -1;
    for (let edge = source * targetsEach; edge < (source + 1) * targetsEach; edge++) {
      const target = graph.targets[edge] ?? -1;
      if (target < 0) continue;
      const probability = edges.probability(source, edge);
      if (probability < probabilityMin) continue;
      if (rate < 0) rate = rateOf(key);
      const at = usual.place(target, 0) + edges.evidence(edge);
      usual.sums[at] = (usual.sums[at] ?? 0) + probability * rate;
    }
  }
  return usual;
}

/** Minutes' worth of a steady rate that is still to come, a number a horizon. */
function usualParts(profile: LagProfile): number[] {
  return horizonsMin.map((horizonMin) => {
    let sum = 0;
    for (let ageMin = 1; ageMin <= journeyMin; ageMin++) sum += profile.coming(ageMin, horizonMin);
    return sum;
  });
}

class Edges {
  readonly #graph: TransitionGraph;
  readonly #factor: number;

  constructor({ graph, nowMs }: Moment) {
    this.#graph = graph;
    this.#factor = graph.factor(nowMs);
  }

  probability(source: number, edge: number): number {
    return ((this.#graph.steps[edge] ?? 0) * this.#factor) / ((this.#graph.visits[source] ?? 0) * this.#factor + priorVisits);
  }

  evidence(edge: number): number {
    const steps = (this.#graph.steps[edge] ?? 0) * this.#factor;
    let evidence = 0;
    while (evidence < sweepClass - 1 && steps >= (evidenceClasses[evidence] ?? Infinity)) evidence++;
    return evidence;
  }
}

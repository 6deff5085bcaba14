/**
 * Which model tells a series best: each is fitted on the past of several moments of the last days (rolling origin; Tashman 2000) and used as the engine
 * would use it, its path carried along with the level of the last hours, to tell what came within half an hour and in two. Scored by Poisson deviance in units of
 * the series' own dispersion. Flat wins unless another is clearly better.
 */
import { dispersionOf } from './history.ts';
import type { History, Model, ModelName } from './history.ts';

const originsMax = 6;
/** Steps between origins, at most; with half an hour a step, 7.5 hours: six of them see every part of the day. */
const spacingMax = 15;
/** Steps after an origin in which it is judged: the path is as old as this when it is replaced. */
const judgedSteps = 8;
/** Steps of history before the first origin. */
const historyMin = 72;
/** How many steps ahead. */
const leads = [1, 4] as const;
/** Steps whose level the path is carried by, and what each counts of the next. */
const levelSteps = 6;
const levelKeep = Math.exp(-0.5);
/** What a model's forecasts were worth on the series' own past; lower is better. */
export interface ModelLoss {
  readonly model: ModelName;
  /** Mean Poisson deviance at half an hour and two hours ahead, in units of the series' own dispersion. */
  readonly loss: number;
}

export interface Choice {
  readonly model: ModelName;
  /** Empty when there was nothing to choose. */
  readonly losses: readonly ModelLoss[];
  /** Logarithm of the expected level in each step from `behind` before the end to `ahead` after it; the mean level before the end is 1. */
  readonly path: Float64Array;
}

/** Standard errors by which a model must be better than flat. */
const clearly = 0.5;

export function chooseModel(given: History, models: readonly Model[], behind: number, ahead: number): Choice {
  const history = { ...given, counts: filled(given.counts) };
  const length = history.counts.length;
  // What never changes needs no model, and makes some libraries search for long.
  const isConstant = history.counts.every((count) => count === history.counts[0]);
  const able = isConstant ? [] : models.filter(({ stepsMin }) => length >= stepsMin);
  let chosen = able[0];
  const losses: ModelLoss[] = [];
  if (able.length > 1) {
    const origins = originsOf(length);
    let ofFlat: readonly number[] | undefined;
    let best = Infinity;
    for (const model of able) {
      const found = lossesAt(history, model, origins);
      if (!found) continue;
      const loss = found.reduce((sum, value) => sum + value, 0) / found.length;
      losses.push({ model: model.name, loss });
      ofFlat ??= found;
      if (loss < best && (found === ofFlat || isClearlyBelow(found, ofFlat))) {
        best = loss;
        chosen = model;
      }
    }
  }
  const path = chosen && attempt(() => chosen.path(history, behind, ahead), behind + ahead);
  return { model: path && chosen ? chosen.name : 'flat', losses, path: levelled(path ?? new Float64Array(behind + ahead), behind) };
}

/** Ends of histories, as lengths; none too short. */
function originsOf(length: number): number[] {
  const room = length - judgedSteps - historyMin;
  const spacing = Math.min(spacingMax, Math.max(3, Math.floor(room / (originsMax - 1))));
  return Array.from({ length: originsMax }, (_, i) => length - judgedSteps - i * spacing).filter((origin) => origin >= historyMin);
}

/** The model's loss at each origin; undefined where it can not be judged, or fails at one of them. */
function lossesAt(history: History, model: Model, origins: readonly number[]): number[] | undefined {
  if (origins.length === 0) return undefined;
  const losses: number[] = [];
  for (const origin of origins) {
    if (origin < model.stepsMin) return undefined;
    const past = { ...history, counts: history.counts.subarray(0, origin), endMs: history.endMs - (history.counts.length - origin) * history.stepMin * 60_000 };
    const path = attempt(() => model.path(past, levelSteps, judgedSteps + leads[1]), levelSteps + judgedSteps + leads[1]);
    if (!path) return undefined;
    losses.push(lossAfter(history.counts, origin, path));
  }
  return losses;
}

/** `path` begins `levelSteps` before the origin. */
function lossAfter(counts: Float64Array, origin: number, path: Float64Array): number {
  const dispersion = dispersionOf(counts.subarray(0, origin));
  const expected = path.map(Math.exp);
  let loss = 0;
  let judged = 0;
  for (let step = 0; step < judgedSteps; step++) {
    let came = 0.5;
    let weighed = 0;
    for (let ago = levelSteps - 1, weight = levelKeep ** (levelSteps - 1); ago >= 0; ago--, weight /= levelKeep) {
      came += weight * (counts[origin + step - 1 - ago] ?? 0);
      weighed += weight * (expected[levelSteps + step - 1 - ago] ?? 0);
    }
    const level = came / Math.max(1e-9, weighed);
    for (const lead of leads) {
      const at = origin + step + lead - 1;
      if (at >= counts.length) continue;
      loss += deviance(counts[at] ?? 0, level * (expected[levelSteps + step + lead - 1] ?? 1)) / dispersion;
      judged++;
    }
  }
  return judged > 0 ? loss / judged : 0;
}

function deviance(count: number, mean: number): number {
  const least = Math.max(mean, 1e-6);
  return 2 * ((count > 0 ? count * Math.log(count / least) : 0) - (count - least));
}

function isClearlyBelow(losses: readonly number[], others: readonly number[]): boolean {
  const gains = losses.map((loss, i) => (others[i] ?? 0) - loss);
  const mean = gains.reduce((sum, gain) => sum + gain, 0) / gains.length;
  const squares = gains.reduce((sum, gain) => sum + (gain - mean) ** 2, 0);
  return gains.length > 1 && mean > clearly * Math.sqrt(squares / (gains.length - 1) / gains.length);
}

/** What a model tells, where it is all numbers of sense; a library's failure is no path. */
function attempt(tell: () => Float64Array, length: number): Float64Array | undefined {
  try {
    const path = tell();
    return path.length === length && path.every((value) => Number.isFinite(value) && Math.abs(value) < 40) ? path : undefined;
  } catch {
    return undefined;
  }
}

/** Brings a path's mean before the end to 0. */
function levelled(path: Float64Array, behind: number): Float64Array {
  let sum = 0;
  for (let i = 0; i < behind; i++) sum += Math.exp(path[i] ?? 0);
  const mean = Math.log(sum / Math.max(1, behind));
  return path.map((value) => value - (Number.isFinite(mean) ? mean : 0));
}

/** Steps of which nothing is known are as those a day earlier, or else as the mean. */
function filled(counts: Float64Array): Float64Array {
  const known = counts.filter((count) => count >= 0 && count < Infinity);
  const mean = known.length > 0 ? known.reduce((sum, count) => sum + count, 0) / known.length : 0;
  const whole = new Float64Array(counts.length);
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i] ?? NaN;
    whole[i] = count >= 0 && count < Infinity ? count : whole[i - 48] ?? mean;
  }
  return whole;
}

/**
 * Learning from predictions made before the fact. Every half hour a sample of keys is written down with what is predicted
 * for each; when a horizon has passed, what came is compared, and calibration and the choices of blend and prior take note. Nothing here sees
 * a count before the prediction it judges was made.
 */
import { horizonsMin } from '../forecaster.ts';
import { regionPriors } from '../base/prior-choice.ts';
import { blendShapes } from '../base/rate-blend.ts';
import { RateReader, RegionShares } from '../base/rates.ts';
import type { EngineState } from '../state/state.ts';

const minuteMs = 60_000;
const intervalMs = 30 * minuteMs;
/** Keys that were asked for within this time are predicted. */
const activeMs = 24 * 60 * minuteMs;
const sampleMax = 8000;
/** Evidence halves in three days of half hours. */
const keep = 2 ** (-1 / 144);
/** Horizon on which blends and priors compete, as an index into `horizonsMin`. */
const choiceHorizon = 2;
/** No checkpoint before this much has been observed: rates from a few minutes say nothing about the model. */
const settleMs = 60 * minuteMs;

interface Checkpoint {
  readonly atMs: number;
  /** Of the key indexes; a checkpoint from another generation may name keys that are others now. */
  readonly generation: number;
  readonly keys: Int32Array;
  readonly keyTotals: Float64Array;
  readonly keyRates: Float64Array;
  /** By each blend. */
  readonly blends: readonly Float64Array[];
  readonly pairs: Int32Array;
  readonly pairTotals: Float64Array;
  readonly pairRates: Float64Array;
  /** With each strength of the region prior. */
  readonly priors: readonly Float64Array[];
}

export class HeldOut {
  readonly #state: EngineState;
  #checkpoint: Checkpoint | undefined;
  #judged = 0;
  /** The half hour the last checkpoint was in. */
  #slot = 0;

  constructor(state: EngineState) {
    this.#state = state;
  }

  /** Called before anything of the minute `nowMs` is counted, so that the state holds exactly what came before it. */
  advance(nowMs: number, generation: number): void {
    const checkpoint = this.#checkpoint;
    if (checkpoint && checkpoint.generation !== generation) this.#checkpoint = undefined;
    else if (checkpoint) {
      for (let horizon = this.#judged; horizon < horizonsMin.length; horizon++) {
        if (nowMs < checkpoint.atMs + (horizonsMin[horizon] ?? 0) * minuteMs) break;
        this.#judge(checkpoint, horizon);
        this.#judged++;
      }
      if (this.#judged === horizonsMin.length) this.#checkpoint = undefined;
    }
    const slot = Math.floor(nowMs / intervalMs);
    if (!this.#checkpoint && nowMs - this.#state.beganMs >= settleMs && slot > this.#slot) {
      this.#checkpoint = this.#predict(nowMs, generation);
      this.#judged = 0;
      this.#slot = slot;
    }
  }

  #predict(nowMs: number, generation: number): Checkpoint {
    const { byResource, regionsOf } = this.#state;
    const sinceMs = nowMs - activeMs;
    const keys = sample(this.#state.resources.span, (index) => (byResource.lastSeenMs[index] ?? 0) >= sinceMs);
    const pairs = sample(regionsOf.span, (slot) => regionsOf.ownerAt(slot) >= 0 && regionsOf.lastSeenAt(slot) >= sinceMs);
    const reader = new RateReader(this.#state, nowMs);
    const ratesOf = (shares: RegionShares): Float64Array => columnOf(pairs, (slot) => {
      const owner = regionsOf.ownerAt(slot);
      return (reader.rate(owner) * shares.ofSlot(slot)) / shares.total(owner);
    });
    return {
      atMs: nowMs, generation, keys, pairs,
      keyTotals: columnOf(keys, (index) => byResource.totals[index] ?? 0),
      keyRates: columnOf(keys, (index) => reader.rate(index)),
      blends: blendShapes.map((shape) => columnOf(keys, (index) => reader.rateBy(shape, index))),
      pairTotals: columnOf(pairs, (slot) => regionsOf.totalAt(slot)),
      pairRates: ratesOf(new RegionShares(this.#state, nowMs)),
      priors: regionPriors.map((prior) => ratesOf(new RegionShares(this.#state, nowMs, prior))),
    };
  }

  #judge(checkpoint: Checkpoint, horizon: number): void {
    const { byResource, regionsOf, blend, regionPrior, siteCalibration, regionCalibration } = this.#state;
    const minutes = horizonsMin[horizon] ?? 0;
    for (let i = 0; i < checkpoint.keys.length; i++) {
      const count = (byResource.totals[checkpoint.keys[i] ?? 0] ?? 0) - (checkpoint.keyTotals[i] ?? 0);
      siteCalibration.learn(horizon, (checkpoint.keyRates[i] ?? 0) * minutes, count);
      if (horizon === choiceHorizon) blend.score(checkpoint.blends.map((rates) => rates[i] ?? 0), minutes, count);
    }
    for (let i = 0; i < checkpoint.pairs.length; i++) {
      const count = regionsOf.totalAt(checkpoint.pairs[i] ?? 0) - (checkpoint.pairTotals[i] ?? 0);
      regionCalibration.learn(horizon, (checkpoint.pairRates[i] ?? 0) * minutes, count);
      if (horizon === choiceHorizon) regionPrior.score(checkpoint.priors.map((rates) => (rates[i] ?? 0) * minutes), count);
    }
    siteCalibration.refit(horizon, keep);
    regionCalibration.refit(horizon, keep);
    if (horizon !== choiceHorizon) return;
    blend.settle(keep);
    regionPrior.settle(keep);
  }
}

/** One number for each index. Not `Float64Array.from`, which runs an iterator and costs five times as much. */
function columnOf(indexes: Int32Array, value: (index: number) => number): Float64Array {
  const column = new Float64Array(indexes.length);
  for (let i = 0; i < indexes.length; i++) column[i] = value(indexes[i] ?? 0);
  return column;
}

/** At most about `sampleMax` of the indexes that qualify, spread evenly. */
function sample(span: number, qualifies: (index: number) => boolean): Int32Array {
  const all: number[] = [];
  for (let index = 0; index < span; index++) if (qualifies(index)) all.push(index);
  const stride = Math.ceil(all.length / sampleMax);
  return Int32Array.from(stride <= 1 ? all : all.filter((_, position) => position % stride === 0));
}

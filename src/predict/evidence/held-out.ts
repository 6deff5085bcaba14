/**
 * Learning from predictions made before the fact. Every half hour a sample of keys and of (key, region) pairs is written down with what is predicted
 * for each; when a horizon has passed, what came is compared, and calibration, the choices of blend and prior, the gate and the stages take note.
 * Nothing here sees a count before the prediction it judges was made.
 */
import { regionRates } from '../base/base-rates.ts';
import { regionPriors } from '../base/prior-choice.ts';
import { blendShapes } from '../base/rate-blend.ts';
import { RateReader } from '../base/rates.ts';
import { horizonsMin } from '../forecaster.ts';
import type { Pipeline, Trial } from '../pipeline.ts';
import type { Batch, Level } from '../stage.ts';
import type { EngineState } from '../state/state.ts';
import type { Said } from './accuracy.ts';
import type { Calibrated, Calibration } from './calibration.ts';
import type { Gate } from './gate.ts';

const minuteMs = 60_000;
const intervalMs = 30 * minuteMs;
/** Keys that were asked for within this time are predicted. */
const activeMs = 24 * 60 * minuteMs;
const sampleMax = 8000;
/** From so many requests a day on demand counts as dense here. */
const denseDay = 20;
/** Evidence halves in three days of half hours. */
const keep = 2 ** (-1 / 144);
/** Horizon on which blends, priors and stages compete, as an index into `horizonsMin`. */
const choiceHorizon = 2;
/** No checkpoint before this much has been observed: rates from a few minutes say nothing about the model. */
const settleMs = 60 * minuteMs;

/** Rows of one level, what was predicted for them, and how many requests each had had by then. */
interface Sample {
  readonly batch: Batch;
  readonly totals: Float64Array;
  /** Per horizon. */
  readonly rates: readonly Float64Array[];
  readonly base: Float64Array;
  /** At `choiceHorizon`, as if there were no fall-back. */
  readonly trusted: Float64Array;
  readonly trials: readonly Trial[];
  /** At `choiceHorizon`, calibrated as of then. */
  readonly said: readonly Said[];
  /** By each blend, or with each strength of the region prior. */
  readonly rivals: readonly Float64Array[];
}

interface Checkpoint {
  readonly atMs: number;
  readonly samples: readonly Sample[];
}

export class HeldOut {
  readonly #state: EngineState;
  readonly #pipeline: Pipeline;
  readonly #gate: Gate;
  #checkpoint: Checkpoint | undefined;
  #judged = 0;
  /** The half hour the last checkpoint was in. */
  #slot = 0;

  constructor(state: EngineState, pipeline: Pipeline, gate: Gate) {
    this.#state = state;
    this.#pipeline = pipeline;
    this.#gate = gate;
  }

  /** Called before anything of the minute `nowMs` is counted, so that the state holds exactly what came before it. */
  advance(nowMs: number): void {
    const checkpoint = this.#checkpoint;
    if (checkpoint) {
      for (let horizon = this.#judged; horizon < horizonsMin.length; horizon++) {
        if (nowMs < checkpoint.atMs + (horizonsMin[horizon] ?? 0) * minuteMs) break;
        for (const sample of checkpoint.samples) this.#judge(sample, horizon, checkpoint.atMs);
        this.#judged++;
      }
      if (this.#judged === horizonsMin.length) this.#checkpoint = undefined;
    }
    const slot = Math.floor(nowMs / intervalMs);
    if (!this.#checkpoint && nowMs - this.#state.beganMs >= settleMs && slot > this.#slot) {
      this.#checkpoint = { atMs: nowMs, samples: [this.#sampleKeys(nowMs), this.#samplePairs(nowMs)] };
      this.#judged = 0;
      this.#slot = slot;
    }
  }

  #sampleKeys(nowMs: number): Sample {
    const { byResource, resources } = this.#state;
    const day = byResource.columns[3];
    const denseFrom = denseDay / (byResource.factors(nowMs)[3] ?? 1);
    const keys = sampleOf(resources.span, (index) => (byResource.lastSeenAt(index) < nowMs - activeMs ? passed : (day?.[index] ?? 0) >= denseFrom ? dense : sparse));
    const none = new Int32Array(keys.length).fill(-1);
    const reader = new RateReader(this.#state, nowMs);
    return this.#predict({ level: 'site', length: keys.length, keys, regions: none, pairs: none }, nowMs, columnOf(keys, (index) => byResource.totals[index] ?? 0),
      blendShapes.map((shape) => reader.ratesBy(shape, keys)));
  }

  #samplePairs(nowMs: number): Sample {
    const { regionsOf } = this.#state;
    const denseFrom = denseDay / regionsOf.factor(nowMs);
    const pairs = sampleOf(regionsOf.slotCount, (at) => {
      const slot = regionsOf.slotAt(at);
      return slot < 0 || regionsOf.lastSeenAt(slot) < nowMs - activeMs ? passed : regionsOf.weightAt(slot) >= denseFrom ? dense : sparse;
    }).map((at) => regionsOf.slotAt(at));
    const batch: Batch = { level: 'region', length: pairs.length, keys: pairs.map((slot) => regionsOf.ownerAt(slot)), regions: pairs.map((slot) => regionsOf.facetAt(slot)), pairs };
    return this.#predict(batch, nowMs, columnOf(pairs, (slot) => regionsOf.totalAt(slot)), regionRates(this.#state, batch, nowMs, regionPriors));
  }

  #predict(batch: Batch, nowMs: number, totals: Float64Array, rivals: readonly Float64Array[]): Sample {
    const { base, trials, rates } = this.#pipeline.trials(batch, choiceHorizon, nowMs);
    const fallenBack = this.#gate.fallenBack(batch.level);
    // What calibration learns from is what is handed out; a fall-back is not what would be without it.
    const handedOut = this.#pipeline.ratesOfAll(batch, nowMs, base);
    if (!fallenBack) handedOut[choiceHorizon] = rates;
    const calibration = this.#calibrationOf(batch.level);
    const calibrated = (perMinute: number): Calibrated => calibration.correct(choiceHorizon, perMinute * (horizonsMin[choiceHorizon] ?? 0));
    const said = [...base].map((rate, i) => ({ base: calibrated(rate), forecast: calibrated(handedOut[choiceHorizon]?.[i] ?? 0) }));
    return { batch, totals, rivals, base, trials, said, trusted: rates, rates: handedOut };
  }

  #judge(sample: Sample, horizon: number, atMs: number): void {
    const { blend, regionPrior, accuracy } = this.#state;
    const { level } = sample.batch;
    const minutes = horizonsMin[horizon] ?? 0;
    const counts = this.#came(sample, atMs);
    const calibration = this.#calibrationOf(level);
    const rates = sample.rates[horizon];
    for (let i = 0; i < counts.length; i++) calibration.learn(horizon, (rates?.[i] ?? 0) * minutes, counts[i] ?? 0);
    calibration.refit(horizon, keep);
    if (horizon !== choiceHorizon) return;
    accuracy.learn(level, sample.said, counts);
    const choice = level === 'site' ? blend : regionPrior;
    choice.score(sample.rivals, minutes, counts);
    choice.settle(keep);
    this.#judgeStages(sample, level, minutes, counts);
  }

  #judgeStages({ base, trials, trusted }: Sample, level: Level, minutes: number, counts: Float64Array): void {
    const means = (rates: Float64Array): Float64Array => rates.map((rate) => rate * minutes);
    for (const { stage, given, made } of trials) this.#gate.score(stage, level, means(given), means(made), counts);
    this.#gate.watch(level, means(base), means(trusted), counts);
    for (const stage of this.#pipeline.stages) stage.learn?.(level, counts);
  }

  #calibrationOf(level: Level): Calibration {
    return level === 'site' ? this.#state.siteCalibration : this.#state.regionCalibration;
  }

  /**
   * Requests of each row since it was sampled. A key that had to make room since then was the least asked for, and so was a pair: its row counts as not asked for
   * again, whoever has its index now.
   */
  #came({ batch, totals }: Sample, atMs: number): Float64Array {
    const { byResource, regionsOf } = this.#state;
    const came = new Float64Array(batch.length);
    for (let i = 0; i < batch.length; i++) {
      const key = batch.keys[i] ?? 0;
      if (!byResource.has(key) || byResource.firstSeenAt(key) >= atMs) continue;
      if (batch.level === 'site') {
        came[i] = since(totals[i] ?? 0, byResource.totals[key] ?? 0);
        continue;
      }
      const slot = regionsOf.find(key, batch.regions[i] ?? -1);
      if (slot >= 0) came[i] = since(totals[i] ?? 0, regionsOf.totalAt(slot));
    }
    return came;
  }
}

/** Totals are kept modulo 2³². One that fell by less than half of that belongs to a pair that was dropped and is new. */
function since(before: number, now: number): number {
  const difference = (now - before) >>> 0;
  return difference < 2 ** 31 ? difference : now;
}

/** One number for each index. Not `Float64Array.from`, which runs an iterator and costs five times as much. */
function columnOf(indexes: Int32Array, value: (index: number) => number): Float64Array {
  const column = new Float64Array(indexes.length);
  for (let i = 0; i < indexes.length; i++) column[i] = value(indexes[i] ?? 0);
  return column;
}

/** What an index is to a sample. */
const [passed, dense, sparse] = [0, 1, 2] as const;
type Standing = typeof passed | typeof dense | typeof sparse;

/**
 * At most about `sampleMax` of the indexes that qualify, spread evenly; but those of dense demand, which are few and matter most, all of them up to half of
 * that. Calibration and gate look at each density for itself, so that this bends nothing.
 */
function sampleOf(span: number, standing: (index: number) => Standing): Int32Array {
  const standings = new Uint8Array(span);
  const left = new Int32Array(3);
  for (let index = 0; index < span; index++) {
    const one = standing(index);
    standings[index] = one;
    left[one] = (left[one] ?? 0) + 1;
  }
  const [, denseCount = 0, sparseCount = 0] = left;
  const denseStride = Math.max(1, Math.ceil(denseCount / Math.max(sampleMax / 2, sampleMax - sparseCount)));
  const denseKept = Math.ceil(denseCount / denseStride);
  const sparseStride = Math.max(1, Math.ceil(sparseCount / Math.max(1, sampleMax - denseKept)));
  const kept = new Int32Array(denseKept + Math.ceil(sparseCount / sparseStride));
  let length = 0;
  for (let index = 0; index < span; index++) {
    const one = standings[index] ?? passed;
    if (one === passed) continue;
    const after = (left[one] ?? 0) - 1;
    left[one] = after;
    if (after % (one === dense ? denseStride : sparseStride) === 0) kept[length++] = index;
  }
  return kept;
}

/**
 * From a batch of rows to their rates: base rates, then each stage where the gate lets it in. And the same with every stage tried,
 * whatever the gate says, so that the gate can learn what each would have been worth.
 */
import { baseRates } from './base/base-rates.ts';
import { stratumOf } from './evidence/gate.ts';
import type { Gate } from './evidence/gate.ts';
import { horizonsMin } from './forecaster.ts';
import type { RateUse } from './forecaster.ts';
import { KeptFactors } from './kept-factors.ts';
import { siteBatch } from './stage.ts';
import type { Batch, Level, Stage, StageName } from './stage.ts';
import { pickedDoubles, pickedInts } from './state/columns.ts';
import type { EngineState } from './state/state.ts';

/** Horizon at which `Stage.factors` are asked for, 15 minutes, as an index into `horizonsMin`. */
const factorHorizon = 2;

/** What a stage was given and what it made of it. */
export interface Trial {
  readonly stage: StageName;
  readonly given: Float64Array;
  readonly made: Float64Array;
}

export class Pipeline {
  readonly stages: readonly Stage[];
  readonly #state: EngineState;
  readonly #gate: Gate;
  readonly #kept = new Map<StageName, KeptFactors>();

  constructor(state: EngineState, stages: readonly Stage[], gate: Gate) {
    this.#state = state;
    this.stages = stages;
    this.#gate = gate;
  }

  /** Expected requests a minute of each row over the next `horizonsMin[horizon]` minutes, before calibration. `base`: the batch's base rates, where they are at hand. */
  rates(batch: Batch, horizon: number, nowMs: number, base = baseRates(this.#state, batch, nowMs)): Float64Array {
    const rates = base.slice();
    for (const stage of this.stages) this.#admit(stage, batch, rates, horizon, nowMs);
    return rates;
  }

  /** The same to plan copies of these keys, ascending, by their base rates: by `stagesFor('copies')`, whose factors are found anew every few minutes only. */
  ratesForCopies(keys: Int32Array, horizon: number, nowMs: number, base: Float64Array): Float64Array {
    const batch = siteBatch(keys);
    const rates = base.slice();
    for (const stage of this.stagesFor('copies')) {
      if (!stage.factors) this.#admit(stage, batch, rates, horizon, nowMs);
      else if (this.#gate.openness(stage.name, batch.level) !== 'none') this.#multiplyTrusted(stage, batch.level, rates, horizon, this.#keptOf(stage, batch, rates, nowMs));
    }
    return rates;
  }

  /** The key's index will be another key's. */
  forget(key: number): void {
    for (const stage of this.stages) stage.forget(key);
    for (const kept of this.#kept.values()) kept.drop();
  }

  /** Of what is kept here, beside the stages' own state. */
  get bytes(): number {
    let bytes = 0;
    for (const kept of this.#kept.values()) bytes += kept.bytes;
    return bytes;
  }

  stagesFor(use: RateUse): readonly Stage[] {
    return use === 'next' ? this.stages : this.stages.filter(({ fleeting }) => !fleeting);
  }

  /** The same at every horizon, in their order. */
  ratesOfAll(batch: Batch, nowMs: number, base = baseRates(this.#state, batch, nowMs)): Float64Array[] {
    const all = horizonsMin.map(() => base.slice());
    for (const stage of this.stages) {
      if (stage.factors) this.#multiply(stage, batch, all, nowMs);
      else all.forEach((rates, horizon) => { this.#admit(stage, batch, rates, horizon, nowMs); });
    }
    return all;
  }

  /** Every stage's trial, in order, and the rates that would come out at the end were there no fall-back. Each stage is given what the gate trusts of the ones before it. */
  trials(batch: Batch, horizon: number, nowMs: number): { readonly base: Float64Array; readonly trials: readonly Trial[]; readonly rates: Float64Array } {
    const base = baseRates(this.#state, batch, nowMs);
    const trials: Trial[] = [];
    let rates = base;
    for (const stage of this.stages) {
      const given = rates;
      stage.prepare?.(batch, given, nowMs);
      const made = given.slice();
      stage.apply(batch, made, horizon, nowMs);
      trials.push({ stage: stage.name, given, made });
      const minutes = horizonsMin[horizon] ?? 0;
      const trusted = this.#gate.trustedStrata(stage.name, batch.level);
      rates = given.slice();
      for (let i = 0; i < rates.length; i++) if (trusted[stratumOf((given[i] ?? 0) * minutes)] === 1) rates[i] = made[i] ?? 0;
    }
    return { base, trials, rates };
  }

  /** Applies a stage to the rows at whose density it is let in. */
  #admit(stage: Stage, batch: Batch, rates: Float64Array, horizon: number, nowMs: number): void {
    const open = this.#gate.openness(stage.name, batch.level);
    if (open === 'none') return;
    if (open === 'all') {
      stage.apply(batch, rates, horizon, nowMs);
      return;
    }
    const minutes = horizonsMin[horizon] ?? 0;
    const trusted = this.#gate.trustedStrata(stage.name, batch.level);
    const all = new Int32Array(batch.length);
    let length = 0;
    for (let i = 0; i < batch.length; i++) if (trusted[stratumOf((rates[i] ?? 0) * minutes)] === 1) all[length++] = i;
    if (length === 0) return;
    const rows = all.subarray(0, length);
    const some = pickedDoubles(rates, rows);
    stage.apply({ level: batch.level, length, keys: pickedInts(batch.keys, rows), regions: pickedInts(batch.regions, rows), pairs: pickedInts(batch.pairs, rows) }, some, horizon, nowMs);
    for (let i = 0; i < length; i++) rates[rows[i] ?? 0] = some[i] ?? 0;
  }

  /** Lets a stage multiply the rows at whose density it is let in, at each horizon, by what it finds once. */
  #multiply(stage: Stage, batch: Batch, all: readonly Float64Array[], nowMs: number): void {
    if (this.#gate.openness(stage.name, batch.level) === 'none') return;
    const factors = stage.factors?.(batch, (all[factorHorizon] ?? new Float64Array(batch.length)).slice(), nowMs);
    if (factors) all.forEach((rates, horizon) => { this.#multiplyTrusted(stage, batch.level, rates, horizon, factors); });
  }

  #multiplyTrusted(stage: Stage, level: Level, rates: Float64Array, horizon: number, factors: Float64Array): void {
    const trusted = this.#gate.trustedStrata(stage.name, level);
    const minutes = horizonsMin[horizon] ?? 0;
    for (let i = 0; i < rates.length; i++) if (trusted[stratumOf((rates[i] ?? 0) * minutes)] === 1) rates[i] = (rates[i] ?? 0) * (factors[i] ?? 1);
  }

  #keptOf(stage: Stage, { keys }: Batch, rates: Float64Array, nowMs: number): Float64Array {
    let kept = this.#kept.get(stage.name);
    if (!kept) this.#kept.set(stage.name, kept = new KeptFactors());
    return kept.of(keys, rates, nowMs, (some, perMinute) => stage.factors?.(siteBatch(some), perMinute, nowMs) ?? new Float64Array(some.length).fill(1));
  }
}

/**
 * Relations between resources: what a visitor asks for next raises what is forecast of it. Learns from steps (`demand/journeys.ts`) who is followed by whom and how soon, and adds to
 * each rate what is still to come of what was asked for lately (`coming.ts`). Sites and traces without steps leave it silent. Memory: 262,144 edges
 * and the last half hour's requests of their sources.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { RateReader } from '../base/rates.ts';
import { horizonsMin } from '../forecaster.ts';
import { largest } from '../selection.ts';
import type { Batch, Level, ObservedMinute, ObservedSweep, KeyNumbers, Stage } from '../stage.ts';
import { levels } from '../stage.ts';
import type { EngineState } from '../state/state.ts';
import { askedLately, classCount, comingByEvidence, comingByHorizon, usualSums } from './coming.ts';
import type { Coming, Moment } from './coming.ts';
import { EvidenceWeights } from './evidence-weights.ts';
import { LagProfile } from './lag-profile.ts';
import { RecentDemand } from './recent-demand.ts';
import type { PairSums } from './pair-sums.ts';
import { SweepsAhead } from './sweeps-ahead.ts';
import type { Ahead } from './sweeps-ahead.ts';
import { TransitionGraph } from './transition-graph.ts';

/** Horizon whose outcomes teach the weights, as an index into `horizonsMin`. */
const learnedHorizon = 2;
/** What edges are believed before anything is known, the more steps, the more; and sweeps. */
const firstWeights = [0.1, 0.2, 0.4, 0.6, 0.8, 0.5] as const;
/** A rate is never brought below this part of what it was. */
const leastPart = 0.25;
const minuteMs = 60_000;
/** What is usual follows the rates of a day and of hours; summing it takes the whole graph. */
const usualEveryMs = 10 * minuteMs;
export const raisedMax = 2000;

interface Now {
  readonly moment: Moment;
  readonly asked: PairSums;
  /** Made when it is asked for. */
  readonly coming: Partial<Record<Level, Coming>>;
}

export class RelationStage implements Stage {
  readonly name = 'relations';
  readonly fleeting = true;
  readonly #state: EngineState;
  readonly #graph = new TransitionGraph();
  readonly #profile = new LagProfile();
  readonly #recent = new RecentDemand();
  readonly #weights: Record<Level, EvidenceWeights> = { site: new EvidenceWeights(firstWeights), region: new EvidenceWeights(firstWeights) };
  readonly #sweepsAhead = new SweepsAhead();
  #sweeps: readonly ObservedSweep[] = [];
  #ahead: readonly Ahead[] = [];
  readonly #gone = new Set<number>();
  readonly #samples: Partial<Record<Level, { readonly promises: Float64Array; readonly expected: Float64Array }>> = {};
  /** Of one moment; good until the next minute is observed or something is learned. */
  #now: Now | undefined;
  /** Summed again at the first minute of each `usualEveryMs`; it is never asked for before that. */
  #usual: PairSums | undefined;
  #usualSlot = -1;

  constructor(state: EngineState) {
    this.#state = state;
  }

  get #silent(): boolean {
    return this.#graph.span === 0 && this.#ahead.length === 0;
  }

  observe({ startMs, keys, regions, counts, steps, sweeps }: ObservedMinute): void {
    this.#now = undefined;
    this.#graph.advance(startMs);
    if (this.#gone.size > 0) this.#recent.forget(this.#gone);
    this.#gone.clear();
    const weight = 1 / this.#graph.factor(startMs);
    for (let i = 0; i < keys.length; i++) this.#graph.visit(keys[i] ?? 0, (counts[i] ?? 0) * weight);
    for (let i = 0; i < steps.from.length; i++) {
      const count = steps.counts[i] ?? 0;
      this.#profile.add(steps.lagsMin[i] ?? 1, count);
      this.#graph.step(steps.from[i] ?? 0, steps.to[i] ?? 0, count * weight);
    }
    this.#profile.settle();
    this.#sweeps = sweeps;
    this.#ahead = this.#lookAhead(startMs + minuteMs);
    this.#recent.add(startMs, keys, regions, counts, (key) => this.#graph.sourceOf(key) >= 0);
    const slot = Math.floor(startMs / usualEveryMs);
    if (slot === this.#usualSlot && this.#usual) return;
    this.#usualSlot = slot;
    this.#usual = usualSums(this.#moment(startMs + minuteMs));
  }

  forget(key: number): void {
    this.#now = undefined;
    this.#usual?.clear(key, 0);
    this.#graph.forget(key);
    this.#sweepsAhead.forget(key);
    this.#gone.add(key);
  }

  apply(batch: Batch, perMinute: Float64Array, horizon: number, nowMs: number): void {
    if (this.#silent) return;
    const minutes = horizonsMin[horizon] ?? 1;
    const promises = this.#promises(batch, this.#comingAt(nowMs, batch.level), perMinute, nowMs);
    for (let i = 0; i < batch.length; i++) {
      const promised = promises(i, horizon);
      const rate = perMinute[i] ?? 0;
      if (promised !== 0) perMinute[i] = Math.max(leastPart * rate, rate + promised / minutes);
    }
  }

  *raised(nowMs: number): Iterable<number> {
    if (this.#silent) return;
    const { sums } = this.#comingAt(nowMs, 'site');
    const keys: number[] = [];
    const promised: number[] = [];
    sums.forEach((key, _region, at) => {
      keys.push(key);
      promised.push(sums.sums[at + learnedHorizon] ?? 0);
    });
    for (const row of largest(Float64Array.from(promised), promised.length, raisedMax)) yield keys[row] ?? 0;
  }

  prepare(batch: Batch, perMinute: Float64Array, nowMs: number): void {
    const promises = new Float64Array(batch.length * classCount);
    const expected = perMinute.map((rate) => rate * (horizonsMin[learnedHorizon] ?? 0));
    if (!this.#silent) {
      const { moment, asked } = this.#at(nowMs);
      const promised = this.#promises(batch, comingByEvidence(moment, batch.level, asked, this.#usualOf(moment), learnedHorizon), perMinute, nowMs);
      for (let i = 0; i < batch.length; i++) for (let one = 0; one < classCount; one++) promises[i * classCount + one] = promised(i, one);
    }
    this.#samples[batch.level] = { promises, expected };
  }

  learn(level: Level, counts: Float64Array): void {
    const sample = this.#samples[level];
    if (!sample) return;
    this.#weights[level].learn(sample.promises, sample.expected, counts);
    delete this.#samples[level];
    this.#now = undefined;
  }

  bytes(): number {
    return this.#graph.bytes + this.#recent.bytes + this.#sweepsAhead.bytes;
  }

  write(writer: ByteWriter, numbers: KeyNumbers): void {
    this.#graph.write(writer, numbers);
    this.#profile.write(writer);
    this.#recent.write(writer, numbers);
    for (const level of levels) this.#weights[level].write(writer);
  }

  read(reader: ByteReader): void {
    this.#graph.read(reader);
    this.#profile.read(reader);
    this.#recent.read(reader);
    for (const level of levels) this.#weights[level].read(reader);
  }

  #moment(nowMs: number): Moment {
    const reader = new RateReader(this.#state, nowMs);
    return { graph: this.#graph, profile: this.#profile, recent: this.#recent.asOf(nowMs), ahead: this.#ahead, nowMs, rateOf: (key) => reader.rate(key) };
  }

  #lookAhead(nowMs: number): readonly Ahead[] {
    if (this.#sweeps.length === 0) return [];
    const { resources, byResource } = this.#state;
    const reader = new RateReader(this.#state, nowMs);
    return this.#sweepsAhead.of(this.#sweeps, { resources, nowMs, rateOf: (key) => reader.rate(key), lastSeenMs: (key) => byResource.lastSeenAt(key) });
  }

  #at(nowMs: number): Now {
    if (this.#now?.moment.nowMs !== nowMs) {
      const moment = this.#moment(nowMs);
      this.#now = { moment, asked: askedLately(moment), coming: {} };
    }
    return this.#now;
  }

  /** After a snapshot was read nothing has been summed yet. */
  #usualOf(moment: Moment): PairSums {
    return this.#usual ??= usualSums(moment);
  }

  #comingAt(nowMs: number, level: Level): Coming {
    const { moment, asked, coming } = this.#at(nowMs);
    return coming[level] ??= comingByHorizon(moment, level, asked, this.#usualOf(moment), this.#weights[level].values);
  }

  /** Reads what a row gets beyond the usual, in requests, from a column. */
  #promises(batch: Batch, { sums, usual }: Coming, perMinute: Float64Array, nowMs: number): (row: number, column: number) => number {
    const usually = this.#usual;
    if (!usually) return () => 0;
    if (batch.level === 'site') {
      return (row, column) => {
        const key = batch.keys[row] ?? -1;
        const at = sums.find(key, 0);
        const from = usually.find(key, 0);
        return (at < 0 ? 0 : sums.sums[at + column] ?? 0) - (from < 0 ? 0 : usual(from, column));
      };
    }
    const reader = new RateReader(this.#state, nowMs);
    return (row, column) => {
      const key = batch.keys[row] ?? -1;
      const at = sums.find(key, batch.regions[row] ?? -1);
      const from = usually.find(key, 0);
      if (from < 0) return at < 0 ? 0 : sums.sums[at + column] ?? 0;
      const share = Math.min(1, (perMinute[row] ?? 0) / Math.max(1e-12, reader.rate(key)));
      return (at < 0 ? 0 : sums.sums[at + column] ?? 0) - share * usual(from, column);
    };
  }
}

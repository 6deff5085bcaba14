/**
 * Relations between resources: what a visitor asks for next raises what is forecast of it. Learns from steps (`demand/journeys.ts`) who is followed by whom and how soon, and adds to
 * each rate what is still to come of what was asked for lately (`coming.ts`). Sites and traces without steps leave it silent. Memory: 262,144 edges
 * and the last half hour's requests of their sources.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { RateReader } from '../base/rates.ts';
import { horizonsMin } from '../forecaster.ts';
import { largestOfMany } from '../selection.ts';
import type { Batch, Level, ObservedMinute, ObservedSweep, KeyNumbers, Stage } from '../stage.ts';
import { levels } from '../stage.ts';
import type { EngineState } from '../state/state.ts';
import { addComing, addUsual, classCount, sweepClass } from './coming.ts';
import type { Moment } from './coming.ts';
import { EvidenceWeights } from './evidence-weights.ts';
import { KeyRows, KeySums } from './key-sums.ts';
import { LagProfile } from './lag-profile.ts';
import { RecentDemand } from './recent-demand.ts';
import { PairSums } from './pair-sums.ts';
import { nothingAhead, SweepsAhead } from './sweeps-ahead.ts';
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

const allHorizons = horizonsMin.map((_, horizon) => horizon);

/** What is good until the next minute is observed or something is learned. What targets get of what was asked for lately is made when it is asked for. */
interface Now {
  readonly moment: Moment;
  /** By key: which horizons have been summed. */
  readonly site: boolean[];
  /** By (key, region), a column a horizon. */
  region?: PairSums;
}

/** Where the rows of a batch find their sums, −1 for none, and what part of their key's usual is theirs. */
interface Places {
  readonly coming: Int32Array;
  readonly usual: Int32Array;
  readonly shares: Float64Array;
}

export class RelationStage implements Stage {
  readonly name = 'relations';
  readonly fleeting = true;
  readonly #state: EngineState;
  readonly #graph = new TransitionGraph();
  readonly #profile = new LagProfile();
  readonly #recent = new RecentDemand();
  readonly #weights: Record<Level, EvidenceWeights> = { site: new EvidenceWeights(firstWeights), region: new EvidenceWeights(firstWeights) };
  readonly #sweepsAhead: SweepsAhead;
  #sweeps: readonly ObservedSweep[] = [];
  #ahead: Ahead = nothingAhead;
  readonly #gone = new Set<number>();
  readonly #samples: Partial<Record<Level, { readonly promises: Float64Array; readonly expected: Float64Array }>> = {};
  #now: Now | undefined;
  /** Of all that is summed at the site level: given anew whenever the usual is summed. */
  readonly #rows = new KeyRows();
  /** One for each horizon: most of the time one is asked for. Used again each moment. */
  readonly #siteComing = horizonsMin.map(() => new KeySums(1, this.#rows));
  /** What keys get usually, a column a class of edges: summed again at the first minute of each `usualEveryMs`, and when it is first asked for. */
  readonly #usual = new KeySums(sweepClass, this.#rows);
  #usualSlot = -1;

  constructor(state: EngineState) {
    this.#state = state;
    this.#sweepsAhead = new SweepsAhead(state.resources);
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
    if (Math.floor(startMs / usualEveryMs) !== this.#usualSlot) this.#sumUsual(startMs);
  }

  forget(key: number): void {
    this.#now = undefined;
    this.#usual.clear(key);
    this.#graph.forget(key);
    this.#sweepsAhead.forget(key);
    this.#gone.add(key);
  }

  apply(batch: Batch, perMinute: Float64Array, horizon: number, nowMs: number): void {
    if (this.#silent) return;
    const minutes = horizonsMin[horizon] ?? 1;
    const coming = this.#comingAt(nowMs, batch.level, horizon);
    const places = this.#placesOf(batch, coming, perMinute, nowMs);
    const { sums } = coming;
    const column = batch.level === 'site' ? 0 : horizon;
    const weights = this.#weights[batch.level].values;
    const part = this.#profile.usually(minutes);
    for (let i = 0; i < batch.length; i++) {
      const at = places.coming[i] ?? -1;
      const usually = this.#weighed(places.usual[i] ?? -1, weights) * part;
      const promised = (at < 0 ? 0 : sums[at + column] ?? 0) - (places.shares[i] ?? 0) * usually;
      const rate = perMinute[i] ?? 0;
      if (promised !== 0) perMinute[i] = Math.max(leastPart * rate, rate + promised / minutes);
    }
  }

  *raised(nowMs: number): Iterable<number> {
    if (this.#silent) return;
    const { sums } = this.#siteComingAt(nowMs, learnedHorizon);
    const promised = new Float32Array(this.#rows.size);
    for (let row = 0; row < promised.length; row++) promised[row] = sums[row] ?? 0;
    for (const row of largestOfMany(promised, raisedMax)) yield this.#rows.keyAt(row);
  }

  prepare(batch: Batch, perMinute: Float64Array, nowMs: number): void {
    const promises = new Float64Array(batch.length * classCount);
    const expected = perMinute.map((rate) => rate * (horizonsMin[learnedHorizon] ?? 0));
    if (!this.#silent) {
      const { moment } = this.#at(nowMs);
      const coming = batch.level === 'site' ? new KeySums(classCount, this.#rows) : this.#pairSums(moment, classCount);
      addComing(moment, batch.level, coming, { horizons: [learnedHorizon] });
      const places = this.#placesOf(batch, coming, perMinute, nowMs);
      const { sums } = coming;
      const part = this.#profile.usually(horizonsMin[learnedHorizon]);
      for (let i = 0; i < batch.length; i++) {
        const at = places.coming[i] ?? -1;
        const usual = places.usual[i] ?? -1;
        for (let one = 0; one < classCount; one++) {
          const usually = usual < 0 || one === sweepClass ? 0 : (this.#usual.sums[usual + one] ?? 0) * part;
          promises[i * classCount + one] = (at < 0 ? 0 : sums[at + one] ?? 0) - (places.shares[i] ?? 0) * usually;
        }
      }
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
    const sums = [this.#rows, this.#usual, ...this.#siteComing].reduce((sum, { bytes }) => sum + bytes, this.#now?.region?.bytes ?? 0);
    return this.#graph.bytes + this.#recent.bytes + this.#sweepsAhead.bytes + sums;
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
    return { graph: this.#graph, profile: this.#profile, recent: this.#recent.asOf(nowMs), ahead: this.#ahead, nowMs };
  }

  #lookAhead(nowMs: number): Ahead {
    if (this.#sweeps.length === 0) return nothingAhead;
    const { byResource } = this.#state;
    const reader = new RateReader(this.#state, nowMs);
    return this.#sweepsAhead.of(this.#sweeps, { nowMs, rateOf: (key) => reader.rate(key), lastSeenMs: (key) => byResource.lastSeenAt(key) });
  }

  #at(nowMs: number): Now {
    // After a snapshot was read nothing has been summed yet.
    if (this.#usualSlot < 0) this.#sumUsual(nowMs - minuteMs);
    if (this.#now?.moment.nowMs !== nowMs) this.#now = { moment: this.#moment(nowMs), site: [] };
    return this.#now;
  }

  #sumUsual(startMs: number): void {
    const reader = new RateReader(this.#state, startMs + minuteMs);
    this.#usualSlot = Math.floor(startMs / usualEveryMs);
    this.#rows.clear();
    this.#usual.reset();
    addUsual(this.#moment(startMs + minuteMs), (key) => reader.rate(key), this.#usual);
  }

  #comingAt(nowMs: number, level: Level, horizon: number): KeySums | PairSums {
    return level === 'site' ? this.#siteComingAt(nowMs, horizon) : this.#regionComingAt(nowMs);
  }

  #siteComingAt(nowMs: number, horizon: number): KeySums {
    const { moment, site } = this.#at(nowMs);
    const sums = this.#siteComing[horizon] ?? new KeySums(1, this.#rows);
    if (site[horizon]) return sums;
    site[horizon] = true;
    sums.reset();
    addComing(moment, 'site', sums, { horizons: [horizon], weights: this.#weights.site.values });
    return sums;
  }

  #regionComingAt(nowMs: number): PairSums {
    const now = this.#at(nowMs);
    if (now.region) return now.region;
    now.region = this.#pairSums(now.moment, allHorizons.length);
    addComing(now.moment, 'region', now.region, { horizons: allHorizons, weights: this.#weights.region.values });
    return now.region;
  }

  #pairSums({ recent }: Moment, columns: number): PairSums {
    return new PairSums(columns, 2 * recent.reduce((sum, { keys }) => sum + keys.length, 0));
  }

  #placesOf({ level, length, keys, regions }: Batch, sums: KeySums | PairSums, perMinute: Float64Array, nowMs: number): Places {
    const coming = new Int32Array(length);
    const usual = new Int32Array(length);
    const shares = new Float64Array(length).fill(1);
    const reader = new RateReader(this.#state, nowMs);
    for (let i = 0; i < length; i++) {
      const key = keys[i] ?? -1;
      coming[i] = sums instanceof PairSums ? sums.find(key, regions[i] ?? -1) : sums.find(key);
      const from = this.#usual.find(key);
      usual[i] = from;
      if (level === 'region' && from >= 0) shares[i] = Math.min(1, (perMinute[i] ?? 0) / Math.max(1e-12, reader.rate(key)));
    }
    return { coming, usual, shares };
  }

  /** What comes a minute usually, edges believed as far as the weights say. */
  #weighed(at: number, weights: Float64Array): number {
    if (at < 0) return 0;
    const { sums } = this.#usual;
    let rate = 0;
    for (let evidence = 0; evidence < sweepClass; evidence++) rate += (weights[evidence] ?? 0) * (sums[at + evidence] ?? 0);
    return rate;
  }
}

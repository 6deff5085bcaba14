/**
 * The watched series and their forecasts: what came in each, minute by minute (`history-ring.ts`), the path a model says it takes (`series-work.ts`), how high it
 * stands against that path (`levels.ts`), and how wide a forecast of it must be (`interval-levels.ts`). Every 5 minutes it forecasts each series, and
 * learns from the forecasts that have come due.
 */
import { horizonsMin } from '../forecaster.ts';
import { HistoryRing, binMin, binsKept } from './history-ring.ts';
import { IntervalLevels } from './interval-levels.ts';
import type { Interval } from './interval-levels.ts';
import { Levels, blendCount } from './levels.ts';
import type { ModelName } from './history.ts';
import type { ModelLoss } from './rolling-origin.ts';
import { pathAhead, pathBehind, stepMin } from './series-work.ts';
import type { SeriesFit } from './series-work.ts';
import { classSlots, slotCount } from './slots.ts';

const minuteMs = 60_000;
/** Forecasts under way reach back this many bins: the longest horizon. */
const pendingBins = 7;
/** Series of which totals are forecast: the site and the regions. */
export const totalSlots = classSlots;
const horizons = horizonsMin.length;
/** A burst of one resource is cut from the series (`paceOf`) and put back, on average, for the totals: what came of either, over a day. */
const wholeKeep = Math.exp(-1 / 1440);

/** What is known of a series beside its numbers. */
export interface SeriesMemo {
  model: ModelName;
  losses: readonly ModelLoss[];
  path: Float64Array;
  /** End of the history the path was fitted to. */
  pathEndMs: number;
  /** When its model was last chosen. */
  chosenMs: number;
  /** The first minute it was watched in, epoch minutes. */
  since: number;
}

export class SeriesBank {
  readonly ring = new HistoryRing();
  readonly levels = new Levels();
  readonly intervals = new IntervalLevels(totalSlots);
  readonly memos: SeriesMemo[] = Array.from({ length: slotCount }, unknown);
  /** Requests of the minute under way, by slot: cut, and whole. */
  readonly minute = new Float64Array(slotCount);
  readonly wholeMinute = new Float64Array(totalSlots);
  readonly cutDay = new Float64Array(totalSlots);
  readonly wholeDay = new Float64Array(totalSlots);
  readonly #bin = new Float64Array(slotCount);
  /** Whole requests in the last bins, by bin and slot. */
  readonly #wholeBins = new Float64Array(pendingBins * totalSlots);
  /** By bin of forecast, slot, horizon and blend: expected requests. */
  readonly #expected = new Float32Array(pendingBins * slotCount * horizons * blendCount).fill(-1);
  /** By bin, slot and horizon: mean of the total, and its interval. */
  readonly #told = new Float64Array(pendingBins * totalSlots * horizons * 3).fill(-1);
  readonly #scratch = new Float64Array(blendCount);

  get bytes(): number {
    return this.ring.bytes + this.#expected.byteLength + this.#told.byteLength + slotCount * 2000;
  }

  clear(slot: number, sinceMinute: number): void {
    this.ring.clear(slot);
    this.levels.clear(slot);
    this.memos[slot] = { ...unknown(), since: sinceMinute };
    this.minute[slot] = 0;
    this.#bin[slot] = 0;
    for (let bin = 0; bin < pendingBins; bin++) {
      this.#expected.fill(-1, (bin * slotCount + slot) * horizons * blendCount, (bin * slotCount + slot + 1) * horizons * blendCount);
      if (slot < totalSlots) this.#told.fill(-1, (bin * totalSlots + slot) * horizons * 3, (bin * totalSlots + slot + 1) * horizons * 3);
    }
    if (slot >= totalSlots) return;
    this.intervals.clear(slot);
    this.wholeMinute[slot] = 0;
    this.cutDay[slot] = 0;
    this.wholeDay[slot] = 0;
  }

  /** No forecast that is under way will be judged. */
  forgetForecasts(): void {
    this.#expected.fill(-1);
    this.#told.fill(-1);
    this.#bin.fill(0);
  }

  /** The minute is over. `held`: which slots are in use. */
  endMinute(minute: number, held: Int32Array): void {
    const wholeAt = (Math.floor(minute / binMin) % pendingBins) * totalSlots;
    const opens = minute % binMin === 0;
    for (let slot = 0; slot < slotCount; slot++) {
      if ((held[slot] ?? -1) < 0) continue;
      const count = this.minute[slot] ?? 0;
      this.levels.add(slot, count, this.path(slot, minute * minuteMs + minuteMs / 2));
      this.#bin[slot] = (opens ? 0 : this.#bin[slot] ?? 0) + count;
      this.minute[slot] = 0;
      if (slot >= totalSlots) continue;
      const whole = this.wholeMinute[slot] ?? 0;
      this.cutDay[slot] = (this.cutDay[slot] ?? 0) * wholeKeep + count;
      this.wholeDay[slot] = (this.wholeDay[slot] ?? 0) * wholeKeep + whole;
      this.#wholeBins[wholeAt + slot] = (opens ? 0 : this.#wholeBins[wholeAt + slot] ?? 0) + whole;
      this.wholeMinute[slot] = 0;
    }
    if ((minute + 1) % binMin === 0) this.#endBin(Math.floor(minute / binMin), held);
  }

  /** What the path says at a time; 1 on average of the day before its fit. */
  path(slot: number, atMs: number): number {
    const memo = this.memos[slot];
    if (!memo || memo.path.length === 0) return 1;
    let step = (atMs - memo.pathEndMs) / (stepMin * minuteMs) + pathBehind - 0.5;
    // Beyond the path, as the day before or after.
    if (step < 0) step += pathBehind * Math.ceil(-step / pathBehind);
    const over = step - (pathBehind + pathAhead - 1);
    if (over > 0) step -= pathAhead * Math.ceil(over / pathAhead);
    const from = Math.floor(step);
    const low = memo.path[from] ?? 0;
    return Math.exp(low + (step - from) * ((memo.path[from + 1] ?? low) - low));
  }

  /** Expected requests a minute in a horizon from `nowMs` on; `silentMin` minutes after the last that was counted. */
  rate(slot: number, horizon: number, nowMs: number, silentMin: number): number {
    this.levels.levels(slot, this.#scratch, silentMin, this.path(slot, nowMs - (silentMin * minuteMs) / 2));
    return (this.#scratch[this.levels.best(slot, horizon)] ?? 0) * this.#ahead(slot, horizon, nowMs);
  }

  /** Expected requests of a total, bursts included, and the interval that nine in ten outcomes fall in. */
  total(slot: number, horizon: number, nowMs: number, silentMin: number): Interval & { readonly mean: number } {
    const mean = this.rate(slot, horizon, nowMs, silentMin) * (horizonsMin[horizon] ?? 0) * this.#wholeRatio(slot);
    return { mean, ...this.intervals.interval(slot, horizon, mean) };
  }

  adopt(slot: number, fit: SeriesFit, endMs: number, nowMinute: number): void {
    const memo = this.memos[slot];
    if (!memo) return;
    memo.model = fit.model;
    memo.path = fit.path;
    memo.pathEndMs = endMs;
    if (fit.losses.length > 0) {
      memo.losses = fit.losses;
      memo.chosenMs = endMs;
    }
    const ageMin = Math.min(nowMinute + 1 - memo.since, binsKept * binMin);
    this.levels.retell(slot, ageMin, binMin, (ago) => this.path(slot, (nowMinute + 1 - ago) * minuteMs));
  }

  /** The path's mean over a horizon (Simpson's rule: it is straight, in logarithms, for half an hour). */
  #ahead(slot: number, horizon: number, nowMs: number): number {
    const widthMs = (horizonsMin[horizon] ?? 0) * minuteMs;
    return (this.path(slot, nowMs) + 4 * this.path(slot, nowMs + widthMs / 2) + this.path(slot, nowMs + widthMs)) / 6;
  }

  #wholeRatio(slot: number): number {
    return Math.max(1, ((this.wholeDay[slot] ?? 0) + 1) / ((this.cutDay[slot] ?? 0) + 1));
  }

  #endBin(bin: number, held: Int32Array): void {
    this.ring.open(bin);
    const nowMs = (bin + 1) * binMin * minuteMs;
    for (let slot = 0; slot < slotCount; slot++) {
      if ((held[slot] ?? -1) < 0) continue;
      this.ring.set(slot, this.#bin[slot] ?? 0);
      for (let horizon = 0; horizon < horizons; horizon++) this.#judge(slot, horizon, bin);
      this.#foretell(slot, bin, nowMs);
    }
  }

  #judge(slot: number, horizon: number, bin: number): void {
    const width = (horizonsMin[horizon] ?? 0) / binMin;
    const made = (bin - width) % pendingBins;
    const at = ((made * slotCount + slot) * horizons + horizon) * blendCount;
    if ((this.#expected[at] ?? -1) >= 0) {
      let count = 0;
      for (let ago = 0; ago < width; ago++) count += Math.max(0, this.ring.at(slot, bin - ago));
      this.levels.score(slot, horizon, this.#expected, at, count);
      this.#expected[at] = -1;
    }
    if (slot >= totalSlots) return;
    const told = ((made * totalSlots + slot) * horizons + horizon) * 3;
    const mean = this.#told[told] ?? -1;
    if (mean < 0) return;
    let count = 0;
    for (let ago = 0; ago < width; ago++) count += this.#wholeBins[((bin - ago) % pendingBins) * totalSlots + slot] ?? 0;
    this.intervals.learn(slot, horizon, mean, { q05: this.#told[told + 1] ?? 0, q95: this.#told[told + 2] ?? 0 }, count);
    this.#told[told] = -1;
  }

  #foretell(slot: number, bin: number, nowMs: number): void {
    const scratch = this.#scratch;
    this.levels.levels(slot, scratch, 0, 1);
    for (let horizon = 0; horizon < horizons; horizon++) {
      const ahead = this.#ahead(slot, horizon, nowMs) * (horizonsMin[horizon] ?? 0);
      const at = (((bin % pendingBins) * slotCount + slot) * horizons + horizon) * blendCount;
      for (let i = 0; i < blendCount; i++) this.#expected[at + i] = (scratch[i] ?? 0) * ahead;
      if (slot >= totalSlots) continue;
      const mean = (scratch[this.levels.best(slot, horizon)] ?? 0) * ahead * this.#wholeRatio(slot);
      const { q05, q95 } = this.intervals.interval(slot, horizon, mean);
      const told = (((bin % pendingBins) * totalSlots + slot) * horizons + horizon) * 3;
      this.#told[told] = mean;
      this.#told[told + 1] = q05;
      this.#told[told + 2] = q95;
    }
  }
}

function unknown(): SeriesMemo {
  return { model: 'flat', losses: [], path: new Float64Array(0), pathEndMs: 0, chosenMs: 0, since: 0 };
}

/**
 * Seasons and levels of aggregates, as factors for the resources below them. Watches the site, its largest regions and route classes and the resources most asked
 * for as time series (`series-bank.ts`), has models fitted to them elsewhere (`series-work.ts`), and moves each row by as much as rows have followed their series so far
 * (`row-weights.ts`). It also forecasts the totals, with intervals. Memory: two bytes a key and at most 97 series of 15 days.
 * Long because it is where series, weights and rows meet: each of its doors is a few lines.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { RateReader, paceOf, regionParts, siteExposures } from '../base/rates.ts';
import { everywhere, horizonsMin } from '../forecaster.ts';
import type { SeriesSummary, Total } from '../forecaster.ts';
import type { Batch, KeyNumbers, Level, ObservedMinute, Stage } from '../stage.ts';
import { dayScale, hourScale } from '../state/decayed-counts.ts';
import type { EngineState } from '../state/state.ts';
import { binMin } from './history-ring.ts';
import type { Holiday } from './holidays.ts';
import { RowWeights, densityCount, densityOf, ratioCount, ratioLogMax } from './row-weights.ts';
import { readSeason, writeSeason } from './season-snapshot.ts';
import { SeriesBank, totalSlots } from './series-bank.ts';
import { stepMin } from './series-work.ts';
import type { SeriesDone, SeriesInput, SeriesWork } from './series-work.ts';
import { Slots, classSlots, keySlots, regionSlots, siteSlot, slotCount } from './slots.ts';

const minuteMs = 60_000;
/** Fits are due this often; each series' model is chosen anew once in a day. */
const workEveryMs = 2 * 60 * minuteMs;
const choiceEveryMs = 24 * 60 * minuteMs;
/** Steps of history (a day and a half) before a series is fitted, and minutes before it says anything. */
const fitStepsMin = 72;
const settleMin = 120;
/** Series that are asked the dear models too: the site, and the largest of regions and classes. */
const largeOfKind = 4;
/** Silent minutes that are counted one by one; more of them begin the series anew. */
const silenceMax = 3 * 1440;
/** Horizon whose outcomes teach the weights, as an index into `horizonsMin`. */
const learnedHorizon = 2;
const factorMost = 4;

interface Moment {
  readonly nowMs: number;
  readonly horizon: number;
  /** Logarithm of the ratio of each slot, 0 where there is nothing to say. */
  readonly ratios: Float64Array;
}

export class SeasonStage implements Stage {
  readonly name = 'season';
  readonly #state: EngineState;
  readonly #holidays: readonly Holiday[];
  readonly #slots: Slots;
  readonly #bank = new SeriesBank();
  readonly #weights: Record<Level, RowWeights> = { site: new RowWeights(), region: new RowWeights() };
  /** The last minute that is in the series, epoch minutes; −1 before. */
  #minute = -1;
  #workedMs = 0;
  readonly #samples: Partial<Record<Level, { readonly ratios: Float32Array; readonly means: Float64Array }>> = {};
  /** Of the last moments asked about; good until the next minute. */
  #moments: Moment[] = [];

  constructor(state: EngineState, holidays: readonly Holiday[] = []) {
    this.#state = state;
    this.#holidays = holidays;
    this.#slots = new Slots(state);
  }

  observe({ startMs, keys, regions, counts }: ObservedMinute): void {
    const minute = Math.floor(startMs / minuteMs);
    this.#moments = [];
    this.#passTo(minute);
    const bank = this.#bank;
    const slots = this.#slots;
    const dayFactor = this.#state.byResource.factors(startMs)[dayScale] ?? 0;
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] ?? 0;
      const count = counts[i] ?? 0;
      const cut = paceOf(this.#state, key, count, dayFactor);
      slots.count(key, cut);
      this.#add(siteSlot, cut, count);
      const region = slots.ofRegion(regions[i] ?? -1);
      if (region >= 0) this.#add(region, cut, count);
      const ofClass = slots.ofClass(key);
      if (ofClass >= 0) bank.minute[ofClass] = (bank.minute[ofClass] ?? 0) + cut;
      const own = slots.ofKey(key);
      if (own >= 0) bank.minute[own] = (bank.minute[own] ?? 0) + count;
    }
    this.#endMinute(minute);
  }

  skip(ms: number): void {
    if (this.#minute < 0) return;
    this.#minute += Math.round(ms / minuteMs);
    this.#bank.forgetForecasts();
    this.#moments = [];
  }

  forget(key: number): void {
    const slot = this.#slots.forget(key);
    if (slot >= 0) this.#bank.clear(slot, 0);
  }

  apply(batch: Batch, perMinute: Float64Array, horizon: number, nowMs: number): void {
    if (!this.#speaks(siteSlot)) return;
    const { ratios } = this.#moment(nowMs, horizon);
    const weights = this.#weights[batch.level];
    // Factors by density and slot, so that a row costs a few looks and no exponential.
    const factors = new Float64Array(densityCount * slotCount);
    for (let density = 0; density < densityCount; density++) {
      for (let slot = 0; slot < slotCount; slot++) factors[density * slotCount + slot] = Math.exp(weights.weight(density, ratioOf(slot)) * (ratios[slot] ?? 0));
    }
    const isRegion = batch.level === 'region';
    for (let i = 0; i < batch.length; i++) {
      const rate = perMinute[i] ?? 0;
      const from = densityOf(rate * (horizonsMin[learnedHorizon] ?? 0)) * slotCount;
      const key = batch.keys[i] ?? 0;
      let factor = factors[from + siteSlot] ?? 1;
      const ofClass = this.#slots.ofClass(key);
      if (ofClass >= 0) factor *= factors[from + ofClass] ?? 1;
      const own = this.#slots.ofKey(key);
      if (own >= 0) factor *= factors[from + own] ?? 1;
      const region = isRegion ? this.#slots.ofRegion(batch.regions[i] ?? -1) : -1;
      if (region >= 0) factor *= factors[from + region] ?? 1;
      perMinute[i] = rate * (factor > factorMost ? factorMost : factor < 1 / factorMost ? 1 / factorMost : factor);
    }
  }

  prepare(batch: Batch, perMinute: Float64Array, nowMs: number): void {
    if (!this.#speaks(siteSlot)) return;
    const { ratios: bySlot } = this.#moment(nowMs, learnedHorizon);
    const ratios = new Float32Array(batch.length * ratioCount);
    for (let i = 0; i < batch.length; i++) {
      const key = batch.keys[i] ?? 0;
      const from = i * ratioCount;
      ratios[from] = bySlot[siteSlot] ?? 0;
      ratios[from + 1] = bySlot[this.#slots.ofClass(key)] ?? 0;
      ratios[from + 2] = bySlot[this.#slots.ofKey(key)] ?? 0;
      if (batch.level === 'region') ratios[from + 3] = bySlot[this.#slots.ofRegion(batch.regions[i] ?? -1)] ?? 0;
    }
    this.#samples[batch.level] = { ratios, means: perMinute.map((rate) => rate * (horizonsMin[learnedHorizon] ?? 0)) };
  }

  learn(level: Level, counts: Float64Array): void {
    const sample = this.#samples[level];
    if (sample && sample.means.length === counts.length) this.#weights[level].learn(sample.ratios, sample.means, counts);
    delete this.#samples[level];
  }

  work(nowMs: number): SeriesWork | undefined {
    if (this.#minute < 0 || nowMs - this.#workedMs < workEveryMs) return undefined;
    const bins = stepMin / binMin;
    const endBin = Math.floor((this.#bank.ring.last + 1) / bins) * bins;
    const endMs = endBin * binMin * minuteMs;
    const series: SeriesInput[] = [];
    for (let slot = 0; slot < slotCount; slot++) {
      const memo = this.#bank.memos[slot];
      if (!memo || (this.#slots.held[slot] ?? -1) < 0) continue;
      const counts = this.#bank.ring.sums(slot, endBin, bins);
      if (counts.length < fitStepsMin) continue;
      const chosen = memo.chosenMs > 0 && endMs - memo.chosenMs < choiceEveryMs;
      // What is flat stays so until the next choice.
      if (!chosen || memo.model !== 'flat') series.push({ name: this.#slots.names[slot] ?? '', counts, model: chosen ? memo.model : undefined, large: this.#isLarge(slot) });
    }
    this.#workedMs = nowMs;
    return series.length > 0 ? { kind: 'series', endMs, series, holidays: this.#holidays } : undefined;
  }

  adopt(done: SeriesDone | { readonly kind: 'train' }): void {
    if (done.kind !== 'series') return;
    for (const fit of done.fits) {
      const slot = this.#slots.names.indexOf(fit.name);
      if (slot >= 0) this.#bank.adopt(slot, fit, done.endMs, this.#minute);
    }
    this.#moments = [];
  }

  /** Forecasts of the totals: of the site, and of the largest regions. Empty before two hours of demand. */
  totals(nowMs: number): Total[] {
    const found: Total[] = [];
    for (let slot = 0; slot < totalSlots; slot++) {
      const region = slot === siteSlot ? everywhere : this.#state.regions.keyAt(this.#slots.held[slot] ?? -1);
      if (region === undefined || !this.#speaks(slot)) continue;
      horizonsMin.forEach((horizonMin, horizon) => { found.push({ region, horizonMin, ...this.#bank.total(slot, horizon, nowMs, this.#silentMin(nowMs)) }); });
    }
    return found;
  }

  /** What is watched, and how it is modelled. */
  series(): SeriesSummary[] {
    return this.#slots.names.flatMap((name, slot) => {
      const memo = this.#bank.memos[slot];
      return name === '' || !memo ? [] : [{ name, model: memo.model, losses: memo.losses, fittedMs: memo.pathEndMs }];
    });
  }

  bytes(): number {
    return this.#slots.bytes + this.#bank.bytes;
  }

  write(writer: ByteWriter, numbers: KeyNumbers): void {
    writer.double(this.#minute);
    writer.double(this.#workedMs);
    writeSeason(writer, this.#slots, this.#bank, numbers);
    this.#weights.site.write(writer);
    this.#weights.region.write(writer);
  }

  read(reader: ByteReader): void {
    const minute = reader.double();
    const workedMs = reader.double();
    this.#minute = Number.isSafeInteger(minute) ? minute : -1;
    this.#workedMs = Number.isFinite(workedMs) ? workedMs : 0;
    readSeason(reader, this.#slots, this.#bank);
    this.#weights.site.read(reader);
    this.#weights.region.read(reader);
  }

  #add(slot: number, cut: number, whole: number): void {
    const { minute, wholeMinute } = this.#bank;
    minute[slot] = (minute[slot] ?? 0) + cut;
    wholeMinute[slot] = (wholeMinute[slot] ?? 0) + whole;
  }

  /** Ends the empty minutes between the last and this one. */
  #passTo(minute: number): void {
    if (this.#minute < 0 || minute - this.#minute > silenceMax) {
      for (let slot = 0; slot < slotCount; slot++) this.#bank.clear(slot, minute);
      this.#minute = minute - 1;
    }
    while (this.#minute < minute - 1) this.#endMinute(this.#minute + 1);
  }

  #endMinute(minute: number): void {
    this.#bank.endMinute(minute, this.#slots.held);
    this.#minute = minute;
    if ((minute + 1) % 60 === 0) for (const slot of this.#slots.choose((minute + 1) * minuteMs)) this.#bank.clear(slot, minute + 1);
  }

  #isLarge(slot: number): boolean {
    if (slot === siteSlot) return true;
    if (slot >= keySlots) return false;
    const [from, to] = slot < classSlots ? [regionSlots, classSlots] : [classSlots, keySlots];
    let larger = 0;
    for (let other = from; other < to; other++) if (this.#bank.levels.dayRate(other) > this.#bank.levels.dayRate(slot)) larger++;
    return larger < largeOfKind;
  }

  #speaks(slot: number): boolean {
    return (this.#slots.held[slot] ?? -1) >= 0 && this.#minute - (this.#bank.memos[slot]?.since ?? Infinity) >= settleMin;
  }

  #silentMin(nowMs: number): number {
    return Math.max(0, nowMs / minuteMs - this.#minute - 1);
  }

  #moment(nowMs: number, horizon: number): Moment {
    const known = this.#moments.find((one) => one.nowMs === nowMs && one.horizon === horizon);
    if (known) return known;
    const made = { nowMs, horizon, ratios: this.#ratiosAt(nowMs, horizon) };
    // The four horizons of one time.
    this.#moments = [...this.#moments.slice(-3), made];
    return made;
  }

  /** How much more each series is expected to have than the base rates below it contain, as logarithms. */
  #ratiosAt(nowMs: number, horizon: number): Float64Array {
    const state = this.#state;
    const silent = this.#silentMin(nowMs);
    const rates = new Float64Array(slotCount);
    for (let slot = 0; slot < slotCount; slot++) if (this.#speaks(slot)) rates[slot] = this.#bank.rate(slot, horizon, nowMs, silent);
    const site = rates[siteSlot] ?? 0;
    const ratios = new Float64Array(slotCount);
    const exposure = siteExposures(state, nowMs)[hourScale] ?? 1;
    const present = ((state.pace.columns[hourScale]?.[0] ?? 0) * (state.pace.factors(nowMs)[hourScale] ?? 0)) / Math.max(1e-9, exposure);
    ratios[siteSlot] = logRatio(site, present);
    const parts = regionParts(state, nowMs);
    for (let slot = regionSlots; slot < classSlots; slot++) ratios[slot] = logRatio(rates[slot] ?? 0, site * (parts[this.#slots.held[slot] ?? -1] ?? 0));
    const dayOfSite = this.#bank.levels.dayRate(siteSlot);
    for (let slot = classSlots; slot < keySlots; slot++) ratios[slot] = logRatio(rates[slot] ?? 0, (site * this.#bank.levels.dayRate(slot)) / Math.max(1e-9, dayOfSite));
    const reader = new RateReader(state, nowMs);
    for (let slot = keySlots; slot < slotCount; slot++) if ((rates[slot] ?? 0) > 0) ratios[slot] = logRatio(rates[slot] ?? 0, reader.rate(this.#slots.held[slot] ?? 0));
    return ratios;
  }
}

/** Which of a row's ratios a slot's is. */
function ratioOf(slot: number): number {
  return slot === siteSlot ? 0 : slot < classSlots ? 3 : slot < keySlots ? 1 : 2;
}

function logRatio(expected: number, contained: number): number {
  if (!(expected > 0 && contained > 0)) return 0;
  return Math.min(ratioLogMax, Math.max(-ratioLogMax, Math.log(expected / contained)));
}

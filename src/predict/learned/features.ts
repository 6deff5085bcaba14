/**
 * What the trees see of a row: how recent, how old, how steady and how dense its demand is, what its families, its region and the site do now beside
 * their usual. Everything is a ratio or a part of something, relative to what was expected of the row where that makes sense, so that
 * what is learned on dense rows holds for others and nothing depends on the size of the site. Read from the state as of one moment; nothing is kept.
 *
 * Hot: it runs over every row that is forecast. Rows are written straight into columns, and those are turned into bytes (`feature-codes.ts`).
 */
import { siteExposures } from '../base/rates.ts';
import type { Batch, Level } from '../stage.ts';
import type { EngineState } from '../state/state.ts';
import type { Encoding } from './encodings.ts';
import { encode, plain, ratio } from './feature-codes.ts';
import type { Feature, FeatureBlock } from './feature-codes.ts';
import { inRegion } from './kin.ts';
import type { Kin } from './kin.ts';
import type { Novelty } from './novelty.ts';

const minuteMs = 60_000;
/** The expected count stands for this many minutes. */
export const featureMinutes = 15;

const common: readonly Feature[] = [
  ratio('expected', -12, 5), ratio('fresh10', -5, 5), ratio('fresh60', -5, 5), ratio('fresh360', -5, 5), ratio('fresh1440', -4, 4),
  ratio('day', -2.5, 9), ratio('total', 0, 12), ratio('gap', 0, 8), ratio('gapRelative', -5, 6), ratio('age', 0, 12),
  ratio('pace10', -1.5, 1.5), ratio('pace60', -1.5, 1.5), ratio('pace360', -1.5, 1.5), plain('classRatio', -2, 2), plain('depth', 0, 15), plain('query', 0, 1),
  ratio('nameFresh60', -5, 5), ratio('nameSize', -6, 6), ratio('folderFresh60', -3, 3),
];
const regional: readonly Feature[] = [
  ratio('pairDay', -5, 5), ratio('pairHour', -5, 5), ratio('pairPart', -5, 0.5), ratio('pairGap', 0, 8), ratio('pairGapRelative', -7, 6), ratio('pairTotal', 0, 12),
  ratio('elsewhereHour', -5, 5), ratio('regionPart', -14, 0), ratio('regionPace10', -3, 3), ratio('regionPace60', -3, 3), ratio('regionPace360', -3, 3), plain('regionRatio', -2, 2),
  ratio('regionNameHour', -5, 5), ratio('regionNameSize', -5, 5), ratio('regionFolderFresh60', -5, 5), ratio('regionFolderPart', -5, 5),
  plain('novelty', 0, 1),
];
/** The columns of each level, in their order. */
export const featuresOf: Readonly<Record<Level, readonly Feature[]>> = { site: common, region: [...common, ...regional] };
/** The pace's columns are the same for all rows of a moment; the columns of a resource are the same in all regions, but for the first. */
const paceColumn = 10;
const commonCount = common.length;

export interface FeatureSources {
  readonly state: EngineState;
  readonly kin: Kin;
  readonly novelty: Novelty;
  readonly classes: Encoding;
  readonly regions: Encoding;
}

/** Decayed counts of things at the scales of the state, and what is read with them. */
interface Scales {
  readonly c0: Float32Array;
  readonly c1: Float32Array;
  readonly c2: Float32Array;
  readonly c3: Float32Array;
  readonly c4: Float32Array;
  readonly f0: number;
  readonly f1: number;
  readonly f2: number;
  readonly f3: number;
  readonly f4: number;
}

export class FeatureReader {
  readonly #sources: FeatureSources;
  readonly #nowMs: number;
  readonly #keys: Scales;
  readonly #regions: Scales;
  /** Of a day's decayed requests at the site's pace, what each other scale should hold; and the day's effective minutes. */
  readonly #perDay: readonly number[];
  readonly #dayMin: number;
  readonly #pairFactor: number;
  readonly #pairHourFactor: number;
  readonly #kinFactors: Float64Array;
  readonly #regionalFactors: Float64Array;
  readonly #regionDay: number;
  readonly #pace: readonly number[];
  /** Of the resource read last: what its regions' features are made of. */
  #key = -1;
  #hour = 0;
  #day = 0;
  #nameHour = 0;
  #nameDay = 0;
  #folderDay = 0;

  constructor(sources: FeatureSources, nowMs: number) {
    const { state, kin } = sources;
    this.#sources = sources;
    this.#nowMs = nowMs;
    this.#keys = scalesOf(state.byResource, nowMs);
    this.#regions = scalesOf(state.byRegion, nowMs);
    const [e0 = 1, e1 = 1, e2 = 1, e3 = 1, e4 = 1] = siteExposures(state, nowMs);
    this.#perDay = [e0 / e3, e1 / e3, e2 / e3, 1, e3 / e4];
    this.#dayMin = e3;
    this.#pairFactor = state.regionsOf.factor(nowMs);
    this.#pairHourFactor = state.regionsOf.hourFactor(nowMs);
    this.#kinFactors = kin.families.factors(nowMs);
    this.#regionalFactors = kin.regional.factors(nowMs);
    let regionDay = 0;
    for (let region = 0; region < state.regions.span; region++) regionDay += (this.#regions.c3[region] ?? 0) * this.#regions.f3;
    this.#regionDay = Math.max(1e-9, regionDay);
    this.#pace = [ratioOf(e0 / 10, e1 / 60, 0.01), ratioOf(e1 / 60, e2 / 360, 0.01), ratioOf(e2 / 360, e3 / 1440, 0.01)];
  }

  /** Features of the batch's rows `from` to `to` into the block's rows from 0. `perMinute`: what they were given. */
  read(batch: Batch, perMinute: Float64Array, from: number, to: number, block: FeatureBlock): void {
    const { values, capacity } = block;
    this.#key = -1;
    for (let i = 0; i < this.#pace.length; i++) values.fill(this.#pace[i] ?? 0, (paceColumn + i) * capacity, (paceColumn + i) * capacity + to - from);
    for (let row = from; row < to; row++) {
      const key = batch.keys[row] ?? 0;
      const rate = perMinute[row] ?? 0;
      const line = row - from;
      values[line] = rate * featureMinutes + 1e-6;
      // Rows of one resource stand together in most batches.
      if (key === this.#key) for (let column = 1, at = line + capacity; column < commonCount; column++, at += capacity) values[at] = values[at - 1] ?? 0;
      else this.#resource(key, line + capacity, values, capacity);
      if (batch.level === 'region') this.#pair(batch.pairs[row] ?? -1, batch.regions[row] ?? -1, key, rate, line + commonCount * capacity, values, capacity);
    }
    encode(featuresOf[batch.level], block, to - from);
  }

  /** The columns of a resource but for the first, from `values[from]` on. */
  #resource(key: number, from: number, values: Float32Array, capacity: number): void {
    const { state, kin, classes } = this.#sources;
    const { c0, c1, c2, c3, c4, f0, f1, f2, f3, f4 } = this.#keys;
    const per0 = this.#perDay[0] ?? 1;
    const per1 = this.#perDay[1] ?? 1;
    const hour = (c1[key] ?? 0) * f1;
    const day = (c3[key] ?? 0) * f3;
    const gapMin = (this.#nowMs - state.byResource.lastSeenAt(key)) / minuteMs;
    let at = from;
    values[at] = ratioOf((c0[key] ?? 0) * f0, day * per0, 0.2); at += capacity;
    values[at] = ratioOf(hour, day * per1, 0.2); at += capacity;
    values[at] = ratioOf((c2[key] ?? 0) * f2, day * (this.#perDay[2] ?? 1), 0.2); at += capacity;
    values[at] = ratioOf(day, (c4[key] ?? 0) * f4 * (this.#perDay[4] ?? 1), 0.2); at += capacity;
    values[at] = day + 0.1; at += capacity;
    values[at] = state.byResource.totals[key] ?? 0; at += capacity;
    values[at] = gapMin + 1; at += capacity;
    values[at] = (gapMin * day) / this.#dayMin + 0.01; at += capacity;
    values[at] = (this.#nowMs - state.byResource.firstSeenAt(key)) / minuteMs + 1; at += capacity;
    at += this.#pace.length * capacity;
    kin.know(key);
    values[at] = classes.logRatio(kin.classOf(key)); at += capacity;
    values[at] = kin.depthOf(key); at += capacity;
    values[at] = kin.queryOf(key); at += capacity;
    const { families } = kin;
    const k1 = families.columns[0];
    const k2 = families.columns[1];
    const g1 = this.#kinFactors[0] ?? 0;
    const g2 = this.#kinFactors[1] ?? 0;
    const name = families.find(kin.nameOf(key));
    const nameHour = name < 0 ? 0 : Math.max(0, (k1?.[name] ?? 0) * g1 - hour);
    const nameDay = name < 0 ? 0 : Math.max(0, (k2?.[name] ?? 0) * g2 - day);
    values[at] = ratioOf(nameHour, nameDay * per1, 0.2); at += capacity;
    values[at] = ratioOf(nameDay, day, 0.2); at += capacity;
    const folder = families.find(kin.folderOf(key));
    const folderDay = folder < 0 ? 0 : (k2?.[folder] ?? 0) * g2;
    values[at] = ratioOf(folder < 0 ? 0 : (k1?.[folder] ?? 0) * g1, folderDay * per1, 0.5);
    this.#key = key;
    this.#hour = hour;
    this.#day = day;
    this.#nameHour = nameHour;
    this.#nameDay = nameDay;
    this.#folderDay = folderDay;
  }

  #pair(slot: number, region: number, key: number, rate: number, from: number, values: Float32Array, capacity: number): void {
    const hour = this.#hour;
    const day = this.#day;
    const nameHour = this.#nameHour;
    const nameDay = this.#nameDay;
    const folderDay = this.#folderDay;
    const { state: { regionsOf }, kin, novelty, regions } = this.#sources;
    const { c0, c1, c2, c3, f0, f1, f2, f3 } = this.#regions;
    const region0 = (c0[region] ?? 0) * f0;
    const region1 = (c1[region] ?? 0) * f1;
    const region2 = (c2[region] ?? 0) * f2;
    const region3 = (c3[region] ?? 0) * f3;
    const hourPart = region1 / Math.max(1e-9, region3);
    const pairDay = slot < 0 ? 0 : regionsOf.weightAt(slot) * this.#pairFactor;
    const pairHour = slot < 0 ? 0 : regionsOf.hourAt(slot) * this.#pairHourFactor;
    const gapMin = slot < 0 ? NaN : (this.#nowMs - regionsOf.lastSeenAt(slot)) / minuteMs;
    const elsewhereDay = Math.max(0, day - pairDay);
    let at = from;
    values[at] = ratioOf(pairDay, rate * this.#dayMin, 0.1); at += capacity;
    values[at] = ratioOf(pairHour, pairDay * hourPart, 0.1); at += capacity;
    values[at] = ratioOf(pairDay, day, 0.1); at += capacity;
    values[at] = gapMin + 1; at += capacity;
    values[at] = gapMin * rate + 0.001; at += capacity;
    values[at] = slot < 0 ? NaN : regionsOf.totalAt(slot); at += capacity;
    values[at] = ratioOf(Math.max(0, hour - pairHour), elsewhereDay * (this.#perDay[1] ?? 1), 0.2); at += capacity;
    values[at] = region3 / this.#regionDay + 1e-6; at += capacity;
    values[at] = ratioOf(region0, (region1 * 10) / 60, 0.5); at += capacity;
    values[at] = ratioOf(region1, (region3 * 60) / 1440, 0.5); at += capacity;
    values[at] = ratioOf(region2, (region3 * 360) / 1440, 0.5); at += capacity;
    values[at] = regions.logRatio(region); at += capacity;
    const table = kin.regional;
    const k0 = table.columns[0];
    const k1 = table.columns[1];
    const g0 = this.#regionalFactors[0] ?? 0;
    const g1 = this.#regionalFactors[1] ?? 0;
    const name = table.find(inRegion(kin.nameOf(key), region));
    const ownNameDay = name < 0 ? 0 : Math.max(0, (k1?.[name] ?? 0) * g1 - pairDay);
    values[at] = ratioOf(name < 0 ? 0 : Math.max(0, (k0?.[name] ?? 0) * g0 - pairHour), nameHour * (region1 / this.#regionDay), 0.1); at += capacity;
    values[at] = ratioOf(ownNameDay, (nameDay * region3) / this.#regionDay, 0.1); at += capacity;
    const folder = table.find(inRegion(kin.folderOf(key), region));
    const ownFolderDay = folder < 0 ? 0 : (k1?.[folder] ?? 0) * g1;
    values[at] = ratioOf(folder < 0 ? 0 : (k0?.[folder] ?? 0) * g0, ownFolderDay * hourPart, 0.3); at += capacity;
    values[at] = ratioOf(ownFolderDay, (folderDay * region3) / this.#regionDay, 0.5); at += capacity;
    values[at] = novelty.of(region);
  }
}

/** One count over another, both held apart from 0. */
function ratioOf(count: number, usual: number, held: number): number {
  return (count + held) / (usual + held);
}

function scalesOf(counts: EngineState['byResource'], nowMs: number): Scales {
  const factors = counts.factors(nowMs);
  const empty = new Float32Array(0);
  return {
    c0: counts.columns[0] ?? empty, c1: counts.columns[1] ?? empty, c2: counts.columns[2] ?? empty, c3: counts.columns[3] ?? empty, c4: counts.columns[4] ?? empty,
    f0: factors[0] ?? 0, f1: factors[1] ?? 0, f2: factors[2] ?? 0, f3: factors[3] ?? 0, f4: factors[4] ?? 0,
  };
}

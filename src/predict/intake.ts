/**
 * Takes a minute of demand into the state: strings become indexes, new keys get a place, and where there is none the least asked for make room. What was asked for
 * in the minute itself is never let go for it: indexes handed out for a minute stay good for whoever is told of the minute.
 *
 * Hot: a million counts a second. So it goes column by column through typed arrays, a key's counts added up first, and never entry by entry through objects.
 */
import type { DemandCount } from '../demand/window.ts';
import type { RegionName, VariationKey } from '../kernel/index.ts';
import { orderByKey, sumByKey } from './by-key.ts';
import type { KeySums } from './by-key.ts';
import { paceOf, RateReader } from './base/rates.ts';
import { variationClass } from './base/variation-groups.ts';
import { smallest } from './selection.ts';
import { columnGrowth, pickedDoubles, pickedInts } from './state/columns.ts';
import type { DecayedCounts } from './state/decayed-counts.ts';
import type { KeyTable } from './state/key-table.ts';
import type { EngineState } from './state/state.ts';

/** Regions and variations are bounded by the config; counts of any beyond this many are put to the last one. */
export const facetsMax = 4096;
/** Part of the keys that makes room when there is none. */
const evictedPart = 1 / 16;

/** One entry a count that was given, in its order; those for whose key there was no room are left out. */
export interface TakenMinute {
  readonly keys: Int32Array;
  readonly regions: Int32Array;
  readonly counts: Float64Array;
  /** 1 where this is the first that is known of the key. */
  readonly born: Uint8Array;
  readonly sums: KeySums;
}

export class Intake {
  readonly #state: EngineState;
  readonly #keysMax: number;
  readonly #onForget: (key: number) => void;
  readonly #regions: Facets<RegionName>;
  readonly #variations: Facets<VariationKey>;

  constructor(state: EngineState, keysMax: number, onForget: (key: number) => void) {
    this.#state = state;
    this.#keysMax = keysMax;
    this.#onForget = onForget;
    this.#regions = new Facets(state.regions, state.byRegion);
    this.#variations = new Facets(state.variations, state.byVariation);
  }

  take(minuteMs: number, given: readonly DemandCount[]): TakenMinute {
    const state = this.#state;
    for (const columns of [state.byResource, state.byRegion, state.byVariation, state.pace]) columns.advance(minuteMs);
    const { keys, born } = this.#keysOf(given, minuteMs);
    const counts = new Float64Array(given.length);
    const regions = new Int32Array(given.length);
    const variations = new Int32Array(given.length);
    const classes = new Int32Array(given.length);
    let taken = 0;
    let region: RegionName | undefined;
    let variation: VariationKey | undefined;
    let regionIndex = 0;
    let variationIndex = 0;
    for (let i = 0; i < given.length; i++) {
      const one = given[i];
      if (!one || (keys[i] ?? -1) < 0) continue;
      // Of a few regions and variations, most stand where they stood before.
      if (one.region !== region) regionIndex = this.#regions.of(region = one.region);
      if (one.variation !== variation) variationIndex = this.#variations.of(variation = one.variation);
      keys[taken] = keys[i] ?? -1;
      born[taken] = born[i] ?? 0;
      regions[taken] = regionIndex;
      variations[taken] = variationIndex;
      // A site without variations has nothing to divide.
      if (state.variations.size > 1) classes[taken] = variationClass(one.resource);
      counts[taken++] = one.count;
    }
    const order = orderByKey(keys.subarray(0, taken), state.resources.span);
    const entries = { keys: pickedInts(keys, order), regions: pickedInts(regions, order), counts: pickedDoubles(counts, order) };
    const minute = { ...entries, born: pickedBytes(born, order), sums: sumByKey(entries.keys, entries.counts) };
    this.#count(minuteMs, minute, pickedInts(variations, order));
    if (state.variations.size > 1) {
      const given = counts.subarray(0, taken);
      state.variationsOfClass.add(classes.subarray(0, taken), variations.subarray(0, taken), given, minuteMs);
      state.variationsOfRegion.add(regions.subarray(0, taken), variations.subarray(0, taken), given, minuteMs);
    }
    return minute;
  }

  #count(minuteMs: number, { keys, regions, counts, sums }: TakenMinute, variations: Int32Array): void {
    const state = this.#state;
    // Pairs first: they look at what their resources were before this minute.
    state.regionsOf.add(keys, regions, counts, minuteMs);
    state.variationsOf.add(keys, variations, counts, minuteMs);
    const dayFactor = state.byResource.factors(minuteMs)[3] ?? 0;
    let pace = 0;
    for (let i = 0; i < sums.keys.length; i++) pace += paceOf(state, sums.keys[i] ?? 0, sums.counts[i] ?? 0, dayFactor);
    state.pace.add(Int32Array.of(0), Float64Array.of(pace), minuteMs);
    state.byResource.add(sums.keys, sums.counts, minuteMs);
    for (const [columns, indexes] of [[state.byRegion, regions], [state.byVariation, variations]] as const) {
      const whole = summed(indexes, counts);
      columns.add(whole.indexes, whole.counts, minuteMs);
    }
  }

  /** The index of each count's key, −1 for one without room. */
  #keysOf(given: readonly DemandCount[], minuteMs: number): { readonly keys: Int32Array; readonly born: Uint8Array } {
    const { resources } = this.#state;
    const keys = resources.indexesOf(given.map(({ resource }) => resource));
    const born = new Uint8Array(given.length);
    let unknown = 0;
    for (let i = 0; i < keys.length; i++) if ((keys[i] ?? -1) < 0) unknown++;
    if (unknown > 0 && resources.size + unknown > this.#keysMax) {
      // Several of the unknown may be the same.
      const names = new Set(given.flatMap(({ resource }, i) => ((keys[i] ?? -1) < 0 ? [resource] : [])));
      if (resources.size + names.size > this.#keysMax) this.#evict(minuteMs, keys, resources.size + names.size - this.#keysMax);
    }
    for (let i = 0; i < keys.length; i++) {
      const one = given[i];
      if (!one || (keys[i] ?? -1) >= 0) continue;
      const before = resources.size;
      const index = before < this.#keysMax ? resources.intern(one.resource) : resources.indexOf(one.resource) ?? -1;
      keys[i] = index;
      if (resources.size === before) continue;
      born[i] = 1;
      this.#makeRoomFor(index);
    }
    return { keys, born };
  }

  /** Columns grow a little, and never beyond what may be used. */
  #makeRoomFor(index: number): void {
    const { byResource, regionsOf, variationsOf } = this.#state;
    if (index < byResource.capacity) return;
    const capacity = Math.max(index + 1, Math.min(this.#keysMax, Math.max(1024, Math.ceil(byResource.capacity * columnGrowth))));
    byResource.grow(capacity);
    regionsOf.growOwners(capacity);
    variationsOf.growOwners(capacity);
  }

  /** Lets the keys of lowest rate go: as many as are in the way, and so many at a time that it is seldom. None of those that are asked for now. */
  #evict(nowMs: number, asked: Int32Array, inTheWay: number): void {
    const { resources, byResource, regionsOf, variationsOf } = this.#state;
    const rates = new RateReader(this.#state, nowMs).roughly();
    const eligible = new Uint8Array(rates.length);
    for (let index = 0; index < eligible.length; index++) eligible[index] = resources.has(index) ? 1 : 0;
    for (let i = 0; i < asked.length; i++) if ((asked[i] ?? -1) >= 0) eligible[asked[i] ?? 0] = 0;
    for (const index of smallest(rates, eligible, Math.max(1, inTheWay, Math.floor(resources.size * evictedPart)))) {
      resources.release(index);
      byResource.clear(index);
      regionsOf.clear(index);
      variationsOf.clear(index);
      this.#onForget(index);
    }
  }
}

/** Indexes of regions, or of variations: a few, never released, asked for by every count; a `Map` is quicker with such than their table. */
class Facets<Key extends string> {
  readonly #table: KeyTable<Key>;
  readonly #counts: DecayedCounts;
  readonly #known = new Map<Key, number>();

  constructor(table: KeyTable<Key>, counts: DecayedCounts) {
    this.#table = table;
    this.#counts = counts;
  }

  of(key: Key): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#table.size >= facetsMax && this.#table.indexOf(key) === undefined) return facetsMax - 1;
    const index = this.#table.intern(key);
    if (index >= this.#counts.capacity) this.#counts.grow(Math.max(64, this.#counts.capacity * 2));
    this.#known.set(key, index);
    return index;
  }
}

/** Each index once, in the order of its first, with the sum of its counts. */
function summed(indexes: Int32Array, counts: Float64Array): { readonly indexes: Int32Array; readonly counts: Float64Array } {
  const bits = 32 - Math.clz32(2 * indexes.length + 1);
  const groups = new Int32Array(1 << bits);
  const each = new Int32Array(indexes.length);
  const sums = new Float64Array(indexes.length);
  let length = 0;
  for (let i = 0; i < indexes.length; i++) {
    const index = indexes[i] ?? 0;
    let at = Math.imul(index, 0x9e37_79b1) >>> (32 - bits);
    let group = groups[at] ?? 0;
    while (group !== 0 && each[group - 1] !== index) {
      at = (at + 1) & (groups.length - 1);
      group = groups[at] ?? 0;
    }
    if (group === 0) {
      each[length] = index;
      group = ++length;
      groups[at] = group;
    }
    sums[group - 1] = (sums[group - 1] ?? 0) + (counts[i] ?? 0);
  }
  return { indexes: each.subarray(0, length), counts: sums.subarray(0, length) };
}

function pickedBytes(column: Uint8Array, order: Int32Array): Uint8Array {
  const found = new Uint8Array(order.length);
  for (let i = 0; i < order.length; i++) found[i] = column[order[i] ?? 0] ?? 0;
  return found;
}

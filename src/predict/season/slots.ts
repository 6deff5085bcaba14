/**
 * Which aggregates are watched as series of their own: the site, the regions, route classes and resources most asked for, each at a slot of a fixed number. A slot is
 * named for what it holds; once in an hour the largest are looked for, and one that was let in stays until it is clearly smaller than those outside. For each key
 * two bytes tell its class and its slot.
 */
import type { ResourceKey } from '../../kernel/index.ts';
import { widenedShorts } from '../state/columns.ts';
import { dayScale } from '../state/decayed-counts.ts';
import type { EngineState } from '../state/state.ts';
import { variationClass } from '../base/variation-groups.ts';

/** Series of each kind at most. */
const seriesOfKindMax = 32;
export const siteSlot = 0;
export const regionSlots = 1;
export const classSlots = regionSlots + seriesOfKindMax;
export const keySlots = classSlots + seriesOfKindMax;
export const slotCount = keySlots + seriesOfKindMax;

/** Numbers of classes; a tag has ten bits for it, and 0 is for a key not looked at. */
const classMax = 1024;
/** As the engine's own bound on facets. */
const regionsMax = 4096;
/** What holds a slot counts this many times more than what wants one. */
const stays = 1.5;
/** Requests a day (decayed) below which nothing is worth a series; for a resource, about one a minute. */
const dayLeast = 50;
const keyDayLeast = 1440;
const hourKeep = Math.exp(-1 / 24);

export class Slots {
  readonly #state: EngineState;
  /** Class × 64 + place among the key slots + 1. */
  #tags = new Uint16Array(0);
  readonly #ofRegion = new Int16Array(regionsMax).fill(-1);
  readonly #ofClass = new Int16Array(classMax).fill(-1);
  readonly #classDay = new Float64Array(classMax);
  /** The last key seen of each class, and the one each class that holds a slot is named for. */
  readonly #classKey = new Int32Array(classMax).fill(-1);
  readonly #example = new Int32Array(slotCount).fill(-1);
  readonly names: string[] = Array.from({ length: slotCount }, () => '');
  /** Index of the region, class or key that holds each slot; −1 for none. */
  readonly held = new Int32Array(slotCount).fill(-1);

  constructor(state: EngineState) {
    this.#state = state;
    this.names[siteSlot] = 'site';
    this.held[siteSlot] = 0;
  }

  get bytes(): number {
    return this.#tags.length * 2;
  }

  ofRegion(region: number): number {
    return region >= 0 ? this.#ofRegion[region] ?? -1 : -1;
  }

  ofClass(key: number): number {
    return this.#ofClass[this.tagOf(key) >> 6] ?? -1;
  }

  /** −1 for a resource without a series. */
  ofKey(key: number): number {
    const place = (this.#tags[key] ?? 0) & 63;
    return place === 0 ? -1 : keySlots + place - 1;
  }

  count(key: number, requests: number): void {
    const ofClass = this.tagOf(key) >> 6;
    this.#classDay[ofClass] = (this.#classDay[ofClass] ?? 0) + requests;
    this.#classKey[ofClass] = key;
  }

  forget(key: number): number {
    const slot = this.ofKey(key);
    if (key < this.#tags.length) this.#tags[key] = 0;
    if (slot >= 0) this.#release(slot);
    return slot;
  }

  tagOf(key: number): number {
    const tag = this.#tags[key] ?? 0;
    return tag >= 64 ? tag : this.#look(key);
  }

  /** Looks for the largest of each kind. Returns the slots that are another's from now on. */
  choose(nowMs: number): number[] {
    const { byRegion, byResource, regions, resources } = this.#state;
    const changed: number[] = [];
    const regionFactor = byRegion.factors(nowMs)[dayScale] ?? 0;
    const ofRegions = byRegion.columns[dayScale];
    this.#fill(regionSlots, candidates(regions.span, (i) => (ofRegions?.[i] ?? 0) * regionFactor, dayLeast), changed);
    for (let i = 0; i < classMax; i++) this.#classDay[i] = (this.#classDay[i] ?? 0) * hourKeep;
    this.#fill(classSlots, candidates(classMax, (i) => this.#classDay[i] ?? 0, dayLeast), changed);
    const keyFactor = byResource.factors(nowMs)[dayScale] ?? 0;
    const ofKeys = byResource.columns[dayScale];
    this.#fill(keySlots, candidates(resources.span, (i) => (ofKeys?.[i] ?? 0) * keyFactor, keyDayLeast), changed);
    return changed;
  }

  /** The key that the class that holds a slot is named for; −1 for none. */
  exampleOf(slot: number): number {
    return this.#example[slot] ?? -1;
  }

  /** Puts back what a snapshot says of a slot; `index` as in `held`, `example` as told by `exampleOf`. */
  restore(slot: number, index: number, example: number): void {
    if (slot === siteSlot || index >= (slot < classSlots ? regionsMax : slot < keySlots ? classMax : this.#state.resources.span)) return;
    if (slot >= classSlots && slot < keySlots) this.#classKey[index] = example;
    this.#hold(slot, index);
  }

  #look(key: number): number {
    const resource = this.#state.resources.keyAt(key);
    if (resource === undefined) return 0;
    if (key >= this.#tags.length) this.#tags = widenedShorts(this.#tags, Math.max(1024, Math.ceil((key + 1) * 1.125)));
    const tag = classOf(resource) * 64 + ((this.#tags[key] ?? 0) & 63);
    this.#tags[key] = tag;
    return tag;
  }

  #fill(first: number, largest: readonly { readonly index: number; readonly size: number }[], changed: number[]): void {
    const rank = largest.map(({ index, size }) => ({ index, size: this.#slotOf(first, index) >= 0 ? size * stays : size })).sort((a, b) => b.size - a.size || a.index - b.index);
    const wanted = new Set(rank.slice(0, seriesOfKindMax).map(({ index }) => index));
    for (let slot = first; slot < first + seriesOfKindMax; slot++) {
      if ((this.held[slot] ?? -1) >= 0 && !wanted.has(this.held[slot] ?? -1)) {
        this.#release(slot);
        changed.push(slot);
      }
    }
    for (const index of wanted) {
      if (this.#slotOf(first, index) >= 0) continue;
      const free = this.held.indexOf(-1, first);
      if (free < 0 || free >= first + seriesOfKindMax) break;
      this.#hold(free, index);
      changed.push(free);
    }
  }

  #slotOf(first: number, index: number): number {
    for (let slot = first; slot < first + seriesOfKindMax; slot++) if (this.held[slot] === index) return slot;
    return -1;
  }

  #hold(slot: number, index: number): void {
    const { regions, resources } = this.#state;
    this.held[slot] = index;
    if (slot < classSlots) {
      this.#ofRegion[index] = slot;
      this.names[slot] = `region ${regions.keyAt(index) ?? ''}`;
    } else if (slot < keySlots) {
      this.#ofClass[index] = slot;
      this.#example[slot] = this.#classKey[index] ?? -1;
      this.names[slot] = `class of ${resources.keyAt(this.#example[slot] ?? -1) ?? String(index)}`;
    } else {
      this.names[slot] = `resource ${resources.keyAt(index) ?? ''}`;
      // Before the column is named: looking at a key may replace it by a wider one.
      const tag = this.tagOf(index);
      this.#tags[index] = (tag & ~63) | (slot - keySlots + 1);
    }
  }

  #release(slot: number): void {
    const index = this.held[slot] ?? -1;
    this.held[slot] = -1;
    this.names[slot] = '';
    this.#example[slot] = -1;
    if (index < 0) return;
    if (slot < classSlots) this.#ofRegion[index] = -1;
    else if (slot < keySlots) this.#ofClass[index] = -1;
    else if (index < this.#tags.length) this.#tags[index] = (this.#tags[index] ?? 0) & ~63;
  }
}

/** First segment and kind of file, as a number from 1. */
function classOf(resource: ResourceKey): number {
  return 1 + (variationClass(resource) % (classMax - 1));
}

function candidates(span: number, sizeOf: (index: number) => number, least: number): { readonly index: number; readonly size: number }[] {
  const found: { index: number; size: number }[] = [];
  for (let index = 0; index < span; index++) {
    const size = sizeOf(index);
    if (size >= least) found.push({ index, size });
  }
  return found.sort((a, b) => b.size - a.size || a.index - b.index).slice(0, 4 * seriesOfKindMax);
}

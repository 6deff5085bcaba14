/**
 * How a resource's requests divide over a second key (its regions, its variations): for each pair that occurred, a count decayed over a day and, where wanted, over
 * an hour, the last request, and all requests. Most resources have one region or one variation, and then the pair is the resource: nothing is kept
 * for it but which one it is, and what is asked about it is read from the resource's own counts. From the second on, pairs form a linked list through typed-array
 * columns: 20 bytes each, 10 without the details, 4 an owner. Bounded: at the limit the weakest eighth is dropped, which the resource's own counts don't notice.
 *
 * A pair is named by its slot, which is good until the next minute is counted. Units are those of the owners' columns: same landmarks.
 * Long because lists, lone pairs and their bytes are one structure: each way in must keep the others true.
 */
import { ForeshadowError } from '../../kernel/index.ts';
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { smallest } from '../selection.ts';
import { bytesOf, columnGrowth, fade, heal, widened, widenedFloats, widenedInts, widenedShorts } from './columns.ts';
import { dayScale, hourScale, scalesMin } from './decayed-counts.ts';
import type { DecayedCounts } from './decayed-counts.ts';
import { MinuteMarks } from './minute-marks.ts';

const none = -1;
/** The facet of a place that is free. */
const noFacet = 0xffff;
/** Part of the pairs that goes when there is no room. */
const droppedPart = 1 / 8;
const minuteMs = 60_000;

export interface FacetOptions {
  /** The counts of the owners themselves. */
  readonly owners: DecayedCounts;
  readonly ownersMax: number;
  /** Pairs of owners that have more than one. */
  readonly pairsMax: number;
  /** Whether the hour, the last request and all requests are kept. */
  readonly detailed: boolean;
}

export class FacetCounts {
  readonly #owners: DecayedCounts;
  /** Slots below this are the only pairs of the owners of that number. */
  readonly #ownersMax: number;
  readonly #pairsMax: number;
  readonly #detailed: boolean;
  /** Of each owner: 0 for no pair, −1 − facet for one that is the owner, 1 + place of the first of a list. */
  #heads = new Int32Array(0);
  /** 1 + place of the next of the list; −1 − owner for the last. Of a free place: 1 + the next free one, or 0. */
  #next = new Int32Array(0);
  #facet = new Uint16Array(0);
  #day = new Float32Array(0);
  #hour = new Float32Array(0);
  readonly #lastSeen = new MinuteMarks();
  #total = new Uint32Array(0);
  #places = 0;
  #free = 0;
  #listed = 0;
  #only = 0;
  #dayLandmarkMs = 0;
  #hourLandmarkMs = 0;

  constructor({ owners, ownersMax, pairsMax, detailed }: FacetOptions) {
    this.#owners = owners;
    this.#ownersMax = ownersMax;
    this.#pairsMax = pairsMax;
    this.#detailed = detailed;
  }

  /** Pairs. */
  get size(): number {
    return this.#listed + this.#only;
  }

  get bytes(): number {
    return this.#next.length * (this.#detailed ? 20 : 10) + this.#heads.length * 4;
  }

  /** How many slots there may be: `slotAt` of everything below goes through all pairs. */
  get slotCount(): number {
    return this.#heads.length + this.#places;
  }

  /** A pair's slot; −1 where there is none. */
  slotAt(position: number): number {
    const { length } = this.#heads;
    if (position < length) return (this.#heads[position] ?? 0) < 0 ? position : none;
    return (this.#facet[position - length] ?? noFacet) === noFacet ? none : this.#ownersMax + position - length;
  }

  /** Makes room for owners below `capacity`. */
  growOwners(capacity: number): void {
    this.#heads = widenedInts(this.#heads, capacity);
  }

  /**
   * Counts a minute of demand: `counts[i]` requests of the pair `owners[i]`, `facets[i]`. The owners' own counts have moved their landmarks (`advance`) and not taken
   * the minute yet.
   */
  add(owners: Int32Array, facets: Int32Array, counts: Float64Array, atMs: number): void {
    this.#follow();
    // Who turns out to have a second facet gets a list first, from the owner's counts as they were before this minute.
    for (let i = 0; i < owners.length; i++) this.#listIfSecond(owners[i] ?? 0, facets[i] ?? 0);
    const weights = this.#owners.weights(atMs);
    const dayWeight = weights[dayScale] ?? 0;
    const hourWeight = weights[hourScale] ?? 0;
    const mark = this.#lastSeen.markOf(atMs);
    for (let i = 0; i < owners.length; i++) {
      const owner = owners[i] ?? 0;
      if ((this.#heads[owner] ?? 0) < 0) continue;
      const slot = this.find(owner, facets[i] ?? 0);
      const at = slot === none ? this.#insert(owner, facets[i] ?? 0) : slot - this.#ownersMax;
      const count = counts[i] ?? 0;
      this.#day[at] = (this.#day[at] ?? 0) + count * dayWeight;
      if (!this.#detailed) continue;
      this.#hour[at] = (this.#hour[at] ?? 0) + count * hourWeight;
      this.#total[at] = (this.#total[at] ?? 0) + count;
      this.#lastSeen.raise(at, mark);
    }
  }

  /** Drops all pairs of an owner. */
  clear(owner: number): void {
    const head = this.#heads[owner] ?? 0;
    if (head < 0) this.#only--;
    for (let place = Math.max(0, head); place > 0;) {
      const after = this.#next[place - 1] ?? 0;
      this.#release(place - 1);
      place = after;
    }
    this.#heads[owner] = 0;
  }

  /** The first pair of an owner, or −1; go on with `after`. */
  first(owner: number): number {
    const head = this.#heads[owner] ?? 0;
    return head === 0 ? none : head < 0 ? owner : this.#ownersMax + head - 1;
  }

  after(slot: number): number {
    if (slot < this.#ownersMax) return none;
    const next = this.#next[slot - this.#ownersMax] ?? 0;
    return next <= 0 ? none : this.#ownersMax + next - 1;
  }

  find(owner: number, facet: number): number {
    const head = this.#heads[owner] ?? 0;
    if (head < 0) return -1 - head === facet ? owner : none;
    let place = head;
    while (place > 0 && this.#facet[place - 1] !== facet) place = this.#next[place - 1] ?? 0;
    return place <= 0 ? none : this.#ownersMax + place - 1;
  }

  /** Goes to the end of the owner's list. */
  ownerAt(slot: number): number {
    if (slot < this.#ownersMax) return slot;
    let next = slot - this.#ownersMax + 1;
    while (next > 0) next = this.#next[next - 1] ?? none;
    return -1 - next;
  }

  facetAt(slot: number): number {
    return slot < this.#ownersMax ? -1 - (this.#heads[slot] ?? 0) : this.#facet[slot - this.#ownersMax] ?? 0;
  }

  /** All requests, modulo 2³². */
  totalAt(slot: number): number {
    return (slot < this.#ownersMax ? this.#owners.totals[slot] : this.#total[slot - this.#ownersMax]) ?? 0;
  }

  lastSeenAt(slot: number): number {
    return slot < this.#ownersMax ? this.#owners.lastSeenAt(slot) : this.#lastSeen.at(slot - this.#ownersMax);
  }

  /** Decayed count of a pair as of `nowMs`, times what `factor` returns for that time. */
  weightAt(slot: number): number {
    return (slot < this.#ownersMax ? this.#owners.columns[dayScale]?.[slot] : this.#day[slot - this.#ownersMax]) ?? 0;
  }

  factor(nowMs: number): number {
    return this.#owners.factor(dayScale, nowMs);
  }

  /** The same decayed over an hour; times what `hourFactor` returns. */
  hourAt(slot: number): number {
    return (slot < this.#ownersMax ? this.#owners.columns[hourScale]?.[slot] : this.#hour[slot - this.#ownersMax]) ?? 0;
  }

  hourFactor(nowMs: number): number {
    return this.#owners.factor(hourScale, nowMs);
  }

  /** As if `ms` had not passed; the owners are told so afterwards. */
  skip(ms: number): void {
    this.#follow();
    this.#dayLandmarkMs += ms;
    this.#hourLandmarkMs += ms;
    this.#lastSeen.skip(ms);
  }

  /** Writes the pairs of the owners below `owners`. */
  write(writer: ByteWriter, owners: number): void {
    this.#follow();
    writer.view(bytesOf(this.#heads.subarray(0, owners)));
    writer.uint(this.#places);
    writer.uint(this.#free);
    for (const column of this.#columns()) writer.view(bytesOf(column.subarray(0, this.#places)));
    if (this.#detailed) this.#lastSeen.write(writer, this.#places);
  }

  /** Reads the pairs of the owners below `owners`, who have been read. Throws `bytes-invalid` for lists that don't agree. */
  read(reader: ByteReader, owners: number, facets: number): void {
    this.growOwners(owners);
    bytesOf(this.#heads).set(reader.raw(4 * owners));
    this.#places = reader.length(this.#detailed ? 20 : 10);
    this.#free = reader.uint();
    this.#grow(this.#places);
    for (const column of this.#columns()) bytesOf(column).set(reader.raw(column.byteLength));
    if (this.#detailed) this.#lastSeen.read(reader, this.#places);
    for (const column of [this.#day, this.#hour]) heal(column);
    this.#dayLandmarkMs = this.#owners.landmarkMs(dayScale);
    this.#hourLandmarkMs = this.#owners.landmarkMs(hourScale);
    if (!this.#isSound(facets)) throw new ForeshadowError('bytes-invalid', { source: 'internal', message: 'a table of pairs can not be read: what it says of itself does not agree', hint: 'run the same version of Foreshadow everywhere' });
  }

  /** Walks all lists: each place is in one, which ends with its owner. Counts what is there. */
  #isSound(facets: number): boolean {
    const seen = new Uint8Array(this.#places);
    const walk = (first: number, end: number): boolean => {
      let place = first;
      for (; place > 0; place = this.#next[place - 1] ?? 0) {
        const isFree = this.#facet[place - 1] === noFacet;
        if (place > this.#places || seen[place - 1] === 1 || isFree !== (end === 0) || (!isFree && (this.#facet[place - 1] ?? 0) >= facets)) return false;
        seen[place - 1] = 1;
        if (!isFree) this.#listed++;
      }
      return place === end;
    };
    if (!walk(this.#free, 0)) return false;
    for (let owner = 0; owner < this.#heads.length; owner++) {
      const head = this.#heads[owner] ?? 0;
      if (head < 0) {
        if (-1 - head >= facets) return false;
        this.#only++;
      } else if (head > 0 && !walk(head, -1 - owner)) return false;
    }
    return !seen.includes(0);
  }

  /** A new owner's first pair is the owner; when another one's second comes, the first gets a place. */
  #listIfSecond(owner: number, facet: number): void {
    const head = this.#heads[owner] ?? 0;
    if (head < 0) {
      if (-1 - head !== facet) this.#listFirst(owner, -1 - head);
    } else if (head === 0 && !this.#owners.has(owner)) {
      // Who has been counted and has no pair has lost them for want of room: what was counted is not this one's.
      this.#heads[owner] = -1 - facet;
      this.#only++;
    }
  }

  #listFirst(owner: number, facet: number): void {
    this.#heads[owner] = 0;
    this.#only--;
    const at = this.#insert(owner, facet);
    this.#day[at] = this.#owners.columns[dayScale]?.[owner] ?? 0;
    if (!this.#detailed) return;
    this.#hour[at] = this.#owners.columns[hourScale]?.[owner] ?? 0;
    this.#total[at] = this.#owners.totals[owner] ?? 0;
    this.#lastSeen.raise(at, this.#lastSeen.markOf(this.#owners.lastSeenAt(owner)));
  }

  #insert(owner: number, facet: number): number {
    if (this.#free === 0 && this.#places >= this.#pairsMax) this.#dropWeakest();
    let at = this.#free - 1;
    if (at < 0) {
      at = this.#places++;
      if (at >= this.#next.length) this.#grow(Math.min(this.#pairsMax, Math.max(1024, Math.ceil(this.#next.length * columnGrowth))));
    } else {
      this.#free = this.#next[at] ?? 0;
    }
    this.#facet[at] = facet;
    this.#day[at] = 0;
    if (this.#detailed) {
      this.#hour[at] = 0;
      this.#total[at] = 0;
      this.#lastSeen.clear(at);
    }
    const head = this.#heads[owner] ?? 0;
    this.#next[at] = head > 0 ? head : -1 - owner;
    this.#heads[owner] = at + 1;
    this.#listed++;
    return at;
  }

  #release(at: number): void {
    this.#facet[at] = noFacet;
    this.#next[at] = this.#free;
    this.#free = at + 1;
    this.#listed--;
  }

  /** Drops the weakest eighth (at least one pair). Only called when every place is in use. */
  #dropWeakest(): void {
    const dropped = new Uint8Array(this.#places);
    for (const at of smallest(this.#day, new Uint8Array(this.#places).fill(1), Math.max(1, Math.floor(this.#places * droppedPart)))) dropped[at] = 1;
    for (let owner = 0; owner < this.#heads.length; owner++) {
      let kept = 0;
      for (let place = Math.max(0, this.#heads[owner] ?? 0); place > 0;) {
        const after = this.#next[place - 1] ?? 0;
        if (dropped[place - 1] === 1) {
          this.#release(place - 1);
          if (kept === 0) this.#heads[owner] = Math.max(0, after);
          else this.#next[kept - 1] = after;
        } else {
          kept = place;
        }
        place = after;
      }
    }
  }

  /** When the owners' landmarks have moved, what is listed here moves too. */
  #follow(): void {
    const dayMs = this.#owners.landmarkMs(dayScale);
    const hourMs = this.#owners.landmarkMs(hourScale);
    if (dayMs !== this.#dayLandmarkMs) fade(this.#day, Math.exp(-(dayMs - this.#dayLandmarkMs) / (scalesMin[dayScale] * minuteMs)));
    if (hourMs !== this.#hourLandmarkMs) fade(this.#hour, Math.exp(-(hourMs - this.#hourLandmarkMs) / (scalesMin[hourScale] * minuteMs)));
    this.#dayLandmarkMs = dayMs;
    this.#hourLandmarkMs = hourMs;
  }

  #grow(capacity: number): void {
    this.#next = widenedInts(this.#next, capacity);
    this.#facet = widenedShorts(this.#facet, capacity);
    this.#day = widenedFloats(this.#day, capacity);
    if (!this.#detailed) return;
    this.#hour = widenedFloats(this.#hour, capacity);
    this.#lastSeen.grow(capacity);
    this.#total = widened(this.#total, capacity);
  }

  #columns(): (Int32Array | Uint16Array | Float32Array | Uint32Array)[] {
    const kept = [this.#next, this.#facet, this.#day];
    return this.#detailed ? [...kept, this.#hour, this.#total] : kept;
  }
}

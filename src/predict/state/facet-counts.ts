/**
 * How a resource's requests divide over a second key (its regions, its variations): for each pair that occurred, a count
 * decayed over a day, the last request, and all requests. Pairs of a resource form a linked list through typed-array
 * columns. Bounded: at the limit the weakest eighth is dropped, which the resource's own counts don't notice.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';

const tauMs = 1440 * 60_000;
const hourTauMs = 60 * 60_000;
/** Beyond this exponent the landmark moves (see `decayed-counts.ts`). */
const exponentMax = 20;
const none = -1;

export class FacetCounts {
  readonly #pairsMax: number;
  #heads = new Int32Array(0);
  #next = new Int32Array(0);
  #owner = new Int32Array(0);
  #facet = new Int32Array(0);
  #weight = new Float64Array(0);
  #hour = new Float64Array(0);
  #lastSeenMs = new Float64Array(0);
  #total = new Float64Array(0);
  #span = 0;
  #free = none;
  #live = 0;
  #landmarkMs = 0;
  #hourLandmarkMs = 0;
  /** Goes up when pairs are dropped, so that what was remembered about slots can be forgotten. */
  generation = 0;

  constructor(pairsMax: number) {
    this.#pairsMax = pairsMax;
  }

  get size(): number {
    return this.#live;
  }

  get bytes(): number {
    return this.#next.length * 44 + this.#heads.length * 4;
  }

  /** One more than the highest slot in use. Slots of dropped pairs have an owner below 0. */
  get span(): number {
    return this.#span;
  }

  /** Makes room for owners below `capacity`. */
  growOwners(capacity: number): void {
    const wider = new Int32Array(capacity).fill(none);
    wider.set(this.#heads);
    this.#heads = wider;
  }

  add(owner: number, facet: number, count: number, atMs: number): void {
    if (atMs - this.#landmarkMs > exponentMax * tauMs) this.#moveLandmark(atMs);
    if (atMs - this.#hourLandmarkMs > exponentMax * hourTauMs) this.#moveHourLandmark(atMs);
    let slot = this.find(owner, facet);
    if (slot === none) slot = this.#insert(owner, facet);
    this.#weight[slot] = (this.#weight[slot] ?? 0) + count * Math.exp((atMs - this.#landmarkMs) / tauMs);
    this.#hour[slot] = (this.#hour[slot] ?? 0) + count * Math.exp((atMs - this.#hourLandmarkMs) / hourTauMs);
    this.#total[slot] = (this.#total[slot] ?? 0) + count;
    if (atMs > (this.#lastSeenMs[slot] ?? 0)) this.#lastSeenMs[slot] = atMs;
  }

  /** Drops all pairs of an owner. */
  clear(owner: number): void {
    let slot = this.first(owner);
    while (slot !== none) {
      const after = this.#next[slot] ?? none;
      this.#release(slot);
      slot = after;
    }
    this.#heads[owner] = none;
    this.generation++;
  }

  /** The first pair of an owner, or −1; go on with `after`. */
  first(owner: number): number {
    return this.#heads[owner] ?? none;
  }

  after(slot: number): number {
    return this.#next[slot] ?? none;
  }

  find(owner: number, facet: number): number {
    let slot = this.first(owner);
    while (slot !== none && this.#facet[slot] !== facet) slot = this.#next[slot] ?? none;
    return slot;
  }

  ownerAt(slot: number): number {
    return this.#owner[slot] ?? none;
  }

  facetAt(slot: number): number {
    return this.#facet[slot] ?? 0;
  }

  totalAt(slot: number): number {
    return this.#total[slot] ?? 0;
  }

  lastSeenAt(slot: number): number {
    return this.#lastSeenMs[slot] ?? 0;
  }

  /** Decayed count of a pair as of `nowMs`, times what `factor` returns for that time. */
  weightAt(slot: number): number {
    return this.#weight[slot] ?? 0;
  }

  factor(nowMs: number): number {
    return Math.exp(-(nowMs - this.#landmarkMs) / tauMs);
  }

  /** The same decayed over an hour; times what `hourFactor` returns. */
  hourAt(slot: number): number {
    return this.#hour[slot] ?? 0;
  }

  hourFactor(nowMs: number): number {
    return Math.exp(-(nowMs - this.#hourLandmarkMs) / hourTauMs);
  }

  write(writer: ByteWriter): void {
    writer.double(this.#landmarkMs);
    writer.double(this.#hourLandmarkMs);
    writer.uint(this.#live);
    for (let slot = 0; slot < this.#span; slot++) {
      if (this.ownerAt(slot) < 0) continue;
      writer.uint(this.ownerAt(slot));
      writer.uint(this.facetAt(slot));
      writer.double(this.weightAt(slot));
      writer.double(this.hourAt(slot));
      writer.double(this.lastSeenAt(slot));
      writer.double(this.totalAt(slot));
    }
  }

  /** Reads pairs into an empty table; pairs of owners or facets that don't exist are skipped. */
  read(reader: ByteReader, owners: number, facets: number): void {
    this.#landmarkMs = positive(reader.double());
    this.#hourLandmarkMs = positive(reader.double());
    const length = reader.length(34);
    for (let i = 0; i < length; i++) {
      const owner = reader.uint();
      const facet = reader.uint();
      const weight = positive(reader.double());
      const hour = positive(reader.double());
      const lastSeenMs = positive(reader.double());
      const total = positive(reader.double());
      if (owner >= owners || facet >= facets) continue;
      const slot = this.find(owner, facet) === none ? this.#insert(owner, facet) : this.find(owner, facet);
      this.#weight[slot] = weight;
      this.#hour[slot] = hour;
      this.#lastSeenMs[slot] = lastSeenMs;
      this.#total[slot] = total;
    }
  }

  #insert(owner: number, facet: number): number {
    if (this.#free === none && this.#span >= this.#pairsMax) this.#dropWeakest();
    let slot = this.#free;
    if (slot === none) {
      slot = this.#span++;
      if (slot >= this.#next.length) this.#grow(Math.min(this.#pairsMax, Math.max(1024, this.#next.length * 2)));
    } else {
      this.#free = this.#next[slot] ?? none;
    }
    this.#owner[slot] = owner;
    this.#facet[slot] = facet;
    this.#weight[slot] = 0;
    this.#hour[slot] = 0;
    this.#total[slot] = 0;
    this.#lastSeenMs[slot] = 0;
    this.#next[slot] = this.first(owner);
    this.#heads[owner] = slot;
    this.#live++;
    return slot;
  }

  #release(slot: number): void {
    this.#owner[slot] = none;
    this.#next[slot] = this.#free;
    this.#free = slot;
    this.#live--;
  }

  /** Drops the weakest eighth (at least one pair). Only called when every slot is in use. */
  #dropWeakest(): void {
    const sorted = this.#weight.slice(0, this.#span).sort();
    const limit = sorted[Math.floor(this.#span / 8)] ?? 0;
    for (let owner = 0; owner < this.#heads.length; owner++) {
      let slot = this.first(owner);
      let kept = none;
      while (slot !== none) {
        const after = this.#next[slot] ?? none;
        if ((this.#weight[slot] ?? 0) <= limit) {
          this.#release(slot);
          if (kept === none) this.#heads[owner] = after;
          else this.#next[kept] = after;
        } else {
          kept = slot;
        }
        slot = after;
      }
    }
    this.generation++;
  }

  #grow(capacity: number): void {
    const ints = (column: Int32Array): Int32Array<ArrayBuffer> => {
      const wider = new Int32Array(capacity);
      wider.set(column);
      return wider;
    };
    const doubles = (column: Float64Array): Float64Array<ArrayBuffer> => {
      const wider = new Float64Array(capacity);
      wider.set(column);
      return wider;
    };
    this.#next = ints(this.#next);
    this.#owner = ints(this.#owner);
    this.#facet = ints(this.#facet);
    this.#weight = doubles(this.#weight);
    this.#hour = doubles(this.#hour);
    this.#lastSeenMs = doubles(this.#lastSeenMs);
    this.#total = doubles(this.#total);
  }

  #moveLandmark(nowMs: number): void {
    const factor = this.factor(nowMs);
    for (let slot = 0; slot < this.#span; slot++) this.#weight[slot] = (this.#weight[slot] ?? 0) * factor;
    this.#landmarkMs = nowMs;
  }

  #moveHourLandmark(nowMs: number): void {
    const factor = this.hourFactor(nowMs);
    for (let slot = 0; slot < this.#span; slot++) this.#hour[slot] = (this.#hour[slot] ?? 0) * factor;
    this.#hourLandmarkMs = nowMs;
  }
}

function positive(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}

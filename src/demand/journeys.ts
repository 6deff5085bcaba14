/**
 * From single requests to steps: which resource a visitor asked for some minutes after which other one. A bounded table remembers of each visitor the
 * last few resources and the minutes they were asked for in, for half an hour, under a tag that means nothing to anybody else. What leaves is
 * who followed whom among resources, added up over visitors; never a tag, an address, or a whole journey.
 *
 * Visitors who go through a list in its order are told apart as sweeps (`sweep-watch.ts`). Only steps across a minute's end are told: what follows within the same minute has come before any forecast could be of use. Visitors who
 * go through more different resources than people do are taken for robots and make no steps.
 */
import { fnv1a } from '../kernel/index.ts';
import type { RegionName, ResourceKey } from '../kernel/index.ts';
import { SweepWatch } from './sweep-watch.ts';
import type { DemandJourneys, DemandStep } from './window.ts';

/** Visitors remembered at once; of more, the one of two who was seen longer ago is forgotten. */
const visitorsMax = 65_536;
/** Steps told of one window; those told count for further ones. */
export const stepsMax = 4_000;
/** Different resources in ten minutes, beyond which a visitor is taken for a robot. */
export const peopleResourcesMax = 200;
/** Characters of all remembered resources together; beyond, new ones are not remembered until others are forgotten. */
const journeyCharactersMax = 32 * 1024 * 1024;
/** A longer resource is left aside. */
export const stepCharactersMax = 2_048;
/** Resources remembered of a visitor. A step's count is shared between them, so that following it from each adds up to one request. */
const remembered = 8;
/** The time after which a visit is over: the usual bound of web analytics. */
export const journeyMin = 30;
const minuteMs = 60_000;
const robotSpanMin = 10;
const ways = 2;
/** Different resources in ten minutes from which on it is looked whether a visitor goes through a list. */
const watchedFrom = 8;

export interface JourneysTold extends DemandJourneys {
  /** Requests of visitors who are taken for robots. */
  readonly suspect: number;
}

export class Journeys {
  readonly #visitors: number;
  readonly #stepsMax: number;
  readonly #charactersMax: number;
  readonly #tags: Uint32Array;
  /** Minute of the last request; 0: free. */
  readonly #seenMin: Int32Array;
  readonly #resources: (ResourceKey | undefined)[];
  /** Of each resource remembered, 0 where there is none: so that a visitor's strings, scattered in memory, are only touched when there is a step to tell. */
  readonly #hashes: Int32Array;
  readonly #minutes: Int32Array;
  readonly #cursors: Uint8Array;
  /** Different resources since `#spanMin`, about. */
  readonly #different: Uint16Array;
  readonly #spanMin: Int32Array;
  readonly #sweeps: SweepWatch;
  /** The slot of each visitor's last request. */
  readonly #last: Uint8Array;
  #toldMin = 0;
  #characters = 0;
  #steps: DemandStep[] = [];
  #dropped = 0;
  #suspect = 0;

  constructor(limits: { readonly visitors?: number; readonly steps?: number; readonly characters?: number } = {}) {
    this.#visitors = 2 ** Math.ceil(Math.log2(Math.max(ways, limits.visitors ?? visitorsMax)));
    this.#stepsMax = limits.steps ?? stepsMax;
    this.#charactersMax = limits.characters ?? journeyCharactersMax;
    this.#tags = new Uint32Array(this.#visitors);
    this.#seenMin = new Int32Array(this.#visitors);
    this.#resources = Array.from<undefined>({ length: this.#visitors * remembered });
    this.#hashes = new Int32Array(this.#visitors * remembered);
    this.#minutes = new Int32Array(this.#visitors * remembered);
    this.#cursors = new Uint8Array(this.#visitors);
    this.#different = new Uint16Array(this.#visitors);
    this.#spanMin = new Int32Array(this.#visitors);
    this.#last = new Uint8Array(this.#visitors);
    this.#sweeps = new SweepWatch(this.#visitors);
  }

  /**
   * Takes a person's request that was answered well. `referer`: the page of this site that the browser says it came from; when the visitor is known to
   * have asked for that page, the step is from there and from nowhere else.
   */
  note(tag: number, resource: ResourceKey, region: RegionName, atMs: number, referer?: ResourceKey): void {
    if (resource.length > stepCharactersMax) return;
    const minute = Math.floor(atMs / minuteMs);
    const visitor = this.#find(tag >>> 0, minute);
    const first = visitor * remembered;
    let same = -1;
    let named = -1;
    let sources = 0;
    const hash = hashOf(resource);
    const refererHash = referer === undefined ? 0 : hashOf(referer);
    for (let slot = first; slot < first + remembered; slot++) {
      const before = this.#hashes[slot] ?? 0;
      if (before === 0) continue;
      if (before === hash) same = slot;
      else if (this.#isSource(slot, minute)) {
        sources++;
        if (before === refererHash) named = slot;
      }
    }
    if (same < 0) this.#meetDifferent(visitor, minute);
    if ((this.#different[visitor] ?? 0) > watchedFrom) {
      const last = this.#resources[first + (this.#last[visitor] ?? 0)];
      if (last !== undefined && last !== resource) this.#sweeps.move(visitor, last, resource, region, atMs);
    }
    if ((this.#different[visitor] ?? 0) > peopleResourcesMax) this.#suspect++;
    else if (named >= 0) this.#step(named, resource, minute, 1);
    else if (sources > 0) for (let slot = first; slot < first + remembered; slot++) {
      if (slot !== same && this.#isSource(slot, minute)) this.#step(slot, resource, minute, 1 / sources);
    }
    this.#remember(visitor, same, resource, hash, minute);
  }

  /** Of all resources remembered. */
  get characters(): number {
    return this.#characters;
  }

  /** The steps since the last call, and the sweeps under way where this is the first call in a minute. */
  take(nowMs: number): JourneysTold {
    const minute = Math.floor(nowMs / minuteMs);
    const sweeps = minute > this.#toldMin ? this.#sweeps.take(nowMs) : [];
    this.#toldMin = minute;
    const scale = 1 + this.#dropped / Math.max(1, this.#steps.length);
    const told = { sweeps, steps: scale === 1 ? this.#steps : this.#steps.map((step) => ({ ...step, count: step.count * scale })), suspect: this.#suspect };
    this.#steps = [];
    this.#dropped = this.#suspect = 0;
    return told;
  }

  #isSource(slot: number, minute: number): boolean {
    const lagMin = minute - (this.#minutes[slot] ?? 0);
    return this.#hashes[slot] !== 0 && lagMin >= 1 && lagMin <= journeyMin;
  }

  #step(slot: number, to: ResourceKey, minute: number, count: number): void {
    if (this.#steps.length >= this.#stepsMax) {
      this.#dropped++;
      return;
    }
    const from = this.#resources[slot];
    if (from !== undefined) this.#steps.push({ from, to, lagMin: minute - (this.#minutes[slot] ?? 0), count });
  }

  #find(tag: number, minute: number): number {
    const set = (tag & (this.#visitors / ways - 1)) * ways;
    let visitor = set;
    for (let way = set; way < set + ways; way++) {
      if (this.#tags[way] === tag && this.#seenMin[way] !== 0) {
        visitor = way;
        if (minute - (this.#seenMin[way] ?? 0) <= journeyMin) {
          this.#seenMin[way] = minute;
          return way;
        }
        break;
      }
      if ((this.#seenMin[way] ?? 0) < (this.#seenMin[visitor] ?? 0)) visitor = way;
    }
    this.#forget(visitor);
    this.#tags[visitor] = tag;
    this.#seenMin[visitor] = minute;
    this.#spanMin[visitor] = minute;
    return visitor;
  }

  #forget(visitor: number): void {
    for (let slot = visitor * remembered; slot < (visitor + 1) * remembered; slot++) {
      this.#characters -= this.#resources[slot]?.length ?? 0;
      this.#resources[slot] = undefined;
      this.#hashes[slot] = 0;
    }
    this.#cursors[visitor] = 0;
    this.#last[visitor] = 0;
    this.#sweeps.forget(visitor);
    this.#different[visitor] = 0;
  }

  #meetDifferent(visitor: number, minute: number): void {
    if (minute - (this.#spanMin[visitor] ?? 0) >= robotSpanMin) {
      this.#spanMin[visitor] = minute;
      this.#different[visitor] = (this.#different[visitor] ?? 0) > peopleResourcesMax ? peopleResourcesMax : 0;
    }
    if ((this.#different[visitor] ?? 0) <= peopleResourcesMax) this.#different[visitor] = (this.#different[visitor] ?? 0) + 1;
  }

  /** In its old place when it was known, else in that of the one remembered longest. */
  #remember(visitor: number, same: number, resource: ResourceKey, hash: number, minute: number): void {
    if (same >= 0) {
      this.#minutes[same] = minute;
      this.#last[visitor] = same % remembered;
      return;
    }
    const cursor = this.#cursors[visitor] ?? 0;
    const slot = visitor * remembered + cursor;
    const characters = this.#characters - (this.#resources[slot]?.length ?? 0) + resource.length;
    if (characters > this.#charactersMax) return;
    this.#characters = characters;
    this.#resources[slot] = resource;
    this.#hashes[slot] = hash;
    this.#minutes[slot] = minute;
    this.#last[visitor] = cursor;
    this.#cursors[visitor] = (cursor + 1) % remembered;
  }
}

/** Never 0. Of two resources of one visitor with equal hashes, one time in four billion, one is taken for the other. */
function hashOf(resource: string): number {
  return fnv1a(resource) | 0 || 1;
}

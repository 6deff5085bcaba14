/**
 * What becomes of things that nobody has asked for yet: announced in a feed, listed in a sitemap, linked from a page. For each kind of them (source, age, demand
 * for the page that refers to them, section) it is learned how many are asked for a first time per minute of waiting, beside what the generator's own constants
 * would have; and how many requests come within half an hour of the first. Both Gamma-Poisson, each kind shrunk towards the wider one, at last towards the
 * constants: a site of which nothing is known is treated as they say.
 *
 * Pure and deterministic. Bounded in the discoveries watched; of old ones a sample is enough. Evidence fades over two weeks.
 */
import { ByteReader, ByteWriter, fnv1a, type ResourceKey } from '../../kernel/index.ts';
import { ageCount, ageOf, demandCount, newcomerSources, Parents, Sections, sectionsMax, type NewcomerSource } from './surroundings.ts';

/** Discoveries watched at one time; beyond, further ones teach nothing. */
export const watchedMax = 20_000;
/** What is older than this, or of unknown age, is watched one in so many. */
const youngMs = 7 * 86_400_000;
const sampleOneIn = 8;
/** First requests that the wider kind is worth. */
const kindWeight = 2;
const followedWeight = 4;
/** Requests that come within this time of the first are what a copy would have been good for. */
const followedMs = 1_800_000;
/** Waiting is counted this often. */
const countEveryMs = 60_000;
/** What is offered no more for so long has left the lists: nothing follows from what becomes of it. */
const lostMs = 3_600_000;
/** Evidence a day later. */
const dayFade = 0.95;
const dayMs = 86_400_000;
/** Expected a minute of the least promising: everything that is discovered is worth a copy in the end. */
const leastPerMinute = 1e-7;
const magic = 'FSNC';
const version = 1;
const nameBytesMax = 8192;

/** One discovery, as the generator tells it. */
export interface Newcomer {
  readonly resource: ResourceKey;
  readonly source: NewcomerSource;
  readonly parent: ResourceKey | undefined;
  /** When the site says that it was published or last changed. */
  readonly changedMs: number | undefined;
  /** When it came up in a list that had been read before without it. */
  readonly bornMs?: number | undefined;
}

interface Watched {
  readonly source: number;
  readonly section: number;
  readonly sinceMs: number | undefined;
  /** Requests a minute the constants give it, and the demand for its page, as told last. */
  usual: number;
  demand: number;
  countedMs: number;
  /** Of the first request; 0 before. */
  firstMs: number;
  requests: number;
}

/** First requests that came, and that the constants would have had, by kind; the widest kind first. */
const depth = 4;

export class Newcomers {
  readonly #watched = new Map<ResourceKey, Watched>();
  readonly #sections = new Sections();
  readonly #parents = new Parents();
  readonly #kinds: readonly Map<number, { came: number; expected: number }>[] = Array.from({ length: depth }, () => new Map());
  /** Requests within half an hour of a first one, and first ones, by source and section; under −1 of all. */
  readonly #followed = new Map<number, { requests: number; firsts: number }>();
  /** What is expected beside the constants, by the narrowest kind; made anew with each minute: thousands are asked about once a second. */
  readonly #expected = new Map<number, number>();
  #expectedMs = Number.NEGATIVE_INFINITY;
  #fadedMs = 0;

  /** Expected requests a minute, over the next half hour, of what nobody has asked for so far. `usual`: what the generator's constants say. */
  perMinute(newcomer: Newcomer, parentPerMinute: number | undefined, usual: number, nowMs: number): number {
    const { resource, parent } = newcomer;
    const source = newcomerSources.indexOf(newcomer.source);
    const section = this.#sections.numberOf(resource);
    const sinceMs = latest(newcomer.changedMs, newcomer.bornMs);
    const demand = this.#parents.demandOf(parent, parentPerMinute, nowMs);
    const known = this.#watched.get(resource);
    if (known && known.firstMs === 0) {
      known.usual = usual;
      known.demand = demand;
      if (nowMs - known.countedMs >= countEveryMs) this.#wait(resource, known, nowMs);
    } else if (!known && this.#watched.size < watchedMax && isTaught(resource, sinceMs, nowMs)) {
      this.#watched.set(resource, { source, section, sinceMs, usual, demand, countedMs: nowMs, firstMs: 0, requests: 0 });
    }
    return Math.max(leastPerMinute, usual * this.#besideUsual(source, section, ageOf(sinceMs, nowMs), demand, nowMs));
  }

  /** What people asked for in a minute. */
  observe(minuteMs: number, counts: readonly { readonly resource: ResourceKey; readonly count: number }[]): void {
    this.#fade(minuteMs);
    if (this.#watched.size === 0) return;
    for (const { resource, count } of counts) {
      const watched = this.#watched.get(resource);
      if (!watched) continue;
      if (watched.firstMs === 0) this.#first(resource, watched, minuteMs);
      if (minuteMs - watched.firstMs < followedMs) watched.requests += count;
    }
    for (const [resource, watched] of this.#watched) if (watched.firstMs > 0 && minuteMs - watched.firstMs >= followedMs) this.#settle(resource, watched);
  }

  size(): { readonly watched: number; readonly kinds: number; readonly bytes: number } {
    const kinds = this.#kinds.reduce((sum, { size }) => sum + size, this.#followed.size);
    return { watched: this.#watched.size, kinds, bytes: this.#watched.size * 260 + kinds * 80 };
  }

  /** What was learned. What is being watched is not kept: the next process meets it again. */
  write(): Uint8Array {
    const writer = new ByteWriter(magic, version);
    writer.double(this.#fadedMs);
    const sections = [...this.#sections.names()];
    writer.uint(sections.length);
    for (const name of sections) writer.string(name);
    for (const kinds of this.#kinds) {
      writer.uint(kinds.size);
      for (const [kind, { came, expected }] of kinds) {
        writer.uint(kind);
        writer.double(came);
        writer.double(expected);
      }
    }
    writer.uint(this.#followed.size);
    for (const [kind, { requests, firsts }] of this.#followed) {
      writer.uint(kind + 1);
      writer.double(requests);
      writer.double(firsts);
    }
    return writer.finish();
  }

  /** What was written. Throws `bytes-invalid` for anything else. */
  static read(bytes: Uint8Array): Newcomers {
    const reader = new ByteReader(bytes, magic, version, 'what was learned of discoveries');
    const newcomers = new Newcomers();
    newcomers.#fadedMs = reader.double();
    for (let left = reader.length(1); left > 0; left--) newcomers.#sections.add(reader.string(nameBytesMax));
    for (const kinds of newcomers.#kinds) for (let left = reader.length(17); left > 0; left--) kinds.set(reader.uint(), { came: reader.double(), expected: reader.double() });
    for (let left = reader.length(17); left > 0; left--) newcomers.#followed.set(reader.uint() - 1, { requests: reader.double(), firsts: reader.double() });
    reader.end();
    return newcomers;
  }

  #first(resource: ResourceKey, watched: Watched, minuteMs: number): void {
    const lost = minuteMs - watched.countedMs > lostMs;
    if (!lost && minuteMs > watched.countedMs) this.#wait(resource, watched, minuteMs);
    watched.firstMs = minuteMs;
    if (lost) return;
    this.#each(watched.source, watched.section, ageOf(watched.sinceMs, minuteMs), watched.demand, (kind) => { kind.came++; });
  }

  /** Counts that it waited, up to now. */
  #wait(resource: ResourceKey, watched: Watched, nowMs: number): void {
    const minutes = (nowMs - watched.countedMs) / 60_000;
    watched.countedMs = nowMs;
    const expected = minutes * watched.usual;
    this.#each(watched.source, watched.section, ageOf(watched.sinceMs, nowMs), watched.demand, (kind) => { kind.expected += expected; });
    if (!isTaught(resource, watched.sinceMs, nowMs)) this.#watched.delete(resource);
  }

  #settle(resource: ResourceKey, { source, section, requests }: Watched): void {
    this.#watched.delete(resource);
    for (const kind of [-1, source * sectionsMax + section]) {
      const followed = this.#followed.get(kind) ?? { requests: 0, firsts: 0 };
      this.#followed.set(kind, followed);
      followed.requests += requests;
      followed.firsts++;
    }
  }

  #besideUsual(source: number, section: number, age: number, demand: number, nowMs: number): number {
    if (nowMs - this.#expectedMs >= countEveryMs || nowMs < this.#expectedMs) {
      this.#expected.clear();
      this.#expectedMs = nowMs;
    }
    const kind = kindAt(depth - 1, source, section, age, demand);
    const known = this.#expected.get(kind);
    if (known !== undefined) return known;
    const made = this.#factor(source, section, age, demand) * this.#following(source, section);
    this.#expected.set(kind, made);
    return made;
  }

  /** How many times as many first requests as the constants say. */
  #factor(source: number, section: number, age: number, demand: number): number {
    let factor = 1;
    for (let level = 0; level < depth; level++) {
      const kind = this.#kinds[level]?.get(kindAt(level, source, section, age, demand));
      if (kind) factor = (kind.came + kindWeight) / (kind.expected + kindWeight / factor);
    }
    return factor;
  }

  /** Requests within half an hour for each first one. */
  #following(source: number, section: number): number {
    const all = this.#followed.get(-1);
    const usual = all ? (all.requests + followedWeight) / (all.firsts + followedWeight) : 1;
    const own = this.#followed.get(source * sectionsMax + section);
    return own ? (own.requests + followedWeight * usual) / (own.firsts + followedWeight) : usual;
  }

  #each(source: number, section: number, age: number, demand: number, change: (kind: { came: number; expected: number }) => void): void {
    for (let level = 0; level < depth; level++) {
      const name = kindAt(level, source, section, age, demand);
      const kinds = this.#kinds[level];
      const kind = kinds?.get(name) ?? { came: 0, expected: 0 };
      kinds?.set(name, kind);
      change(kind);
    }
  }

  #fade(nowMs: number): void {
    if (this.#fadedMs === 0) this.#fadedMs = nowMs;
    for (; nowMs - this.#fadedMs >= dayMs; this.#fadedMs += dayMs) {
      for (const kinds of this.#kinds) for (const kind of kinds.values()) {
        kind.came *= dayFade;
        kind.expected *= dayFade;
      }
      for (const followed of this.#followed.values()) {
        followed.requests *= dayFade;
        followed.firsts *= dayFade;
      }
    }
  }
}

/** Source; with age; with its page's demand; with its section. */
function kindAt(level: number, source: number, section: number, age: number, demand: number): number {
  if (level === 0) return source;
  if (level === 1) return source * ageCount + age;
  if (level === 2) return (source * ageCount + age) * demandCount + demand;
  return ((source * ageCount + age) * demandCount + demand) * sectionsMax + section;
}

/** The young all are watched, of the others some, always the same ones. */
function isTaught(resource: ResourceKey, sinceMs: number | undefined, nowMs: number): boolean {
  if (sinceMs !== undefined && nowMs - sinceMs < youngMs) return true;
  const hash = fnv1a(resource);
  // The low bits of FNV-1a are its weakest.
  return ((hash >>> 8) ^ hash) % sampleOneIn === 0;
}

function latest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.max(a, b);
}

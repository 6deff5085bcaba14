/**
 * The copies an edge can answer from: a bounded memory of ready-to-send copies over the edge's local store. Lookups are
 * synchronous. What is being written stays in memory until the store has it, so that a copy is there from the moment it is kept.
 */
import type { ShadowRecord } from '../catalog/index.ts';
import {
  freshnessOf, headerReader, responseDirectives, validatorsOf, type Freshness, type Validators, type VaryValues,
} from '../http/index.ts';
import type { BlobDigest, ResourceKey, VariationKey } from '../kernel/index.ts';
import type { LocalStore } from '../store/index.ts';
import { Rulebook } from './rulebook.ts';
import { codingOf } from './decoding.ts';
import type { PageParts } from './page-parts.ts';

/** A record with its body and what the serving path needs of it, computed once. */
export interface Copy {
  readonly record: ShadowRecord;
  readonly body: Uint8Array;
  readonly freshness: Freshness;
  readonly validators: Validators;
  /** Whether its own headers let a shared cache reuse it at all (a route with `shadow: always` keeps others too). */
  readonly cacheable: boolean;
  /** Whether a request with Authorization may get it (RFC 9111 §3.5). */
  readonly sharedWithAuthorized: boolean;
  /** Whether it has a Content-Type; see `whole-body.ts`. */
  readonly typed: boolean;
  /** Its content coding; undefined where it has none. */
  readonly coding: string | undefined;
  /** no-transform: its content is to reach clients in the form the origin sent it (RFC 9110 §7.7). */
  readonly keepsForm: boolean;
  /** Headers as last sent, and what they were made for; see `answer.ts`. */
  prepared: { stamp: string; headers: Headers } | undefined;
  /** What there is to fill in it, once that was looked for; see `composer.ts`. */
  parts: PageParts | undefined;
  /** What was made of it to be sent in its stead; see `prepared-memory.ts`. */
  made: Map<string, Copy> | undefined;
  /** Of such a copy: how it is sent. */
  readonly sending: Sending | undefined;
}

/** How a copy is sent that was made of another: a page put together, a coded or decoded body. */
export interface Sending {
  /** Which versions of slots were chosen, for the Foreshadow field: `recs=3`. */
  readonly choices: string;
  /** `whole`: no ranges are given of it. `once`: made for one answer; no other request can be about it, so there are no conditions either. */
  readonly selection: 'any' | 'whole' | 'once';
  /** What was put into it may be shown until then; Infinity where nothing ages. */
  holdsUntilMs: number;
  /** How often it was sent. */
  uses: number;
}

interface Slot {
  readonly copies: readonly Copy[];
  readonly bytes: number;
  /** Writes under way; a slot is not evicted while there are any. */
  pins: number;
}

/** What a slot costs beside its bodies: key, record, headers, map entry. */
const slotOverheadBytes = 2_048;
/** Variations known to have no copy; a look into the store costs about 5 µs, a tenth of proxying a request. */
const absentMax = 50_000;
/** Resources whose copies an unsafe request has made doubtful; the oldest are forgotten first. */
const invalidatedMax = 10_000;

/** What of a request decides which copy is its own. */
export interface Asker {
  matches(vary: VaryValues): boolean;
  /** Whether Accept-Encoding names the coding. */
  acceptsCoding(coding: string): boolean;
}

/** What copies are read from and written to. */
export type CopySource = Pick<LocalStore, 'records' | 'variations' | 'body' | 'hasBody' | 'put' | 'remove'>;

const none: readonly Copy[] = [];

export class Copies {
  readonly #store: CopySource;
  readonly #bytesMax: number;
  readonly #variantsMax: number;
  readonly #rulebook: Rulebook;
  readonly #slots = new Map<string, Slot>();
  readonly #absent = new Set<string>();
  readonly #invalidated = new Map<ResourceKey, number>();
  #bytes = 0;

  constructor(store: CopySource, limits: { readonly memoryCacheBytes: number; readonly variantsPerVariation: number }, rulebook = new Rulebook()) {
    this.#store = store;
    this.#bytesMax = limits.memoryCacheBytes;
    this.#variantsMax = limits.variantsPerVariation;
    this.#rulebook = rulebook;
  }

  /** All copies of one variation that are not purged; empty when there are none. */
  all(resource: ResourceKey, variation: VariationKey): readonly Copy[] {
    return this.#rulebook.present(this.#held(resource, variation));
  }

  #held(resource: ResourceKey, variation: VariationKey): readonly Copy[] {
    const key = slotKey(resource, variation);
    const slot = this.#slots.get(key);
    if (slot) return slot.copies;
    if (this.#absent.has(key)) return none;
    const copies = this.#read(resource, variation);
    if (copies.length > 0) {
      this.#remember(key, copies, 0);
    } else {
      if (this.#absent.size >= absentMax) this.#absent.clear();
      this.#absent.add(key);
    }
    return copies;
  }

  /** The copy made for a request like this one. */
  find(resource: ResourceKey, variation: VariationKey, request: Asker): Copy | undefined {
    const copies = this.all(resource, variation);
    for (const copy of copies) if (request.matches(copy.record.vary)) return copy;
    // Where the codings were made here, it is not the origin any more whose choice depends on what the client accepts.
    return copies.find(({ record, coding }) => record.codings !== undefined && coding === undefined && request.matches(besidesCoding(record.vary)));
  }

  /**
   * The copy that may stand in while the origin can't answer: one made for a request like this, or one that differs in
   * the accepted content coding alone and is not coded, which every client can read, or coded as this one accepts, or else has to be
   * decoded for it.
   */
  findForOutage(resource: ResourceKey, variation: VariationKey, request: Asker): Copy | undefined {
    const copies = this.all(resource, variation);
    const own = copies.find((copy) => request.matches(copy.record.vary));
    if (own || copies.length === 0) return own;
    const recoded = copies.filter(({ record }) => request.matches(besidesCoding(record.vary)));
    return recoded.find(({ coding }) => coding === undefined) ?? recoded.find(({ coding = '' }) => request.acceptsCoding(coding)) ?? recoded[0];
  }

  /** A body of `record.codings`; undefined where the store has lost it. */
  codedBody(digest: BlobDigest): Uint8Array | undefined {
    return this.#store.body(digest);
  }

  variations(resource: ResourceKey): readonly VariationKey[] {
    const variations = this.#store.variations(resource);
    return this.#rulebook.any ? variations.filter((variation) => this.all(resource, variation).length > 0) : variations;
  }

  /** Keeps a copy: in memory at once, in the store soon after; `stored` resolves when it is there. */
  keep(record: ShadowRecord, body: Uint8Array): { readonly copy: Copy; readonly stored: Promise<void> } {
    const key = slotKey(record.resource, record.variation);
    const copy = makeCopy(record, body);
    const others = this.all(record.resource, record.variation).filter((other) => !sameVary(other.record, record));
    const pins = (this.#slots.get(key)?.pins ?? 0) + 1;
    const slot = this.#remember(key, [copy, ...others].slice(0, this.#variantsMax), pins);
    return { copy, stored: this.#write(key, slot, record, body) };
  }

  /** Takes a record from the catalog into the store; memory follows at the next lookup. */
  async apply(record: ShadowRecord, body: Uint8Array | undefined, coded: readonly (Uint8Array | undefined)[] = []): Promise<void> {
    await this.#store.put(record, body, coded);
    const key = slotKey(record.resource, record.variation);
    this.#absent.delete(key);
    this.#forget(key);
  }

  async remove(resource: ResourceKey, variation: VariationKey, vary: ShadowRecord['vary']): Promise<void> {
    await this.#store.remove(resource, variation, vary);
    this.#forget(slotKey(resource, variation));
  }

  /**
   * Marks all copies of a resource that were asked for before now as no longer fresh (RFC 9111 §4.4). They are kept: in an outage
   * an honest old page is worth more than none.
   */
  invalidate(resource: ResourceKey, nowMs: number): void {
    this.#invalidated.delete(resource);
    this.#invalidated.set(resource, nowMs);
    if (this.#invalidated.size <= invalidatedMax) return;
    for (const oldest of this.#invalidated.keys()) {
      this.#invalidated.delete(oldest);
      break;
    }
  }

  /** Whether it is not to be used without asking the origin: by an unsafe request, or by an operator's word. */
  isInvalidated(copy: Copy): boolean {
    if (this.#rulebook.any && this.#rulebook.verdict(copy.record) !== 'good') return true;
    if (this.#invalidated.size === 0) return false;
    const sinceMs = this.#invalidated.get(copy.record.resource);
    return sinceMs !== undefined && copy.record.requestTimeMs <= sinceMs;
  }

  /** Drops what is held in memory; what is being written stays. */
  forgetMemory(): void {
    for (const [key, slot] of [...this.#slots]) if (slot.pins === 0) this.#forget(key);
    this.#absent.clear();
  }

  /** Bytes and slots in memory. */
  memory(): { readonly slots: number; readonly bytes: number } {
    return { slots: this.#slots.size, bytes: this.#bytes };
  }

  async #write(key: string, slot: Slot, record: ShadowRecord, body: Uint8Array): Promise<void> {
    try {
      await this.#store.put(record, this.#store.hasBody(record.body) ? undefined : body);
    } finally {
      (this.#slots.get(key) ?? slot).pins--;
      if (this.#rulebook.verdict(record) === 'gone') this.#forget(key);
    }
  }

  #read(resource: ResourceKey, variation: VariationKey): readonly Copy[] {
    const copies: Copy[] = [];
    for (const record of this.#store.records(resource, variation)) {
      const body = this.#store.body(record.body);
      if (body) copies.push(makeCopy(record, body));
    }
    return copies;
  }

  #remember(key: string, copies: readonly Copy[], pins: number): Slot {
    this.#absent.delete(key);
    this.#forget(key);
    const bytes = copies.reduce((sum, copy) => sum + copy.body.byteLength, slotOverheadBytes);
    const slot = { copies, bytes, pins };
    this.#slots.set(key, slot);
    this.#bytes += bytes;
    // Oldest entry first: a second-chance order would cost a write on every hit, and a miss here costs one local read.
    for (const [other, held] of this.#slots) {
      if (this.#bytes <= this.#bytesMax) break;
      if (held.pins === 0 && other !== key) this.#forget(other);
    }
    return slot;
  }

  #forget(key: string): void {
    const slot = this.#slots.get(key);
    if (!slot) return;
    this.#slots.delete(key);
    this.#bytes -= slot.bytes;
  }
}

function slotKey(resource: ResourceKey, variation: VariationKey): string {
  return variation === '' ? resource : `${resource}\n${variation}`;
}

function besidesCoding(vary: VaryValues): VaryValues {
  return vary.filter(([name]) => name !== 'accept-encoding');
}

function sameVary(a: ShadowRecord, b: ShadowRecord): boolean {
  return a.vary.length === b.vary.length
    && a.vary.every(([name, value], index) => name === b.vary[index]?.[0] && value === b.vary[index]?.[1]);
}

function makeCopy(record: ShadowRecord, body: Uint8Array): Copy {
  const headers = headerReader(record.headers);
  const { directives } = responseDirectives(headers);
  return {
    record, body,
    freshness: freshnessOf(record),
    validators: validatorsOf(headers, record.responseTimeMs),
    cacheable: !directives.private && (!directives.noStore || directives.mustUnderstand),
    sharedWithAuthorized: directives.public || directives.mustRevalidate || directives.sMaxageS !== undefined,
    typed: Boolean(headers.get('content-type')),
    coding: codingOf(record.headers),
    keepsForm: /\bno-transform\b/i.test(headers.get('cache-control') ?? ''),
    prepared: undefined, parts: undefined, made: undefined, sending: undefined,
  };
}

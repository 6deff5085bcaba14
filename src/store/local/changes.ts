/**
 * What a transaction of the local store does to the index, and to the ledger of counts that goes with it. Runs inside LMDB's write transaction: every
 * read sees the writes before it. Touches no files.
 */
import type { BlobDigest, ResourceKey, VariationKey } from '../../kernel/index.ts';
import { bodiesOf, PairCache, type CompiledRules, type ShadowRecord } from '../../catalog/index.ts';
import { digestBytes } from '../digest.ts';
import { recordBytes } from '../segments/index.ts';
import type { BodyPlace } from './body-files.ts';
import { freshState, type LocalDatabase, type LocalState } from './database.ts';
import { type Copy, decodeCopies, decodePlace, encodeCopies, encodePlace } from './entry.ts';
import type { LocalKeys } from './keys.ts';

export interface Ledger {
  appliedVersion: number;
  ageSequence: number;
  records: number;
  recordBytes: number;
  bodies: number;
  bodyBytes: number;
  fillings: number;
  fillingBytes: number;
  segments: Map<number, number>;
}

export function ledgerOf(state: LocalState): Ledger {
  const { appliedVersion, ageSequence, records, recordBytes: bytes, bodies, bodyBytes, fillings = 0, fillingBytes = 0 } = state;
  return { appliedVersion, ageSequence, records, recordBytes: bytes, bodies, bodyBytes, fillings, fillingBytes, segments: new Map(state.segments) };
}

export function stateOf(ledger: Ledger, seeds: readonly [string, string]): LocalState {
  return { ...freshState(seeds), ...ledger, segments: [...ledger.segments] };
}

export function sameVary(a: ShadowRecord['vary'], b: ShadowRecord['vary']): boolean {
  return a.length === b.length && a.every(([name, value], i) => b[i]?.[0] === name && b[i][1] === value);
}

const nothing = Buffer.alloc(0);
const afterKeys = Buffer.alloc(25, 0xff);
const ageBytes = 10;

export interface ChangeLimits {
  readonly variantsPerVariation: number;
  readonly liveBytesMax: number;
  readonly nowMs: number;
  readonly rules: CompiledRules;
}

export class Changes {
  readonly ledger: Ledger;
  readonly #database: LocalDatabase;
  readonly #keys: LocalKeys;
  readonly #limits: ChangeLimits;
  readonly #pairs = new PairCache();
  readonly #orphans = new Map<BlobDigest, Buffer>();

  constructor(database: LocalDatabase, keys: LocalKeys, ledger: Ledger, limits: ChangeLimits) {
    this.#database = database;
    this.#keys = keys;
    this.ledger = ledger;
    this.#limits = limits;
  }

  /**
   * Takes the record in unless it is purged, or a copy of the same identity is there that is newer and not purged. Of two that the catalog has published the
   * later version is the newer, whenever the origin gave them: after going back to an old version that is how it is meant. `placeOf`: where a body has just been appended.
   */
  put(record: ShadowRecord, placeOf: (digest: BlobDigest) => BodyPlace | undefined): void {
    if (this.#isGone(record)) return;
    const key = this.#keys.record(record.resource, record.variation);
    const copies = this.#copiesAt(key, record);
    const same = copies.findIndex((copy) => sameVary(copy.record.vary, record.vary));
    const old = copies[same];
    if (old && isNewer(old.record, record) && !this.#isGone(old.record)) return;
    for (const { body } of bodiesOf(record)) this.#keepBody(body, placeOf(body));
    // What the catalog has a copy of stays safe from eviction when the edge captures a newer one.
    const pinned = record.version > 0 || (old?.pinned ?? false);
    const copy: Copy = { record, pinned, age: pinned ? '' : this.#nextAge() };
    const after = old ? copies.with(same, copy) : [...copies, copy];
    while (after.length > this.#limits.variantsPerVariation) after.splice(leastWanted(after), 1);
    this.#replace(key, record.variation, copies, after);
  }

  removeWhere(resource: ResourceKey, variation: VariationKey, unwanted: (copy: Copy) => boolean): void {
    const key = this.#keys.record(resource, variation);
    const copies = this.#copiesAt(key, { resource, variation });
    const after = copies.filter((copy) => !unwanted(copy));
    if (after.length < copies.length) this.#replace(key, variation, copies, after);
  }

  putFilling(key: Buffer, value: Buffer): void {
    this.removeFilling(key);
    this.#database.fillings.putSync(key, value);
    this.ledger.fillings += 1;
    this.ledger.fillingBytes += value.byteLength;
  }

  removeFilling(key: Buffer): void {
    const old = this.#database.fillings.get(key);
    if (!old) return;
    this.ledger.fillings -= 1;
    this.ledger.fillingBytes -= old.byteLength;
    this.#database.fillings.removeSync(key);
  }

  #isGone(record: ShadowRecord): boolean {
    return this.#limits.rules.any && this.#limits.rules.verdict(record) === 'gone';
  }

  removeResource(resource: ResourceKey): void {
    const { records } = this.#database;
    for (const key of [...records.getKeys(this.#keys.rangeOf(resource))]) {
      const copies = this.#decode(key);
      const [first] = copies;
      if (first && first.record.resource === resource) this.#replace(key, first.record.variation, copies, []);
      else if (!first) records.removeSync(key);
    }
  }

  /** The end of a transaction: bodies that nobody uses any more go, then the oldest copies that the catalog doesn't have, until what is alive fits. */
  finish(): void {
    this.#releaseOrphans();
    while (this.ledger.bodyBytes + this.ledger.recordBytes + this.ledger.fillingBytes > this.#limits.liveBytesMax) {
      const [oldest] = [...this.#database.ages.getRange({ limit: 1 })];
      if (!oldest) return;
      const age = Buffer.from(oldest.key).toString('hex');
      const key = Buffer.from(oldest.value);
      this.#database.ages.removeSync(oldest.key);
      const copies = this.#decode(key);
      const [first] = copies;
      if (first) this.#replace(key, first.record.variation, copies, copies.filter((copy) => copy.age !== age));
      this.#releaseOrphans();
    }
  }

  /** Forgets where a body is, when it is still there: it could not be read. Its records stay; they are of use again once the body is. */
  dropBody(digest: BlobDigest, place: BodyPlace): void {
    const name = digestBytes(digest);
    const now = this.#placeAt(name);
    if (now?.segment !== place.segment || now.offset !== place.offset) return;
    this.#forgetBody(name, now);
  }

  moveBody(digest: Buffer, from: BodyPlace, to: BodyPlace): void {
    const now = this.#placeAt(digest);
    if (now?.segment !== from.segment || now.offset !== from.offset) return;
    this.#database.bodies.putSync(digest, encodePlace(to));
    this.#addLive(from.segment, -recordBytes(from.bytes));
    this.#addLive(to.segment, recordBytes(to.bytes));
  }

  #copiesAt(key: Buffer, of: Pick<ShadowRecord, 'resource' | 'variation'>): Copy[] {
    const copies = this.#decode(key);
    const [first] = copies;
    if (!first || (first.record.resource === of.resource && first.record.variation === of.variation)) return copies;
    // Another name with the same hash: the newer one has the place.
    this.#replace(key, first.record.variation, copies, []);
    return [];
  }

  #decode(key: Buffer): Copy[] {
    const value = this.#database.records.get(key);
    return (value && decodeCopies(value, this.#pairs)) ?? [];
  }

  /** Writes the new list of a variation's copies and settles what hangs on the difference: eviction order, users of bodies, counts. */
  #replace(key: Buffer, variation: VariationKey, before: readonly Copy[], after: readonly Copy[]): void {
    const { records, ages, users } = this.#database;
    const oldValue = records.get(key);
    if (oldValue) this.ledger.recordBytes -= oldValue.byteLength;
    if (after.length === 0) {
      records.removeSync(key);
    } else {
      const value = encodeCopies(variation, after);
      records.putSync(key, value);
      this.ledger.recordBytes += value.byteLength;
    }
    this.ledger.records += after.length - before.length;
    for (const copy of before) if (copy.age && !after.some((one) => one.age === copy.age)) ages.removeSync(Buffer.from(copy.age, 'hex'));
    for (const copy of after) if (copy.age) ages.putSync(Buffer.from(copy.age, 'hex'), key);
    const needed = bodiesOfAll(after);
    for (const digest of needed) users.putSync(Buffer.concat([digestBytes(digest), key]), nothing);
    for (const digest of bodiesOfAll(before)) {
      if (needed.has(digest)) continue;
      const name = digestBytes(digest);
      users.removeSync(Buffer.concat([name, key]));
      this.#orphans.set(digest, name);
    }
  }

  #keepBody(digest: BlobDigest, place: BodyPlace | undefined): void {
    const name = digestBytes(digest);
    if (!place || this.#placeAt(name)) return;
    this.#database.bodies.putSync(name, encodePlace(place));
    this.#addLive(place.segment, recordBytes(place.bytes));
    this.ledger.bodies += 1;
    this.ledger.bodyBytes += recordBytes(place.bytes);
  }

  /** Not before the end: a later change of the same transaction may use the body again. */
  #releaseOrphans(): void {
    for (const name of this.#orphans.values()) {
      const [user] = [...this.#database.users.getKeys({ start: name, end: Buffer.concat([name, afterKeys]), limit: 1 })];
      const place = user ? undefined : this.#placeAt(name);
      if (place) this.#forgetBody(name, place);
    }
    this.#orphans.clear();
  }

  #forgetBody(name: Buffer, place: BodyPlace): void {
    this.#database.bodies.removeSync(name);
    this.#addLive(place.segment, -recordBytes(place.bytes));
    this.ledger.bodies -= 1;
    this.ledger.bodyBytes -= recordBytes(place.bytes);
  }

  #placeAt(name: Buffer): BodyPlace | undefined {
    const value = this.#database.bodies.get(name);
    return value && decodePlace(value);
  }

  #addLive(segment: number, bytes: number): void {
    const live = (this.ledger.segments.get(segment) ?? 0) + bytes;
    if (live > 0) this.ledger.segments.set(segment, live);
    else this.ledger.segments.delete(segment);
  }

  #nextAge(): string {
    const age = Buffer.alloc(ageBytes);
    age.writeUIntBE(this.#limits.nowMs, 0, 6);
    this.ledger.ageSequence = (this.ledger.ageSequence + 1) >>> 0;
    age.writeUInt32BE(this.ledger.ageSequence, 6);
    return age.toString('hex');
  }
}

function bodiesOfAll(copies: readonly Copy[]): Set<BlobDigest> {
  return new Set(copies.flatMap(({ record }) => bodiesOf(record).map(({ body }) => body)));
}

function isNewer(a: ShadowRecord, b: ShadowRecord): boolean {
  return a.version > 0 && b.version > 0 ? a.version > b.version : a.responseTimeMs > b.responseTimeMs;
}

/** The oldest copy, unpinned before pinned. */
function leastWanted(copies: readonly Copy[]): number {
  let least = 0;
  for (const [i, copy] of copies.entries()) {
    const other = copies[least];
    if (!other) continue;
    if (other.pinned !== copy.pinned ? other.pinned : copy.record.responseTimeMs < other.record.responseTimeMs) least = i;
  }
  return least;
}

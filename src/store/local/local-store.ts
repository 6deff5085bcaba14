/**
 * The edge's own copy on disk: records and the places of bodies in LMDB, bodies in segment files. Reads are synchronous and never wait for a
 * write. Writes queue up; a batch appends its bodies, then changes the index in one transaction, so that a crash at any moment leaves either
 * all of a put or nothing. What is read is checked against its sum; what is not sound is left out, counted and dropped, never thrown at the request.
 */
import { type BlobDigest, type Clock, type Log, messageOf, type ResourceKey, type VariationKey } from '../../kernel/index.ts';
import type { FeedsHeard, Filling, FillingId } from '../../compose/types.ts';
import { type CatalogChange, type CatalogRule, bodiesOf, type ShadowRecord, shadowId } from '../../catalog/index.ts';
import { digestBytes } from '../digest.ts';
import type { LocalStore } from '../local-store.ts';
import { BodyFiles, type BodyPlace } from './body-files.ts';
import { commitErrorOf, type LocalDatabase, openDatabase, stateKey } from './database.ts';
import type { Copy } from './entry.ts';
import { checkSpace, localFailure } from './failure.ts';
import { Fillings } from './fillings.ts';
import { sealIndex } from './index-guard.ts';
import { Changes, type Ledger, ledgerOf, sameVary, stateOf } from './changes.ts';
import { LocalKeys } from './keys.ts';
import { Notes } from './notes.ts';
import { Reading } from './reading.ts';
import { reclaim, type Reclaimable } from './reclaim.ts';
import { removeWhere } from './removal.ts';
import { WriteQueue } from './write-queue.ts';

export interface LocalStoreOptions {
  readonly path: string;
  /** Address space LMDB reserves for its file, 4 GiB unless told; it takes no memory, and grows by itself. */
  readonly mapBytesMax?: number;
  readonly limits: {
    readonly variantsPerVariation: number;
    /** Disk space for bodies and records together. Beyond it the oldest copies that the catalog doesn't have go. */
    readonly storageBytes: number;
  };
  readonly clock: Clock;
  readonly log: Log;
}

interface Job {
  readonly bodies: readonly { readonly digest: BlobDigest; readonly bytes: Uint8Array }[];
  readonly change: (changes: Changes, placeOf: (digest: BlobDigest) => BodyPlace | undefined) => void;
}

/** Bounds how long one batch keeps the serving thread: about 10 µs a change. */
const jobsPerBatch = 128;
/** A segment is read whole when it is rewritten. */
const segmentBytesMax = 16 * 1024 * 1024;
const batchBodyBytesMax = 8 * 1024 * 1024;

export class LmdbLocalStore implements LocalStore {
  readonly #options: LocalStoreOptions;
  readonly #log: Log;
  readonly #database: LocalDatabase;
  readonly #files: BodyFiles;
  readonly #fillings: Fillings;
  readonly #notes: Notes;
  readonly #keys: LocalKeys;
  readonly #reading: Reading;
  readonly #reclaimable: Reclaimable;
  readonly #seeds: readonly [string, string];
  #ledger: Ledger;
  readonly #queue: WriteQueue<Job>;
  /** Bodies found damaged whose places are still to be forgotten. */
  readonly #dropping = new Set<BlobDigest>();
  #closed: Promise<void> | undefined;

  constructor(options: LocalStoreOptions) {
    this.#options = options;
    this.#log = options.log.with({ store: options.path });
    const { database, state, movedAside } = openDatabase(`${options.path}/index`, { ...options, mapBytesMax: options.mapBytesMax });
    this.#database = database;
    this.#seeds = state.seeds;
    this.#keys = new LocalKeys(state.seeds);
    this.#reading = new Reading(database, this.#keys, this.#log);
    this.#ledger = ledgerOf(state);
    if (movedAside) this.#reading.corrupt += 1;
    this.#notes = new Notes(database.meta);
    const { damaged } = this.#notes;
    if (damaged.rules || damaged.heard) this.#reading.corrupt += 1;
    if (damaged.rules) this.#ledger.appliedVersion = 0;
    this.#fillings = new Fillings({
      table: database.fillings, keys: this.#keys, damaged: () => { this.#reading.corrupt += 1; },
      change: (count, change) => this.#enqueue([], change, count),
    });
    const segmentBytes = Math.max(64 * 1024, Math.min(segmentBytesMax, Math.floor(options.limits.storageBytes / 16)));
    try {
      this.#files = new BodyFiles(`${options.path}/bodies`, segmentBytes);
    } catch (error) {
      throw localFailure(this.#options.path, error);
    }
    this.#reclaimable = {
      files: this.#files, bodies: database.bodies, storageBytes: options.limits.storageBytes,
      ledger: () => this.#ledger, change: (run) => this.#change(run),
    };
    this.#queue = new WriteQueue({
      itemsMax: jobsPerBatch, bytesMax: batchBodyBytesMax, run: (batch) => this.#write(batch),
      afterwards: () => reclaim(this.#reclaimable).catch((error: unknown) => { this.#log.warn('local-reclaim-failed', { error: messageOf(error) }); }),
    });
    // Files the index has no live byte in: written by a run that died before it said so, or left from an index that is gone.
    for (const segment of [...this.#files.segments.keys()]) {
      if ((this.#ledger.segments.get(segment) ?? 0) <= 0) this.#files.remove(segment);
    }
  }

  records(resource: ResourceKey, variation: VariationKey): readonly ShadowRecord[] {
    return this.#reading.records(resource, variation);
  }

  variations(resource: ResourceKey): readonly VariationKey[] {
    return this.#reading.variations(resource);
  }

  body(digest: BlobDigest): Uint8Array | undefined {
    return this.#reading.body(digest, this.#files, (damaged, place) => { this.#dropBody(damaged, place); });
  }

  hasBody(digest: BlobDigest): boolean {
    return !this.#dropping.has(digest) && this.#reading.place(digest) !== undefined;
  }

  #dropBody(digest: BlobDigest, place: BodyPlace): void {
    if (this.#dropping.has(digest)) return;
    this.#dropping.add(digest);
    this.#enqueue([], (changes) => { changes.dropBody(digest, place); })
      .catch(() => undefined)
      .finally(() => this.#dropping.delete(digest));
  }

  async put(record: ShadowRecord, body: Uint8Array | undefined, coded: readonly (Uint8Array | undefined)[] = []): Promise<void> {
    const given = [body, ...coded];
    const bodies = bodiesOf(record).flatMap(({ body: digest }, n) => (given[n] ? [{ digest, bytes: given[n] }] : []));
    checkSpace(this.#options.path, bytesOf(bodies));
    await this.#enqueue(bodies, (changes, placeOf) => { changes.put(record, placeOf); });
  }

  remove(resource: ResourceKey, variation: VariationKey, vary: ShadowRecord['vary']): Promise<void> {
    return this.#enqueue([], (changes) => { changes.removeWhere(resource, variation, ({ record }) => sameVary(record.vary, vary)); });
  }

  removeResource(resource: ResourceKey): Promise<void> {
    return this.#enqueue([], (changes) => { changes.removeResource(resource); });
  }

  removeUnlisted(listed: (id: string) => boolean): Promise<number> {
    return this.#removeWhere(({ record, pinned }) => pinned && record.version > 0 && !listed(shadowId(record)));
  }

  removeMatching(unwanted: (record: ShadowRecord) => boolean): Promise<number> {
    return this.#removeWhere(({ record }) => unwanted(record));
  }

  #removeWhere(unwanted: (copy: Copy) => boolean): Promise<number> {
    return removeWhere(this.#database.records, this.#reading.pairs, unwanted, ({ resource, variation }) => (
      this.#enqueue([], (changes) => { changes.removeWhere(resource, variation, unwanted); })));
  }

  filling(id: FillingId): Filling | undefined {
    return this.#reading.attempt(() => this.#fillings.get(id), undefined);
  }

  fillings(): Iterable<Filling> {
    return this.#fillings.all();
  }

  async putFillings(fillings: readonly Filling[]): Promise<void> {
    checkSpace(this.#options.path, 0);
    await this.#fillings.put(fillings);
  }

  removeFillings(ids: readonly FillingId[]): Promise<void> {
    return this.#fillings.remove(ids);
  }

  removeUnlistedFillings(listed: (id: FillingId) => boolean): Promise<readonly FillingId[]> {
    return this.#fillings.removeUnlisted(listed);
  }

  rules(): readonly CatalogRule[] {
    return this.#notes.rules;
  }

  putRules(rules: readonly CatalogRule[]): Promise<void> {
    return this.#enqueue([], this.#notes.setRules(rules));
  }

  heard(): FeedsHeard {
    return this.#notes.heard;
  }

  async putHeard(pairs: CatalogChange['heard']): Promise<void> {
    const write = this.#notes.setHeard(pairs);
    if (write) await this.#enqueue([], write);
  }

  appliedVersion(): number {
    return this.#ledger.appliedVersion;
  }

  setAppliedVersion(version: number): Promise<void> {
    return this.#enqueue([], (changes) => { changes.ledger.appliedVersion = version; });
  }

  async flush(): Promise<void> {
    await this.#queue.settled();
    try {
      await this.#files.sync();
      await this.#database.root.flushed;
    } catch (error) {
      throw localFailure(this.#options.path, error);
    }
  }

  stats(): { records: number; bodies: number; bytes: number; corrupt: number } {
    const { records, bodies } = this.#ledger;
    return { records, bodies, bytes: this.#files.bytes + this.#ledger.recordBytes + this.#ledger.fillingBytes, corrupt: this.#reading.corrupt };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#queue.settled();
    await this.#files.finish();
    await this.#database.root.flushed;
    await this.#database.root.close();
    try {
      sealIndex(`${this.#options.path}/index`);
    } catch (error) {
      this.#log.warn('local-store-not-sealed', { error: messageOf(error) });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #enqueue(bodies: Job['bodies'], change: Job['change'], count = 1): Promise<void> {
    if (this.#closed) return Promise.reject(localFailure(this.#options.path, new Error('the store is closed')));
    return this.#queue.add({ bodies, change }, bytesOf(bodies), count);
  }

  async #write(batch: readonly Job[]): Promise<void> {
    try {
      const places = await this.#appendBodies(batch);
      await this.#change((changes) => {
        for (const job of batch) job.change(changes, (digest) => places.get(digest));
        changes.finish();
      });
    } catch (error) {
      const failure = localFailure(this.#options.path, error);
      this.#log.error('local-write-failed', { error: failure.message });
      throw failure;
    }
  }

  async #appendBodies(batch: readonly Job[]): Promise<Map<BlobDigest, BodyPlace>> {
    const appending = new Map<BlobDigest, Promise<BodyPlace>>();
    for (const { digest, bytes } of batch.flatMap(({ bodies }) => bodies)) {
      if (appending.has(digest) || this.hasBody(digest)) continue;
      appending.set(digest, this.#files.append(digestBytes(digest), bytes));
    }
    const places = new Map<BlobDigest, BodyPlace>();
    const outcomes = await Promise.allSettled([...appending].map(async ([digest, place]) => places.set(digest, await place)));
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed) throw failed.reason;
    return places;
  }

  /** One transaction. The ledger in memory changes only when it is committed. */
  async #change(run: (changes: Changes) => void): Promise<void> {
    const ledger: Ledger = { ...this.#ledger, segments: new Map(this.#ledger.segments) };
    const changes = new Changes(this.#database, this.#keys, ledger, {
      variantsPerVariation: this.#options.limits.variantsPerVariation,
      liveBytesMax: this.#options.limits.storageBytes * 0.8,
      nowMs: this.#options.clock.nowMs(),
      rules: this.#notes.compiled,
    });
    try {
      await this.#database.root.transaction(() => {
        run(changes);
        this.#database.meta.putSync(stateKey, Buffer.from(JSON.stringify(stateOf(ledger, this.#seeds))));
      });
    } catch (error) {
      throw await commitErrorOf(error);
    }
    this.#ledger = ledger;
  }
}

function bytesOf(bodies: Job['bodies']): number {
  return bodies.reduce((sum, { bytes }) => sum + bytes.byteLength, 0);
}

/**
 * The edge's own copy on disk: records and the places of bodies in LMDB, bodies in segment files. Reads are synchronous and never wait for a
 * write. Writes queue up; a batch appends its bodies, then changes the index in one transaction, so that a crash at any moment leaves either
 * all of a put or nothing. What is read is checked against its sum; what is not sound is left out, counted and dropped, never thrown at the request.
 */
import { statfsSync } from 'node:fs';
import { type BlobDigest, type Clock, ForeshadowError, type Log, messageOf, type ResourceKey, type VariationKey } from '../../kernel/index.ts';
import { errnoOf } from '../../kernel/disk.ts';
import { PairCache, type ShadowRecord } from '../../catalog/index.ts';
import { digestBytes } from '../digest.ts';
import type { LocalStore } from '../local-store.ts';
import { BodyFiles, type BodyPlace } from './body-files.ts';
import { commitErrorOf, type LocalDatabase, openDatabase, stateKey } from './database.ts';
import { type Copy, decodeCopies, decodePlace, variationOf } from './entry.ts';
import { sealIndex } from './index-guard.ts';
import { Changes, type Ledger, ledgerOf, sameVary, stateOf } from './changes.ts';
import { LocalKeys } from './keys.ts';
import { reclaim, type Reclaimable } from './reclaim.ts';
import { removeUnlisted } from './unlisted.ts';
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
  readonly body: { readonly digest: BlobDigest; readonly bytes: Uint8Array } | undefined;
  readonly change: (changes: Changes, place: BodyPlace | undefined) => void;
}

/** Bounds how long one batch keeps the serving thread: about 10 µs a change. */
const jobsPerBatch = 128;
/** A segment is read whole when it is rewritten. */
const segmentBytesMax = 16 * 1024 * 1024;
const spaceLeftMin = 2 * 1024 * 1024;
const batchBodyBytesMax = 8 * 1024 * 1024;

export class LmdbLocalStore implements LocalStore {
  readonly #options: LocalStoreOptions;
  readonly #log: Log;
  readonly #database: LocalDatabase;
  readonly #files: BodyFiles;
  readonly #keys: LocalKeys;
  readonly #pairs = new PairCache();
  readonly #reclaimable: Reclaimable;
  readonly #seeds: readonly [string, string];
  #ledger: Ledger;
  readonly #queue: WriteQueue<Job>;
  /** Bodies found damaged whose places are still to be forgotten. */
  readonly #dropping = new Set<BlobDigest>();
  #corrupt = 0;
  #closed: Promise<void> | undefined;

  constructor(options: LocalStoreOptions) {
    this.#options = options;
    this.#log = options.log.with({ store: options.path });
    const { database, state, movedAside } = openDatabase(`${options.path}/index`, { ...options, mapBytesMax: options.mapBytesMax });
    this.#database = database;
    this.#seeds = state.seeds;
    this.#keys = new LocalKeys(state.seeds);
    this.#ledger = ledgerOf(state);
    if (movedAside) this.#corrupt += 1;
    const segmentBytes = Math.max(64 * 1024, Math.min(segmentBytesMax, Math.floor(options.limits.storageBytes / 16)));
    try {
      this.#files = new BodyFiles(`${options.path}/bodies`, segmentBytes);
    } catch (error) {
      throw this.#failure(error);
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
    const copies = this.#copies(this.#keys.record(resource, variation));
    if (!copies || copies.length === 0) return [];
    const records = copies.map((copy) => copy.record);
    const first = records[0];
    return first && first.resource === resource && first.variation === variation ? records : [];
  }

  variations(resource: ResourceKey): readonly VariationKey[] {
    const found: VariationKey[] = [];
    try {
      for (const { value } of this.#database.records.getRange(this.#keys.rangeOf(resource))) {
        const variation = variationOf(value);
        if (variation === undefined) this.#corrupt += 1;
        else found.push(variation);
      }
    } catch (error) {
      this.#unreadable(error);
    }
    return found;
  }

  body(digest: BlobDigest): Uint8Array | undefined {
    const place = this.#place(digest);
    if (!place) return undefined;
    const body = this.#files.read(place);
    if (body) return body;
    this.#corrupt += 1;
    this.#log.warn('local-body-corrupt', { digest });
    this.#dropBody(digest, place);
    return undefined;
  }

  hasBody(digest: BlobDigest): boolean {
    return !this.#dropping.has(digest) && this.#place(digest) !== undefined;
  }

  #dropBody(digest: BlobDigest, place: BodyPlace): void {
    if (this.#dropping.has(digest)) return;
    this.#dropping.add(digest);
    this.#enqueue(undefined, (changes) => { changes.dropBody(digest, place); })
      .catch(() => undefined)
      .finally(() => this.#dropping.delete(digest));
  }

  #place(digest: BlobDigest): BodyPlace | undefined {
    try {
      const value = this.#database.bodies.get(digestBytes(digest));
      if (!value) return undefined;
      const place = decodePlace(value);
      if (!place) this.#corrupt += 1;
      return place;
    } catch (error) {
      this.#unreadable(error);
      return undefined;
    }
  }

  #copies(key: Buffer): Copy[] | undefined {
    try {
      const value = this.#database.records.get(key);
      if (!value) return undefined;
      const copies = decodeCopies(value, this.#pairs);
      if (!copies) this.#corrupt += 1;
      return copies;
    } catch (error) {
      this.#unreadable(error);
      return undefined;
    }
  }

  #unreadable(error: unknown): void {
    this.#corrupt += 1;
    this.#log.error('local-index-unreadable', { error: messageOf(error) });
  }

  async put(record: ShadowRecord, body: Uint8Array | undefined): Promise<void> {
    this.#checkSpace(body?.byteLength ?? 0);
    const bytes = body === undefined ? undefined : { digest: record.body, bytes: body };
    await this.#enqueue(bytes, (changes, place) => { changes.put(record, place); });
  }

  /** What little space is left is for removing copies: an edge that can't keep more serves on, one that can't invalidate would serve what is wrong. */
  #checkSpace(bodyBytes: number): void {
    try {
      const { bavail, bsize } = statfsSync(this.#options.path);
      if (bavail * bsize < spaceLeftMin + bodyBytes) throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' });
    } catch (error) {
      throw this.#failure(error);
    }
  }

  remove(resource: ResourceKey, variation: VariationKey, vary: ShadowRecord['vary']): Promise<void> {
    return this.#enqueue(undefined, (changes) => { changes.remove(resource, variation, (record) => sameVary(record.vary, vary)); });
  }

  removeResource(resource: ResourceKey): Promise<void> {
    return this.#enqueue(undefined, (changes) => { changes.removeResource(resource); });
  }

  removeUnlisted(listed: (id: string) => boolean): Promise<number> {
    return removeUnlisted(this.#database.records, this.#pairs, listed, (record) => this.remove(record.resource, record.variation, record.vary));
  }

  appliedVersion(): number {
    return this.#ledger.appliedVersion;
  }

  setAppliedVersion(version: number): Promise<void> {
    return this.#enqueue(undefined, (changes) => { changes.ledger.appliedVersion = version; });
  }

  async flush(): Promise<void> {
    await this.#queue.settled();
    try {
      await this.#files.sync();
      await this.#database.root.flushed;
    } catch (error) {
      throw this.#failure(error);
    }
  }

  stats(): { records: number; bodies: number; bytes: number; corrupt: number } {
    const { records, bodies } = this.#ledger;
    return { records, bodies, bytes: this.#files.bytes + this.#ledger.recordBytes, corrupt: this.#corrupt };
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

  #enqueue(body: Job['body'], change: Job['change']): Promise<void> {
    if (this.#closed) return Promise.reject(this.#failure(new Error('the store is closed')));
    return this.#queue.add({ body, change }, body?.bytes.byteLength ?? 0);
  }

  async #write(batch: readonly Job[]): Promise<void> {
    try {
      const places = await this.#appendBodies(batch);
      await this.#change((changes) => {
        for (const job of batch) job.change(changes, job.body && places.get(job.body.digest));
        changes.finish();
      });
    } catch (error) {
      const failure = this.#failure(error);
      this.#log.error('local-write-failed', { error: failure.message });
      throw failure;
    }
  }

  async #appendBodies(batch: readonly Job[]): Promise<Map<BlobDigest, BodyPlace>> {
    const appending = new Map<BlobDigest, Promise<BodyPlace>>();
    for (const { body } of batch) {
      if (!body || appending.has(body.digest) || this.hasBody(body.digest)) continue;
      appending.set(body.digest, this.#files.append(digestBytes(body.digest), body.bytes));
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

  #failure(error: unknown): ForeshadowError {
    if (error instanceof ForeshadowError) return error;
    const full = errnoOf(error) === 'ENOSPC' || /no space|map.?full|MDB_MAP_FULL/i.test(messageOf(error));
    return new ForeshadowError(full ? 'storage-full' : 'storage-failed', {
      source: 'storage', retry: true, cause: error, message: `the local store ${this.#options.path} failed: ${messageOf(error)}`,
      hint: full ? 'free space, or lower budgets.storage' : 'check the disk; the store rebuilds itself from the catalog',
    });
  }
}

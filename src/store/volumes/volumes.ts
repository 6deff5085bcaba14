/**
 * The durable blob store: every body on `copies` of N directories, in append-only segment files (docs/formats/volumes.md).
 * `put` writes, `sync` makes durable for everybody at once, `get` never returns a byte that is not the digest's. A volume that fails is
 * left out and tried again later; writes go on while one volume takes them, and count it when that is fewer than asked for.
 */
import { type BlobDigest, type Clock, ForeshadowError, type Log, messageOf } from '../../kernel/index.ts';
import type { Disk } from '../../kernel/disk.ts';
import type { BlobStore, BlobStoreStats } from '../blob-store.ts';
import { digestBytes, digestFromBytes, digestOf } from '../digest.ts';
import { encodeRecord, recordBytes, type SidecarEntry } from '../segments/index.ts';
import { BlobIndex, type Place } from './blob-index.ts';
import { collectBlobs } from './collect.ts';
import type { Volume } from './volume.ts';
import { VolumeSet } from './volume-set.ts';

export interface VolumesLimits {
  /** A new segment file is begun beyond this. */
  readonly segmentBytes: number;
  readonly blobBytesMax: number;
  /** How long a volume that failed is left alone. */
  readonly retryAfterMs: number;
}

const defaultLimits: VolumesLimits = {
  segmentBytes: 64 * 1024 * 1024,
  blobBytesMax: 1024 * 1024 * 1024,
  retryAfterMs: 30_000,
};

export interface VolumesOptions {
  readonly paths: readonly string[];
  /** On how many volumes each blob is kept; at most all of them. */
  readonly copies: number;
  readonly site: string;
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<VolumesLimits>;
}

export class VolumesStore implements BlobStore {
  readonly index: BlobIndex;
  readonly set: VolumeSet;
  readonly log: Log;
  readonly #disk: Disk;
  readonly #limits: VolumesLimits;
  readonly #copies: number;
  readonly #putting = new Map<BlobDigest, Promise<BlobDigest>>();
  /** For each volume, what has been appended there since its last flush. */
  readonly #unsynced: readonly Set<BlobDigest>[];
  readonly #loadVolume = (ordinal: number, volume: Volume): Promise<void> => this.#load(ordinal, volume);
  #lastRound: Promise<void> = Promise.resolve();
  #nextRound: Promise<void> | undefined;
  #collecting: Promise<unknown> = Promise.resolve();
  /** Digests put while a collection runs, which it must spare. */
  #spared: Set<BlobDigest> | undefined;
  #corrupt = 0;
  #repaired = 0;
  #closed: Promise<void> | undefined;

  constructor(options: VolumesOptions) {
    this.#limits = { ...defaultLimits, ...options.limits };
    this.set = new VolumeSet({ ...options, ...this.#limits });
    this.log = options.log;
    this.#disk = options.disk;
    this.#copies = Math.max(1, Math.min(options.copies, options.paths.length));
    this.#unsynced = options.paths.map(() => new Set<BlobDigest>());
    this.index = new BlobIndex(options.paths.length);
  }

  open(): Promise<void> {
    return this.set.open(this.#loadVolume);
  }

  async #load(ordinal: number, volume: Volume): Promise<void> {
    // An attempt that broke off has left what it had found.
    for (const id of this.index.ids()) this.index.setPlace(id, ordinal, undefined);
    await volume.load((segment, entry) => {
      const id = this.index.add(entry.digest, entry.bodyBytes);
      const older = this.index.place(id, ordinal);
      if (older) volume.addLive(older.segment, -recordBytes(entry.bodyBytes));
      this.index.setPlace(id, ordinal, { segment, bodyOffset: entry.bodyOffset });
      volume.addLive(segment, recordBytes(entry.bodyBytes));
    });
  }

  async put(bytes: Uint8Array): Promise<BlobDigest> {
    if (bytes.byteLength > this.#limits.blobBytesMax) {
      throw new ForeshadowError('body-too-large', {
        source: 'storage', message: `a body of ${bytes.byteLength} bytes is larger than the store takes (${this.#limits.blobBytesMax})`,
      });
    }
    const digest = digestOf(bytes);
    this.#spared?.add(digest);
    const pending = this.#putting.get(digest);
    if (pending) return pending;
    const name = digestBytes(digest);
    const known = this.index.find(name);
    if (known >= 0 && this.#readableCopies(known) > 0) return digest;
    const putting = this.#store(digest, name, bytes)
      .then(() => digest)
      .finally(() => this.#putting.delete(digest));
    this.#putting.set(digest, putting);
    return putting;
  }

  /**
   * Writes copies until there are enough on readable volumes, or no volume is left. Returns how many it wrote; throws when there is
   * still not one. A body that ends on fewer volumes than asked for is logged, and completed by a later read.
   */
  async #store(digest: BlobDigest, name: Uint8Array, bytes: Uint8Array): Promise<number> {
    await this.set.reviveDue(this.#loadVolume);
    const known = this.index.find(name);
    const has = (ordinal: number): boolean => known >= 0 && this.index.place(known, ordinal) !== undefined;
    const before = known >= 0 ? this.#readableCopies(known) : 0;
    let copies = before;
    let lastError: unknown;
    const candidates = this.set.placement(name).filter((ordinal) => this.set.at(ordinal).state === 'ok' && !has(ordinal));
    while (copies < this.#copies && candidates.length > 0) {
      const chosen = candidates.splice(0, this.#copies - copies);
      const outcomes = await Promise.allSettled(chosen.map((ordinal) => this.#writeCopy(ordinal, digest, name, bytes)));
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') copies += 1;
        else lastError = outcome.reason;
      }
    }
    if (copies === 0) throw this.set.noneLeft(lastError);
    if (copies < this.#copies && copies > before) this.log.warn('blob-under-replicated', { digest, copies, wanted: this.#copies });
    return copies - before;
  }

  async #writeCopy(ordinal: number, digest: BlobDigest, name: Uint8Array, bytes: Uint8Array): Promise<void> {
    const volume = this.set.at(ordinal);
    try {
      const place = await volume.append(encodeRecord(name, bytes), bytes.byteLength);
      this.index.setPlace(this.index.add(name, bytes.byteLength), ordinal, place);
      this.#unsynced[ordinal]?.add(digest);
    } catch (error) {
      this.set.fail(volume, 'degraded', error);
      throw error;
    }
  }

  /** Rounds run one after another. A round that has begun may have flushed before the caller's last put, so the caller waits for one that has not. */
  sync(): Promise<void> {
    if (!this.#nextRound) {
      this.#nextRound = this.#lastRound.then(() => {
        this.#nextRound = undefined;
        return this.#syncRound();
      });
      this.#lastRound = this.#nextRound.catch(() => undefined);
    }
    return this.#nextRound;
  }

  async #syncRound(): Promise<void> {
    await Promise.allSettled(this.#putting.values());
    // Each turn either flushes everything or loses a volume, so there are at most as many turns as volumes.
    for (let turn = 0; turn <= this.set.volumes.length; turn++) {
      const lost = await Promise.all([...this.set.volumes.keys()].map((ordinal) => this.#syncVolume(ordinal)));
      if (lost.every((digests) => digests.length === 0)) return;
      for (const [ordinal, digests] of lost.entries()) {
        for (const digest of digests) await this.#replaceLost(digest, ordinal);
      }
    }
  }

  /** Returns what this volume has lost: everything since its last good flush, when this one fails. */
  async #syncVolume(ordinal: number): Promise<BlobDigest[]> {
    const volume = this.set.at(ordinal);
    const unsynced = this.#unsynced[ordinal] ?? new Set();
    const flushed = [...unsynced];
    unsynced.clear();
    if (volume.state === 'failed') return flushed;
    if (!volume.unsynced) return [];
    try {
      const sealed = await volume.sync();
      if (sealed.length > 0) await this.writeSidecars(ordinal, new Set(sealed));
      return [];
    } catch (error) {
      this.set.fail(volume, 'degraded', error);
      const during = [...unsynced];
      unsynced.clear();
      return [...flushed, ...during];
    }
  }

  async #replaceLost(digest: BlobDigest, ordinal: number): Promise<void> {
    const name = digestBytes(digest);
    const id = this.index.find(name);
    if (id < 0) return;
    // The lost copy itself is often still readable, and it may be the only one.
    const bytes = await this.#readAnywhere(id, digest);
    this.#dropPlace(id, ordinal);
    if (!bytes) throw this.set.noneLeft(undefined);
    await this.#store(digest, name, bytes);
  }

  async get(digest: BlobDigest): Promise<Uint8Array | undefined> {
    const name = digestBytes(digest);
    const id = this.index.find(name);
    if (id < 0) return undefined;
    const corruptBefore = this.#corrupt;
    const bytes = await this.#readAnywhere(id, digest);
    if (!bytes) {
      if (this.index.find(name) === id && this.index.copies(id) === 0) this.index.remove(id);
      return undefined;
    }
    if (this.#corrupt > corruptBefore || this.#readableCopies(id) < this.#copies) await this.#repair(digest, name, bytes);
    return bytes;
  }

  /** Reads from one volume after another. Copies found bad are forgotten and counted; volumes found unreadable are left out. */
  async #readAnywhere(id: number, digest: BlobDigest): Promise<Uint8Array | undefined> {
    for (const ordinal of this.set.placement(digestBytes(digest))) {
      const volume = this.set.at(ordinal);
      const place = this.index.place(id, ordinal);
      if (!place || volume.state === 'failed') continue;
      try {
        const bytes = await volume.read(place, this.index.bodyBytes(id));
        if (digestOf(bytes) === digest) return bytes;
        this.#badCopy(id, ordinal, digest, 'digest');
      } catch (error) {
        if (await this.set.isThere(ordinal)) this.#badCopy(id, ordinal, digest, messageOf(error));
        else this.set.fail(volume, 'failed', error);
      }
    }
    return undefined;
  }

  #badCopy(id: number, ordinal: number, digest: BlobDigest, why: string): void {
    this.#corrupt += 1;
    this.#dropPlace(id, ordinal);
    this.log.warn('blob-copy-bad', { volume: this.set.at(ordinal).path, digest, why });
  }

  async #repair(digest: BlobDigest, name: Uint8Array, bytes: Uint8Array): Promise<void> {
    try {
      this.#repaired += await this.#store(digest, name, bytes);
    } catch (error) {
      this.log.warn('blob-not-repaired', { digest, error: messageOf(error) });
    }
  }

  async has(digest: BlobDigest): Promise<boolean> {
    const id = this.index.find(digestBytes(digest));
    return id >= 0 && this.#readableCopies(id) > 0;
  }

  async list(cursor: BlobDigest | undefined, limit: number): Promise<BlobDigest[]> {
    return this.index.list(cursor && digestBytes(cursor), limit);
  }

  collect(live: ReadonlySet<BlobDigest>): Promise<{ blobs: number; bytes: number }> {
    const run = this.#collecting.then(async () => {
      const spared = new Set<BlobDigest>(this.#putting.keys());
      this.#spared = spared;
      try {
        await this.sync();
        return await collectBlobs(this, (digest) => live.has(digest) || spared.has(digest), this.#limits.segmentBytes);
      } finally {
        this.#spared = undefined;
      }
    });
    this.#collecting = run.catch(() => undefined);
    return run;
  }

  async stats(): Promise<BlobStoreStats> {
    await this.set.reviveDue(this.#loadVolume);
    const volumes = await Promise.all(this.set.volumes.map(async (volume) => {
      const freeBytes = await this.#disk.freeBytes(volume.path).catch(() => 0);
      const facts = { path: volume.path, state: volume.state, bytes: volume.bytes, freeBytes };
      return volume.error === undefined ? facts : { ...facts, error: volume.error };
    }));
    return { blobs: this.index.count, bytes: this.index.bytes, volumes, corrupt: this.#corrupt, repaired: this.#repaired };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#collecting;
    await Promise.allSettled(this.#putting.values());
    for (const volume of this.set.volumes) volume.finishSegment();
    try {
      await this.sync();
    } finally {
      await Promise.all(this.set.volumes.map((volume) => volume.close()));
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Lists these closed segments' live records beside them. */
  async writeSidecars(ordinal: number, segments: ReadonlySet<number>): Promise<void> {
    for (const [segment, entries] of this.entriesOf(ordinal, segments)) await this.set.at(ordinal).writeSidecar(segment, entries);
  }

  /** The records the index knows in these segments. One pass over the index. */
  entriesOf(ordinal: number, segments: ReadonlySet<number>): Map<number, SidecarEntry[]> {
    const found = new Map<number, SidecarEntry[]>();
    for (const segment of segments) found.set(segment, []);
    for (const id of this.index.ids()) {
      const place = this.index.place(id, ordinal);
      if (!place) continue;
      found.get(place.segment)?.push({ digest: this.index.digestAt(id).slice(), bodyOffset: place.bodyOffset, bodyBytes: this.index.bodyBytes(id) });
    }
    return found;
  }

  /** Forgets where one copy was. */
  #dropPlace(id: number, ordinal: number): void {
    const place = this.index.place(id, ordinal);
    if (!place) return;
    this.set.at(ordinal).addLive(place.segment, -recordBytes(this.index.bodyBytes(id)));
    this.index.setPlace(id, ordinal, undefined);
  }

  forget(id: number): void {
    for (const ordinal of this.set.volumes.keys()) this.#dropPlace(id, ordinal);
    this.index.remove(id);
  }

  /**
   * Moves one record to the volume's present segment, when it is still at `from`. The index names the new place at once, because a segment that is sealed
   * meanwhile lists what the index says; the old file stays until the new one is flushed.
   */
  async moveWithin(ordinal: number, name: Uint8Array, from: Place): Promise<void> {
    const volume = this.set.at(ordinal);
    const digest = digestFromBytes(name);
    const size = (bytes: Uint8Array): number => recordBytes(bytes.byteLength);
    const stillThere = (): number => {
      const id = this.index.find(name);
      const place = id < 0 ? undefined : this.index.place(id, ordinal);
      return place?.segment === from.segment && place.bodyOffset === from.bodyOffset ? id : -1;
    };
    const id = stillThere();
    const bytes = id < 0 ? undefined : await this.#readAnywhere(id, digest);
    if (!bytes) return;
    const to = await volume.append(encodeRecord(name, bytes), bytes.byteLength);
    const now = stillThere();
    if (now < 0) {
      volume.addLive(to.segment, -size(bytes));
      return;
    }
    volume.addLive(from.segment, -size(bytes));
    this.index.setPlace(now, ordinal, to);
    this.#unsynced[ordinal]?.add(digest);
  }

  #readableCopies(id: number): number {
    let copies = 0;
    for (const [ordinal, volume] of this.set.volumes.entries()) {
      if (volume.state !== 'failed' && this.index.place(id, ordinal)) copies += 1;
    }
    return copies;
  }
}

/**
 * The durable blob store: every body on `copies` of N directories, in append-only segment files (docs/formats/volumes.md).
 * `put` writes, `sync` makes durable for everybody at once, `get` never returns a byte that is not the digest's. A volume that fails is
 * left out and tried again later; writes go on while one volume takes them, and count it when that is fewer than asked for.
 */
import { type BlobDigest, type Clock, ForeshadowError, type Log, messageOf } from '../../kernel/index.ts';
import { type Disk, errnoOf } from '../../kernel/disk.ts';
import type { BlobStore, BlobStoreStats } from '../blob-store.ts';
import { digestBytes, digestFromBytes, digestOf } from '../digest.ts';
import { encodeRecord, recordBytes } from '../segments/index.ts';
import { BlobIndex } from './blob-index.ts';
import { collectBlobs } from './collect.ts';
import { identifyVolumes, isRefusal, readIdentity, type VolumeIdentity } from './identity.ts';
import { Volume } from './volume.ts';

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

/** What happened since the store was opened, beside `stats()`. */
export interface VolumesCounters {
  corrupt: number;
  repaired: number;
  /** Bodies that were written to fewer volumes than asked for. */
  underReplicated: number;
  volumeFailures: number;
}

export class VolumesStore implements BlobStore {
  readonly index: BlobIndex;
  readonly volumes: readonly Volume[];
  readonly counters: VolumesCounters = { corrupt: 0, repaired: 0, underReplicated: 0, volumeFailures: 0 };
  readonly #options: VolumesOptions;
  readonly #limits: VolumesLimits;
  readonly #copies: number;
  #identities: readonly (VolumeIdentity | undefined)[] = [];
  readonly #putting = new Map<BlobDigest, Promise<BlobDigest>>();
  /** For each volume, what has been appended there since its last flush. */
  readonly #unsynced: readonly Set<BlobDigest>[];
  #round: Promise<void> | undefined;
  #nextRound: Promise<void> | undefined;
  #collecting: Promise<unknown> = Promise.resolve();
  /** Digests put while a collection runs, which it must spare. */
  #spared: Set<BlobDigest> | undefined;
  #closed = false;

  constructor(options: VolumesOptions) {
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.volumes = options.paths.map((path) => new Volume(path, { ...options, segmentBytes: this.#limits.segmentBytes }));
    this.#copies = Math.max(1, Math.min(options.copies, options.paths.length));
    this.#unsynced = options.paths.map(() => new Set<BlobDigest>());
    this.index = new BlobIndex(options.paths.length);
  }

  /** Finds out who the volumes are and what they hold. Throws only when none is usable, or one belongs elsewhere. */
  async open(): Promise<void> {
    this.#identities = await identifyVolumes(this.#options, (path, error) => {
      const volume = this.volumes.find((one) => one.path === path);
      if (volume) this.#fail(volume, 'failed', error);
    });
    for (const [ordinal, volume] of this.volumes.entries()) {
      if (this.#identities[ordinal]) await this.#load(ordinal, volume);
    }
    if (!this.volumes.some((volume) => volume.state === 'ok')) {
      const reasons = this.volumes.map((volume) => `${volume.path} (${volume.error ?? 'unknown'})`).join(', ');
      throw new ForeshadowError('storage-failed', {
        source: 'storage', message: `no volume can be used: ${reasons}`, hint: 'check that the directories exist and may be written', retry: true,
      });
    }
  }

  async #load(ordinal: number, volume: Volume): Promise<void> {
    try {
      await volume.load((segment, entry) => {
        const id = this.index.add(entry.digest, entry.bodyBytes);
        const older = this.index.place(id, ordinal);
        if (older) this.#addLive(volume, older.segment, -recordBytes(entry.bodyBytes));
        this.index.setPlace(id, ordinal, { segment, bodyOffset: entry.bodyOffset });
        this.#addLive(volume, segment, recordBytes(entry.bodyBytes));
      });
      volume.state = 'ok';
      volume.error = undefined;
    } catch (error) {
      if (isRefusal(error)) throw error;
      this.#fail(volume, 'failed', error);
    }
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
    const putting = this.#store(digest, name, bytes, this.#copies)
      .then(() => digest)
      .finally(() => this.#putting.delete(digest));
    this.#putting.set(digest, putting);
    return putting;
  }

  /** Writes copies until there are `wanted` on readable volumes, or no volume is left. Throws when not one could be written. */
  async #store(digest: BlobDigest, name: Uint8Array, bytes: Uint8Array, wanted: number): Promise<number> {
    await this.#reviveDue();
    const known = this.index.find(name);
    const has = (ordinal: number): boolean => known >= 0 && this.index.place(known, ordinal) !== undefined;
    let copies = known >= 0 ? this.#readableCopies(known) : 0;
    const before = copies;
    const candidates = this.#placement(name).filter((ordinal) => this.volumes[ordinal]?.state === 'ok' && !has(ordinal));
    let lastError: unknown;
    while (copies < wanted && candidates.length > 0) {
      const chosen = candidates.splice(0, wanted - copies);
      const outcomes = await Promise.allSettled(chosen.map((ordinal) => this.#writeCopy(ordinal, digest, name, bytes)));
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') copies += 1;
        else lastError = outcome.reason;
      }
    }
    if (copies === 0) throw this.#noVolume(lastError);
    if (copies < wanted && copies > before) this.counters.underReplicated += 1;
    return copies - before;
  }

  async #writeCopy(ordinal: number, digest: BlobDigest, name: Uint8Array, bytes: Uint8Array): Promise<void> {
    const volume = this.#volume(ordinal);
    try {
      const place = await volume.append(encodeRecord(name, bytes), bytes.byteLength);
      this.index.setPlace(this.index.add(name, bytes.byteLength), ordinal, place);
      this.#unsynced[ordinal]?.add(digest);
    } catch (error) {
      this.#fail(volume, 'degraded', error);
      throw error;
    }
  }

  sync(): Promise<void> {
    // A round that has begun may have flushed before the caller's last put: the caller belongs to the one after it.
    if (!this.#round) return this.#startRound();
    this.#nextRound ??= this.#round.catch(() => undefined).then(() => this.#startRound());
    return this.#nextRound;
  }

  #startRound(): Promise<void> {
    this.#nextRound = undefined;
    this.#round = this.#syncRound().finally(() => {
      this.#round = undefined;
    });
    return this.#round;
  }

  async #syncRound(): Promise<void> {
    await Promise.allSettled(this.#putting.values());
    // Each turn either flushes everything or loses a volume, so there are at most as many turns as volumes.
    for (let turn = 0; turn <= this.volumes.length; turn++) {
      const lost = await Promise.all([...this.volumes.keys()].map((ordinal) => this.#syncVolume(ordinal)));
      if (lost.every((digests) => digests.length === 0)) return;
      for (const [ordinal, digests] of lost.entries()) {
        for (const digest of digests) await this.#replaceLost(digest, ordinal);
      }
    }
  }

  /** Returns what this volume has lost: everything since its last good flush, when this one fails. */
  async #syncVolume(ordinal: number): Promise<BlobDigest[]> {
    const volume = this.#volume(ordinal);
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
      this.#fail(volume, 'degraded', error);
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
    if (!bytes) throw this.#noVolume(undefined);
    await this.#store(digest, name, bytes, this.#copies);
  }

  async get(digest: BlobDigest): Promise<Uint8Array | undefined> {
    const name = digestBytes(digest);
    const id = this.index.find(name);
    if (id < 0) return undefined;
    const corruptBefore = this.counters.corrupt;
    const bytes = await this.#readAnywhere(id, digest);
    if (!bytes) {
      if (this.index.find(name) === id && this.index.copies(id) === 0) this.index.remove(id);
      return undefined;
    }
    if (this.counters.corrupt > corruptBefore || this.#readableCopies(id) < this.#copies) await this.#repair(digest, name, bytes);
    return bytes;
  }

  /** Reads from one volume after another. Copies found bad are forgotten and counted; volumes found unreadable are left out. */
  async #readAnywhere(id: number, digest: BlobDigest): Promise<Uint8Array | undefined> {
    for (const ordinal of this.#placement(this.index.digestAt(id))) {
      const volume = this.#volume(ordinal);
      const place = this.index.place(id, ordinal);
      if (!place || volume.state === 'failed') continue;
      try {
        const bytes = await volume.read(place, this.index.bodyBytes(id));
        if (digestOf(bytes) === digest) return bytes;
        this.#badCopy(id, ordinal, digest, 'digest');
      } catch (error) {
        if (!(await this.#isThere(ordinal))) this.#fail(volume, 'failed', error);
        else this.#badCopy(id, ordinal, digest, messageOf(error));
      }
    }
    return undefined;
  }

  #badCopy(id: number, ordinal: number, digest: BlobDigest, why: string): void {
    this.counters.corrupt += 1;
    this.#dropPlace(id, ordinal);
    this.#options.log.warn('blob-copy-bad', { volume: this.#volume(ordinal).path, digest, why });
  }

  async #repair(digest: BlobDigest, name: Uint8Array, bytes: Uint8Array): Promise<void> {
    try {
      this.counters.repaired += await this.#store(digest, name, bytes, this.#copies);
    } catch (error) {
      this.#options.log.warn('blob-not-repaired', { digest, error: messageOf(error) });
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
    await this.#reviveDue();
    const volumes = await Promise.all(this.volumes.map(async (volume) => {
      const freeBytes = await this.#options.disk.freeBytes(volume.path).catch(() => 0);
      const facts = { path: volume.path, state: volume.state, bytes: volume.bytes, freeBytes };
      return volume.error === undefined ? facts : { ...facts, error: volume.error };
    }));
    const { corrupt, repaired } = this.counters;
    return { blobs: this.index.count, bytes: this.index.bytes, volumes, corrupt, repaired };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#collecting;
    for (const volume of this.volumes) volume.finishSegment();
    try {
      await this.sync();
    } finally {
      await Promise.all(this.volumes.map((volume) => volume.close()));
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Lists these closed segments' live records beside them. */
  async writeSidecars(ordinal: number, segments: ReadonlySet<number>): Promise<void> {
    const entries = this.entriesOf(ordinal, segments);
    for (const [segment, list] of entries) await this.#volume(ordinal).writeSidecar(segment, list);
  }

  /** The records the index knows in these segments. One pass over the index. */
  entriesOf(ordinal: number, segments: ReadonlySet<number>): Map<number, { id: number; digest: Uint8Array; bodyOffset: number; bodyBytes: number }[]> {
    const found = new Map([...segments].map((segment) => [segment, [] as { id: number; digest: Uint8Array; bodyOffset: number; bodyBytes: number }[]]));
    for (const id of this.index.ids()) {
      const place = this.index.place(id, ordinal);
      if (!place) continue;
      found.get(place.segment)?.push({
        id, digest: this.index.digestAt(id).slice(), bodyOffset: place.bodyOffset, bodyBytes: this.index.bodyBytes(id),
      });
    }
    return found;
  }

  /** Forgets where one copy was. */
  #dropPlace(id: number, ordinal: number): void {
    const place = this.index.place(id, ordinal);
    if (!place) return;
    const volume = this.#volume(ordinal);
    this.#addLive(volume, place.segment, -recordBytes(this.index.bodyBytes(id)));
    const use = volume.segments.get(place.segment);
    if (use) use.sidecarStale = true;
    this.index.setPlace(id, ordinal, undefined);
  }

  forget(id: number): void {
    for (const ordinal of this.volumes.keys()) this.#dropPlace(id, ordinal);
    this.index.remove(id);
  }

  /** Copies one record to the volume's present segment, for a rewrite; the index learns of it from the caller, after the flush. */
  async copyWithin(ordinal: number, id: number): Promise<{ segment: number; bodyOffset: number } | undefined> {
    const digest = digestFromBytes(this.index.digestAt(id));
    const bytes = await this.#readAnywhere(id, digest);
    if (!bytes) return undefined;
    return this.#volume(ordinal).append(encodeRecord(digestBytes(digest), bytes), bytes.byteLength);
  }

  markFailed(ordinal: number, error: unknown): void {
    this.#fail(this.#volume(ordinal), 'degraded', error);
  }

  get log(): Log {
    return this.#options.log;
  }

  #readableCopies(id: number): number {
    let copies = 0;
    for (const [ordinal, volume] of this.volumes.entries()) {
      if (volume.state !== 'failed' && this.index.place(id, ordinal)) copies += 1;
    }
    return copies;
  }

  /** The volumes in the order in which this blob prefers them: spreads blobs evenly, and is the same in every run. */
  #placement(name: Uint8Array): number[] {
    const count = this.volumes.length;
    const first = ((name[4] ?? 0) * 256 + (name[5] ?? 0)) % count;
    return Array.from({ length: count }, (_, step) => (first + step) % count);
  }

  #volume(ordinal: number): Volume {
    const volume = this.volumes[ordinal];
    if (!volume) throw new Error('broken invariant: unknown volume');
    return volume;
  }

  #addLive(volume: Volume, segment: number, bytes: number): void {
    const use = volume.segments.get(segment);
    if (use) use.liveBytes += bytes;
  }

  #fail(volume: Volume, state: 'degraded' | 'failed', error: unknown): void {
    volume.retryAtMs = this.#options.clock.monotonicMs() + this.#limits.retryAfterMs;
    volume.error = errnoOf(error) === 'ENOSPC' ? 'the disk is full' : messageOf(error);
    if (volume.state === state) return;
    this.counters.volumeFailures += 1;
    this.#options.log.error('volume-failed', { volume: volume.path, state, error: volume.error });
    volume.state = state;
  }

  async #isThere(ordinal: number): Promise<boolean> {
    try {
      const identity = await readIdentity(this.#options.disk, this.#volume(ordinal).path);
      return identity?.volume === this.#identities[ordinal]?.volume;
    } catch {
      return false;
    }
  }

  /** Gives volumes that failed a while ago another chance: the next write or read decides. */
  async #reviveDue(): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [ordinal, volume] of this.volumes.entries()) {
      if (volume.state === 'ok' || nowMs < volume.retryAtMs) continue;
      volume.retryAtMs = nowMs + this.#limits.retryAfterMs;
      if (!this.#identities[ordinal] || !(await this.#isThere(ordinal))) continue;
      if (!volume.loaded) await this.#load(ordinal, volume).catch((error: unknown) => { this.#fail(volume, 'failed', error); });
      else volume.state = 'ok';
      if (volume.state !== 'ok') continue;
      volume.error = undefined;
      this.#options.log.info('volume-tried-again', { volume: volume.path });
    }
  }

  #noVolume(cause: unknown): ForeshadowError {
    const full = this.volumes.some((volume) => volume.error === 'the disk is full') || errnoOf(cause) === 'ENOSPC';
    const reasons = this.volumes.map((volume) => `${volume.path} (${volume.error ?? volume.state})`).join(', ');
    return new ForeshadowError(full ? 'storage-full' : 'storage-failed', {
      source: 'storage', retry: true, cause, message: `no volume takes the write: ${reasons}`,
      hint: full ? 'free space, lower budgets.storage or add a volume' : 'check the directories, their permissions and the disks under them',
    });
  }
}

/**
 * Copies of blobs on volumes: writes them where there are too few, reads whichever is good, forgets the bad ones, moves them when a segment is rewritten, and
 * makes up for a volume that could not flush. Keeps the index of where everything is. `volumes.ts` is the store made of this.
 */
import { type BlobDigest, type Log, messageOf } from '../../kernel/index.ts';
import { digestBytes, digestFromBytes, digestOf } from '../digest.ts';
import { encodeRecord, recordBytes, type SidecarEntry } from '../segments/index.ts';
import { BlobIndex, type Place } from './blob-index.ts';
import type { Volume } from './volume.ts';
import type { VolumeSet } from './volume-set.ts';

export class Copies {
  readonly index: BlobIndex;
  readonly set: VolumeSet;
  readonly log: Log;
  /** Bad copies met, and copies made in their place or where there were too few. */
  corrupt = 0;
  repaired = 0;
  readonly #wanted: number;
  /** For each volume, what has been appended there since its last flush. */
  readonly #unsynced: readonly Set<BlobDigest>[];

  constructor(set: VolumeSet, wanted: number, log: Log) {
    this.set = set;
    this.log = log;
    this.#wanted = Math.max(1, Math.min(wanted, set.volumes.length));
    this.#unsynced = set.volumes.map(() => new Set<BlobDigest>());
    this.index = new BlobIndex(set.volumes.length);
  }

  /** Learns what a volume holds. */
  readonly load = async (ordinal: number, volume: Volume): Promise<void> => {
    // An attempt that broke off has left what it had found.
    for (const id of this.index.ids()) this.index.setPlace(id, ordinal, undefined);
    await volume.load((segment, entry) => {
      const id = this.index.add(entry.digest, entry.bodyBytes);
      const older = this.index.place(id, ordinal);
      if (older) volume.addLive(older.segment, -recordBytes(entry.bodyBytes));
      this.index.setPlace(id, ordinal, { segment, bodyOffset: entry.bodyOffset });
      volume.addLive(segment, recordBytes(entry.bodyBytes));
    });
  };

  /**
   * Writes copies until there are enough on readable volumes, or no volume is left. Returns how many it wrote; throws when there is
   * still not one. A body that ends on fewer volumes than asked for is logged, and completed by a later read.
   */
  async write(digest: BlobDigest, name: Uint8Array, bytes: Uint8Array): Promise<number> {
    await this.set.reviveDue(this.load);
    const known = this.index.find(name);
    const has = (ordinal: number): boolean => known >= 0 && this.index.place(known, ordinal) !== undefined;
    const before = known >= 0 ? this.readable(known) : 0;
    let copies = before;
    let lastError: unknown;
    const candidates = this.set.placement(name).filter((ordinal) => this.set.at(ordinal).state === 'ok' && !has(ordinal));
    while (copies < this.#wanted && candidates.length > 0) {
      const chosen = candidates.splice(0, this.#wanted - copies);
      const outcomes = await Promise.allSettled(chosen.map((ordinal) => this.#writeCopy(ordinal, digest, name, bytes)));
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') copies += 1;
        else lastError = outcome.reason;
      }
    }
    if (copies === 0) throw this.set.noneLeft(lastError);
    if (copies < this.#wanted && copies > before) this.log.warn('blob-under-replicated', { digest, copies, wanted: this.#wanted });
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

  /** Puts everything appended so far on the medium. Throws when something is left on no volume. */
  async flush(): Promise<void> {
    // Each turn either flushes everything or loses a volume, so there are at most as many turns as volumes.
    for (let turn = 0; turn <= this.set.volumes.length; turn++) {
      const lost = await Promise.all([...this.set.volumes.keys()].map((ordinal) => this.#flushVolume(ordinal)));
      if (lost.every((digests) => digests.length === 0)) return;
      for (const [ordinal, digests] of lost.entries()) {
        for (const digest of digests) await this.#replaceLost(digest, ordinal);
      }
    }
  }

  /** Returns what this volume has lost: everything since its last good flush, when this one fails. */
  async #flushVolume(ordinal: number): Promise<BlobDigest[]> {
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
    if (this.index.find(name) < 0) return;
    // The lost copy itself is often still readable, and it may be the only one.
    const bytes = await this.#readAnywhere(digest, name);
    const id = this.index.find(name);
    if (id >= 0) this.#dropPlace(id, ordinal);
    if (!bytes) throw this.set.noneLeft(undefined);
    await this.write(digest, name, bytes);
  }

  /** The bytes, verified. Replaces copies found bad, and completes those that are too few. */
  async read(digest: BlobDigest): Promise<Uint8Array | undefined> {
    const name = digestBytes(digest);
    const corruptBefore = this.corrupt;
    const bytes = await this.#readAnywhere(digest, name);
    const id = this.index.find(name);
    if (!bytes) {
      if (id >= 0 && this.index.copies(id) === 0) this.index.remove(id);
      return undefined;
    }
    // A blob that has been collected meanwhile is not brought back.
    if (id >= 0 && (this.corrupt > corruptBefore || this.readable(id) < this.#wanted)) await this.#repair(digest, name, bytes);
    return bytes;
  }

  /** Reads from one volume after another. Copies found bad are forgotten and counted; volumes found unreadable are left out. */
  async #readAnywhere(digest: BlobDigest, name: Uint8Array): Promise<Uint8Array | undefined> {
    for (const ordinal of this.set.placement(name)) {
      let place = this.#placeOf(name, ordinal);
      while (place && this.set.at(ordinal).state !== 'failed') {
        const outcome = await this.#readAt(ordinal, name, digest, place);
        if (outcome instanceof Uint8Array) return outcome;
        // Moved while it was read (its segment has been rewritten): that was no bad copy.
        const now = this.#placeOf(name, ordinal);
        if (now?.segment === place.segment && now.bodyOffset === place.bodyOffset) this.#badCopy(ordinal, name, digest, outcome);
        place = this.#placeOf(name, ordinal);
      }
    }
    return undefined;
  }

  /** The bytes at a place, or in a word why not. */
  async #readAt(ordinal: number, name: Uint8Array, digest: BlobDigest, place: Place): Promise<Uint8Array | string> {
    const volume = this.set.at(ordinal);
    try {
      const bytes = await volume.read(place, this.index.bodyBytes(this.index.find(name)));
      return digestOf(bytes) === digest ? bytes : 'its bytes are not those of its digest';
    } catch (error) {
      if (!(await this.set.isThere(ordinal))) this.set.fail(volume, 'failed', error);
      return messageOf(error);
    }
  }

  #placeOf(name: Uint8Array, ordinal: number): Place | undefined {
    const id = this.index.find(name);
    return id < 0 ? undefined : this.index.place(id, ordinal);
  }

  #badCopy(ordinal: number, name: Uint8Array, digest: BlobDigest, why: string): void {
    const volume = this.set.at(ordinal);
    if (volume.state === 'failed') return;
    this.corrupt += 1;
    this.#dropPlace(this.index.find(name), ordinal);
    this.log.warn('blob-copy-bad', { volume: volume.path, digest, why });
  }

  async #repair(digest: BlobDigest, name: Uint8Array, bytes: Uint8Array): Promise<void> {
    try {
      this.repaired += await this.write(digest, name, bytes);
    } catch (error) {
      this.log.warn('blob-not-repaired', { digest, error: messageOf(error) });
    }
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
    const isStill = (): boolean => {
      const place = this.#placeOf(name, ordinal);
      return place?.segment === from.segment && place.bodyOffset === from.bodyOffset;
    };
    if (!isStill()) return;
    const volume = this.set.at(ordinal);
    const digest = digestFromBytes(name);
    const bytes = await this.#readAnywhere(digest, name);
    if (!bytes) return;
    const to = await volume.append(encodeRecord(name, bytes), bytes.byteLength);
    const size = recordBytes(bytes.byteLength);
    if (!isStill()) {
      volume.addLive(to.segment, -size);
      return;
    }
    volume.addLive(from.segment, -size);
    this.index.setPlace(this.index.find(name), ordinal, to);
    this.#unsynced[ordinal]?.add(digest);
  }

  /** Copies on volumes that can be read. */
  readable(id: number): number {
    let copies = 0;
    for (const [ordinal, volume] of this.set.volumes.entries()) {
      if (volume.state !== 'failed' && this.index.place(id, ordinal)) copies += 1;
    }
    return copies;
  }
}

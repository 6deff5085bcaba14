/**
 * Reads bodies from volumes that another process writes: what an edge follows its brain's store with. Writes nothing, holds no
 * index of everything: it looks at what has been appended since it last looked, and remembers only where the bodies are that
 * its caller does not have. What it returns has the digest's bytes, or it returns nothing.
 */
import { messageOf, type BlobDigest, type Clock, type Log } from '../../kernel/index.ts';
import { errnoOf, type Disk } from '../../kernel/disk.ts';
import { digestFromBytes, digestOf } from '../digest.ts';
import { scanRecords, segmentHeaderBytes } from '../segments/index.ts';

/**
 * A body that is not known of makes everything be looked through again: one that was read long ago and is wanted once more, or one that is nowhere. The time
 * between two such searches is so many times as long as the last one took, within these bounds.
 */
const restFactor = 20;
const searchEveryMinMs = 500;
const searchEveryMaxMs = 30_000;

export interface FollowerOptions {
  readonly paths: readonly string[];
  readonly disk: Disk;
  readonly clock: Clock;
  readonly log: Log;
  /** Bodies the caller has already need not be remembered. */
  readonly has: (digest: BlobDigest) => boolean;
}

interface Place {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

export class VolumesFollower {
  readonly #options: FollowerOptions;
  /** Segment file → how far it has been looked through. */
  readonly #seen = new Map<string, number>();
  readonly #places = new Map<BlobDigest, Place[]>();
  #looking: Promise<void> | undefined;
  #searching: Promise<void> | undefined;
  #nextSearchMs = Number.NEGATIVE_INFINITY;

  constructor(options: FollowerOptions) {
    this.#options = options;
  }

  async get(digest: BlobDigest): Promise<Uint8Array | undefined> {
    const known = await this.#read(digest);
    if (known) return known;
    await this.#look();
    const appended = await this.#read(digest);
    if (appended) return appended;
    if (!this.#searching && this.#options.clock.monotonicMs() < this.#nextSearchMs) return undefined;
    this.#searching ??= this.#search().finally(() => { this.#searching = undefined; });
    await this.#searching;
    return this.#read(digest);
  }

  async #search(): Promise<void> {
    const { clock } = this.#options;
    const beganMs = clock.monotonicMs();
    await this.#looking;
    this.#seen.clear();
    await this.#look();
    const tookMs = clock.monotonicMs() - beganMs;
    this.#nextSearchMs = clock.monotonicMs() + Math.min(searchEveryMaxMs, Math.max(searchEveryMinMs, tookMs * restFactor));
  }

  async #read(digest: BlobDigest): Promise<Uint8Array | undefined> {
    for (const place of this.#places.get(digest) ?? []) {
      try {
        const file = await this.#options.disk.openForReading(place.file);
        const body = new Uint8Array(place.bytes);
        const read = await file.read(body, place.offset).finally(() => file.close());
        if (read === place.bytes && digestOf(body) === digest) {
          this.#places.delete(digest);
          return body;
        }
        this.#options.log.warn('blob-copy-bad', { file: place.file, digest });
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') this.#options.log.warn('blob-unreadable', { file: place.file, problem: messageOf(error) });
      }
    }
    this.#places.delete(digest);
    return undefined;
  }

  /** Calls while one is under way share it: it began after whatever the caller waits for was written. */
  #look(): Promise<void> {
    this.#looking ??= this.#lookAtAll().finally(() => { this.#looking = undefined; });
    return this.#looking;
  }

  async #lookAtAll(): Promise<void> {
    const present = new Set<string>();
    for (const path of this.#options.paths) {
      const folder = `${path}/blobs`;
      const names = await this.#options.disk.list(folder).catch((): string[] => []);
      for (const name of names.sort()) {
        if (!name.endsWith('.seg')) continue;
        present.add(`${folder}/${name}`);
        await this.#lookAt(`${folder}/${name}`);
      }
    }
    for (const file of this.#seen.keys()) if (!present.has(file)) this.#seen.delete(file);
  }

  async #lookAt(file: string): Promise<void> {
    try {
      const { disk, has } = this.#options;
      const from = this.#seen.get(file) ?? segmentHeaderBytes;
      const size = await disk.size(file);
      if (size <= from) return;
      const tail = new Uint8Array(size - from);
      const handle = await disk.openForReading(file);
      await handle.read(tail, from).finally(() => handle.close());
      let end = 0;
      for (const record of scanRecords(tail, 0)) {
        end = record.bodyOffset + record.bodyBytes;
        const digest = digestFromBytes(record.digest);
        if (has(digest)) continue;
        const places = this.#places.get(digest);
        const place = { file, offset: from + record.bodyOffset, bytes: record.bodyBytes };
        if (places) places.push(place);
        else this.#places.set(digest, [place]);
      }
      // Up to the last whole record: what follows may still be in the middle of being written. Records begin at multiples of 8.
      this.#seen.set(file, from + Math.ceil(end / 8) * 8);
    } catch (error) {
      this.#options.log.warn('blob-unreadable', { file, problem: messageOf(error) });
    }
  }
}

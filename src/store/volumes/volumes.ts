/**
 * The durable blob store: every body on `copies` of N directories, in append-only segment files (docs/formats/volumes.md).
 * `put` writes, `sync` makes durable for everybody at once, `get` never returns a byte that is not the digest's. A volume that fails is
 * left out and tried again later; writes go on while one volume takes them, and count it when that is fewer than asked for.
 */
import { type BlobDigest, type Clock, ForeshadowError, type Log } from '../../kernel/index.ts';
import type { Disk } from '../../kernel/disk.ts';
import type { BlobStore, BlobStoreStats } from '../blob-store.ts';
import { digestBytes, digestOf } from '../digest.ts';
import { collectBlobs } from './collect.ts';
import { Copies } from './copies.ts';
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
  readonly #copies: Copies;
  readonly #set: VolumeSet;
  readonly #disk: Disk;
  readonly #limits: VolumesLimits;
  readonly #putting = new Map<BlobDigest, Promise<BlobDigest>>();
  #lastRound: Promise<void> = Promise.resolve();
  #nextRound: Promise<void> | undefined;
  #collecting: Promise<unknown> = Promise.resolve();
  /** Digests put while a collection runs, which it must spare. */
  #spared: Set<BlobDigest> | undefined;
  #closed: Promise<void> | undefined;

  constructor(options: VolumesOptions) {
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#set = new VolumeSet({ ...options, ...this.#limits });
    this.#disk = options.disk;
    this.#copies = new Copies(this.#set, options.copies, options.log);
  }

  open(): Promise<void> {
    return this.#set.open(this.#copies.load);
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
    const known = this.#copies.index.find(name);
    if (known >= 0 && this.#copies.readable(known) > 0) return digest;
    const putting = this.#copies.write(digest, name, bytes)
      .then(() => digest)
      .finally(() => this.#putting.delete(digest));
    this.#putting.set(digest, putting);
    return putting;
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
    await this.#copies.flush();
  }

  get(digest: BlobDigest): Promise<Uint8Array | undefined> {
    return this.#copies.read(digest);
  }

  async has(digest: BlobDigest): Promise<boolean> {
    const id = this.#copies.index.find(digestBytes(digest));
    return id >= 0 && this.#copies.readable(id) > 0;
  }

  async list(cursor: BlobDigest | undefined, limit: number): Promise<BlobDigest[]> {
    return this.#copies.index.list(cursor && digestBytes(cursor), limit);
  }

  collect(live: ReadonlySet<BlobDigest>): Promise<{ blobs: number; bytes: number }> {
    const run = this.#collecting.then(async () => {
      const spared = new Set<BlobDigest>(this.#putting.keys());
      this.#spared = spared;
      try {
        await this.sync();
        return await collectBlobs(this.#copies, {
          keep: (digest) => live.has(digest) || spared.has(digest),
          sync: () => this.sync(),
          segmentBytes: this.#limits.segmentBytes,
        });
      } finally {
        this.#spared = undefined;
      }
    });
    this.#collecting = run.catch(() => undefined);
    return run;
  }

  async stats(): Promise<BlobStoreStats> {
    await this.#set.reviveDue(this.#copies.load);
    const volumes = await Promise.all(this.#set.volumes.map(async (volume) => {
      const freeBytes = await this.#disk.freeBytes(volume.path).catch(() => 0);
      const facts = { path: volume.path, state: volume.state, bytes: volume.bytes, freeBytes };
      return volume.error === undefined ? facts : { ...facts, error: volume.error };
    }));
    const { index, corrupt, repaired } = this.#copies;
    return { blobs: index.count, bytes: index.bytes, volumes, corrupt, repaired };
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    await this.#collecting;
    await Promise.allSettled(this.#putting.values());
    for (const volume of this.#set.volumes) volume.finishSegment();
    try {
      await this.sync();
    } finally {
      await Promise.all(this.#set.volumes.map((volume) => volume.close()));
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

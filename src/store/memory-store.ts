/** The blob store that forgets everything when it is closed: for tests and one-shot commands. Same contract as `volumes`. */
import { type BlobDigest } from '../kernel/index.ts';
import type { BlobStore, BlobStoreStats } from './blob-store.ts';
import { digestOf } from './digest.ts';

class MemoryStore implements BlobStore {
  readonly #blobs = new Map<BlobDigest, Uint8Array>();

  async put(bytes: Uint8Array): Promise<BlobDigest> {
    const digest = digestOf(bytes);
    if (!this.#blobs.has(digest)) this.#blobs.set(digest, new Uint8Array(bytes));
    return digest;
  }

  async sync(): Promise<void> {}

  async get(digest: BlobDigest): Promise<Uint8Array | undefined> {
    const bytes = this.#blobs.get(digest);
    return bytes && new Uint8Array(bytes);
  }

  async has(digest: BlobDigest): Promise<boolean> {
    return this.#blobs.has(digest);
  }

  async list(cursor: BlobDigest | undefined, limit: number): Promise<BlobDigest[]> {
    const all = [...this.#blobs.keys()].filter((digest) => cursor === undefined || digest > cursor);
    return all.sort().slice(0, limit);
  }

  async collect(live: ReadonlySet<BlobDigest>): Promise<{ blobs: number; bytes: number }> {
    let blobs = 0;
    let bytes = 0;
    for (const [digest, body] of this.#blobs) {
      if (live.has(digest)) continue;
      this.#blobs.delete(digest);
      blobs += 1;
      bytes += body.byteLength;
    }
    return { blobs, bytes };
  }

  async stats(): Promise<BlobStoreStats> {
    let bytes = 0;
    for (const body of this.#blobs.values()) bytes += body.byteLength;
    return { blobs: this.#blobs.size, bytes, volumes: [], corrupt: 0, repaired: 0 };
  }

  async close(): Promise<void> {
    this.#blobs.clear();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

export function openMemoryStore(): BlobStore {
  return new MemoryStore();
}

/**
 * Where bodies are kept for good: immutable, content-addressed (SHA-256), checked on every read. Drivers: `volumes`
 * (several directories, replicated) and `memory` (tests). All drivers pass one conformance suite, `test/store/blob-store-suite.ts`.
 */
import type { BlobDigest } from '../kernel/index.ts';

export interface BlobStore extends AsyncDisposable {
  /** Keeps these bytes. Not durable before `sync`. Putting the same bytes again is cheap and changes nothing. */
  put(bytes: Uint8Array): Promise<BlobDigest>;
  /** Resolves when everything put so far survives a crash on the required number of volumes. Calls in flight share one flush. */
  sync(): Promise<void>;
  /**
   * The bytes, verified against the digest; undefined when no volume has them. A corrupt copy is never returned: another
   * is read in its place, and the corrupt one is replaced from it.
   */
  get(digest: BlobDigest): Promise<Uint8Array | undefined>;
  has(digest: BlobDigest): Promise<boolean>;
  /** All digests, in ascending order, from after `cursor`, at most `limit`. */
  list(cursor: BlobDigest | undefined, limit: number): Promise<BlobDigest[]>;
  /** Forgets every blob that is not in `live`; returns what was freed. The caller guarantees that nothing else is referenced. */
  collect(live: ReadonlySet<BlobDigest>): Promise<{ readonly blobs: number; readonly bytes: number }>;
  stats(): Promise<BlobStoreStats>;
  close(): Promise<void>;
}

export interface BlobStoreStats {
  readonly blobs: number;
  readonly bytes: number;
  readonly volumes: readonly {
    readonly path: string;
    readonly state: 'ok' | 'degraded' | 'failed';
    readonly bytes: number;
    readonly freeBytes: number;
    /** The last failure, for people. */
    readonly error?: string;
  }[];
  /** Corrupt copies met since the store was opened, and how many of them were replaced. */
  readonly corrupt: number;
  readonly repaired: number;
}

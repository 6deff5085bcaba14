/**
 * An edge's own copy: the records and bodies it can answer from without asking anybody, on local disk (LMDB), there at
 * once after a restart. It is a cache of the catalog plus what the edge has captured since; it can be lost and rebuilt.
 * Reading is synchronous, because the serving path reads it; writing is asynchronous and batched.
 */
import type { FeedsHeard, Filling, FillingId } from '../compose/types.ts';
import type { BlobDigest, ResourceKey, VariationKey } from '../kernel/index.ts';
import type { CatalogRule } from '../catalog/rule.ts';
import type { CatalogChange, ShadowRecord } from '../catalog/shadow-record.ts';

export interface LocalStore extends AsyncDisposable {
  /** Every copy of this variation (several only where the origin's Vary names undeclared headers). Empty when there is none. */
  records(resource: ResourceKey, variation: VariationKey): readonly ShadowRecord[];
  /** All variations of a resource that have a copy. */
  variations(resource: ResourceKey): readonly VariationKey[];
  /** The body, its checksum verified; undefined when absent or corrupt (a corrupt one is dropped and counted). */
  body(digest: BlobDigest): Uint8Array | undefined;
  hasBody(digest: BlobDigest): boolean;
  /**
   * Stores a record with its body (body may be left out when `hasBody`). Replaces the copy of equal identity unless that one
   * is newer (`responseTimeMs`; of two published ones, the version) and not purged, at most `limits.variantsPerVariation` copies a variation. What a rule in
   * force has purged is not taken. `coded`: bodies of `record.codings`, in that order; what is absent is not to be had, or there. Visible to reads at once after the promise.
   */
  put(record: ShadowRecord, body: Uint8Array | undefined, coded?: readonly (Uint8Array | undefined)[]): Promise<void>;
  remove(resource: ResourceKey, variation: VariationKey, vary: ShadowRecord['vary']): Promise<void>;
  /** Removes all copies of a resource (invalidation, purge). */
  removeResource(resource: ResourceKey): Promise<void>;
  /**
   * Removes copies that came from the catalog and are not listed any more: after a full catalog (`CatalogDelta.full`) has been put. What the edge has
   * captured itself stays. Works in small pieces; returns how many went.
   */
  removeUnlisted(listed: (shadowId: string) => boolean): Promise<number>;
  /** Removes every copy, published or captured, that is unwanted, in small pieces; returns how many went. */
  removeMatching(unwanted: (record: ShadowRecord) => boolean): Promise<number>;
  filling(id: FillingId): Filling | undefined;
  /** All of them, read as they are asked for. A loop over many keeps the thread. */
  fillings(): Iterable<Filling>;
  /** Replaces those of equal ids. In small pieces: each is visible as soon as it is written, all of them when the promise resolves. */
  putFillings(fillings: readonly Filling[]): Promise<void>;
  removeFillings(ids: readonly FillingId[]): Promise<void>;
  /** In small pieces; returns what went. */
  removeUnlistedFillings(listed: (id: FillingId) => boolean): Promise<readonly FillingId[]>;
  /** The operator's rules in force. */
  rules(): readonly CatalogRule[];
  /** These are all there are: in force for later puts at once, durable with the promise. */
  putRules(rules: readonly CatalogRule[]): Promise<void>;
  heard(): FeedsHeard;
  /** The newest time of each feed wins. */
  putHeard(pairs: CatalogChange['heard']): Promise<void>;
  /** The newest catalog version that has been applied whole; 0 in an empty store. */
  appliedVersion(): number;
  setAppliedVersion(version: number): Promise<void>;
  /** Resolves when everything written so far is on disk. */
  flush(): Promise<void>;
  stats(): { readonly records: number; readonly bodies: number; readonly bytes: number; readonly corrupt: number };
  close(): Promise<void>;
}

/**
 * The catalog's unit: one prepared copy of one variation of one resource. Immutable; a refreshed copy is a new record.
 * The body is named by digest and lives in the blob store; everything needed to answer and to judge freshness is here.
 */
import type { BlobDigest, ResourceKey, VariationKey } from '../kernel/index.ts';
import type { FeedKey, Filling, FillingId } from '../compose/types.ts';
import type { ContentCoding } from '../config/types.ts';
import type { HeaderList } from '../http/headers.ts';
import type { CatalogRule } from './rule.ts';

export interface ShadowRecord {
  readonly resource: ResourceKey;
  readonly variation: VariationKey;
  /**
   * Request headers named by the answer's Vary that no declared dimension stands in for, with the normalised values this
   * copy was made for, sorted by name. Empty for most. Part of the copy's identity.
   */
  readonly vary: readonly (readonly [name: string, value: string])[];
  readonly status: number;
  /** End-to-end fields as the origin sent them, lower-case names, order kept. Never Set-Cookie. */
  readonly headers: HeaderList;
  readonly body: BlobDigest;
  readonly bodyBytes: number;
  /** When the request that obtained it was sent, and when the answer's head came (RFC 9111 §4.2.3), epoch ms. */
  readonly requestTimeMs: number;
  readonly responseTimeMs: number;
  /** Whether a passing answer was kept or the generator asked for it. */
  readonly madeBy: 'capture' | 'generate';
  /** The catalog version that published it; 0 while it exists at one edge only. */
  readonly version: number;
  /** The same body in content codings, ready to send, best first; absent where none pays. */
  readonly codings?: readonly CodedBody[];
}

export interface CodedBody {
  readonly coding: ContentCoding;
  readonly body: BlobDigest;
  readonly bodyBytes: number;
}

/** Digests and lengths of all bodies a record has: its own, and the coded ones. */
export function bodiesOf(record: ShadowRecord): readonly Pick<CodedBody, 'body' | 'bodyBytes'>[] {
  return record.codings ? [record, ...record.codings] : [record];
}

/** What identifies a copy: resource, variation and the values of varied headers. */
export function shadowId(record: Pick<ShadowRecord, 'resource' | 'variation' | 'vary'>): string {
  let id = `${record.resource}\n${record.variation}`;
  for (const [name, value] of record.vary) id += `\n${name}: ${value}`;
  return id;
}

/** The parts of a `shadowId`. */
export function partsOfShadowId(id: string): Pick<ShadowRecord, 'resource' | 'variation' | 'vary'> {
  const [resource = '', variation = '', ...varied] = id.split('\n');
  const vary = varied.map((line): [string, string] => {
    const colon = line.indexOf(': ');
    return [line.slice(0, colon), line.slice(colon + 2)];
  });
  return { resource: resource as ResourceKey, variation: variation as VariationKey, vary }; // `shadowId` made it from these types
}

/** What a version changes, before it is one. */
export interface CatalogChange {
  readonly put: readonly ShadowRecord[];
  /** `shadowId`s that exist no more. */
  readonly remove: readonly string[];
  readonly fill: readonly Filling[];
  readonly unfill: readonly FillingId[];
  /** Rules that come into force. */
  readonly rules: readonly CatalogRule[];
  /** When each feed was last heard, as far as it was known when the version was made. */
  readonly heard: readonly (readonly [feed: FeedKey, heardMs: number])[];
}

export const noChange: CatalogChange = { put: [], remove: [], fill: [], unfill: [], rules: [], heard: [] };

/** What a catalog version changes against the version before it. */
export interface CatalogDelta extends CatalogChange {
  readonly version: number;
  readonly publishedAtMs: number;
  /** True where `put`, `fill` and `rules` are everything there is, so that whatever a reader held before is gone. */
  readonly full: boolean;
}

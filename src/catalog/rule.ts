/**
 * A word of the operator about copies, published with a version and in force wherever that version is: some copies are wrong (`purge`), may be
 * wrong (`soft-purge`), or are to stay as they are (`hold`, after going back to an older version). Copies that an edge has captured itself
 * and that no catalog lists are bound by it too. Pure.
 */
import type { ResourceKey } from '../kernel/index.ts';

export type RuleTarget =
  | { readonly kind: 'resource'; readonly resource: ResourceKey }
  /** A path pattern as routes have it, `/products/**`, matched with the path without query. */
  | { readonly kind: 'pattern'; readonly pattern: string }
  /** A word of Surrogate-Key, Cache-Tag or Cache-Groups. */
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'site' };

export interface CatalogRule {
  /** The version that brought it: copies published by it or later are not bound. 0 before it is published. */
  readonly version: number;
  /** Answers asked for later are not bound. Epoch ms. */
  readonly atMs: number;
  readonly target: RuleTarget;
  readonly effect: 'purge' | 'soft-purge' | 'hold';
  /** When a hold ends; a purge is forgotten then. Epoch ms. */
  readonly untilMs: number;
  /** Where it is set, only copies are bound that edges have captured and no version has published: after going back, the catalog's own are right. */
  readonly only?: 'captures';
}

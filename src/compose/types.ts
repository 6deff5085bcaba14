/**
 * The nouns of composition. A copy of a page with dynamic parts is a *seed* (the body as the origin sent it) and the *holes* in it; what goes
 * into a slot's hole is a *filling*, made by the generator from a feed and a template, and shared by every page and variation that shows it. Pages are
 * put together where they are served, so a new price is one small filling, not ten thousand pages.
 */
import type { Branded } from '../kernel/index.ts';

/** Names one filling: route, slot, the parts of the route and the point on the slot's dimensions it is for. Made by `CompiledSlot.fillingId` only. */
export type FillingId = Branded<string, 'FillingId'>;

/** One instance of a feed: its name, and the values of the dimensions in its URL (`recs?audience=vip`). Made by `feedKey` only. */
export type FeedKey = Branded<string, 'FeedKey'>;

/** Weights by name, as in `books:0.8,garden:0.2`; a dense vector has the names `0`, `1`, … */
export type Profile = ReadonlyMap<string, number>;

export interface Filling {
  readonly id: FillingId;
  /** What it was made from: it may be shown as long as this was heard within `maxAgeMs`. */
  readonly feed: FeedKey;
  readonly maxAgeMs: number;
  /** When the feed's value was heard that it was first made from, epoch ms. The feed may have confirmed it since: see `FeedsHeard`. */
  readonly valueTimeMs: number;
  /** One for each prepared version, the most usual first; several only with profiles. Empty while the feed has never had a value. */
  readonly versions: readonly FillingVersion[];
  /** Shown when the feed is too old; undefined: what the origin's page had there. */
  readonly fallback: string | undefined;
  /** The catalog version that published it; 0 before. */
  readonly version: number;
}

export interface FillingVersion {
  /** Ready for its place: escaped HTML, or JSON. UTF-8. */
  readonly text: string;
  readonly profile: Profile | undefined;
}

/** When each feed was last heard to hold the values its fillings were made from, epoch ms on the brain's clock. */
export type FeedsHeard = ReadonlyMap<FeedKey, number>;

/** A place in a seed, in bytes [from, to) of its body. Holes lie in order and don't overlap. */
export type Hole =
  | { readonly kind: 'slot'; readonly from: number; readonly to: number; readonly slot: string }
  /** An occurrence of the CSP nonce. */
  | { readonly kind: 'nonce'; readonly from: number; readonly to: number }
  /** A value of one visitor, from this cookie: an attribute's value, within quotes or not. See `tokenMarkup`. */
  | { readonly kind: 'token'; readonly from: number; readonly to: number; readonly cookie: string; readonly quoted: boolean }
  /** Where something is put in while the origin can't answer; `from` equals `to`. */
  | { readonly kind: 'notice' | 'form-start' | 'form-end'; readonly from: number; readonly to: number };

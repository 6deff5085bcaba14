/** What the operator sees of shadows, versions and orders: plain data for the API and the terminal. Ages in seconds, times in epoch ms. */
import type { RuleTarget } from '../../catalog/index.ts';
import type { ContentCoding } from '../../config/types.ts';

export interface ShadowQuery {
  /** A path pattern as routes have it, or text that the resource begins with. */
  readonly match: string | undefined;
  readonly tag: string | undefined;
  /** 1 to 1,000. */
  readonly limit: number;
  /** The last resource of the page before. */
  readonly cursor: string | undefined;
}

export interface ShadowSummary {
  readonly resource: string;
  readonly copies: number;
  readonly variations: number;
  /** Of all its bodies, each counted once. */
  readonly bytes: number;
  readonly newestAgeS: number;
  readonly oldestAgeS: number;
  readonly status: number;
  readonly contentType: string;
  readonly madeBy: readonly ('capture' | 'generate')[];
  /** The catalog version that published the newest copy; 0 while that is on its way. */
  readonly version: number;
  /** People's requests a minute that are expected. */
  readonly perMinute: number;
  readonly slots: readonly string[];
  readonly tags: readonly string[];
}

export interface ShadowPage {
  /** The newest catalog version. */
  readonly version: number;
  /** Resources that have shadows, whatever was asked for. */
  readonly resources: number;
  readonly items: readonly ShadowSummary[];
  /** For the next page; undefined on the last. */
  readonly nextCursor: string | undefined;
}

export interface SlotView {
  readonly slot: string;
  readonly feed: string;
  readonly filling: string;
  /** `live`: shown; `too-old`: the fallback is shown; `missing`: there is no filling, the origin's own content is shown. */
  readonly state: 'live' | 'too-old' | 'missing';
  readonly heardAgeS: number | undefined;
  readonly maxAgeS: number;
  /** The prepared texts, each cut at 2,000 characters. */
  readonly texts: readonly string[];
  readonly fallback: string | undefined;
}

export interface CopyView {
  readonly variation: string;
  readonly vary: Readonly<Record<string, string>>;
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** SHA-256 of the body. */
  readonly body: string;
  readonly bytes: number;
  readonly madeAtMs: number;
  readonly ageS: number;
  readonly madeBy: 'capture' | 'generate';
  readonly version: number;
  readonly codings: readonly { readonly coding: ContentCoding; readonly bytes: number }[];
  readonly tags: readonly string[];
  readonly slots: readonly SlotView[];
}

export interface ShadowDetail {
  readonly resource: string;
  /** The pattern of its route; undefined where none matches. */
  readonly route: string | undefined;
  readonly perMinute: number;
  /** Until when it stays as it is, where an operator went back to it. */
  readonly heldUntilMs: number | undefined;
  readonly copies: readonly CopyView[];
}

export interface VersionView {
  readonly version: number;
  readonly publishedAtMs: number;
  readonly put: number;
  readonly remove: number;
  readonly records: number;
}

export interface ChangeView {
  readonly resource: string;
  readonly variation: string;
  readonly change: 'added' | 'removed' | 'changed' | 'renewed';
  readonly bytesBefore: number | undefined;
  readonly bytesAfter: number | undefined;
  readonly statusBefore: number | undefined;
  readonly statusAfter: number | undefined;
}

export interface DiffView {
  readonly from: number;
  readonly to: number;
  /** All of them, also those not listed. */
  readonly counts: Readonly<Record<ChangeView['change'], number>>;
  readonly fillingsChanged: number;
  /** The first, in the order of resources. */
  readonly changes: readonly ChangeView[];
}

export interface PurgeOrder {
  /** URLs or paths: all variations of each. */
  readonly urls: readonly string[];
  readonly patterns: readonly string[];
  readonly tags: readonly string[];
  readonly all: boolean;
  /** The copies stay for an outage, and are made anew first. */
  readonly soft: boolean;
  /** Only tell what would be hit. */
  readonly dryRun: boolean;
}

export interface RollbackOrder {
  readonly to: number;
  /** URLs or paths; empty: the whole site. */
  readonly urls: readonly string[];
  /** How long what was gone back to stays as it is, whatever the origin says. */
  readonly holdMs: number;
  readonly dryRun: boolean;
}

export interface OrderResult {
  /** The catalog version it is in force with; the newest one for a dry run. */
  readonly version: number;
  readonly targets: readonly RuleTarget[];
  readonly resources: number;
  readonly copies: number;
  /** Some of the resources, for people. */
  readonly examples: readonly string[];
  readonly dryRun: boolean;
}

/**
 * The nouns of Edge Side Includes (ESI Language Specification 1.0, W3C note of 2001-08-04): a page as a bounded tree. Static text is named by where
 * it stands in the body, in bytes, and never copied or decoded; everything else is what `parseEsi` read.
 */
import type { Expression } from './expression.ts';
import type { Variable } from './variable.ts';

export interface EsiPage {
  readonly body: Uint8Array;
  readonly nodes: readonly EsiNode[];
}

/** Literal text and variables in it, as in `/cart?user=$(HTTP_COOKIE{id})`. */
export type Template = readonly (string | Variable)[];

export type EsiNode =
  /** Bytes [from, to) of the body. */
  | { readonly kind: 'text'; readonly from: number; readonly to: number }
  | { readonly kind: 'variable'; readonly variable: Variable }
  | {
    readonly kind: 'include';
    readonly src: Template;
    readonly alt: Template | undefined;
    /** `onerror="continue"`: what can't be had is left out. */
    readonly optional: boolean;
  }
  | { readonly kind: 'choose'; readonly whens: readonly EsiWhen[]; readonly otherwise: readonly EsiNode[] }
  /** `except` is undefined where the page has none. */
  | { readonly kind: 'try'; readonly attempt: readonly EsiNode[]; readonly except: readonly EsiNode[] | undefined };

export interface EsiWhen {
  /** Undefined where the test can't be read: never true. */
  readonly test: Expression | undefined;
  readonly nodes: readonly EsiNode[];
}

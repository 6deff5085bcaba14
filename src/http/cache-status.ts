/**
 * Our member of Cache-Status (RFC 9211): what this cache did with the request. Built as text because every answer carries
 * it; the values are tokens and whole numbers of our own making, so that no escaping is needed but for `detail`.
 */
export type ForwardReason = 'bypass' | 'method' | 'uri-miss' | 'vary-miss' | 'miss' | 'request' | 'stale' | 'partial';

export type CacheOutcome =
  | { readonly kind: 'hit'; readonly ttlS: number; readonly detail?: string }
  | {
    readonly kind: 'forwarded';
    readonly reason: ForwardReason;
    /** Status of the origin's answer; undefined where none came. */
    readonly status?: number;
    /** Whether the answer was stored. */
    readonly stored?: boolean;
    /** Whether an equal request already under way was waited for. */
    readonly collapsed?: boolean;
    readonly detail?: string;
  };

export function cacheStatusMember(outcome: CacheOutcome): string {
  if (outcome.kind === 'hit') return `foreshadow; hit; ttl=${outcome.ttlS}${detailOf(outcome.detail)}`;
  let member = `foreshadow; fwd=${outcome.reason}`;
  if (outcome.status !== undefined) member += `; fwd-status=${outcome.status}`;
  if (outcome.stored === true) member += '; stored';
  if (outcome.collapsed === true) member += '; collapsed';
  return member + detailOf(outcome.detail);
}

/** Caches nearer to the origin stand first (RFC 9211 §2). */
export function appendMember(existing: string | null, member: string): string {
  return existing === null || existing === '' ? member : `${existing}, ${member}`;
}

const token = /^[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*$/;

function detailOf(detail: string | undefined): string {
  if (detail === undefined) return '';
  return `; detail=${token.test(detail) ? detail : quoteSfString(detail)}`;
}

/** What needs neither replacing nor escaping: nearly everything, found out in one pass instead of two. */
const plain = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

/** A Structured Field string (RFC 9651 §3.3.3): printable ASCII only, others become `?`. */
export function quoteSfString(text: string): string {
  if (plain.test(text)) return `"${text}"`;
  return `"${text.replace(/[^\x20-\x7e]/g, '?').replace(/[\\"]/g, '\\$&')}"`;
}

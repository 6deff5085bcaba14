/**
 * Preconditions (RFC 9110 §13) against a stored answer: whether the client gets the body (200), word that its own copy is
 * good (304), or a refusal (412). Also If-Range, and the fields to validate a stored answer with.
 */
import type { HeaderReader } from './headers.ts';
import { parseHttpDate } from './http-date.ts';

/** What preconditions are held against. Made once for each stored answer by `validatorsOf`. */
export interface Validators {
  readonly etag: string | undefined;
  /** Last-Modified, or undefined where absent or unreadable. */
  readonly lastModifiedMs: number | undefined;
  /** Date, or when the answer came: stands in for Last-Modified in If-Modified-Since (RFC 9111 §4.3.2). */
  readonly dateMs: number;
}

export function validatorsOf(headers: HeaderReader, responseTimeMs: number): Validators {
  const lastModified = headers.get('last-modified');
  const date = headers.get('date');
  return {
    etag: headers.get('etag') ?? undefined,
    lastModifiedMs: lastModified === null ? undefined : parseHttpDate(lastModified, responseTimeMs),
    dateMs: (date === null ? undefined : parseHttpDate(date, responseTimeMs)) ?? responseTimeMs,
  };
}

export type Precondition = 200 | 304 | 412;

/** Evaluates a GET's or HEAD's preconditions in the order of RFC 9110 §13.2.2. An unreadable date is as if it were not there. */
export function judgeConditions(request: HeaderReader, stored: Validators, nowMs: number): Precondition {
  const ifNoneMatch = request.get('if-none-match');
  const ifModifiedSince = ifNoneMatch === null ? request.get('if-modified-since') : null;
  const ifMatch = request.get('if-match');
  if (ifMatch !== null) {
    if (!matchesEtag(ifMatch, stored.etag, 'strong')) return 412;
  } else {
    const ifUnmodifiedSince = request.get('if-unmodified-since');
    const sinceMs = ifUnmodifiedSince === null ? undefined : parseHttpDate(ifUnmodifiedSince, nowMs);
    if (sinceMs !== undefined && stored.lastModifiedMs !== undefined && stored.lastModifiedMs > sinceMs) return 412;
  }
  if (ifNoneMatch !== null) return matchesEtag(ifNoneMatch, stored.etag, 'weak') ? 304 : 200;
  if (ifModifiedSince === null) return 200;
  const sinceMs = parseHttpDate(ifModifiedSince, nowMs);
  return sinceMs !== undefined && (stored.lastModifiedMs ?? stored.dateMs) <= sinceMs ? 304 : 200;
}

/** Whether the request carries any precondition that `judgeConditions` looks at. */
export function isConditional(request: HeaderReader): boolean {
  return request.get('if-none-match') !== null || request.get('if-modified-since') !== null
    || request.get('if-match') !== null || request.get('if-unmodified-since') !== null;
}

/** Whether a list of entity tags (or `*`) names this one. Weak comparison looks at the opaque part only (RFC 9110 §8.8.3.2). */
export function matchesEtag(list: string, etag: string | undefined, comparison: 'weak' | 'strong'): boolean {
  if (list.trim() === '*') return true;
  if (etag === undefined) return false;
  if (comparison === 'strong') return !isWeak(etag) && entityTags(list).includes(etag);
  if (list === etag) return true;
  const wanted = opaque(etag);
  return entityTags(list).some((tag) => opaque(tag) === wanted);
}

function isWeak(etag: string): boolean {
  return etag.startsWith('W/') || etag.startsWith('w/');
}

/** Without `W/` and quotes. Quotes left out by mistake are forgiven: the tag is the same either way. */
function opaque(tag: string): string {
  const bare = isWeak(tag) ? tag.slice(2) : tag;
  return bare.length > 1 && bare.startsWith('"') && bare.endsWith('"') ? bare.slice(1, -1) : bare;
}

/** The members of the list; a comma inside quotes belongs to the tag. */
function entityTags(list: string): string[] {
  return list.match(/(?:W\/)?"[^"]*"|[^\s,][^,]*/gi)?.map((tag) => tag.trim()) ?? [];
}

/**
 * Whether If-Range lets a Range be answered with a part (RFC 9110 §13.1.5): the tag compares strongly, or the date equals
 * Last-Modified and that is a strong validator, a second or more older than Date (§8.8.2.2).
 */
export function ifRangeHolds(ifRange: string | null, stored: Validators, nowMs: number): boolean {
  if (ifRange === null) return true;
  const value = ifRange.trim();
  if (value.startsWith('"')) return value === stored.etag;
  if (isWeak(value)) return false;
  const sinceMs = parseHttpDate(value, nowMs);
  return sinceMs !== undefined && sinceMs === stored.lastModifiedMs && stored.dateMs - stored.lastModifiedMs >= 1000;
}

/** Fields that make a request to the origin ask whether a stored answer is still good (RFC 9111 §4.3.1). Empty: it has no validator. */
export function validationFields(stored: HeaderReader): readonly (readonly [name: string, value: string])[] {
  const fields: (readonly [string, string])[] = [];
  const etag = stored.get('etag');
  const lastModified = stored.get('last-modified');
  if (etag !== null) fields.push(['if-none-match', etag]);
  if (lastModified !== null) fields.push(['if-modified-since', lastModified]);
  return fields;
}

/**
 * May this answer become a shadow, or take a shadow's place? Pure. What the origin's headers and the route allow is `http`'s
 * verdict; what is added here is distrust: a sick origin answers 200 with empty, halved or apologetic pages, and
 * none of those may push out a good copy. Where a page may really have changed that much, time tells: the same suspicion again
 * and again over a while is believed.
 */
import { headerReader, shadowRefusal, type HeaderList, type ShadowPolicy } from '../http/index.ts';
import type { Refusal } from './refusals.ts';

/** A text that kept less than this part of its previous length is taken for emptied. */
export const emptiedBelow = 0.2;
/** A page that kept less than this part is taken for shrunken. */
export const shrunkenBelow = 0.5;
/** Copies shorter than this are not judged by their length. */
export const judgedBytesMin = 512;
/** A suspicion is believed after so many sightings, the first and the last at least so far apart. */
export const believedSightings = 3;
export const believedAfterMs = 30 * 60_000;
/** A 404 or 410 likewise: it is the origin's plain word, but deployments and hiccups say it too. */
export const goneSightings = 3;
export const goneAfterMs = 10 * 60_000;
/** Error pages are short; longer ones are not looked at. */
const errorPageBytesMax = 8192;

export interface Candidate {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  readonly framed: boolean;
  readonly requestHeaders: HeaderList;
  readonly responseTimeMs: number;
}

/** The copy that would be replaced. */
export interface PreviousCopy {
  readonly status: number;
  readonly contentType: string;
  readonly bodyBytes: number;
}

/** A doubt that has been met before and is not yet believed. */
export interface Suspicion {
  readonly reason: Refusal;
  readonly sightings: number;
  readonly firstMs: number;
}

export type Verdict =
  | { readonly kind: 'admit' }
  | { readonly kind: 'refuse'; readonly reason: Refusal; readonly suspicion: Suspicion | undefined }
  /** The resource is gone for good: its copy is to be removed. */
  | { readonly kind: 'remove' };

export interface AdmissionCase {
  readonly candidate: Candidate;
  readonly policy: ShadowPolicy;
  readonly previous: PreviousCopy | undefined;
  readonly suspicion: Suspicion | undefined;
  readonly nowMs: number;
}

export function judge(facts: AdmissionCase): Verdict {
  const { candidate, previous, nowMs } = facts;
  const { status } = candidate;
  if (status === 429 || status >= 500) return refuse('error-status', facts.suspicion);
  if (status === 404 || status === 410) {
    if (!previous || previous.status === status) return previous ? judgeKeeping(facts) : refuse('status', undefined);
    const seen = again(facts.suspicion, 'gone-unconfirmed', nowMs);
    return believed(seen, goneSightings, goneAfterMs, nowMs) ? { kind: 'remove' } : refuse('gone-unconfirmed', seen);
  }
  return judgeKeeping(facts);
}

function judgeKeeping(facts: AdmissionCase): Verdict {
  const { candidate, nowMs } = facts;
  const response = headerReader(candidate.headers);
  const refusal = shadowRefusal({
    method: 'GET', request: headerReader(candidate.requestHeaders), status: candidate.status, response,
    responseTimeMs: candidate.responseTimeMs,
    otherCookies: false, // the generator sends the declared dimensions' cookies and no others
  }, facts.policy);
  if (refusal) return refuse(refusal, facts.suspicion);
  const coding = response.get('content-encoding');
  if (coding !== null && coding.toLowerCase() !== 'identity') return refuse('encoded', facts.suspicion);
  const type = typeOf(response.get('content-type') ?? '');
  if (!candidate.framed && !looksWhole(type, candidate.body)) return refuse('maybe-cut', facts.suspicion);
  if (type === 'html' && looksLikeError(candidate)) return refuse('error-page', facts.suspicion);
  const doubt = doubtOf(facts, type);
  if (!doubt) return { kind: 'admit' };
  const seen = again(facts.suspicion, doubt, nowMs);
  const lasting = candidate.body.length > 0 && believed(seen, believedSightings, believedAfterMs, nowMs);
  return lasting ? { kind: 'admit' } : refuse(doubt, seen);
}

/** What the new answer, good in itself, makes doubtful beside the copy before it. */
function doubtOf({ candidate, previous }: AdmissionCase, type: ContentKind): Refusal | undefined {
  const bytes = candidate.body.length;
  const redirect = candidate.status >= 300 && candidate.status < 400;
  if (type === 'html' && bytes === 0 && !redirect) return 'emptied';
  if (!previous) return undefined;
  const before = typeOf(previous.contentType);
  const redirected = redirect && previous.status < 300;
  if (redirected || (before === 'html' && type !== 'html' && !redirect)) return 'type-changed';
  if (redirect) return undefined;
  if (bytes === 0 && previous.bodyBytes > 0) return 'emptied';
  if (previous.bodyBytes < judgedBytesMin || (type !== 'html' && type !== 'text')) return undefined;
  if (bytes < previous.bodyBytes * emptiedBelow) return 'emptied';
  return type === 'html' && bytes < previous.bodyBytes * shrunkenBelow ? 'shrunken' : undefined;
}

function refuse(reason: Refusal, suspicion: Suspicion | undefined): Verdict {
  return { kind: 'refuse', reason, suspicion };
}

function again(before: Suspicion | undefined, reason: Refusal, nowMs: number): Suspicion {
  return before?.reason === reason ? { ...before, sightings: before.sightings + 1 } : { reason, sightings: 1, firstMs: nowMs };
}

function believed(seen: Suspicion, sightings: number, afterMs: number, nowMs: number): boolean {
  return seen.sightings >= sightings && nowMs - seen.firstMs >= afterMs;
}

/** Data (JSON, XML) may shrink by nature: a list of open matches is short at night. */
type ContentKind = 'html' | 'text' | 'data' | 'other';

function typeOf(contentType: string): ContentKind {
  const type = contentType.toLowerCase().split(';')[0]?.trim() ?? '';
  if (type === 'text/html' || type === 'application/xhtml+xml') return 'html';
  if (type.endsWith('json') || type.endsWith('xml') || type === 'text/csv') return 'data';
  return type.startsWith('text/') || type.endsWith('javascript') ? 'text' : 'other';
}

/** For bodies that only the end of the connection ends, which a reset looks like too. */
function looksWhole(type: ContentKind, body: Uint8Array): boolean {
  const tail = new TextDecoder().decode(body.subarray(-1024)).trimEnd();
  if (type === 'html') return /<\/html\s*>\s*(?:<!--[\s\S]*-->)?$/i.test(tail);
  return type === 'data' && /[}\]>]$/.test(tail);
}

const errorTitle = /^(?:http\s+)?(?:(?:error\s*)?(?:403|404|429|500|502|503|504)\b|error\b\W*$|an error (?:has )?occurred|internal server error|bad gateway|service (?:temporarily )?unavailable|gateway time-?out|site (?:under )?maintenance|(?:down for|under) maintenance|we(?:'|’)ll be (?:right )?back|application error|database error|something went wrong|access denied|just a moment)/i;

/**
 * A first, simple guess: a short page whose title (or first heading where there is none) begins as error pages do.
 * The page must say so in its title; a page about errors says more and is longer.
 */
function looksLikeError({ status, body }: Candidate): boolean {
  if (status >= 300 || body.length > errorPageBytesMax) return false;
  const text = new TextDecoder().decode(body);
  const title = /<title[^>]*>\s*([^<]*)/i.exec(text)?.[1] ?? /<h1[^>]*>\s*([^<]*)/i.exec(text)?.[1] ?? '';
  return errorTitle.test(title.trim());
}

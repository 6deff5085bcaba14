/**
 * May this answer become a shadow, or take a shadow's place? Pure. What the origin's headers and the route allow is `http`'s
 * verdict, what is doubtful beside the copy before is `catalog`'s; decided here is how long a doubt lasts. A page may really
 * have become that short: the same suspicion again and again over a while is believed. An empty page and an error page never are.
 */
import { contentKind, doubtOf, type ContentKind, type Doubt, type PreviousCopy } from '../catalog/index.ts';
import { headerReader, shadowRefusal, type HeaderList, type ShadowPolicy } from '../http/index.ts';
import type { Refusal } from './refusals.ts';

/** A suspicion is believed after so many sightings, the first and the last at least so far apart. */
export const believedSightings = 3;
export const believedAfterMs = 30 * 60_000;
/** A 404 or 410 likewise: it is the origin's plain word, but deployments and hiccups say it too. */
const goneSightings = 3;
export const goneAfterMs = 10 * 60_000;

export interface Candidate {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  readonly framed: boolean;
  /** Whether a compressed body is what was asked for. */
  readonly mayBeEncoded: boolean;
  readonly requestHeaders: HeaderList;
  readonly responseTimeMs: number;
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
  /** What its words say beside history (`text-doubt.ts`). */
  readonly textDoubt?: Doubt | undefined;
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
  if (!candidate.mayBeEncoded && coding !== null && coding.toLowerCase() !== 'identity') return refuse('encoded', facts.suspicion);
  const contentType = response.get('content-type') ?? '';
  if (!candidate.framed && !looksWhole(contentKind(contentType), candidate.body)) return refuse('maybe-cut', facts.suspicion);
  const doubt = doubtOf({ status: candidate.status, contentType, body: candidate.body }, facts.previous) ?? facts.textDoubt;
  if (!doubt) return { kind: 'admit' };
  const seen = again(facts.suspicion, doubt, nowMs);
  const lasting = doubt !== 'error-page' && candidate.body.length > 0 && believed(seen, believedSightings, believedAfterMs, nowMs);
  return lasting ? { kind: 'admit' } : refuse(doubt, seen);
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

/** For bodies that only the end of the connection ends, which a reset looks like too. */
function looksWhole(type: ContentKind, body: Uint8Array): boolean {
  const tail = new TextDecoder().decode(body.subarray(-1024)).trimEnd();
  if (type === 'html') return /<\/html\s*>\s*(?:<!--[\s\S]*-->)?$/i.test(tail);
  return type === 'data' && /[}\]>]$/.test(tail);
}

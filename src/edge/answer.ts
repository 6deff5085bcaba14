/**
 * Answers made from copies: whole, part (206), not modified (304) or precondition failed (412), for GET and HEAD, with the
 * fields that say truthfully where the answer comes from and how old it is. A copy's headers are built once a second at most. Pages that were
 * put together and coded bodies are copies too (`made-copy.ts`).
 */
import {
  ageS, appendMember, boundDirectives, boundExpires, buildForeshadowField, cacheStatusMember, chooseRange, contentRange, heldTag, ifRangeHolds, isConditional,
  judgeConditions, lifetimeFields, plainTags, ttlS, type HeaderReader,
} from '../http/index.ts';
import type { RegionName } from '../kernel/index.ts';
import type { Reason, Source } from '../route/index.ts';
import type { Copy } from './copies.ts';
import { relativeToUs } from './origin-headers.ts';
import { wholeBody } from './whole-body.ts';

export interface CopyAnswer {
  readonly copy: Copy;
  readonly source: Source;
  readonly reason: Reason;
  readonly region: RegionName;
  readonly head: boolean;
  readonly nowMs: number;
  /** Proxy-Status member, where the origin was tried and failed. */
  readonly proxyStatus?: string | undefined;
  /** Whether the request's callback has already returned; see `whole-body.ts`. */
  readonly late: boolean;
  /** Our Cache-Status member where this is not a hit. */
  readonly cacheStatus?: string | undefined;
  /** The origin's URL where it is sent its own name; see `relativeToUs`. */
  readonly ownUrl: string | undefined;
}

/** Fields that a 304 carries (RFC 9110 §15.4.5), besides our own. */
const notModifiedFields: ReadonlySet<string> = new Set(['cache-control', 'cdn-cache-control', 'content-location', 'date', 'etag', 'expires', 'vary', 'last-modified']);

export function answerFromCopy(answer: CopyAnswer, request: HeaderReader): Response {
  const { copy, head, nowMs } = answer;
  const { record, body } = copy;
  const headers = preparedHeaders(answer);
  const selection = copy.sending?.selection ?? 'any';
  if (selection !== 'once' && isConditional(request)) {
    const verdict = judgeConditions(inAnyCoding(request), copy.validators, nowMs);
    if (verdict === 304) return new Response(null, { status: 304, headers: onlyFor304(headers, heldTag(request.get('if-none-match'), copy.validators.etag)) });
    if (verdict === 412) return new Response(null, { status: 412, headers: onlyFor304(headers, undefined) });
  }
  const range = record.status === 200 && !head && selection === 'any' ? request.get('range') : null;
  if (range !== null && ifRangeHolds(request.get('if-range'), copy.validators, nowMs)) {
    const choice = chooseRange(range, body.byteLength);
    if (choice.kind !== 'whole') {
      const partial = new Headers(headers);
      partial.set('content-range', contentRange(choice, body.byteLength));
      if (choice.kind === 'unsatisfiable') return new Response(null, { status: 416, headers: partial });
      return new Response(wholeBody(body.subarray(choice.first, choice.last + 1), answer.late, copy.typed), { status: 206, headers: partial });
    }
  }
  if (head) {
    const described = new Headers(headers);
    described.set('content-length', String(body.byteLength));
    return new Response(null, { status: record.status, headers: described });
  }
  const bodiless = record.status === 204 || record.status === 304;
  return new Response(bodiless ? null : wholeBody(body, answer.late, copy.typed), { status: record.status, headers });
}

/**
 * The headers of the whole answer. They change once a second (Age) and with source and reason, so the last ones are kept:
 * building them anew costs about 4 µs, a fifth of a hit. They are shared between answers and must not be changed.
 */
function preparedHeaders(answer: CopyAnswer): Headers {
  const { copy, source, reason, region, nowMs, proxyStatus, cacheStatus } = answer;
  const age = ageS(copy.freshness, nowMs);
  const stamp = `${age} ${source} ${reason} ${region} ${proxyStatus ?? ''}${cacheStatus ?? ''}`;
  if (copy.prepared?.stamp === stamp) return copy.prepared.headers;
  const { record } = copy;
  const headers = new Headers();
  for (const [name, value] of record.headers) headers.append(name, value);
  headers.delete('content-length');
  headers.set('age', String(age));
  const version = record.version > 0 ? record.version : undefined;
  const status = cacheStatus ?? cacheStatusMember({
    kind: 'hit', ttlS: ttlS(copy.freshness, nowMs),
    ...(version !== undefined && { detail: `shadow-v${version}` }),
  });
  headers.set('cache-status', appendMember(headers.get('cache-status'), status));
  headers.set('foreshadow', buildForeshadowField({
    source, reason, region, ageS: age, variation: shownVariation(copy), ...(version !== undefined && { version }),
  }));
  if (copy.sending) boundLifetime(headers, age, copy.sending.holdsUntilMs, nowMs);
  if (proxyStatus !== undefined) headers.set('proxy-status', appendMember(headers.get('proxy-status'), proxyStatus));
  relativeToUs(headers, answer.ownUrl);
  copy.prepared = { stamp, headers };
  return headers;
}

/** The point on the dimensions, and which versions of its slots were chosen. */
function shownVariation({ record, sending }: Copy): string {
  if (!sending || sending.choices === '') return record.variation;
  return record.variation === '' ? sending.choices : `${record.variation},${sending.choices}`;
}

/** Caches between us and the reader may keep a page no longer than what was put into it holds. */
function boundLifetime(headers: Headers, age: number, holdsUntilMs: number, nowMs: number): void {
  if (holdsUntilMs === Number.POSITIVE_INFINITY) return;
  const leftS = Math.max(0, Math.floor((holdsUntilMs - nowMs) / 1000));
  for (const name of lifetimeFields) {
    const value = headers.get(name);
    if (value !== null) headers.set(name, boundDirectives(value, age, leftS));
  }
  const expires = headers.get('expires');
  if (expires !== null) headers.set('expires', boundExpires(expires, leftS, nowMs));
}

/** The request's preconditions as if nobody had coded anything: our codings' tags stand for one representation. */
function inAnyCoding(request: HeaderReader): HeaderReader {
  return {
    get(name) {
      const value = request.get(name);
      return value !== null && (name === 'if-none-match' || name === 'if-match') ? plainTags(value) : value;
    },
  };
}

function onlyFor304(headers: Headers, etag: string | undefined): Headers {
  const kept = new Headers();
  for (const [name, value] of headers) {
    if (notModifiedFields.has(name) || name === 'age' || name === 'cache-status' || name === 'foreshadow' || name === 'proxy-status') kept.append(name, value);
  }
  if (etag !== undefined) kept.set('etag', etag);
  return kept;
}

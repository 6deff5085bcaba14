/**
 * Answers made from copies: whole, part (206), not modified (304) or precondition failed (412), for GET and HEAD, with the
 * fields that say truthfully where the answer comes from and how old it is. A copy's headers are built once a second at most.
 */
import {
  ageS, appendMember, buildForeshadowField, cacheStatusMember, chooseRange, contentRange, ifRangeHolds, isConditional,
  judgeConditions, ttlS, type HeaderReader,
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
  if (isConditional(request)) {
    const verdict = judgeConditions(request, copy.validators, nowMs);
    if (verdict === 304) return new Response(null, { status: 304, headers: onlyFor304(headers) });
    if (verdict === 412) return new Response(null, { status: 412, headers: onlyFor304(headers) });
  }
  const range = record.status === 200 && !head ? request.get('range') : null;
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
    source, reason, region, ageS: age, variation: record.variation, ...(version !== undefined && { version }),
  }));
  if (proxyStatus !== undefined) headers.set('proxy-status', appendMember(headers.get('proxy-status'), proxyStatus));
  relativeToUs(headers, answer.ownUrl);
  copy.prepared = { stamp, headers };
  return headers;
}

function onlyFor304(headers: Headers): Headers {
  const kept = new Headers();
  for (const [name, value] of headers) {
    if (notModifiedFields.has(name) || name === 'age' || name === 'cache-status' || name === 'foreshadow' || name === 'proxy-status') kept.append(name, value);
  }
  return kept;
}

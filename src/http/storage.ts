/**
 * Whether an answer may be kept. Two questions, answered apart: for reuse as a shared cache while the origin is well
 * (RFC 9111 §3), and as a shadow for outages (the route's policy). Refusals are from one closed list.
 * Whatever the policy: an answer with Set-Cookie is never kept, and neither is a private one to a personal request.
 */
import type { ResourceKey, VariationKey } from '../kernel/index.ts';
import { responseDirectives, type CacheControl } from './cache-control.ts';
import { explicitLifetimeMs } from './freshness.ts';
import { headerReader, type HeaderList, type HeaderReader } from './headers.ts';
import { endToEnd } from './hop-by-hop.ts';
import { isGoodStatus, isHeuristicallyCacheable, isShadowStatus, isUnderstood } from './status.ts';
import { variesOn, variesOnEverything } from './vary.ts';

export const keepRefusals = {
  'method': 'Only answers to GET are kept.',
  'status': 'The status code is none that may be kept.',
  'partial': 'A part of a body (206, Content-Range) is not kept.',
  'no-store': 'The request or the answer says no-store.',
  'private': 'The answer is for one person (Cache-Control: private).',
  'set-cookie': 'The answer sets a cookie.',
  'authorization': 'The request carried Authorization and the answer does not say that it may be shared, or varies on it.',
  'cookie': 'The request carried cookies beyond the declared dimensions and the answer does not say that it may be shared, or varies on them.',
  'vary-star': 'Vary: * makes every answer different.',
  'no-lifetime': 'Neither a lifetime nor a validator: of no use to a cache (it may still be a shadow).',
  'route': 'The route says shadow: never or cache: off.',
} as const;

export type KeepRefusal = keyof typeof keepRefusals;

/** The origin's word that a variation of a resource is not to be kept, as the answer to one request had it. */
export interface RefusedAnswer {
  readonly resource: ResourceKey;
  readonly variation: VariationKey;
  readonly reason: KeepRefusal;
}

export type ShadowPolicy = 'never' | 'allowed' | 'always';

export interface Exchange {
  readonly method: string;
  readonly request: HeaderReader;
  readonly status: number;
  readonly response: HeaderReader;
  readonly responseTimeMs: number;
  /** Whether the request carried cookies beyond the route's declared dimensions. */
  readonly otherCookies: boolean;
}

/** Why the answer may not be reused as by a shared cache; undefined when it may. */
export function cacheRefusal(exchange: Exchange): KeepRefusal | undefined {
  const basic = basicRefusal(exchange);
  if (basic) return basic;
  const { directives, targeted } = responseDirectives(exchange.response);
  const { status, response } = exchange;
  if (directives.mustUnderstand && !isUnderstood(status)) return 'status';
  if (forbidsStoring(directives, exchange)) return 'no-store';
  if (directives.private) return 'private';
  const personal = personalRefusal(exchange, directives, targeted);
  if (personal) return personal;
  if (explicitLifetimeMs(directives, targeted, response, exchange.responseTimeMs) !== undefined) return undefined;
  if (!directives.public && !isHeuristicallyCacheable(status)) return 'status';
  return response.get('etag') === null && response.get('last-modified') === null ? 'no-lifetime' : undefined;
}

/** Why the answer may not be kept for outages; undefined when it may. */
export function shadowRefusal(exchange: Exchange, policy: ShadowPolicy): KeepRefusal | undefined {
  if (policy === 'never') return 'route';
  const basic = basicRefusal(exchange);
  if (basic) return basic;
  const { directives, targeted } = responseDirectives(exchange.response);
  if (policy === 'always') {
    if (!isShadowStatus(exchange.status)) return 'status';
    const personal = exchange.otherCookies || exchange.request.get('authorization') !== null;
    return directives.private && personal ? 'private' : undefined;
  }
  const explicitMs = explicitLifetimeMs(directives, targeted, exchange.response, exchange.responseTimeMs);
  const vouchedFor = directives.public || (explicitMs ?? 0) > 0;
  if (!(vouchedFor ? isShadowStatus : isGoodStatus)(exchange.status)) return 'status';
  if (directives.mustUnderstand && !isUnderstood(exchange.status)) return 'status';
  if (forbidsStoring(directives, exchange)) return 'no-store';
  if (directives.private) return 'private';
  return personalRefusal(exchange, directives, targeted);
}

/** What holds whatever the policy. */
function basicRefusal({ method, status, response }: Exchange): KeepRefusal | undefined {
  if (method !== 'GET') return 'method';
  if (status === 206 || (status === 200 && response.get('content-range') !== null && isRange(response))) return 'partial';
  if (status < 200 || status === 304 || status > 599) return 'status';
  if (response.get('set-cookie') !== null) return 'set-cookie';
  return variesOnEverything(response.get('vary')) ? 'vary-star' : undefined;
}

/** Content-Range means nothing outside 206 and 416 (RFC 9110 §14.4), yet a well-formed one on a 200 smells of a mislabelled part. */
function isRange(response: HeaderReader): boolean {
  return /^bytes \d+-\d+\/(?:\d+|\*)$/.test(response.get('content-range') ?? '');
}

/** must-understand lifts no-store for a status that is understood (RFC 9111 §5.2.2.3). */
function forbidsStoring(directives: CacheControl, exchange: Exchange): boolean {
  if (directives.noStore && !directives.mustUnderstand) return true;
  const asked = exchange.request.get('cache-control');
  return asked !== null && /(?:^|,)\s*no-store\s*(?:,|$)/i.test(asked);
}

/**
 * Answers to requests that may be one person's. Authorization: RFC 9111 §3.5. Cookies: stricter than the RFC, which would
 * keep on a guess what a logged-in visitor got; the origin must give a lifetime or say `public`. What varies on either is
 * that person's, even where a declared dimension stands in for the header in the key (and keys never hold credentials).
 */
function personalRefusal(exchange: Exchange, directives: CacheControl, targeted: boolean): KeepRefusal | undefined {
  const vary = exchange.response.get('vary');
  if (exchange.request.get('authorization') !== null) {
    const shared = directives.public || directives.mustRevalidate || directives.sMaxageS !== undefined;
    if (!shared || variesOn(vary, 'authorization')) return 'authorization';
  }
  if (!exchange.otherCookies) return undefined;
  if (variesOn(vary, 'cookie')) return 'cookie';
  if (directives.public) return undefined;
  const lifetimeMs = explicitLifetimeMs(directives, targeted, exchange.response, exchange.responseTimeMs);
  return (lifetimeMs ?? 0) > 0 ? undefined : 'cookie';
}

/**
 * What is stored of an answer's fields: the end-to-end ones, without Set-Cookie and without those that `private="…"` or
 * `no-cache="…"` name (RFC 9111 §5.2.2.4, §5.2.2.7).
 */
export function storableFields(list: HeaderList): HeaderList {
  const { directives } = responseDirectives(headerReader(list));
  const withheld = new Set(['set-cookie', ...directives.privateFields, ...directives.noCacheFields]);
  return endToEnd(list).filter(([name]) => !withheld.has(name));
}

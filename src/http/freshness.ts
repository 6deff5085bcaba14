/**
 * How long a stored answer may be used, by RFC 9111 §4.2 as a shared cache, RFC 5861 and RFC 9213. `freshnessOf` does the
 * reading once, when a record is stored or loaded; what is left for each request is a few comparisons.
 * Instants are epoch milliseconds; Infinity means no limit by the origin's headers.
 */
import { parseCacheControl, parseDeltaSeconds, responseDirectives, type CacheControl } from './cache-control.ts';
import { headerReader, type HeaderList, type HeaderReader } from './headers.ts';
import { parseHttpDate } from './http-date.ts';
import { isHeuristicallyCacheable, isShadowStatus } from './status.ts';
import { variesOn } from './vary.ts';

/** What must be known of a stored answer. A `ShadowRecord` is one. */
export interface StoredAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly requestTimeMs: number;
  readonly responseTimeMs: number;
}

export interface Freshness {
  /** When the answer's age was zero: its age at any time is `nowMs - bornMs`. */
  readonly bornMs: number;
  readonly freshUntilMs: number;
  /** End of stale-while-revalidate; equals `freshUntilMs` where there is none. */
  readonly swrUntilMs: number;
  /**
   * Until when the origin's headers let it answer while the origin fails. Equals `freshUntilMs` where they forbid it
   * (must-revalidate, proxy-revalidate, no-cache, s-maxage without a stale extension) and for error answers.
   */
  readonly sieUntilMs: number;
  /** no-cache: never reused without asking the origin, fresh or not. */
  readonly alwaysValidate: boolean;
  /** The lifetime is our guess from Last-Modified, not the origin's word. */
  readonly heuristic: boolean;
  /** Whether there is an ETag or Last-Modified to validate with. */
  readonly validator: boolean;
  /** Vary names Cookie or Authorization: the copy was made for nobody in particular and is no match for a person. */
  readonly differsByPerson: boolean;
}

const heuristicFraction = 0.1; // RFC 9111 §4.2.2
const heuristicMaxMs = 86_400_000;

export function freshnessOf(answer: StoredAnswer): Freshness {
  const headers = headerReader(answer.headers);
  const { directives, targeted } = responseDirectives(headers);
  const explicitMs = explicitLifetimeMs(directives, targeted, headers, answer.responseTimeMs);
  const lifetimeMs = explicitMs ?? heuristicLifetimeMs(directives, answer.status, headers, answer.responseTimeMs);
  const bornMs = answer.responseTimeMs - initialAgeMs(headers, answer);
  const freshUntilMs = bornMs + lifetimeMs;
  const forbidden = directives.noCache || directives.mustRevalidate || directives.proxyRevalidate;
  const swrMs = forbidden ? 0 : (directives.staleWhileRevalidateS ?? 0) * 1000;
  return {
    bornMs,
    freshUntilMs,
    swrUntilMs: freshUntilMs + swrMs,
    sieUntilMs: freshUntilMs + (forbidden || !isShadowStatus(answer.status) ? 0 : staleOnErrorMs(directives)),
    alwaysValidate: directives.noCache,
    heuristic: explicitMs === undefined,
    validator: headers.get('etag') !== null || headers.get('last-modified') !== null,
    differsByPerson: variesOn(headers.get('vary'), 'cookie') || variesOn(headers.get('vary'), 'authorization'),
  };
}

/**
 * stale-if-error bounds use during a failure where it is given (RFC 5861 §4). Without it RFC 9111 §4.2.4 lets a cache that
 * is cut off from the origin answer stale, unless s-maxage, which stands for proxy-revalidate (§5.2.2.10), applies. An
 * s-maxage beside stale-while-revalidate is commonly meant for caches that serve stale: that window then holds.
 */
function staleOnErrorMs(directives: CacheControl): number {
  if (directives.staleIfErrorS !== undefined) return directives.staleIfErrorS * 1000;
  if (directives.sMaxageS !== undefined) return (directives.staleWhileRevalidateS ?? 0) * 1000;
  return Number.POSITIVE_INFINITY;
}

/** s-maxage, max-age, Expires, in this order (RFC 9111 §4.2.1); undefined where the origin says nothing. */
export function explicitLifetimeMs(
  directives: CacheControl, targeted: boolean, headers: HeaderReader, responseTimeMs: number,
): number | undefined {
  const seconds = directives.sMaxageS ?? directives.maxAgeS;
  if (seconds !== undefined) return seconds * 1000;
  const expires = targeted ? null : headers.get('expires');
  if (expires === null) return undefined;
  // An unreadable Expires, `0` above all, means already expired (RFC 9111 §5.3).
  const expiresMs = parseHttpDate(expires, responseTimeMs);
  return expiresMs === undefined ? 0 : Math.max(0, expiresMs - dateMs(headers, responseTimeMs));
}

function heuristicLifetimeMs(directives: CacheControl, status: number, headers: HeaderReader, responseTimeMs: number): number {
  if (!isHeuristicallyCacheable(status) && !directives.public) return 0;
  const lastModified = headers.get('last-modified');
  const modifiedMs = lastModified === null ? undefined : parseHttpDate(lastModified, responseTimeMs);
  if (modifiedMs === undefined) return 0;
  const sinceMs = Math.max(0, dateMs(headers, responseTimeMs) - modifiedMs);
  return Math.min(heuristicMaxMs, sinceMs * heuristicFraction);
}

/** The answer's Date; the time it came where there is none or it can't be read (RFC 9110 §6.6.1). */
function dateMs(headers: HeaderReader, responseTimeMs: number): number {
  const date = headers.get('date');
  return (date === null ? undefined : parseHttpDate(date, responseTimeMs)) ?? responseTimeMs;
}

/** corrected_initial_age of RFC 9111 §4.2.3. Date counts whole seconds, so that the part of a second it lacks is no age. */
function initialAgeMs(headers: HeaderReader, answer: StoredAnswer): number {
  const apparentMs = Math.max(0, Math.floor((answer.responseTimeMs - dateMs(headers, answer.responseTimeMs)) / 1000) * 1000);
  const delayMs = Math.max(0, answer.responseTimeMs - answer.requestTimeMs);
  return Math.max(apparentMs, ageFieldMs(headers.get('age')) + delayMs);
}

/** Of a list the first member counts; what is no whole number is ignored (RFC 9111 §5.1). */
function ageFieldMs(age: string | null): number {
  if (age === null) return 0;
  const comma = age.indexOf(',');
  return (parseDeltaSeconds((comma < 0 ? age : age.slice(0, comma)).trim()) ?? 0) * 1000;
}

/** Age in whole seconds, as the Age field gives it. Never negative. */
export function ageS(freshness: Pick<Freshness, 'bornMs'>, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - freshness.bornMs) / 1000));
}

/** Seconds until it turns stale, negative once it is: `ttl` of Cache-Status (RFC 9211 §2.4). */
export function ttlS(freshness: Pick<Freshness, 'freshUntilMs'>, nowMs: number): number {
  return Math.floor((freshness.freshUntilMs - nowMs) / 1000);
}

/** What a request asks of caches. */
export interface RequestDemands {
  readonly noCache: boolean;
  readonly noStore: boolean;
  readonly onlyIfCached: boolean;
  readonly maxAgeMs: number;
  readonly minFreshMs: number;
  readonly maxStaleMs: number;
}

/** What a request without Cache-Control asks. */
export const noDemands: RequestDemands = Object.freeze({
  noCache: false, noStore: false, onlyIfCached: false, maxAgeMs: Number.POSITIVE_INFINITY, minFreshMs: 0, maxStaleMs: 0,
});
const pragmaNoCache: RequestDemands = Object.freeze({ ...noDemands, noCache: true });

/** Reads Cache-Control, or Pragma where that is absent (RFC 9111 §5.4). */
export function requestDemands(cacheControl: string | null, pragma: string | null): RequestDemands {
  if (cacheControl === null) {
    return pragma !== null && /(?:^|,)\s*no-cache\s*(?:,|$)/i.test(pragma) ? pragmaNoCache : noDemands;
  }
  const asked = parseCacheControl(cacheControl);
  return {
    noCache: asked.noCache || asked.noCacheFields.length > 0,
    noStore: asked.noStore,
    onlyIfCached: asked.onlyIfCached,
    maxAgeMs: asked.maxAgeS === undefined ? Number.POSITIVE_INFINITY : asked.maxAgeS * 1000,
    minFreshMs: (asked.minFreshS ?? 0) * 1000,
    maxStaleMs: (asked.maxStaleS ?? 0) * 1000,
  };
}

/** How a stored answer may be used while the origin is well. */
export type Reuse = 'fresh' | 'stale-while-revalidate' | 'validate';

/**
 * The verdict for one request. `personal`: it carries Authorization or cookies beyond the declared dimensions. Then neither a
 * lifetime that is only our guess counts, nor a copy that differs by cookies, though declared dimensions stand in for them
 * in its key: nobody who is logged in gets the anonymous page while the origin is well.
 */
export function judgeReuse(freshness: Freshness, demands: RequestDemands, personal: boolean, nowMs: number): Reuse {
  if (freshness.alwaysValidate || (personal && (freshness.heuristic || freshness.differsByPerson))) return 'validate';
  if (demands !== noDemands) {
    if (demands.noCache || demands.noStore) return 'validate';
    if (nowMs - freshness.bornMs > demands.maxAgeMs) return 'validate';
    if (nowMs + demands.minFreshMs >= freshness.freshUntilMs) return staleReuse(freshness, demands, nowMs);
  }
  if (nowMs < freshness.freshUntilMs) return 'fresh';
  return nowMs < freshness.swrUntilMs ? 'stale-while-revalidate' : 'validate';
}

function staleReuse(freshness: Freshness, demands: RequestDemands, nowMs: number): Reuse {
  if (demands.minFreshMs > 0) return 'validate';
  if (nowMs < freshness.swrUntilMs) return 'stale-while-revalidate';
  // max-stale is the client's leave; the origin's word (must-revalidate and its kin) goes before it (RFC 9111 §4.2.4).
  const allowedMs = Math.min(freshness.freshUntilMs + demands.maxStaleMs, freshness.sieUntilMs);
  return nowMs < allowedMs ? 'stale-while-revalidate' : 'validate';
}

/**
 * Whether a stored answer may answer while the origin fails: within the origin's word and `serveStaleForMs` after it turned
 * stale. `override` (a route with `shadow: always`) leaves only the operator's limit.
 */
export function mayAnswerInOutage(freshness: Freshness, override: boolean, serveStaleForMs: number, nowMs: number): boolean {
  if (!override) {
    if (freshness.alwaysValidate) return false;
    if (nowMs >= freshness.sieUntilMs) return false;
  }
  return nowMs < freshness.freshUntilMs + serveStaleForMs;
}

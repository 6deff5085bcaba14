/**
 * Reads Cache-Control (RFC 9111 §5.2), its stale extensions (RFC 5861), `immutable` (RFC 8246), and the targeted field
 * CDN-Cache-Control (RFC 9213). A freshness directive that is there but can't be read counts as zero, as RFC 9111 §4.2.1
 * encourages: unreadable never means fresh. Of a repeated directive the first counts.
 */
import { parseDictionary } from 'structured-headers';
import type { HeaderReader } from './headers.ts';
import { listMembers } from './list.ts';

/** Directives as read. Times in seconds; undefined where the directive is absent. */
export interface CacheControl {
  readonly maxAgeS: number | undefined;
  readonly sMaxageS: number | undefined;
  readonly staleWhileRevalidateS: number | undefined;
  readonly staleIfErrorS: number | undefined;
  readonly minFreshS: number | undefined;
  /** Infinity for `max-stale` without a value. */
  readonly maxStaleS: number | undefined;
  readonly noStore: boolean;
  /** Without field names; with them the names are in `noCacheFields` and this is false. */
  readonly noCache: boolean;
  readonly noCacheFields: readonly string[];
  readonly private: boolean;
  readonly privateFields: readonly string[];
  readonly public: boolean;
  readonly mustRevalidate: boolean;
  readonly proxyRevalidate: boolean;
  readonly mustUnderstand: boolean;
  readonly immutable: boolean;
  readonly onlyIfCached: boolean;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function empty(): Writable<CacheControl> {
  return {
    maxAgeS: undefined, sMaxageS: undefined, staleWhileRevalidateS: undefined, staleIfErrorS: undefined,
    minFreshS: undefined, maxStaleS: undefined, noStore: false, noCache: false, noCacheFields: [], private: false,
    privateFields: [], public: false, mustRevalidate: false, proxyRevalidate: false, mustUnderstand: false,
    immutable: false, onlyIfCached: false,
  };
}

/** What an absent field says. */
export const noDirectives: CacheControl = Object.freeze(empty());

/** The largest delta-seconds kept (RFC 9111 §1.2.2): 2^31, about 68 years. */
const deltaSecondsMax = 2_147_483_648;

/** A non-negative whole number of seconds, capped; undefined for anything else. */
export function parseDeltaSeconds(text: string): number | undefined {
  return /^\d+$/.test(text) ? Math.min(Number(text), deltaSecondsMax) : undefined;
}

/** Reads the combined value of Cache-Control lines; null is an absent field. */
export function parseCacheControl(value: string | null): CacheControl {
  if (value === null || value === '') return noDirectives;
  const result = empty();
  const seen = new Set<string>();
  for (const text of listMembers(value)) {
    const equals = text.indexOf('=');
    const written = equals < 0 ? text : text.slice(0, equals);
    const name = written.trimEnd().toLowerCase();
    if (name === '' || seen.has(name)) continue;
    seen.add(name);
    if (equals < 0) {
      apply(result, name, undefined);
      continue;
    }
    // `max-age =60` is not valid, but whoever wrote it meant max-age: it is seen, with a value that can't be read.
    const argument = text.slice(equals + 1);
    const spaced = written !== written.trimEnd() || argument !== argument.trimStart();
    apply(result, name, spaced ? '?' : unquote(argument));
  }
  return result;
}

function unquote(text: string): string {
  return text.startsWith('"') && text.endsWith('"') && text.length > 1 ? text.slice(1, -1).replace(/\\(.)/g, '$1') : text;
}

function fieldNames(text: string): string[] {
  return text.split(',').map((name) => name.trim().toLowerCase()).filter((name) => name !== '');
}

/** Sets one directive. A time that can't be read is zero, except those that widen use of a stale answer, which are then absent. */
function apply(into: Writable<CacheControl>, name: string, value: string | undefined): void {
  const seconds = value === undefined ? undefined : parseDeltaSeconds(value);
  switch (name) {
    case 'max-age': into.maxAgeS = seconds ?? 0; break;
    case 's-maxage': into.sMaxageS = seconds ?? 0; break;
    case 'stale-while-revalidate': into.staleWhileRevalidateS = seconds; break;
    case 'stale-if-error': into.staleIfErrorS = seconds; break;
    case 'min-fresh': into.minFreshS = seconds; break;
    case 'max-stale': into.maxStaleS = value === undefined ? Number.POSITIVE_INFINITY : seconds; break;
    case 'no-cache': qualified(value, (names) => { into.noCacheFields = names; }, () => { into.noCache = true; }); break;
    case 'private': qualified(value, (names) => { into.privateFields = names; }, () => { into.private = true; }); break;
    case 'no-store': into.noStore = true; break;
    case 'public': into.public = true; break;
    case 'must-revalidate': into.mustRevalidate = true; break;
    case 'proxy-revalidate': into.proxyRevalidate = true; break;
    case 'must-understand': into.mustUnderstand = true; break;
    case 'immutable': into.immutable = true; break;
    case 'only-if-cached': into.onlyIfCached = true; break;
    default: // an unknown extension says nothing
  }
}

function qualified(value: string | undefined, some: (names: string[]) => void, all: () => void): void {
  const names = value === undefined ? [] : fieldNames(value);
  if (names.length > 0) some(names);
  else all();
}

/**
 * What the answer's headers say to us. A valid, non-empty CDN-Cache-Control replaces Cache-Control and Expires as a whole
 * (RFC 9213 §2.2); `targeted` says that it did.
 */
export function responseDirectives(headers: HeaderReader): { readonly directives: CacheControl; readonly targeted: boolean } {
  const cdn = headers.get('cdn-cache-control');
  const targeted = cdn === null ? undefined : parseTargeted(cdn);
  if (targeted) return { directives: targeted, targeted: true };
  return { directives: parseCacheControl(headers.get('cache-control')), targeted: false };
}

const numericDirectives = new Set(['max-age', 's-maxage', 'stale-while-revalidate', 'stale-if-error']);

/** Reads a targeted field; undefined when it is empty, no structured dictionary, or gives a time that is no integer. */
export function parseTargeted(value: string): CacheControl | undefined {
  let members: ReturnType<typeof parseDictionary>;
  try {
    members = parseDictionary(value);
  } catch {
    return undefined; // RFC 9213 §2.1: a field that does not parse is ignored
  }
  if (members.size === 0) return undefined;
  const result = empty();
  for (const [name, [bare]] of members) {
    if (numericDirectives.has(name)) {
      if (typeof bare !== 'number' || !Number.isInteger(bare)) return undefined;
      apply(result, name, String(bare));
    } else if (bare !== false) {
      apply(result, name, typeof bare === 'string' ? bare : undefined);
    }
  }
  return result;
}

/**
 * What the header fields of a page say once its includes are in it: nothing about the bytes of the seed, no longer a lifetime than the shortest
 * of its parts, the age of the oldest, and that it is one person's where it is. Pure.
 */
import { composedHeaders } from '../compose/index.ts';
import { heedSurrogateControl, parseSurrogateControl } from '../compose/esi/index.ts';
import { explicitLifetimeMs, listMembers, parseCacheControl, type CacheControl } from '../http/index.ts';

/** What a page or a fragment says about keeping it, as its visitor would read it. */
export interface PartFields {
  readonly directives: CacheControl;
  readonly ageS: number;
  /** Undefined where it says nothing. */
  readonly leftS: number | undefined;
  readonly vary: string | null;
}

export function fieldsOf(headers: Headers, nowMs: number): PartFields {
  const directives = parseCacheControl(headers.get('cache-control'));
  const ageS = Number(headers.get('age') ?? 0) || 0;
  // We are the last shared cache: what is left is for the visitor's own.
  const lifetimeMs = explicitLifetimeMs({ ...directives, sMaxageS: undefined }, false, headers, nowMs);
  return { directives, ageS, leftS: lifetimeMs === undefined ? undefined : Math.max(0, Math.floor(lifetimeMs / 1000) - ageS), vary: headers.get('vary') };
}

/** What is said for surrogates is for us alone. In place. */
export function withoutSurrogateFields(headers: Headers): Headers {
  const control = parseSurrogateControl(headers.get('surrogate-control'));
  if (!control) return headers;
  headers.delete('surrogate-control');
  if (headers.get('cdn-cache-control') === control.keeping.join(', ')) headers.delete('cdn-cache-control');
  return headers;
}

/** What the origin's Surrogate-Control says about keeping is put into the fields our caching reads. In place. */
export function heedInPlace(headers: Headers): void {
  if (headers.has('surrogate-control')) for (const [name, value] of heedSurrogateControl([...headers])) if (name === 'cdn-cache-control') headers.set(name, value);
}

export interface Assembled {
  readonly fragments: readonly PartFields[];
  /** Whether it depends on what tells visitors of equal URLs apart. */
  readonly personal: boolean;
  /** How many parts are missing in it. */
  readonly missing: number;
}

/** The fields of the whole, made of the page's own. */
export function assembledHeaders(page: Headers, assembled: Assembled, nowMs: number): Headers {
  const headers = new Headers(composedHeaders([...page].filter(([name]) => name !== 'set-cookie')).map(([name, value]): [string, string] => [name, value]));
  for (const cookie of page.getSetCookie()) headers.append('set-cookie', cookie);
  const parts = [fieldsOf(page, nowMs), ...assembled.fragments];
  const ageS = Math.max(...parts.map((part) => part.ageS));
  for (const name of ['content-encoding', 'surrogate-control', 'cdn-cache-control', 'age']) headers.delete(name);
  if (ageS > 0 || page.has('age')) headers.set('age', String(ageS));
  const cacheControl = cacheControlOf(parts, assembled, ageS);
  if (cacheControl !== undefined) {
    headers.set('cache-control', cacheControl);
    headers.delete('expires');
  }
  const vary = varyOf(parts);
  if (vary !== '') headers.set('vary', vary);
  const foreshadow = page.get('foreshadow');
  if (assembled.missing > 0 && foreshadow !== null) headers.set('foreshadow', `${foreshadow}; missing=${assembled.missing}`);
  return headers;
}

/** Undefined where neither the page nor a fragment says anything, and it is nobody's in particular. */
function cacheControlOf(parts: readonly PartFields[], { personal, missing }: Assembled, ageS: number): string | undefined {
  const says = (test: (directives: CacheControl) => boolean): boolean => parts.some((part) => test(part.directives));
  const words: string[] = [];
  if (personal || says((directives) => directives.private)) words.push('private');
  if (missing > 0 || says((directives) => directives.noStore)) return [...words, 'no-store'].join(', ');
  if (says((directives) => directives.noCache)) words.push('no-cache');
  if (says((directives) => directives.mustRevalidate)) words.push('must-revalidate');
  if (parts.some((part) => part.leftS !== undefined)) words.push(`max-age=${ageS + Math.min(...parts.map((part) => part.leftS ?? 0))}`);
  return words.length === 0 ? undefined : words.join(', ');
}

function varyOf(parts: readonly PartFields[]): string {
  const names = new Map<string, string>();
  for (const { vary } of parts) for (const name of listMembers(vary ?? '')) if (!names.has(name.toLowerCase())) names.set(name.toLowerCase(), name);
  return [...names.values()].join(', ');
}

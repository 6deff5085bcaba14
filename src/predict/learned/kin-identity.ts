/**
 * Which families a resource belongs to, read from its key alone: those of its name (the last segment without version, digits and extension, in whatever
 * folder) and of its folder; and its class, the first segment with the kind of file. General: nothing here knows a site. Families are 32-bit hashes; two that
 * collide are one family, which costs precision and nothing else.
 */

/** What a key says about itself; hashes are not 0. */
export interface KinIdentity {
  readonly name: number;
  readonly folder: number;
  readonly routeClass: number;
  /** Segments of the path, at most 15. */
  readonly depth: number;
  readonly hasQuery: boolean;
}

const slash = 47;
const dot = 46;
/** Characters of a key that are looked at; the rest can't tell families apart any better. */
const charactersMax = 512;
/** Endings of more letters are no kinds of file. */
const extensionLetters = 5;
const seed = 0x811c9dc5;

/** The identity of a resource key (`/path?query`, or `//host/path?query`). */
export function kinIdentity(key: string): KinIdentity {
  const end = Math.min(key.length, charactersMax);
  let pathEnd = key.indexOf('?');
  const hasQuery = pathEnd >= 0;
  if (pathEnd < 0 || pathEnd > end) pathEnd = end;
  let last = 0;
  let depth = 0;
  let firstEnd = -1;
  for (let i = 0; i < pathEnd; i++) {
    if (key.charCodeAt(i) !== slash) continue;
    if (i > 0 && firstEnd < 0 && key.charCodeAt(i - 1) !== slash) firstEnd = i;
    if (i + 1 < pathEnd && key.charCodeAt(i + 1) !== slash) depth++;
    last = i;
  }
  const extension = extensionAt(key, last + 1, pathEnd);
  const folder = plainHash(key, 0, last + 1, seed);
  // A path of one segment has no folder of its own: its class is the root's, not one a page.
  const first = firstEnd < 0 ? seed : plainHash(key, 0, firstEnd, seed);
  return {
    name: nameHash(key, last + 1, extension),
    folder,
    routeClass: plainHash(key, extension, pathEnd, first),
    depth: Math.min(15, depth), hasQuery,
  };
}

/** Where the extension begins (at its dot), or the end where there is none. Digits only, as in a version, are no extension. */
function extensionAt(key: string, from: number, end: number): number {
  for (let i = end - 1; i > from && i >= end - 1 - extensionLetters; i--) {
    const code = key.charCodeAt(i);
    if (code === dot) return i + 1 < end && isLetter(key.charCodeAt(i + 1)) ? i : end;
    if (!isLetter(code) && !isDigit(code)) return end;
  }
  return end;
}

function plainHash(key: string, from: number, to: number, start: number): number {
  let hash = start;
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return finish(hash);
}

/** From the first letter up to the first digit after a separator: `name_1.2-3`, `name-2024` and `17-name` are `name`, `h2o` stays. Without letters, the whole. */
function nameHash(key: string, from: number, to: number): number {
  let hash = seed ^ 0x6e616d65;
  let letters = 0;
  for (let i = from; i < to; i++) {
    const code = key.charCodeAt(i);
    if (isLetter(code)) letters++;
    else if (!isDigit(code) || letters === 0) continue;
    else if (!isLetter(key.charCodeAt(i - 1)) && !isDigit(key.charCodeAt(i - 1))) break;
    hash = Math.imul(hash ^ (code | 32), 0x01000193);
  }
  return letters > 0 ? finish(hash) : plainHash(key, from, to, hash);
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

function isLetter(code: number): boolean {
  const lower = code | 32;
  return (lower >= 97 && lower <= 122) || code >= 128;
}

/** Spreads the bits (the finaliser of MurmurHash3, Appleby 2008); never 0, which stands for nothing. */
export function finish(start: number): number {
  let hash = start;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) || 1;
}

/**
 * Finds the holes of a seed: where a page's slots, nonces, tokens, forms and the top of its body are. Done once, when a copy is first
 * loaded into memory; what it finds is never stored. Never throws, whatever the bytes: where a body can't be read for certain, or has too many places, it has no
 * holes and is served as the origin sent it. Pure.
 */
import type { HeaderList } from '../http/index.ts';
import { charsetOf } from './charset.ts';
import { cspNonce, noncePlaces } from './csp-nonce.ts';
import type { Dynamics } from './dynamics.ts';
import { htmlPlaces } from './html-places.ts';
import { jsonPlaces } from './json-places.ts';
import type { Hole } from './types.ts';

export interface FoundHoles {
  readonly holes: readonly Hole[];
  /** Slots meant for this kind of body that it has no place for, or only inside another slot. */
  readonly missing: readonly string[];
  /** Whether texts may be written in UTF-8; else other characters than ASCII must be references (`encodeMarkup`). */
  readonly utf8: boolean;
}

export interface SeedToSearch {
  readonly contentType: string;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
}

/** More places than this in one body, and none is a hole. */
export const holesMax = 1024;
/** A larger body has no holes: finding them takes the serving thread about 35 ms for a MiB of dense markup, 10 to 15 for JSON (bench/compose). */
export const seedBytesMax = 2 * 1024 * 1024;

/** Of places that begin together: what is put in before a form's or page's content goes before a slot that is this content. */
const order: Readonly<Record<Hole['kind'], number>> = { notice: 0, 'form-start': 1, slot: 2, nonce: 2, token: 2, 'form-end': 3 };

const none: FoundHoles = { holes: [], missing: [], utf8: true };

export function findHoles(seed: SeedToSearch, dynamics: Dynamics): FoundHoles {
  if (!dynamics.any) return none;
  const type = seed.contentType.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === 'text/html') return holesInHtml(seed, dynamics);
  return type === 'application/json' || type.endsWith('+json') ? holesInJson(seed, dynamics) : none;
}

function holesInHtml(seed: SeedToSearch, { slots, forms, tokens, notice, nonce }: Dynamics): FoundHoles {
  const wanted = slots.flatMap(({ config: { name, place } }) => (place.kind === 'element' ? [{ name, select: place.select }] : []));
  const names = wanted.map(({ name }) => name);
  const charset = charsetOf(seed.contentType, seed.body);
  if (charset === 'other' || !isSearchable(seed)) return { holes: [], missing: names, utf8: false };
  const utf8 = charset === 'utf-8';
  const places = htmlPlaces(seed.body, { slots: wanted, forms: forms === 'disable', tokens, notice: notice !== undefined, rawText: utf8 }, holesMax);
  const stamp = nonce === 'restamp' ? cspNonce(seed.headers) : undefined;
  return arranged(places && stamp !== undefined ? [...places, ...noncePlaces(seed.body, stamp)] : places, names, utf8);
}

function holesInJson(seed: SeedToSearch, { slots }: Dynamics): FoundHoles {
  const wanted = slots.flatMap(({ config: { name, place } }) => (place.kind === 'json' ? [{ name, pointer: place.pointer }] : []));
  return arranged(isSearchable(seed) ? jsonPlaces(seed.body, wanted) : undefined, wanted.map(({ name }) => name), true);
}

function arranged(places: readonly Hole[] | undefined, names: readonly string[], utf8: boolean): FoundHoles {
  if (places === undefined || places.length > holesMax) return { holes: [], missing: names, utf8 };
  const holes = withoutInner(places.toSorted((a, b) => a.from - b.from || order[a.kind] - order[b.kind]));
  const found = new Set(holes.map((hole) => (hole.kind === 'slot' ? hole.slot : '')));
  return { holes, missing: names.filter((name) => !found.has(name)), utf8 };
}

/** A slot swallows what is inside it; of several slots in one place the first declared stays. */
function withoutInner(places: readonly Hole[]): readonly Hole[] {
  let end = 0;
  return places.filter(({ from, to }) => {
    if (from < end) return false;
    end = to;
    return true;
  });
}

function isSearchable({ headers, body }: SeedToSearch): boolean {
  return body.byteLength <= seedBytesMax && !headers.some(([name, value]) => name === 'content-encoding' && value.trim().toLowerCase() !== 'identity');
}

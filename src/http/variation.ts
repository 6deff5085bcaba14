/**
 * From a request to its `VariationKey`: the value each declared dimension takes. Values are bounded by the declaration,
 * whatever the request says, so that no visitor can make keys. What is costly is compiled once or remembered, within bounds.
 */
import Negotiator from 'negotiator';
import type { VariationKey } from '../kernel/index.ts';

/** The key of a resource that does not differ. */
export const noVariation = '' as VariationKey; // the empty point is a valid key

const unsafeInKey = /[^A-Za-z0-9._~:@!$'()*+/ -]/gu;

function escapePart(text: string): string {
  return text.replace(unsafeInKey, (character) => encodeURIComponent(character.toWellFormed()));
}

/** Compiles the names a route declares into a function from their values, in the same order, to the key. */
export function compileVariation(names: readonly string[]): (values: readonly string[]) => VariationKey {
  const prefixes = names.map((name, index) => `${index === 0 ? '' : ','}${escapePart(name)}=`);
  return (values) => {
    let key = '';
    for (let i = 0; i < prefixes.length; i++) key += (prefixes[i] ?? '') + escapePart(values[i] ?? '');
    return key as VariationKey; // the one constructor of the brand besides the empty key
  };
}

/** The pairs of a key, in its order. */
export function parseVariation(key: VariationKey): readonly (readonly [name: string, value: string])[] {
  if (key === '') return [];
  return key.split(',').map((pair) => {
    const equals = pair.indexOf('=');
    return [decodeURIComponent(pair.slice(0, equals)), decodeURIComponent(pair.slice(equals + 1))] as const;
  });
}

/** Distinct header values a chooser remembers. Beyond it starts anew: people's browsers send a few hundred. */
const rememberedMax = 1024;
/** Only so much of a header is looked at: bounds memory, and what a crafted value can cost. Browsers send half of it at most. */
const headerCharactersMax = 512;

function remembered(choose: (header: string) => string): (header: string) => string {
  const known = new Map<string, string>();
  return (whole) => {
    const header = whole.length > headerCharactersMax ? whole.slice(0, headerCharactersMax) : whole;
    const before = known.get(header);
    if (before !== undefined) return before;
    const chosen = choose(header);
    if (known.size >= rememberedMax) known.clear();
    known.set(header, chosen);
    return chosen;
  };
}

/** Chooses among `values` (language tags) by Accept-Language (RFC 9110 §12.5.4; `de-AT` is content with `de`); else `fallback`. */
export function compileLanguage(values: readonly string[], fallback: string): (acceptLanguage: string | null) => string {
  const available = [...values];
  const choose = remembered((header) => new Negotiator({ headers: { 'accept-language': header } }).language(available) ?? fallback);
  return (header) => (header === null || header === '' || header === '*' ? fallback : choose(header));
}

const tabletAgent = /iPad|Tablet|PlayBook|Silk(?!.*Mobile)|Kindle|Android(?!.*Mobile)/i;
const mobileAgent = /Mobi|iPhone|iPod|Android|Opera Mini|IEMobile|BlackBerry|webOS/i;

/**
 * Chooses among the values `mobile`, `tablet`, `desktop` by Sec-CH-UA-Mobile, which is exact where it is sent, and
 * User-Agent. A tablet is mobile unless `tablet` is declared. What is not among the values is `fallback`.
 */
export function compileDevice(
  values: readonly string[], fallback: string,
): (userAgent: string | null, secChUaMobile: string | null) => string {
  const declared = new Set(values);
  const among = (value: string): string => (declared.has(value) ? value : fallback);
  const tablet = among(declared.has('tablet') ? 'tablet' : 'mobile');
  const mobile = among('mobile');
  const desktop = among('desktop');
  const choose = remembered((agent) => (tabletAgent.test(agent) ? tablet : mobileAgent.test(agent) ? mobile : desktop));
  return (userAgent, secChUaMobile) => {
    if (secChUaMobile === '?1') return mobile;
    return userAgent === null || userAgent === '' ? fallback : choose(userAgent);
  };
}

/** A compiled bound: the value itself when it is declared, else `fallback`. */
export function compileBounded(values: readonly string[], fallback: string): (value: string | null | undefined) => string {
  const declared = new Set(values);
  return (value) => (value !== null && value !== undefined && declared.has(value) ? value : fallback);
}

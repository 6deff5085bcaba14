/**
 * Makes the `ResourceKey`: one name for all spellings of one resource. Escapes that need not be are decoded and the others
 * upper-cased (RFC 3986 §6.2.2; `%2F` and its kin stay, for they mean something else), the query is sorted by name,
 * tracking parameters are dropped. Nothing is made equal that an origin could sensibly tell apart.
 */
import { parseDictionary } from 'structured-headers';
import type { ResourceKey } from '../kernel/index.ts';

/** Parameters that tell where a visitor came from and nothing about the page: the default of `dropQuery`. */
export const trackingParameters: readonly string[] = [
  'utm_*', 'gclid', 'gclsrc', 'gbraid', 'wbraid', 'dclid', 'gad_source', 'gad_campaignid', 'srsltid', '_ga', '_gl', 'fbclid', 'fb_action_ids', 'fb_source',
  'msclkid', 'mc_cid', 'mc_eid', 'mkt_tok', 'twclid', 'ttclid', 'li_fat_id', 'igshid', 'igsh', 'yclid', 'ysclid', 'epik', 'rdt_cid', 'sccid',
  '_hsenc', '_hsmi', '__hssc', '__hstc', '__hsfp', 'hsctatracking', 'oly_anon_id', 'oly_enc_id', 'vero_id', 'vero_conv', 'wickedid',
  'pk_campaign', 'pk_kwd', 'pk_source', 'pk_medium', 'mtm_*', 'matomo_*', 'piwik_*', '_openstat', 's_cid', 'cmpid', '_branch_match_id',
];

export interface QueryRules {
  readonly drop: (name: string) => boolean;
  /** Parameters that are kept; undefined keeps all that are not dropped. */
  readonly keep: ReadonlySet<string> | undefined;
}

/** Compiles `dropQuery` (any case, trailing `*` for a prefix) and a route's `keepQuery` (exact). `keepQuery` goes before `dropQuery`. */
export function queryRules(dropQuery: readonly string[], keepQuery: readonly string[] | undefined): QueryRules {
  const exact = new Set<string>();
  const prefixes: string[] = [];
  for (const entry of dropQuery) {
    const name = entry.toLowerCase();
    if (name.endsWith('*')) prefixes.push(name.slice(0, -1));
    else exact.add(name);
  }
  const drop = (name: string): boolean => {
    const lower = name.toLowerCase();
    return exact.has(lower) || prefixes.some((prefix) => lower.startsWith(prefix));
  };
  return { drop, keep: keepQuery === undefined ? undefined : new Set(keepQuery) };
}

// Anything that is not plain printable ASCII without `%`: such a path needs work.
const needsWork = /[^\x21-\x24\x26-\x7e]/;

/** The path in its one spelling, as route patterns and keys use it. A clean path is returned as it is. */
export function normalisePath(path: string): string {
  if (path === '') return '/';
  return needsWork.test(path) ? normaliseEscapes(path) : path;
}

/**
 * The key of a request. `query` is without `?` and may be empty. `host` is given (lower case) where the site has several.
 * A clean path without query costs one scan and no allocation.
 */
export function resourceKey(path: string, query: string, rules: QueryRules, host?: string): ResourceKey {
  const cleanPath = normalisePath(path);
  const cleanQuery = query === '' ? '' : normaliseQuery(query, rules);
  let key = cleanQuery === '' ? cleanPath : `${cleanPath}?${cleanQuery}`;
  // A path that itself starts with `//` gets an empty host, so that it is never read as one.
  if (host !== undefined) key = `//${host}${key}`;
  else if (key.startsWith('//')) key = `//${key}`;
  return key as ResourceKey; // the one constructor of the brand
}

/** What a key asks an origin for: the request target, and the host where the site has several. */
export function resourceTarget(key: ResourceKey): { readonly host: string | undefined; readonly target: string } {
  if (!key.startsWith('//')) return { host: undefined, target: key };
  const slash = key.indexOf('/', 2);
  if (slash < 0) return { host: key.slice(2), target: '/' };
  return { host: slash === 2 ? undefined : key.slice(2, slash), target: key.slice(slash) };
}

function normaliseQuery(query: string, rules: QueryRules): string {
  if (!query.includes('&') && !needsWork.test(query)) return kept(nameOf(query), rules) && query !== '' ? query : '';
  const pairs: { readonly name: string; readonly text: string }[] = [];
  for (const piece of query.split('&')) {
    if (piece === '') continue;
    const text = normaliseEscapes(piece);
    const name = nameOf(text);
    if (kept(name, rules)) pairs.push({ name, text });
  }
  // Array.prototype.sort is stable: equal names keep their order, which means something to many servers.
  pairs.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  return pairs.map((pair) => pair.text).join('&');
}

function nameOf(pair: string): string {
  const equals = pair.indexOf('=');
  return equals < 0 ? pair : pair.slice(0, equals);
}

function kept(name: string, rules: QueryRules): boolean {
  return rules.keep === undefined ? !rules.drop(name) : rules.keep.has(name);
}

const unreserved = /[A-Za-z0-9._~-]/;

/**
 * Decodes `%41`, upper-cases `%2f`, escapes what may not stand in a URL. A `%` without two hex digits is escaped too: left
 * alone it could form a new escape with what is decoded behind it (`%%361`).
 */
function normaliseEscapes(text: string): string {
  if (!needsWork.test(text)) return text;
  return text.replace(/%[0-9a-fA-F]{2}|%|[^\x21-\x7e]+/g, (found) => {
    if (found.length < 3 || !found.startsWith('%')) return escapeRaw(found);
    const character = String.fromCharCode(Number.parseInt(found.slice(1), 16));
    return unreserved.test(character) ? character : found.toUpperCase();
  });
}

function escapeRaw(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** No-Vary-Search (draft-ietf-httpbis-no-vary-search): parameters that don't change the answer. */
export interface NoVarySearch {
  /** `true`: all parameters but `except`; else these. */
  readonly ignore: true | ReadonlySet<string>;
  readonly except: ReadonlySet<string>;
}

/** Reads the field; undefined when absent, invalid or without effect. Order is ours to ignore already: keys are sorted. */
export function parseNoVarySearch(value: string | null): NoVarySearch | undefined {
  if (value === null) return undefined;
  let members: ReturnType<typeof parseDictionary>;
  try {
    members = parseDictionary(value);
  } catch {
    return undefined; // the draft: an invalid field is the default, in which every parameter counts
  }
  const params: unknown = members.get('params')?.[0];
  const except: unknown = members.get('except')?.[0];
  const exceptNames = except === undefined ? new Set<string>() : nameSet(except);
  if (exceptNames === undefined) return undefined;
  if (params === true) return { ignore: true, except: exceptNames };
  if (except !== undefined || params === undefined || params === false) return undefined;
  const names = nameSet(params);
  return names === undefined || names.size === 0 ? undefined : { ignore: names, except: new Set() };
}

function nameSet(innerList: unknown): Set<string> | undefined {
  if (!Array.isArray(innerList)) return undefined;
  const names = new Set<string>();
  for (const item of innerList) {
    const name: unknown = Array.isArray(item) ? item[0] : undefined;
    if (typeof name !== 'string') return undefined;
    names.add(name);
  }
  return names;
}

/** The key without the parameters that don't matter. */
export function applyNoVarySearch(key: ResourceKey, rule: NoVarySearch): ResourceKey {
  const question = key.indexOf('?');
  if (question < 0) return key;
  const pieces = key.slice(question + 1).split('&').filter((piece) => {
    const name = decodeName(nameOf(piece));
    return rule.ignore === true ? rule.except.has(name) : !rule.ignore.has(name);
  });
  const path = key.slice(0, question);
  return (pieces.length === 0 ? path : `${path}?${pieces.join('&')}`) as ResourceKey; // a key with fewer parameters is a key
}

function decodeName(name: string): string {
  try {
    return decodeURIComponent(name.replaceAll('+', ' '));
  } catch {
    return name; // a stray `%`: compared as written
  }
}

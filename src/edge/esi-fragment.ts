/**
 * From a reference in a page to the request for a fragment: a resource of the same site, asked for as the visitor would ask for it, in the
 * visitor's name. A reference to any other host makes no request.
 */
import { plainHost } from '../http/index.ts';
import type { PartOf } from './part-of.ts';
import type { SiteRules } from './site-rules.ts';
import type { Entrance, Visit } from './visit.ts';

/** Pages in pages: what is included by a fragment of a fragment of a fragment is not asked for. */
export const depthMax = 3;
/** Requests for fragments that one request of a visitor can cause, nested ones and alternatives included. */
export const fragmentsMax = 64;

export interface FragmentRules {
  readonly site: SiteRules;
  /** The origin's own name, where the origin knows itself by it and not by the visitor's. */
  readonly originHost: string | undefined;
}

export interface FragmentAddress {
  readonly url: string;
  /** As visitors name it. */
  readonly host: string;
  /** Whether it is the page's own host: only there the visitor's cookies and credentials go. */
  readonly own: boolean;
  /** Names it in `PartOf.ancestors`. */
  readonly id: string;
}

/** Of the request that asks for the page: what chose a part of it, what belongs to its body or its connection. */
const notForFragments = [
  'if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since', 'if-range', 'range', 'content-length', 'content-type', 'content-encoding', 'transfer-encoding', 'te',
  'expect', 'upgrade', 'sec-websocket-key', 'sec-websocket-version', 'sec-websocket-extensions', 'sec-websocket-protocol',
] as const;

/** Undefined where the reference is not to this site. */
export function fragmentAddress(reference: string, visit: Visit, rules: FragmentRules): FragmentAddress | undefined {
  const pageHost = visit.host === '' ? 'host.invalid' : visit.host;
  const url = URL.parse(reference.trim(), `${visit.entrance.proto}://${pageHost}${visit.target}`);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:') || url.username !== '' || url.password !== '') return undefined;
  const host = plainHost(url.host);
  const own = host === plainHost(pageHost) || host === rules.originHost;
  if (!own && !rules.site.declaresHost(host)) return undefined;
  const shown = own ? visit.host : host;
  const target = url.pathname + url.search;
  return { url: `http://${own ? pageHost : host}${target}`, host: shown, own, id: `${shown}${target}` };
}

/** Names the page of a visit as `fragmentAddress` would. */
export function pageId(visit: Visit): string {
  return `${visit.host}${visit.target}`;
}

/** `asked`: the header fields of the page's request as the visitor sent them. */
export function fragmentRequest(address: FragmentAddress, asked: Headers, signal: AbortSignal): Request {
  const headers = new Headers(asked);
  for (const name of notForFragments) headers.delete(name);
  // Fragments are put into pages in plain bytes, and one copy then suits everybody.
  headers.set('accept-encoding', 'identity');
  if (!address.own) for (const name of ['cookie', 'authorization', 'proxy-authorization']) headers.delete(name);
  if (address.host === '') headers.delete('host');
  else if (!address.own) headers.set('host', address.host);
  return new Request(address.url, { headers, signal });
}

/** The entrance of requests that are not the visitor's own but made in its name. */
export function entranceFor(visit: Visit, part: PartOf | undefined): Entrance {
  const { region, proto } = visit.entrance;
  const { raw } = visit.peer;
  return { region, proto, peerOf: () => raw, ...(part && { part }) };
}

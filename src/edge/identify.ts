/**
 * From a raw request to a `Visit`, or to the reason why it is not one: what can be read in two ways, is too long, is for
 * another site, or has been here before is refused before anything else looks at it.
 */
import { loopCount, plainHost } from '../http/index.ts';
import type { Config } from '../config/index.ts';
import { pseudonym } from './origin-headers.ts';
import type { Peers } from './peers.ts';
import type { SiteRules } from './site-rules.ts';
import { Visit, type Entrance, type RefusalReason } from './visit.ts';

export interface IdentifyRules {
  readonly site: SiteRules;
  readonly peers: Peers;
  readonly siteName: string;
  readonly limits: Pick<Config['limits'], 'urlBytes' | 'headerBytes' | 'requestBodyBytes'>;
}

/** The runtime refuses larger header sections by itself, with 431. */
const runtimeHeaderBytesMax = 16_384;

// A registered name, IPv4 address, or bracketed IPv6 address, with an optional port (RFC 9110 §7.2).
const wellFormedHost = /^(?:[a-z0-9._~!$&'()*+;=-]|%[0-9a-f]{2})+(?::\d{0,5})?$|^\[[0-9a-f:.]+\](?::\d{0,5})?$/;

export function identify(request: Request, entrance: Entrance, rules: IdentifyRules): Visit | RefusalReason {
  const { url, headers, method } = request;
  if (url.length > rules.limits.urlBytes) return { status: 414, reason: 'uri-too-long' };
  const target = targetOf(url);
  if (target === undefined || method === 'CONNECT' || method === 'TRACE') return { status: target === undefined ? 400 : 501, reason: 'bad-request' };
  // NUL means the end of a string to some servers and nothing to others.
  if (target.includes('%00')) return { status: 400, reason: 'bad-request' };
  const host = hostOf(headers.get('host'));
  if (host === undefined) return { status: 400, reason: 'bad-request' };
  if (!rules.site.ownsHost(host)) return { status: 421, reason: 'unknown-host' };
  if (rules.limits.headerBytes < runtimeHeaderBytesMax && headerBytes(headers) > rules.limits.headerBytes) return { status: 431, reason: 'header-too-large' };
  const length = headers.get('content-length');
  if (length !== null && rules.limits.requestBodyBytes > 0 && Number(length) > rules.limits.requestBodyBytes) return { status: 413, reason: 'body-too-large' };
  if (loopCount(headers.get('cdn-loop'), pseudonym, rules.siteName) > 0) return { status: 508, reason: 'loop' };
  return new Visit(request, entrance, { target, host }, rules.site, rules.peers);
}

/**
 * Path and query out of the runtime's URL. It has resolved dot segments and backslashes; for a request without a usable
 * Host it gives the bare target. Slashes before the path become one: the runtime would ask the origin so anyway, and the key
 * and the route have to be those of what it is asked.
 */
function targetOf(url: string): string | undefined {
  const start = url.startsWith('/') ? 0 : url.indexOf('/', url.indexOf('://') + 3);
  if (start < 0 || (start > 0 && !url.startsWith('http'))) return undefined;
  const hash = url.indexOf('#', start);
  const target = hash < 0 ? (start === 0 ? url : url.slice(start)) : url.slice(start, hash);
  return target.startsWith('//') ? target.replace(/^\/+/, '/') : target;
}

/** Lower case, default port dropped; undefined where it is no host or there are two. Empty for HTTP/1.0 without one. */
function hostOf(host: string | null): string | undefined {
  if (host === null || host === '') return '';
  return wellFormedHost.test(host.toLowerCase()) ? plainHost(host) : undefined;
}

function headerBytes(headers: Headers): number {
  let bytes = 0;
  for (const [name, value] of headers) bytes += name.length + value.length + 4;
  return bytes;
}

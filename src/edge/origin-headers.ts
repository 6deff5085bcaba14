/**
 * The header fields the origin gets for a visitor's request: end-to-end fields as they came, what names us (Via, CDN-Loop),
 * and who asked (Forwarded, X-Forwarded-*). Fields by which a stranger could make the origin answer for another URL or host are
 * taken out, because such an answer could otherwise be stored for everybody.
 */
import { capabilityField, surrogateCapability } from '../compose/esi/index.ts';
import { appendCdnLoop, appendVia, forwardingFields, isHopByHop, nominatedIn, plainTags, type HeaderReader } from '../http/index.ts';

/** Our name in Via and CDN-Loop. */
export const pseudonym = 'foreshadow';

/**
 * Request fields that frameworks take for the URL, host or scheme, and that no visitor's browser sends. Surrogate-Capability goes with them: by it
 * a stranger would get, and have kept for everybody, pages with markup that nobody processes.
 */
const overriding = [
  'x-original-url', 'x-original-uri', 'x-rewrite-url', 'x-original-host', 'x-host', 'x-http-host-override', 'x-forwarded-server', 'x-forwarded-scheme', 'x-forwarded-port',
  'x-forwarded-prefix', 'x-forwarded-path', 'x-forwarded-uri', 'x-forwarded-ssl', 'x-url-scheme', 'front-end-https',
];
const methodOverrides = ['x-http-method-override', 'x-http-method', 'x-method-override'];
const never = ['expect', 'foreshadow-purpose'];

/** Name → for whom it is taken out: everybody, peers that aren't trusted, reads. */
const takenOut = new Map<string, 'always' | 'untrusted' | 'read'>([
  ...never.map((name) => [name, 'always'] as const), ...[...overriding, capabilityField].map((name) => [name, 'untrusted'] as const), ...methodOverrides.map((name) => [name, 'read'] as const),
]);

export interface Forwarding {
  /** In its plain form, or `unknown`. */
  readonly peer: string;
  readonly peerTrusted: boolean;
  readonly proto: 'http' | 'https';
  /** The visitor's Host; undefined for HTTP/1.0 without one. */
  readonly host: string | undefined;
  readonly httpVersion: string;
  /** What is sent as Host. */
  readonly originHost: string;
  /** GET and HEAD. */
  readonly read: boolean;
  /** Names this site in CDN-Loop. */
  readonly site: string;
  /** Whether we process Edge Side Includes of what it answers. */
  readonly esi: boolean;
}

/** Changes the visitor's header fields in place (a copy would cost a tenth of the proxying time) and returns them. */
export function forOrigin(headers: Headers, about: Forwarding): Headers {
  removeNominated(headers);
  // One pass over the names there are costs a fifth of deleting all names there might be.
  let out: string[] | undefined;
  for (const name of headers.keys()) {
    const when = isHopByHop(name) ? 'always' : takenOut.get(name);
    if (when !== undefined && (when === 'always' || (when === 'untrusted' ? !about.peerTrusted : about.read))) (out ??= []).push(name);
  }
  if (out) for (const name of out) headers.delete(name);
  const fields = forwardingFields(about.peer, about.proto, about.host, about.peerTrusted ? received(headers) : noneReceived, about.peerTrusted);
  headers.set('x-forwarded-for', fields.xForwardedFor);
  headers.set('x-forwarded-proto', fields.xForwardedProto);
  if (fields.xForwardedHost === undefined) headers.delete('x-forwarded-host');
  else headers.set('x-forwarded-host', fields.xForwardedHost);
  headers.set('forwarded', fields.forwarded);
  headers.set('via', appendVia(headers.get('via'), about.httpVersion, pseudonym));
  headers.set('cdn-loop', appendCdnLoop(headers.get('cdn-loop'), pseudonym, about.site));
  for (const name of ['if-none-match', 'if-match', 'if-range']) {
    const tags = headers.get(name);
    if (tags !== null) headers.set(name, plainTags(tags));
  }
  headers.set('host', about.originHost);
  if (about.esi) headers.set(capabilityField, surrogateCapability(headers.get(capabilityField)));
  if (!headers.has('user-agent')) headers.set('user-agent', '');
  return headers;
}

/** What an untrusted peer says of itself is not even read. */
const noneReceived: Parameters<typeof forwardingFields>[3] = { forwarded: null, xForwardedFor: null, xForwardedProto: null, xForwardedHost: null };

function received(headers: HeaderReader): Parameters<typeof forwardingFields>[3] {
  return {
    forwarded: headers.get('forwarded'), xForwardedFor: headers.get('x-forwarded-for'),
    xForwardedProto: headers.get('x-forwarded-proto'), xForwardedHost: headers.get('x-forwarded-host'),
  };
}

function removeNominated(headers: Headers): void {
  const connection = headers.get('connection');
  if (connection !== null) for (const name of nominatedIn(connection)) headers.delete(name);
}

/** Takes connection-bound fields out of the origin's answer, in place. */
export function forVisitor(headers: Headers): Headers {
  removeNominated(headers);
  let out: string[] | undefined;
  for (const name of headers.keys()) if (isHopByHop(name)) (out ??= []).push(name);
  if (out) for (const name of out) headers.delete(name);
  return headers;
}

/** An origin that is sent its own name (`ownUrl`) redirects to it; visitors know it by ours, so that such references become relative. In place. */
export function relativeToUs(headers: Headers, ownUrl: string | undefined): void {
  if (ownUrl === undefined) return;
  for (const name of ['location', 'content-location']) {
    const reference = headers.get(name);
    if (reference === null || !reference.startsWith(ownUrl)) continue;
    const rest = reference.slice(ownUrl.length);
    if (rest === '' || /^[/?#]/.test(rest)) headers.set(name, `/${rest.replace(/^\/+/, '')}`); // two slashes would begin a host
  }
}

/** A 304 names the tag that the client holds: the origin does not know those of codings that were made here. In place. */
export function nameHeldTag(headers: Headers, client: { heldTag(etag: string): string | undefined }): void {
  const etag = headers.get('etag');
  const held = etag === null ? undefined : client.heldTag(etag);
  if (held !== undefined) headers.set('etag', held);
}

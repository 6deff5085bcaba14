/**
 * Who asked, and through whom: Via (RFC 9110 §7.6.3), CDN-Loop (RFC 8586), Forwarded (RFC 7239) and X-Forwarded-*.
 * What a client says of itself is believed only where the peer is a trusted proxy.
 */
import ipaddr from 'ipaddr.js';
import { listMembers } from './list.ts';

/** Appends us to Via. `protocol` is the version we were spoken to in (`1.1`, `2`). */
export function appendVia(via: string | null, protocol: string, pseudonym: string): string {
  const ours = `${protocol} ${pseudonym}`;
  return via === null || via === '' ? ours : `${via}, ${ours}`;
}

/** Appends us to CDN-Loop, with the site as parameter, so that two sites' Foreshadows in a row are no loop. `site` is a token. */
export function appendCdnLoop(cdnLoop: string | null, id: string, site: string): string {
  const ours = `${id}; site=${site}`;
  return cdnLoop === null || cdnLoop === '' ? ours : `${cdnLoop}, ${ours}`;
}

/** How often the request has been through this site's edges (RFC 8586 §2). A member without a site counts: it may be ours. */
export function loopCount(cdnLoop: string | null, id: string, site: string): number {
  if (cdnLoop === null || !cdnLoop.includes(id)) return 0;
  let count = 0;
  for (const member of cdnLoop.split(',')) {
    const [name = '', ...parameters] = member.split(';').map((part) => part.trim());
    if (name !== id) continue;
    const named = parameters.find((parameter) => parameter.startsWith('site='));
    if (named === undefined || named === `site=${site}` || named === `site="${site}"`) count++;
  }
  return count;
}

export type TrustedProxies = (address: string) => boolean;

/** Compiles CIDR ranges and single addresses. Throws a RangeError that names the entry that is none. */
export function compileTrustedProxies(ranges: readonly string[]): TrustedProxies {
  const compiled = ranges.map((range) => {
    try {
      return range.includes('/') ? ipaddr.parseCIDR(range) : singleAddress(range);
    } catch (cause) {
      throw new RangeError(`${JSON.stringify(range)} is no IP address or CIDR range`, { cause });
    }
  });
  if (compiled.length === 0) return () => false;
  return (address) => {
    if (!ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    return compiled.some(([network, bits]) => network.kind() === parsed.kind() && parsed.match(network, bits));
  };
}

function singleAddress(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] {
  const address = ipaddr.process(text);
  return [address, address.kind() === 'ipv4' ? 32 : 128];
}

/** An address in its plain form (`::ffff:192.0.2.1` is `192.0.2.1`; a port and brackets are dropped); undefined when it is none. */
export function plainAddress(text: string): string | undefined {
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text);
  const withPort = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text);
  const bare = bracketed?.[1] ?? withPort?.[1] ?? text;
  return ipaddr.isValid(bare) ? ipaddr.process(bare).toString() : undefined;
}

export interface ForwardedFacts {
  readonly forwarded: string | null;
  readonly xForwardedFor: string | null;
}

/**
 * The client's address: the right-most that no trusted proxy vouches for further. The peer itself where it isn't trusted, or
 * where the next hop to the left is unreadable. Forwarded goes before X-Forwarded-For.
 */
export function clientAddress(peer: string, facts: ForwardedFacts, trusted: TrustedProxies): string {
  let client = plainAddress(peer) ?? peer;
  const hops = facts.forwarded === null ? (facts.xForwardedFor?.split(',') ?? []) : forwardedFor(facts.forwarded);
  for (let i = hops.length - 1; i >= 0 && trusted(client); i--) {
    const address = plainAddress((hops[i] ?? '').trim());
    if (address === undefined) break;
    client = address;
  }
  return client;
}

/** The `for` of each element of Forwarded, in order; empty where an element has none. */
function forwardedFor(forwarded: string): string[] {
  return listMembers(forwarded).map((element) => {
    const match = /(?:^|;)\s*for=(?:"([^"]*)"|([^;\s]*))/i.exec(element);
    return match?.[1] ?? match?.[2] ?? '';
  });
}

/** The scheme of the first element of Forwarded that has one: how the client came in. */
export function forwardedProto(forwarded: string): string | null {
  return /(?:^|[;,])\s*proto="?(https?)\b/i.exec(forwarded)?.[1]?.toLowerCase() ?? null;
}

export interface ForwardingFields {
  readonly xForwardedFor: string;
  readonly xForwardedProto: string;
  /** Absent where no host is told. */
  readonly xForwardedHost: string | undefined;
  readonly forwarded: string;
}

/** What the client's own forwarding fields said; used only when the peer is a trusted proxy. */
export interface ReceivedForwarding extends ForwardedFacts {
  readonly xForwardedProto: string | null;
  readonly xForwardedHost: string | null;
}

/** The forwarding fields for the origin. `address` is the peer's in its plain form, or `unknown`. From an untrusted peer they start with us. A client without Host leaves it out. */
export function forwardingFields(
  address: string, proto: 'http' | 'https', host: string | undefined, received: ReceivedForwarding, peerTrusted: boolean,
): ForwardingFields {
  const hostPair = host === undefined ? '' : `host="${host.replace(/[\\"]/g, '\\$&')}";`;
  const element = `for=${address.includes(':') ? `"[${address}]"` : address};${hostPair}proto=${proto}`;
  const before = peerTrusted ? bothWays(received) : { forwarded: null, xForwardedFor: null, xForwardedProto: null, xForwardedHost: null };
  return {
    xForwardedFor: before.xForwardedFor === null ? address : `${before.xForwardedFor}, ${address}`,
    xForwardedProto: before.xForwardedProto ?? proto,
    xForwardedHost: before.xForwardedHost ?? host,
    forwarded: before.forwarded === null ? element : `${before.forwarded}, ${element}`,
  };
}

/** A proxy that speaks one of the two only is understood by origins that read the other. */
function bothWays(said: ReceivedForwarding): ReceivedForwarding {
  const { forwarded, xForwardedFor } = said;
  if (forwarded === null && xForwardedFor !== null) {
    return { ...said, forwarded: xForwardedFor.split(',').map((hop) => `for=${forwardedNode(hop.trim())}`).join(', ') };
  }
  if (forwarded === null) return said;
  const hops = forwardedFor(forwarded).map((hop) => plainAddress(hop) ?? 'unknown');
  return {
    ...said,
    xForwardedFor: xForwardedFor ?? (hops.length === 0 ? null : hops.join(', ')),
    xForwardedProto: said.xForwardedProto ?? forwardedProto(forwarded),
  };
}

/** An address as Forwarded writes it; `unknown` for what is none (RFC 7239 §6). */
function forwardedNode(address: string): string {
  const plain = plainAddress(address);
  if (plain === undefined) return 'unknown';
  return plain.includes(':') ? `"[${plain}]"` : plain;
}

/**
 * One request as the pipeline sees it: where it goes (`target`, route, key, variation), who asks (lazily: an address costs a
 * system call), and what copy there is. Built once by `identify`; what routing needs of it is read off it directly.
 */
import {
  acceptedEncodings, clientAddress, forwardedProto, hasOtherCookies, heldTag, isUnsafe, noDemands, requestDemands, varyMatches, type HeaderReader, type RequestDemands, type VaryValues,
} from '../http/index.ts';
import type { RegionName, ResourceKey, VariationKey } from '../kernel/index.ts';
import type { CopyAtHand, Reason, RoutedRequest } from '../route/index.ts';
import type { Asker, Copy } from './copies.ts';
import type { PartOf } from './part-of.ts';
import type { Peer, Peers } from './peers.ts';
import type { RouteRules, SiteRules } from './site-rules.ts';

/** What a visit needs of the listener it came in by. */
export interface Entrance {
  readonly region: RegionName;
  readonly proto: 'http' | 'https';
  /** The peer's address, undefined when it has gone. */
  peerOf(request: Request): string | undefined;
  /** Where the request is not a visitor's own, but for a part of its page. */
  readonly part?: PartOf;
}

/** Fields that say which part or version of a resource is wanted; taken out when the whole current one is fetched to be kept. */
const selectingFields = ['if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since', 'if-range', 'range'] as const;

export class Visit implements RoutedRequest, HeaderReader, Asker {
  readonly request: Request;
  readonly entrance: Entrance;
  readonly head: boolean;
  readonly method: RoutedRequest['method'];
  /** Path and query as the origin is asked. */
  readonly target: string;
  /** The visitor's Host, lower case; empty where there is none. */
  readonly host: string;
  readonly rules: RouteRules;
  readonly resource: ResourceKey;
  readonly variation: VariationKey;
  readonly demands: RequestDemands;
  readonly startedMs: number;
  /** Set by the lookup. */
  found: Copy | undefined;
  copy: CopyAtHand = 'none';
  /** Whether the copy found is in a coding that the client does not accept, so that it goes out without. */
  decodes = false;
  shadowAllowed = false;
  route = -1;
  /** Whether what became of it is recorded only when its page has been put together. */
  holdsRecord = false;
  /** Whether it said `Foreshadow-Purpose`, which is not passed on; set when it goes to the origin. */
  calledOurs = false;
  readonly #peers: Peers;
  #selecting: Map<string, string> | undefined;
  #otherCookies: boolean | undefined;
  #heldTags: string | undefined;
  #peer: Peer | undefined;
  #client: string | undefined;
  #position: number | undefined;

  constructor(request: Request, entrance: Entrance, where: { readonly target: string; readonly host: string }, site: SiteRules, peers: Peers) {
    const { route, resource } = site.resolve(where.target, where.host);
    const { headers } = request;
    this.request = request;
    this.entrance = entrance;
    this.target = where.target;
    this.host = where.host;
    this.head = request.method === 'HEAD';
    this.method = methodClass(request);
    this.rules = route;
    this.resource = resource;
    this.variation = route.variation(headers);
    const cacheControl = headers.get('cache-control');
    const pragma = cacheControl === null ? headers.get('pragma') : null;
    this.demands = cacheControl === null && pragma === null ? noDemands : requestDemands(cacheControl, pragma);
    this.startedMs = performance.now();
    this.#peers = peers;
  }

  /** A request header; those put aside by `putSelectionAside` included. */
  get(name: string): string | null {
    return this.#selecting?.get(name) ?? this.request.headers.get(name);
  }

  /** A header as Vary means it: as the origin is told, because it is we who tell it who asks. */
  varied(name: string): string | null {
    switch (name) {
      case 'host': return this.host;
      case 'x-forwarded-host': return (this.peer.trusted ? this.get(name)?.toLowerCase() : undefined) ?? this.host;
      case 'x-forwarded-proto': return (this.peer.trusted ? this.get(name) ?? forwardedProto(this.get('forwarded') ?? '') : null) ?? this.entrance.proto;
      case 'x-forwarded-for': case 'forwarded': return this.client;
      default: return this.get(name);
    }
  }

  matches(vary: VaryValues): boolean {
    return vary.length === 0 || varyMatches(vary, { get: (name) => this.varied(name) });
  }

  acceptsCoding(coding: string): boolean {
    const accepted = this.get('accept-encoding');
    return accepted !== null && acceptedEncodings(accepted).split(',').includes(coding);
  }

  get onlyIfCached(): boolean {
    return this.demands.onlyIfCached;
  }

  get authorized(): boolean {
    return this.request.headers.has('authorization');
  }

  /** Whether it carries cookies beyond the route's declared dimensions. */
  get otherCookies(): boolean {
    this.#otherCookies ??= hasOtherCookies(this.request.headers.get('cookie'), this.rules.cookies);
    return this.#otherCookies;
  }

  /**
   * Whether what it gets may be this person's alone. Cookies beyond the declared dimensions make it so, except where the route
   * declares a cookie: then its declared values are all that counts, for what is served (what is kept is judged more strictly).
   */
  get personal(): boolean {
    return this.authorized || (this.rules.cookies.size === 0 && this.otherCookies);
  }

  get selecting(): boolean {
    return selectingFields.some((name) => this.request.headers.has(name));
  }

  /** Takes preconditions and Range out of what the origin will be asked; `get` still gives them. */
  putSelectionAside(): void {
    for (const name of selectingFields) {
      const value = this.request.headers.get(name);
      if (value === null) continue;
      (this.#selecting ??= new Map()).set(name, value);
      this.request.headers.delete(name);
    }
  }

  get selectionAside(): boolean {
    return this.#selecting !== undefined;
  }

  get peer(): Peer {
    this.#peer ??= this.#peers.of(this.entrance.peerOf(this.request));
    return this.#peer;
  }

  get client(): string {
    this.#client ??= this.peer.trusted
      ? clientAddress(this.peer.raw, { forwarded: this.get('forwarded'), xForwardedFor: this.get('x-forwarded-for') }, this.#peers.trusted)
      : this.peer.address;
    return this.#client;
  }

  /** To be called before the fields are made the origin's: reads what can't be read off them afterwards. */
  noteBeforeForwarding(): void {
    this.calledOurs ||= this.request.headers.has('foreshadow-purpose');
    this.#heldTags ??= this.request.headers.get('if-none-match') ?? undefined;
    if (this.peer.trusted) this.#client ??= this.client;
  }

  /** The tag by which the client holds what the origin calls `etag`: it may hold it in a coding that was made here. */
  heldTag(etag: string): string | undefined {
    return heldTag(this.#heldTags ?? this.get('if-none-match'), etag);
  }

  /** The client's fixed place among all, 0 to 2^32: address, browser and a session cookie if there is one, hashed. */
  get position(): number {
    this.#position ??= Bun.hash.xxHash32(`${this.client}\n${this.get('user-agent') ?? ''}\n${this.get('cookie') ?? ''}`);
    return this.#position;
  }

  /** Only in this form does a request's answer depend on nothing but its key: it may share another's. */
  get shareable(): boolean {
    return this.request.method === 'GET' && this.rules.cache === 'standard' && !this.personal && !this.demands.noStore && !this.selecting;
  }

}

function methodClass(request: Request): RoutedRequest['method'] {
  const { method } = request;
  if (method === 'GET' || method === 'HEAD') return request.headers.get('upgrade') === null ? 'read' : upgradeClass(request);
  return 'write';
}

/** Only a WebSocket handshake is an upgrade to us; another Upgrade may be ignored (RFC 9110 §7.8). */
function upgradeClass(request: Request): RoutedRequest['method'] {
  return request.headers.get('upgrade')?.toLowerCase() === 'websocket' && request.method === 'GET' ? 'upgrade' : 'read';
}

/** Whether copies of the target may be wrong after this request. */
export function changesThings(visit: Visit): boolean {
  return visit.method === 'write' && isUnsafe(visit.request.method);
}

export type RefusalReason = { readonly status: number; readonly reason: Reason };

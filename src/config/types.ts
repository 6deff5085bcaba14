/**
 * The configuration as the rest of Foreshadow sees it: parsed, with units resolved (milliseconds, bytes, per second,
 * fractions) and every default filled in. `schema.ts` describes what people write and produces this.
 */
import type { RegionName } from '../kernel/index.ts';

export interface Config {
  readonly site: string;
  readonly origin: OriginConfig;
  /** Hosts the site answers to, lower case, without port 80/443. Empty: any. */
  readonly hosts: readonly string[];
  readonly regions: readonly RegionConfig[];
  readonly clientRegion: { readonly header: string | undefined; readonly geoip: boolean };
  /** CIDR ranges whose X-Forwarded-For, Forwarded and region headers are believed. */
  readonly trustedProxies: readonly string[];
  readonly dimensions: readonly DimensionConfig[];
  readonly feeds: readonly FeedConfig[];
  readonly routes: readonly RouteConfig[];
  readonly budgets: {
    readonly originRequestsPerSecond: number;
    /** Of all requests the origin gets, the part that refreshes may be; first copies are bounded by `originRequestsPerSecond` alone. 1 = no bound. */
    readonly originShare: number;
    readonly storageBytes: number;
    readonly generateConcurrency: number;
  };
  readonly freshness: { readonly targetMs: number; readonly serveStaleForMs: number };
  /** Days unlike other days, as dates in UTC. */
  readonly prediction: { readonly holidays: readonly { readonly name: string; readonly dates: readonly string[] }[] };
  readonly routing: {
    readonly mode: 'serve';
    readonly recovery: { readonly firstStep: number; readonly fastestMs: number };
    /** Longest wait for the origin before a shadow answers; 'auto' learns it for each route and never exceeds 200 ms once known. */
    readonly rescueAfterMs: number | 'auto';
  };
  readonly store: { readonly volumePaths: readonly string[]; readonly copies: number };
  readonly generate: {
    readonly userAgent: string;
    /** Whether robots.txt, sitemaps and links of fresh pages are followed to resources nobody has asked for. */
    readonly discover: boolean;
    /** Content codings prepared of bodies they pay for; best first. */
    readonly codings: readonly ContentCoding[];
    /** Whether shadows are compared with the live pages now and then. */
    readonly fidelity: boolean;
  };
  readonly versions: {
    /** Versions younger than this can be gone back to, as far as `storageBytes` reaches. */
    readonly keepForMs: number;
    /** Of bodies that only older versions need, the most that is kept. */
    readonly storageBytes: number;
  };
  /** What is added to pages that answer in the origin's stead. */
  readonly degraded: {
    /** A bar at the top of HTML pages, `{age}` and `{time}` filled in; undefined: none. */
    readonly notice: Wording | undefined;
    /** What disabled forms say. */
    readonly form: Wording;
  };
  /** Query parameters dropped from every key (tracking), lower case; a trailing `*` matches a prefix. */
  readonly dropQuery: readonly string[];
  readonly timeouts: {
    readonly connectMs: number;
    readonly firstByteMs: number;
    readonly idleMs: number;
    readonly drainMs: number;
  };
  readonly limits: {
    readonly urlBytes: number;
    readonly headerBytes: number;
    /** 0 = unlimited. */
    readonly requestBodyBytes: number;
    readonly connections: number;
    /** Largest body that is read whole, kept and rescued. */
    readonly captureBytes: number;
    /** Largest body the generator fetches. */
    readonly generateBytes: number;
    readonly memoryCacheBytes: number;
    readonly demandKeys: number;
    readonly variantsPerVariation: number;
  };
  readonly log: { readonly level: 'debug' | 'info' | 'warn' | 'error'; readonly access: string | undefined };
  readonly admin: { readonly listen: ListenAddress; readonly tokens: readonly AdminToken[] };
  readonly dataDir: string;
}

export interface OriginConfig {
  /** `http://host:port` without path, of the one origin. */
  readonly url: string;
  /** What the origin is sent as Host: its own (`origin`), or the visitor's (`preserve`). */
  readonly host: 'origin' | 'preserve';
  readonly probe: { readonly path: string; readonly intervalMs: number; readonly timeoutMs: number };
  readonly limits: { readonly latencyP95Ms: number | undefined; readonly errorRate: number };
}

export interface ListenAddress {
  readonly hostname: string;
  readonly port: number;
}

export interface RegionConfig {
  readonly name: RegionName;
  /** Latitude, longitude. */
  readonly at: readonly [number, number] | undefined;
  readonly listen: ListenAddress;
  readonly publicUrl: string | undefined;
  readonly tls: { readonly cert: string; readonly key: string; readonly http2: boolean; readonly http3: boolean } | undefined;
}

export interface DimensionConfig {
  readonly name: string;
  readonly from: { readonly kind: 'userAgent' } | { readonly kind: 'acceptLanguage' } | { readonly kind: 'cookie' | 'header'; readonly name: string };
  /** Bounded values; anything else is `fallback`. */
  readonly values: readonly string[];
  readonly fallback: string;
  /** Whether only a copy of exactly this value may be served (true), or another value's may stand in during an outage. */
  readonly exact: boolean;
  /** For each value, the request headers that obtain it from the origin. */
  readonly obtain: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /**
   * `value`: one of `values`. `similarity`: the source holds a profile (`books:0.8,garden:0.2`), matched with the profiles of a slot's prepared
   * fillings; it has no values, is in no key, and the origin is not asked for it.
   */
  readonly match: 'value' | 'similarity';
}

/** A sentence to visitors, by language where a page has one. */
export interface Wording {
  /** By values of the dimension that is read from Accept-Language. */
  readonly byLanguage: Readonly<Record<string, string>>;
  readonly otherwise: string;
}

export interface FeedConfig {
  readonly name: string;
  readonly source:
    /** `{dimension}` in the URL stands for each of its values: one instance of the feed for each. */
    | { readonly kind: 'poll'; readonly url: string; readonly everyMs: number }
    | { readonly kind: 'sse'; readonly url: string }
    | { readonly kind: 'file'; readonly path: string; readonly everyMs: number };
  /** Names of the dimensions in the URL, in its order. */
  readonly dimensions: readonly string[];
  /** A value that was last heard longer ago than this fills no slot. */
  readonly maxAgeMs: number;
  /** Sent with requests for it; may be secret. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON Schema every document must fit; undefined: any. */
  readonly schema: Readonly<Record<string, unknown>> | undefined;
}

/** A dynamic part of the pages of a route. */
export interface SlotConfig {
  readonly name: string;
  readonly place:
    /** The content of every element the CSS selector finds. */
    | { readonly kind: 'element'; readonly select: string }
    /** The value a JSON Pointer (RFC 6901) names; empty: the whole document. */
    | { readonly kind: 'json'; readonly pointer: string };
  readonly feed: string;
  /** JSON Pointer into the feed's document; `{name}` stands for a part of the route. */
  readonly value: string;
  /** Liquid; undefined: the value itself, as text or JSON. */
  readonly template: string | undefined;
  /** Greater than 1: the value is a list of fillings, each with a profile; the visitor gets the most similar. */
  readonly variations: number;
  /** What is shown when the feed is too old: what the origin's page had there, or this template. */
  readonly fallback: { readonly kind: 'origin' } | { readonly kind: 'template'; readonly template: string };
  /** Parts of the route's pattern (`:id`) that the filling depends on. */
  readonly params: readonly string[];
  /** Dimensions (with values) that the filling depends on: those of the feed's URL, those the template names, and the language. */
  readonly dimensions: readonly string[];
  /** The dimension with `match: similarity` that chooses among `variations`. */
  readonly profile: string | undefined;
}

export type ContentCoding = 'br' | 'zstd' | 'gzip';

/** A value of one visitor inside a page, taken from that visitor's cookie when the page is served from a copy (double-submitted CSRF tokens). */
export interface TokenConfig {
  /** CSS selector of the elements that carry it. */
  readonly select: string;
  readonly attribute: string;
  readonly cookie: string;
}

export interface RouteConfig {
  /** `/products/:id`, `/account/**`, `/static/*.css`; the first that matches wins. */
  readonly match: string;
  readonly vary: readonly string[];
  /** Query parameters that are kept in the key; undefined: all but the dropped ones. */
  readonly keepQuery: readonly string[] | undefined;
  readonly shadow: 'never' | 'allowed' | 'always';
  readonly cache: 'standard' | 'off';
  readonly slots: readonly SlotConfig[];
  /** Whether Edge Side Includes in the origin's pages are processed. */
  readonly esi: boolean;
  /** CSP nonces in copies: left as the origin sent them, or made anew for each answer. */
  readonly nonce: 'keep' | 'restamp';
  /** Forms that write, in pages that answer in the origin's stead: left as they are, or disabled. */
  readonly forms: 'keep' | 'disable';
  readonly tokens: readonly TokenConfig[];
}

export interface AdminToken {
  readonly name: string;
  readonly role: 'viewer' | 'operator';
  /** Hexadecimal SHA-256 of the token. */
  readonly sha256: string;
}

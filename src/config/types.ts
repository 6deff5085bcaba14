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
  readonly routes: readonly RouteConfig[];
  readonly budgets: {
    readonly originRequestsPerSecond: number;
    /** Of all requests the origin gets, the part that refreshes may be; first copies are bounded by `originRequestsPerSecond` alone. 1 = no bound. */
    readonly originShare: number;
    readonly storageBytes: number;
    readonly generateConcurrency: number;
  };
  readonly freshness: { readonly targetMs: number; readonly serveStaleForMs: number };
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
}

export interface RouteConfig {
  /** `/products/:id`, `/account/**`, `/static/*.css`; the first that matches wins. */
  readonly match: string;
  readonly vary: readonly string[];
  /** Query parameters that are kept in the key; undefined: all but the dropped ones. */
  readonly keepQuery: readonly string[] | undefined;
  readonly shadow: 'never' | 'allowed' | 'always';
  readonly cache: 'standard' | 'off';
}

export interface AdminToken {
  readonly name: string;
  readonly role: 'viewer' | 'operator';
  /** Hexadecimal SHA-256 of the token. */
  readonly sha256: string;
}

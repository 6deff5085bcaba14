/**
 * The configured site, compiled for the serving path: from a request target to its route and key, from a request's headers to
 * its variation. Pure but for two bounded memories (targets, clean paths) that save the work for what is asked for often.
 * Made anew whenever the configuration changes.
 */
import { compileDynamics, type Dynamics } from '../compose/index.ts';
import { cookiesOf, plainRoute, standInsOf, varyHeadersOf, type Config, type DimensionConfig, type RouteConfig } from '../config/index.ts';
import {
  applyNoVarySearch, compileBounded, compileDevice, compileLanguage, compileRoutes, compileVariation, cookieValue, normalisePath, noVariation,
  parseNoVarySearch, queryRules, resourceKey, type HeaderReader, type NoVarySearch, type QueryRules, type ShadowPolicy,
} from '../http/index.ts';
import type { ResourceKey, VariationKey } from '../kernel/index.ts';

/** Targets whose key is remembered; when full the memory starts anew. */
const targetsRememberedMax = 20_000;
/** Paths whose origin said which query parameters don't matter; the oldest are forgotten first. */
const pathsLearnedMax = 10_000;
/** Longer targets are not remembered, so that the memory is bounded in bytes too (about 10 MB). */
const targetRememberedBytesMax = 256;

export interface RouteRules {
  /** Index in the configuration; -1 for what no declared route matches. */
  readonly index: number;
  readonly shadow: ShadowPolicy;
  readonly cache: RouteConfig['cache'];
  readonly query: QueryRules;
  /** Those that make the variation key: they have values. */
  readonly dimensions: readonly DimensionConfig[];
  /** Request headers that the dimensions stand in for in Vary. */
  readonly standIns: ReadonlySet<string>;
  /** Cookies that dimensions and tokens are read from; others make a request personal. */
  readonly cookies: ReadonlySet<string>;
  /** What is put into copies of this route. */
  readonly dynamics: Dynamics;
  variation(request: HeaderReader): VariationKey;
  /** A declared dimension's value, whether or not the route varies on it. */
  value(dimension: string, request: HeaderReader): string;
  /** The text of the visitor's profile on a dimension with `match: similarity`; null where there is none. */
  profile(dimension: string, request: HeaderReader): string | null;
  /** The request headers a dimension is read from, for Vary. */
  headersOf(dimension: string): readonly string[];
}

export interface Target {
  readonly route: RouteRules;
  readonly resource: ResourceKey;
}

type SiteConfig = Pick<Config, 'routes' | 'dimensions' | 'dropQuery' | 'hosts' | 'feeds' | 'degraded'>;
type DimensionReader = (request: HeaderReader) => string;

export class SiteRules {
  readonly #find: (path: string) => number;
  readonly #routes: readonly RouteRules[];
  readonly #undeclared: RouteRules;
  readonly #known = new Map<string, Target>();
  readonly #learned = new Map<string, { readonly field: string; readonly rule: NoVarySearch }>();
  readonly #hosts: ReadonlySet<string>;
  readonly #severalHosts: boolean;

  constructor(config: SiteConfig) {
    const readers = new Map(config.dimensions.map((dimension) => [dimension.name, compileDimension(dimension)]));
    const compile = (index: number, route: RouteConfig): RouteRules => compileRoute(index, route, config, readers);
    this.#find = compileRoutes(config.routes.map((route) => route.match));
    this.#routes = config.routes.map((route, index) => compile(index, route));
    this.#undeclared = compile(-1, plainRoute);
    this.#hosts = new Set(config.hosts);
    this.#severalHosts = config.hosts.length > 1;
  }

  /** Whether a Host (lower case, without default port) is the site's. With no hosts configured, any is. */
  ownsHost(host: string): boolean {
    return this.#hosts.size === 0 || this.#hosts.has(host);
  }

  /** Whether a Host was declared by name, so that telling the origin about it can't poison what is stored. */
  declaresHost(host: string): boolean {
    return this.#hosts.has(host);
  }

  /**
   * Learns from an answer which query parameters of its path don't change it (No-Vary-Search). Counts from the next request on;
   * what an origin takes back is forgotten.
   */
  learn(target: string, noVarySearch: string | null): void {
    if (noVarySearch === null && this.#learned.size === 0) return;
    const question = target.indexOf('?');
    const path = normalisePath(question < 0 ? target : target.slice(0, question));
    const before = this.#learned.get(path);
    if (noVarySearch === null ? before === undefined : before?.field === noVarySearch) return;
    const rule = parseNoVarySearch(noVarySearch);
    this.#learned.delete(path);
    if (rule) this.#learned.set(path, { field: noVarySearch ?? '', rule });
    for (const oldest of this.#learned.keys()) {
      if (this.#learned.size <= pathsLearnedMax) break;
      this.#learned.delete(oldest);
    }
    this.#known.clear();
  }

  /** Route and key of a request target (`/path?query`). `host` counts only where the site has several. */
  resolve(target: string, host: string): Target {
    const memory = this.#severalHosts ? host + target : target;
    const known = this.#known.get(memory);
    if (known) return known;
    const question = target.indexOf('?');
    const path = normalisePath(question < 0 ? target : target.slice(0, question));
    const route = this.#routes[this.#find(path)] ?? this.#undeclared;
    const query = question < 0 ? '' : target.slice(question + 1);
    const key = resourceKey(path, query, route.query, this.#severalHosts ? host : undefined);
    const learned = this.#learned.size === 0 ? undefined : this.#learned.get(path);
    const resolved = { route, resource: learned ? applyNoVarySearch(key, learned.rule) : key };
    if (memory.length <= targetRememberedBytesMax) {
      if (this.#known.size >= targetsRememberedMax) this.#known.clear();
      this.#known.set(memory, resolved);
    }
    return resolved;
  }
}

function compileRoute(index: number, route: RouteConfig, config: SiteConfig, readers: ReadonlyMap<string, DimensionReader>): RouteRules {
  const named = (name: string): readonly DimensionConfig[] => config.dimensions.filter((dimension) => dimension.name === name);
  const dimensions = route.vary.flatMap(named).filter(({ match }) => match === 'value');
  const read = dimensions.flatMap((dimension) => readers.get(dimension.name) ?? []);
  const key = compileVariation(dimensions.map((dimension) => dimension.name));
  return {
    index, shadow: route.shadow, cache: route.cache, dimensions,
    query: queryRules(config.dropQuery, route.keepQuery),
    standIns: standInsOf(route, config.dimensions),
    cookies: cookiesOf(route, config.dimensions),
    dynamics: compileDynamics(route, config.feeds, config.degraded),
    variation: read.length === 0 ? () => noVariation : rememberKeys((request) => read.map((value) => value(request)), key),
    value: (dimension, request) => readers.get(dimension)?.(request) ?? '',
    profile: (dimension, request) => named(dimension).map(({ from }) => sourceText(from, request))[0] ?? null,
    headersOf: (dimension) => named(dimension).flatMap((declaration) => varyHeadersOf(declaration)),
  };
}

/** The raw text that a profile is read from. */
function sourceText(from: DimensionConfig['from'], request: HeaderReader): string | null {
  switch (from.kind) {
    case 'cookie': return cookieValue(request.get('cookie'), from.name) ?? null;
    case 'header': return request.get(from.name);
    case 'userAgent': case 'acceptLanguage': return null;
  }
}

/** Values are bounded by the declaration, so their joined keys can all be remembered. */
function rememberKeys(values: (request: HeaderReader) => string[], key: (values: readonly string[]) => VariationKey): (request: HeaderReader) => VariationKey {
  const known = new Map<string, VariationKey>();
  return (request) => {
    const point = values(request);
    const joined = point.join('\n');
    const before = known.get(joined);
    if (before !== undefined) return before;
    const made = key(point);
    known.set(joined, made);
    return made;
  };
}

function compileDimension(dimension: DimensionConfig): DimensionReader {
  const { from, values, fallback } = dimension;
  switch (from.kind) {
    case 'userAgent': {
      const device = compileDevice(values, fallback);
      return (request) => device(request.get('user-agent'), request.get('sec-ch-ua-mobile'));
    }
    case 'acceptLanguage': {
      const language = compileLanguage(values, fallback);
      return (request) => language(request.get('accept-language'));
    }
    case 'cookie': {
      const bounded = compileBounded(values, fallback);
      return (request) => bounded(cookieValue(request.get('cookie'), from.name));
    }
    case 'header': {
      const bounded = compileBounded(values, fallback);
      return (request) => bounded(request.get(from.name)?.trim());
    }
  }
}

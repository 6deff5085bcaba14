/**
 * The configured site, compiled for generation: which route a resource belongs to, what its variations are, how each is
 * asked for at the origin, and which URLs found in sitemaps and pages are the site's own. Pure; made anew when the config changes.
 */
import { capabilityField, surrogateCapability } from '../compose/esi/index.ts';
import { compileDynamics, type Dynamics } from '../compose/index.ts';
import { plainRoute, standInsOf } from '../config/index.ts';
import type { Config, DimensionConfig, RouteConfig } from '../config/types.ts';
import {
  compileRoutes, compileVariation, noVariation, normalisePath, parseVariation, plainHost, queryRules, resourceKey, resourceTarget,
  type HeaderList, type QueryRules, type ShadowPolicy,
} from '../http/index.ts';
import type { ResourceKey, VariationKey } from '../kernel/index.ts';

/** Variations prepared of one resource; a product of dimensions beyond it is cut, least probable first. */
export const variationsMax = 64;
/** Of all variations nobody has been seen to ask for, their share of a resource's demand together. */
const unseenShare = 0.05;

export interface SiteRoute {
  /** The pattern it was declared with; for what no pattern matches, that of everything. */
  readonly match: string;
  readonly policy: ShadowPolicy;
  readonly dimensions: readonly DimensionConfig[];
  /** Request headers the dimensions stand in for in Vary, lower case. */
  readonly standIns: ReadonlySet<string>;
  /** What its pages are put together from where they are served. */
  readonly dynamics: Dynamics;
}

export interface OriginTarget {
  readonly path: string;
  readonly host: string | undefined;
  readonly headers: HeaderList;
}

export interface VariationShare {
  readonly variation: VariationKey;
  readonly share: number;
}

interface CompiledRoute extends SiteRoute {
  readonly query: QueryRules;
  /** All variations, defaults first. */
  readonly variations: readonly VariationKey[];
}

export type SiteConfig = Pick<Config, 'origin' | 'hosts' | 'regions' | 'routes' | 'feeds' | 'degraded' | 'dimensions' | 'dropQuery'>;

export class Site {
  readonly #config: SiteConfig;
  readonly #find: (path: string) => number;
  readonly #routes: readonly CompiledRoute[];
  readonly #fallback: CompiledRoute;
  readonly #hosts: Set<string>;
  /** The scheme visitors come by, as the origin is told. */
  readonly #proto: 'http' | 'https';

  constructor(config: SiteConfig) {
    this.#config = config;
    this.#find = compileRoutes(config.routes.map((route) => route.match));
    this.#routes = config.routes.map((route) => compile(config, route));
    this.#fallback = compile(config, plainRoute);
    this.#hosts = new Set([...config.hosts, plainHost(new URL(config.origin.url).host)]);
    this.#proto = config.regions.some((region) => region.tls !== undefined || region.publicUrl?.startsWith('https:')) ? 'https' : 'http';
  }

  /** A site that answers to any host also owns the host its sitemap speaks of. */
  learnHost(url: string): void {
    const host = URL.parse(url)?.host;
    if (host && this.#config.hosts.length === 0) this.#hosts.add(plainHost(host));
  }

  get originUrl(): string {
    return this.#config.origin.url;
  }

  /** Whether a URL's host is one of the site's. */
  owns(url: URL): boolean {
    return this.#hosts.has(plainHost(url.host));
  }

  /** The base under which a resource's own references are read. */
  urlOf(resource: ResourceKey): string {
    const { host, target } = resourceTarget(resource);
    return host === undefined ? this.#config.origin.url + target : `http://${host}${target}`;
  }

  /** The resource an absolute URL names, where it is the site's own. */
  resourceOf(url: string): ResourceKey | undefined {
    const parsed = URL.parse(url);
    if (!parsed || !this.owns(parsed)) return undefined;
    const path = normalisePath(parsed.pathname);
    const severalHosts = this.#config.hosts.length > 1;
    const host = severalHosts ? this.#hostOf(plainHost(parsed.host)) : undefined;
    return resourceKey(path, parsed.search.slice(1), this.#compiled(path).query, host);
  }

  /** The resource that a person names: a URL, a path, or a key. Undefined where it is not the site's. */
  named(name: string): ResourceKey | undefined {
    if (/^https?:\/\//i.test(name)) return this.resourceOf(name);
    if (!name.startsWith('/')) return undefined;
    const { host, target } = resourceTarget(name as ResourceKey); // read as one, and made one below
    return this.resourceOf(host === undefined ? this.#config.origin.url + target : `http://${host}${target}`);
  }

  /** The declared route of a resource; undefined where none matches. */
  routeConfig(resource: ResourceKey): RouteConfig | undefined {
    return this.#config.routes[this.#find(pathOf(resource))];
  }

  /** Whether a redirect from this resource leads back to it: only scheme, host or parameters that don't count differ. */
  leadsToItself(resource: ResourceKey, location: string | null): boolean {
    const to = location === null ? null : URL.parse(location, this.urlOf(resource));
    return to !== null && this.resourceOf(to.href) === resource;
  }

  route(resource: ResourceKey): SiteRoute {
    return this.#compiled(pathOf(resource));
  }

  /**
   * The variations to prepare, most probable first, at most `variationsMax`. `seen` are shares among real requests, which
   * may be of other routes' making; what does not fit this resource's dimensions is left out. Shares sum to 1.
   */
  variations(resource: ResourceKey, seen: readonly VariationShare[]): VariationShare[] {
    const { variations } = this.#compiled(pathOf(resource));
    if (variations.length === 1) return variations.map((variation) => ({ variation, share: 1 }));
    const shares = new Map<VariationKey, number>(variations.map((variation) => [variation, 0]));
    let sum = 0;
    for (const { variation, share } of seen) {
      if (!shares.has(variation)) continue;
      shares.set(variation, share);
      sum += share;
    }
    const spread = (sum > 0 ? unseenShare : 1) / variations.length;
    const weight = sum > 0 ? (1 - unseenShare) / sum : 0;
    return [...shares].map(([variation, share]) => ({ variation, share: share * weight + spread })).sort((a, b) => b.share - a.share);
  }

  /** Whether the variation is one of this resource's, as declared now. */
  isVariation(resource: ResourceKey, variation: VariationKey): boolean {
    return this.#compiled(pathOf(resource)).variations.includes(variation);
  }

  /** How the origin is asked for one variation; `varied` are the values of undeclared headers a copy was made for. */
  target(resource: ResourceKey, variation: VariationKey, varied: HeaderList): OriginTarget {
    const { host, target } = resourceTarget(resource);
    // Many applications answer plain requests with a redirect to https; visitors' requests say what they came by, and so do these.
    const headers = new Map<string, string>([['x-forwarded-proto', this.#proto], ...varied.filter(([, value]) => value !== '')]);
    const values = new Map(parseVariation(variation));
    const { dimensions, dynamics } = this.#compiled(pathOf(resource));
    if (dynamics.esi) headers.set(capabilityField, surrogateCapability(null));
    for (const dimension of dimensions) {
      const obtain = dimension.obtain[values.get(dimension.name) ?? dimension.fallback] ?? {};
      for (const [name, value] of Object.entries(obtain)) {
        const before = headers.get(name);
        headers.set(name, name === 'cookie' && before !== undefined ? `${before}; ${value}` : value);
      }
    }
    return { path: target, host, headers: [...headers] };
  }

  /** A key carries a declared host; a URL of the origin's own name means the first. */
  #hostOf(host: string): string | undefined {
    return this.#config.hosts.includes(host) ? host : this.#config.hosts[0];
  }

  #compiled(path: string): CompiledRoute {
    return this.#routes[this.#find(path)] ?? this.#fallback;
  }
}

function pathOf(resource: ResourceKey): string {
  const { target } = resourceTarget(resource);
  const question = target.indexOf('?');
  return question < 0 ? target : target.slice(0, question);
}

function compile(config: SiteConfig, route: RouteConfig): CompiledRoute {
  const varied = route.vary.flatMap((name) => config.dimensions.find((dimension) => dimension.name === name) ?? []);
  const dimensions = varied.filter(({ match }) => match === 'value');
  return {
    match: route.match, policy: route.shadow, dimensions,
    dynamics: compileDynamics(route, config.feeds, config.degraded),
    standIns: standInsOf(route, config.dimensions),
    query: queryRules(config.dropQuery, route.keepQuery),
    variations: product(dimensions),
  };
}

/** All points on the dimensions, defaults first, at most `variationsMax`. */
function product(dimensions: readonly DimensionConfig[]): readonly VariationKey[] {
  if (dimensions.length === 0) return [noVariation];
  let points: readonly (readonly string[])[] = [[]];
  for (const dimension of dimensions) {
    const values = [...new Set([dimension.fallback, ...dimension.values])];
    // Nearest to all-default first, so that what is cut off is what is least like anybody.
    points = points.flatMap((point) => values.map((value) => [...point, value])).sort((a, b) => distance(a, dimensions) - distance(b, dimensions)).slice(0, variationsMax);
  }
  return points.map(compileVariation(dimensions.map((dimension) => dimension.name)));
}

function distance(point: readonly string[], dimensions: readonly DimensionConfig[]): number {
  return point.reduce((sum, value, index) => sum + (value === dimensions[index]?.fallback ? 0 : 1), 0);
}

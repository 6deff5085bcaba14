/**
 * The resolved configuration as a document again, with every key and default: what `check --print` shows. Reading it back
 * gives the same `Config`, but for secrets, which are masked.
 */
import { stringify } from 'yaml';
import { formatListen } from './quantities.ts';
import type { Config, DimensionConfig, FeedConfig, RouteConfig, SlotConfig, Wording } from './types.ts';

export function printConfig(config: Config): string {
  return stringify(maskSecrets(configDocument(config)), { lineWidth: 140, flowCollectionPadding: true });
}

/** Plain data in the form people write, units and all. Keys that have no value are left out. */
export function configDocument(config: Config): Record<string, unknown> {
  const { budgets, freshness, routing, timeouts, limits, origin } = config;
  return present({
    site: config.site,
    origin: {
      url: origin.url,
      host: origin.host,
      probe: { path: origin.probe.path, interval: exactDuration(origin.probe.intervalMs), timeout: exactDuration(origin.probe.timeoutMs) },
      limits: { latencyP95: optional(origin.limits.latencyP95Ms, exactDuration), errorRate: exactPercent(origin.limits.errorRate) },
    },
    hosts: config.hosts,
    regions: config.regions.map((region) => ({ ...region, listen: formatListen(region.listen) })),
    clientRegion: config.clientRegion,
    trustedProxies: config.trustedProxies,
    dimensions: Object.fromEntries(config.dimensions.map((dimension) => [dimension.name, dimensionDocument(dimension)])),
    feeds: Object.fromEntries(config.feeds.map((feed) => [feed.name, feedDocument(feed)])),
    routes: config.routes.map(routeDocument),
    dropQuery: config.dropQuery,
    budgets: {
      originRequests: exactRate(budgets.originRequestsPerSecond),
      originShare: exactPercent(budgets.originShare),
      storage: exactSize(budgets.storageBytes),
      generateConcurrency: budgets.generateConcurrency,
    },
    freshness: { target: exactDuration(freshness.targetMs), serveStaleFor: exactDuration(freshness.serveStaleForMs) },
    prediction: config.prediction,
    routing: {
      mode: routing.mode,
      recovery: { firstStep: exactPercent(routing.recovery.firstStep), fastest: exactDuration(routing.recovery.fastestMs) },
      rescueAfter: routing.rescueAfterMs === 'auto' ? 'auto' : exactDuration(routing.rescueAfterMs),
    },
    generate: config.generate,
    versions: { keepFor: exactDuration(config.versions.keepForMs), storage: exactSize(config.versions.storageBytes) },
    degraded: { notice: config.degraded.notice ? wordingDocument(config.degraded.notice) : '', form: wordingDocument(config.degraded.form) },
    store: { volumes: { paths: config.store.volumePaths, copies: config.store.copies } },
    timeouts: { connect: exactDuration(timeouts.connectMs), firstByte: exactDuration(timeouts.firstByteMs), idle: exactDuration(timeouts.idleMs) },
    drainTimeout: exactDuration(timeouts.drainMs),
    limits: {
      url: exactSize(limits.urlBytes),
      headers: exactSize(limits.headerBytes),
      requestBody: limits.requestBodyBytes === 0 ? 'unlimited' : exactSize(limits.requestBodyBytes),
      connections: limits.connections,
      captureBody: exactSize(limits.captureBytes),
      generateBody: exactSize(limits.generateBytes),
      memoryCache: exactSize(limits.memoryCacheBytes),
      demandKeys: limits.demandKeys,
      variants: limits.variantsPerVariation,
    },
    log: { level: config.log.level, access: config.log.access ?? 'off' },
    admin: { listen: formatListen(config.admin.listen), tokens: config.admin.tokens },
    dataDir: config.dataDir,
  });
}

function dimensionDocument(dimension: DimensionConfig): Record<string, unknown> {
  const { from } = dimension;
  return {
    from: from.kind === 'cookie' || from.kind === 'header' ? { [from.kind]: from.name } : from.kind,
    ...(dimension.match === 'similarity' ? { match: dimension.match } : { values: dimension.values, default: dimension.fallback }),
    exact: dimension.exact,
    obtain: dimension.obtain,
  };
}

function wordingDocument({ byLanguage, otherwise }: Wording): string | Readonly<Record<string, string>> {
  return Object.keys(byLanguage).length === 0 ? otherwise : byLanguage;
}

function feedDocument({ source, maxAgeMs, headers, schema }: FeedConfig): Record<string, unknown> {
  const from = source.kind === 'poll' ? { url: source.url, every: exactDuration(source.everyMs) }
    : source.kind === 'sse' ? { sse: source.url } : { file: source.path, every: exactDuration(source.everyMs) };
  return { ...from, maxAge: exactDuration(maxAgeMs), headers, schema };
}

function routeDocument({ slots, ...route }: RouteConfig): Record<string, unknown> {
  return { ...route, slots: slots.map(slotDocument) };
}

function slotDocument(slot: SlotConfig): Record<string, unknown> {
  const { name, place, feed, value, template, variations, fallback } = slot;
  return {
    name, ...(place.kind === 'element' ? { select: place.select } : { pointer: place.pointer }), feed, value, template, variations,
    fallback: fallback.kind === 'origin' ? 'origin' : { template: fallback.template },
  };
}

const secretHeader = /authorization|token|secret|password|credential|api-?key/i;

function maskSecrets(value: unknown, key = ''): unknown {
  if (typeof value === 'string') return key === 'sha256' || secretHeader.test(key) ? '[masked]' : value;
  if (Array.isArray(value)) return value.map((item) => maskSecrets(item, key === 'tokens' ? '' : key));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, maskSecrets(inner, key === 'headers' ? 'secret' : name)]));
}

function present(document: Record<string, unknown>): Record<string, unknown> {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined).map(([key, inner]) => [key, walk(inner)]));
  };
  return Object.fromEntries(Object.entries(document).map(([key, value]) => [key, walk(value)]));
}

function optional<T>(value: T | undefined, show: (value: T) => string): string | undefined {
  return value === undefined ? undefined : show(value);
}

/** The largest unit that divides exactly, so that nothing is lost by rounding. */
function exact(value: number, units: readonly (readonly [string, number])[]): string {
  const found = units.find(([, factor]) => value >= factor && Number.isInteger(value / factor));
  const [unit, factor] = found ?? units.at(-1) ?? ['', 1];
  return `${value / factor}${unit}`;
}

function exactDuration(ms: number): string {
  return exact(ms, [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1000], ['ms', 1]]);
}

function exactSize(bytes: number): string {
  return exact(bytes, [['TiB', 1024 ** 4], ['GiB', 1024 ** 3], ['MiB', 1024 ** 2], ['KiB', 1024], ['B', 1]]);
}

function exactRate(perSecond: number): string {
  const units = [[1, 's'], [60, 'min'], [3600, 'h']] as const;
  const [factor, unit] = units.find(([times]) => Number.isInteger(perSecond * times)) ?? units[0];
  return `${perSecond * factor}/${unit}`;
}

function exactPercent(fraction: number): string {
  return `${Number((fraction * 100).toPrecision(12))}%`;
}

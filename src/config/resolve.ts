/**
 * From a valid document to the `Config` the program uses: defaults that depend on other keys, names in lower case, paths
 * taken from the configuration file's folder, headers that obtain each value of a dimension.
 */
import { isAbsolute, join } from 'node:path';
import { plainHost } from '../http/index.ts';
import type { RegionName } from '../kernel/index.ts';
import { obtainHeaders } from './dimensions.ts';
import type { ParsedConfig } from './schema.ts';
import { resolveFeed, resolveSlot, type ReadText } from './slots.ts';
import type { Config, DimensionConfig, RegionConfig, Wording } from './types.ts';

export interface Place {
  /** The configuration file's folder; the empty string leaves paths as they are. */
  readonly folder: string;
  /** From the command line. */
  readonly dataDir: string | undefined;
  readonly readFile: ReadText;
}

export function resolveConfig(parsed: ParsedConfig, originUrl: string, { folder, dataDir, readFile }: Place): Config {
  const fromFile = (path: string): string => (isAbsolute(path) || folder === '' ? path : join(folder, path));
  const data = dataDir ?? fromFile(parsed.dataDir);
  const volumePaths = parsed.store.volumes.paths?.map(fromFile) ?? [join(data, 'volumes', '1'), join(data, 'volumes', '2')];
  const { budgets, freshness, routing, timeouts, limits, origin, log, versions } = parsed;
  const dimensions = Object.entries(parsed.dimensions).map(([name, dimension]) => resolveDimension(name, dimension));
  const feeds = Object.entries(parsed.feeds).map(([name, feed]) => resolveFeed(name, feed, folder));
  return {
    site: parsed.site ?? new URL(originUrl).host.replace(/[^A-Za-z0-9._-]+/g, '-').replace(/^-/, ''),
    origin: {
      url: originUrl,
      host: origin.host,
      probe: { path: origin.probe.path, intervalMs: origin.probe.interval, timeoutMs: origin.probe.timeout },
      limits: { latencyP95Ms: origin.limits.latencyP95, errorRate: origin.limits.errorRate },
    },
    hosts: parsed.hosts.map(plainHost),
    regions: parsed.regions.map((region) => resolveRegion(region, fromFile)),
    clientRegion: { header: parsed.clientRegion.header?.toLowerCase(), geoip: parsed.clientRegion.geoip },
    trustedProxies: parsed.trustedProxies.map((range) => (range.includes('/') ? range : `${range}/${range.includes(':') ? 128 : 32}`)),
    dimensions,
    feeds,
    routes: parsed.routes.map(({ slots, ...route }) => ({
      ...route, keepQuery: route.keepQuery,
      slots: slots.map((slot) => resolveSlot(slot, { match: route.match, dimensions, feeds, folder, readFile })),
    })),
    budgets: {
      originRequestsPerSecond: budgets.originRequests,
      originShare: budgets.originShare,
      storageBytes: budgets.storage,
      generateConcurrency: budgets.generateConcurrency,
    },
    freshness: { targetMs: freshness.target, serveStaleForMs: freshness.serveStaleFor },
    prediction: parsed.prediction,
    routing: {
      mode: 'serve',
      recovery: { firstStep: routing.recovery.firstStep, fastestMs: routing.recovery.fastest },
      rescueAfterMs: routing.rescueAfter,
    },
    store: { volumePaths, copies: parsed.store.volumes.copies ?? Math.min(2, volumePaths.length) },
    generate: parsed.generate,
    versions: { keepForMs: versions.keepFor, storageBytes: versions.storage },
    degraded: { notice: parsed.degraded.notice === '' ? undefined : resolveWording(parsed.degraded.notice), form: resolveWording(parsed.degraded.form) },
    dropQuery: parsed.dropQuery.map((name) => name.toLowerCase()),
    timeouts: { connectMs: timeouts.connect, firstByteMs: timeouts.firstByte, idleMs: timeouts.idle, drainMs: parsed.drainTimeout },
    limits: {
      urlBytes: limits.url,
      headerBytes: limits.headers,
      requestBodyBytes: limits.requestBody === 'unlimited' ? 0 : limits.requestBody,
      connections: limits.connections,
      captureBytes: limits.captureBody,
      generateBytes: limits.generateBody,
      memoryCacheBytes: limits.memoryCache,
      demandKeys: limits.demandKeys,
      variantsPerVariation: limits.variants,
    },
    log: { level: log.level, access: log.access === 'off' ? undefined : log.access === 'stdout' ? 'stdout' : fromFile(log.access) },
    admin: { listen: parsed.admin.listen, tokens: parsed.admin.tokens.map((token) => ({ ...token, sha256: token.sha256.toLowerCase() })) },
    dataDir: data,
  };
}

function resolveWording(said: string | Readonly<Record<string, string>>): Wording {
  return typeof said === 'string' ? { byLanguage: {}, otherwise: said } : { byLanguage: said, otherwise: Object.values(said)[0] ?? '' };
}

function resolveRegion(region: ParsedConfig['regions'][number], fromFile: (path: string) => string): RegionConfig {
  return {
    name: region.name as RegionName, // the one constructor of configured region names
    at: region.at,
    listen: region.listen,
    publicUrl: region.publicUrl,
    tls: region.tls && { cert: fromFile(region.tls.cert), key: fromFile(region.tls.key), http2: region.tls.http2, http3: region.tls.http3 },
  };
}

function resolveDimension(name: string, dimension: ParsedConfig['dimensions'][string]): DimensionConfig {
  const { from: source } = dimension;
  const from: DimensionConfig['from'] = typeof source === 'string' ? { kind: source }
    : 'cookie' in source ? { kind: 'cookie', name: source.cookie } : { kind: 'header', name: source.header.toLowerCase() };
  const values = dimension.values ?? [];
  const usual = from.kind === 'userAgent' && values.includes('desktop') ? 'desktop' : values[0] ?? '';
  const obtain = Object.fromEntries(values.map((value) => {
    const declared = Object.entries(dimension.obtain[value] ?? {}).map(([header, text]) => [header.toLowerCase(), text]);
    return [value, declared.length > 0 ? Object.fromEntries(declared) : obtainHeaders(from, value)];
  }));
  return { name, from, values, fallback: dimension.default ?? usual, exact: dimension.exact, obtain, match: dimension.match };
}

/**
 * What a shape can't say: names that must be declared, addresses that must differ, values that must fit their source.
 * Works on the parsed document; `declared` are all dimension names in the file, so that one with a problem of its own is
 * not also reported as missing.
 */
import ipaddr from 'ipaddr.js';
import { deviceClasses } from './dimensions.ts';
import { maxima } from './maxima.ts';
import type { Finding, Path } from './problems.ts';
import { finding, formatPath, nearest } from './problems.ts';
import type { ParsedConfig } from './schema.ts';
import { formatListen } from './quantities.ts';
import type { ListenAddress } from './types.ts';

export function crossCheck(config: ParsedConfig, declared: readonly string[]): Finding[] {
  return [
    ...checkOrigin(config),
    ...checkRegions(config),
    ...config.trustedProxies.flatMap((range, index) => checkRange(range, ['trustedProxies', index])),
    ...checkDimensions(config),
    ...checkRoutes(config, declared),
    ...checkOperation(config),
    ...checkAdmin(config),
  ];
}

function checkOrigin({ origin }: ParsedConfig): Finding[] {
  if (origin.url !== undefined && origin.urls !== undefined) return [finding(['origin', 'urls'], 'says the same as origin.url; keep one of the two', true)];
  if (origin.url === undefined && origin.urls === undefined) return [finding(['origin', 'url'], 'is missing; name the site\'s own server, like http://127.0.0.1:3000, here or with --origin')];
  const { probe } = origin;
  return probe.timeout > probe.interval * 10 ? [finding(['origin', 'probe', 'timeout'], 'is more than ten intervals; make it shorter, or the interval longer')] : [];
}

function checkRegions({ regions, admin }: ParsedConfig): Finding[] {
  const findings = repeated(regions.map((region) => region.name), (index) => ['regions', index, 'name'], 'names a region that is there already; give each its own name');
  const listeners: { path: Path; listen: ListenAddress }[] = regions.map((region, index) => ({ path: ['regions', index, 'listen'], listen: region.listen }));
  listeners.push({ path: ['admin', 'listen'], listen: admin.listen });
  for (const [index, { path, listen }] of listeners.entries()) {
    const same = listeners.slice(0, index).find((other) => collide(other.listen, listen));
    if (same) findings.push(finding(path, `${formatListen(listen)} is taken by ${formatPath(same.path)}; give each listener its own port`));
  }
  return findings;
}

const wildcards = ['0.0.0.0', '::'];
function collide(left: ListenAddress, right: ListenAddress): boolean {
  if (left.port !== right.port || left.port === 0) return false;
  return left.hostname === right.hostname || wildcards.includes(left.hostname) || wildcards.includes(right.hostname);
}

function checkRange(range: string, path: Path): Finding[] {
  const valid = range.includes('/') ? ipaddr.isValidCIDR(range) : ipaddr.isValid(range) && (range.includes(':') || ipaddr.IPv4.isValidFourPartDecimal(range));
  return valid ? [] : [finding(path, `${range} is not an address range; write it like 10.0.0.0/8 or 2001:db8::/32`)];
}

function checkDimensions({ dimensions }: ParsedConfig): Finding[] {
  const names = Object.keys(dimensions);
  const findings = names.length > maxima.dimensions ? [finding(['dimensions'], `has more than ${maxima.dimensions} dimensions; each multiplies the number of shadows`)] : [];
  for (const [name, dimension] of Object.entries(dimensions)) {
    const path = ['dimensions', name];
    const { values, from } = dimension;
    if (dimension.match === 'similarity') continue;
    if (!values) {
      findings.push(finding([...path, 'values'], 'is missing; name the values that make a difference'));
      continue;
    }
    findings.push(...repeated(values, (index) => [...path, 'values', index], 'is there already; name each value once'));
    if (dimension.default !== undefined && !values.includes(dimension.default)) {
      findings.push(finding([...path, 'default'], `${dimension.default} is not among the values; use one of ${values.slice(0, 8).join(', ')}`));
    }
    for (const value of Object.keys(dimension.obtain)) {
      if (!values.includes(value)) findings.push(finding([...path, 'obtain', value], `is not among the values; use one of ${values.slice(0, 8).join(', ')}`, true));
    }
    for (const [index, value] of values.entries()) {
      const wrong = valueProblem(from, value);
      if (wrong !== undefined) findings.push(finding([...path, 'values', index], wrong));
    }
    if (typeof from === 'object' && 'header' in from) findings.push(...checkSourceHeader(from.header, [...path, 'from', 'header']));
  }
  return findings;
}

function valueProblem(from: ParsedConfig['dimensions'][string]['from'], value: string): string | undefined {
  if (from === 'userAgent' && !deviceClasses.some((known) => known === value)) {
    const meant = nearest(value, deviceClasses);
    return `${value} is not a class of device; ${meant === undefined ? `use ${deviceClasses.join(', ')}` : `did you mean ${meant}?`}`;
  }
  if (from === 'acceptLanguage' && !/^[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*$/.test(value)) return `${value} is not a language; write it like en, de or pt-BR`;
  return undefined;
}

function checkSourceHeader(header: string, path: Path): Finding[] {
  const name = header.toLowerCase();
  if (name === 'cookie') return [finding(path, 'holds all cookies; name one with { cookie: NAME }')];
  return ['authorization', 'proxy-authorization', 'host', 'range'].includes(name) ? [finding(path, `${name} can't be a dimension; its values are personal or without bound`)] : [];
}

function checkRoutes({ routes, dimensions }: ParsedConfig, declared: readonly string[]): Finding[] {
  const findings: Finding[] = repeated(routes.map((route) => route.match), (index) => ['routes', index, 'match'], 'is there already, and the first that matches wins; remove one of the two');
  for (const [index, route] of routes.entries()) {
    let variations = 1;
    for (const [at, name] of route.vary.entries()) {
      const path = ['routes', index, 'vary', at];
      variations *= dimensions[name]?.values?.length ?? 1;
      if (route.vary.indexOf(name) !== at) findings.push(finding(path, `${name} is there already; name each dimension once`));
      if (declared.includes(name)) continue;
      const meant = nearest(name, declared);
      findings.push(finding(path, `${name} is not a declared dimension; ${meant === undefined ? 'declare it under dimensions' : `did you mean ${meant}?`}`));
    }
    if (variations > maxima.routeVariations) findings.push(finding(['routes', index, 'vary'], `makes ${variations} variations of each page, more than ${maxima.routeVariations}; leave out a dimension or values`));
  }
  return findings;
}

function checkOperation({ freshness, store, timeouts, routing, limits, budgets }: ParsedConfig): Finding[] {
  const findings: Finding[] = [];
  if (freshness.serveStaleFor < freshness.target) findings.push(finding(['freshness', 'serveStaleFor'], 'is less than freshness.target, so shadows would expire before they are refreshed; make it longer'));
  const { paths, copies } = store.volumes;
  if (copies !== undefined && copies > (paths?.length ?? 2)) findings.push(finding(['store', 'volumes', 'copies'], `is more than the ${paths?.length ?? 2} folders there are; name more paths, or ask for fewer copies`));
  if (paths) findings.push(...repeated(paths, (index) => ['store', 'volumes', 'paths', index], 'is there already; name each folder once'));
  if (typeof routing.rescueAfter === 'number' && routing.rescueAfter > timeouts.firstByte) findings.push(finding(['routing', 'rescueAfter'], 'is longer than timeouts.firstByte, so it would never come; make it shorter'));
  for (const key of ['captureBody', 'generateBody'] as const) {
    if (limits[key] > budgets.storage) findings.push(finding(['limits', key], 'is more than budgets.storage; make it smaller'));
  }
  return findings;
}

function checkAdmin({ admin }: ParsedConfig): Finding[] {
  const findings = repeated(admin.tokens.map((token) => token.name), (index) => ['admin', 'tokens', index, 'name'], 'is there already; give each token its own name');
  if (admin.tokens.length === 0 && !isLoopback(admin.listen.hostname)) {
    findings.push(finding(['admin', 'listen'], `${formatListen(admin.listen)} can be reached from other machines, and there are no tokens; declare admin.tokens, or listen on 127.0.0.1`));
  }
  return findings;
}

function isLoopback(hostname: string): boolean {
  if (hostname.toLowerCase() === 'localhost') return true;
  return ipaddr.isValid(hostname) && ipaddr.process(hostname).range() === 'loopback';
}

function repeated(names: readonly string[], pathOf: (index: number) => Path, message: string): Finding[] {
  return names.flatMap((name, index) => (names.indexOf(name) < index ? [finding(pathOf(index), `${name} ${message}`)] : []));
}

/**
 * The schema's building blocks: strings with units, addresses, names. Each takes what a person writes and gives what the
 * program uses (milliseconds, bytes, per second, fractions). Messages are `reason; hint`, split by `problems.ts`.
 * Every block keeps a pattern, so that an editor with the JSON Schema refuses the same strings as the loader.
 */
import { z } from 'zod';
import { formatDuration, formatSize, parseDuration, parsePercent, parseRate, parseSize } from '../kernel/index.ts';
import type { ListenAddress } from './types.ts';

interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

interface QuantityKind {
  readonly noun: string;
  readonly examples: string;
  readonly pattern: RegExp;
  readonly parse: (text: string) => number | undefined;
  readonly show: (value: number) => string;
}

const number = String.raw`\d+(?:\.\d+)?`;
const durationKind: QuantityKind = {
  noun: 'a duration', examples: '250ms, 2s, 10m, 24h, 7d', pattern: new RegExp(`^${number}\\s*(?:ms|s|m|h|d)$`), parse: parseDuration, show: formatDuration,
};
const sizeKind: QuantityKind = {
  noun: 'a size', examples: '512B, 64KiB, 10MB, 2GiB', pattern: new RegExp(`^${number}\\s*(?:B|KiB|MiB|GiB|TiB|kB|MB|GB|TB)$`), parse: parseSize, show: formatSize,
};
const rateKind: QuantityKind = {
  noun: 'a rate', examples: '20/s, 30/min, 1000/h', pattern: new RegExp(`^${number}\\s*/\\s*(?:s|min|m|h)$`), parse: parseRate, show: (value) => `${value}/s`,
};
const percentKind: QuantityKind = {
  noun: 'a percentage', examples: '5%, 0.5%', pattern: new RegExp(`^${number}\\s*%$`), parse: parsePercent, show: (value) => `${value * 100}%`,
};

function quantity(kind: QuantityKind, bounds: Bounds) {
  const wanted = `expected ${kind.noun} with its unit; write it like ${kind.examples}`;
  return z
    .string({ error: (issue) => missing(issue.input, wanted) })
    .regex(kind.pattern, { error: wanted })
    .transform((text, context): number => {
      const value = kind.parse(text);
      let wrong: string | undefined;
      if (value === undefined) wrong = wanted;
      else if (bounds.min !== undefined && value < bounds.min) wrong = `${text} is too little; use at least ${kind.show(bounds.min)}`;
      else if (bounds.max !== undefined && value > bounds.max) wrong = `${text} is too much; use at most ${kind.show(bounds.max)}`;
      if (value !== undefined && wrong === undefined) return value;
      context.issues.push({ code: 'custom', message: wrong ?? wanted, input: text });
      return z.NEVER;
    })
    .meta({ unit: kind.noun.replace(/^an? /, '') });
}

/** Milliseconds. */
export const duration = (bounds: Bounds = {}) => quantity(durationKind, bounds);
/** Bytes. */
export const size = (bounds: Bounds = {}) => quantity(sizeKind, bounds);
/** Per second. */
export const rate = (bounds: Bounds = {}) => quantity(rateKind, bounds);
/** A fraction. */
export const percent = (bounds: Bounds = {}) => quantity(percentKind, { max: 1, ...bounds });

/** What to say of a value of the wrong type: that it is missing, where nothing was written. */
function missing(input: unknown, wanted: string): string {
  return input === undefined ? `is missing; ${wanted.replace('; ', ', ')}` : wanted;
}

/** A string that matches a pattern; `wanted` is `reason; hint`. */
export function text(pattern: RegExp, wanted: string) {
  return z.string({ error: (issue) => missing(issue.input, wanted) }).regex(pattern, { error: wanted, abort: true });
}

/** A whole number within bounds. */
export function count(min: number, max: number) {
  const wanted = `expected a whole number from ${min} to ${max}`;
  const error = (issue: { readonly input?: unknown }): string => missing(issue.input, wanted);
  return z.int({ error }).min(min, { error: wanted }).max(max, { error: wanted }).meta({ unit: 'count' });
}

export const flag = () => z.boolean({ error: 'expected true or false; write it without quotes' });

const addressWanted = 'expected an address with its port; write it like 127.0.0.1:8080, 0.0.0.0:443 or [::1]:8080';
const addressPattern = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)):(\d{1,5})$/;

/** `host:port`; port 0 lets the system choose. */
export const listenAddress = () =>
  text(addressPattern, addressWanted).transform((written, context): ListenAddress => {
    const [, v6, name, port] = addressPattern.exec(written) ?? [];
    const hostname = v6 ?? name;
    if (hostname !== undefined && Number(port) <= 65_535) return { hostname, port: Number(port) };
    context.issues.push({ code: 'custom', message: `${written} names no port from 0 to 65535; ${addressWanted.split('; ')[1] ?? ''}`, input: written });
    return z.NEVER;
  });

/** `host:port` as it is written. */
export function formatListen(address: ListenAddress): string {
  return address.hostname.includes(':') ? `[${address.hostname}]:${address.port}` : `${address.hostname}:${address.port}`;
}

/** An absolute http or https URL of a site: no credentials, no path but `/`, no query. Gives `scheme://host[:port]`. */
export function siteUrl(example: string) {
  const wanted = `expected a URL; write it like ${example}`;
  return z.string({ error: (issue) => missing(issue.input, wanted) }).transform((written, context): string => {
    const wrong = siteUrlProblem(written, example);
    if (wrong === undefined) return new URL(written).origin;
    context.issues.push({ code: 'custom', message: wrong, input: '' });
    return z.NEVER;
  });
}

function siteUrlProblem(written: string, example: string): string | undefined {
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (!url) return `is not a URL; write it whole, like ${example}`;
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return `has the scheme ${url.protocol.slice(0, -1)}; only http and https are possible`;
  if (url.username !== '' || url.password !== '') return 'carries a user name or password; leave it out';
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') return `has more than a host and a port; write ${url.origin} and declare paths under routes`;
  return undefined;
}

/**
 * Keeps fields that are meant for one connection from crossing Foreshadow (RFC 9110 §7.6.1), those that Connection names
 * included. What is left of an answer is also what may be stored of it (RFC 9111 §3.1), see `storage.ts`.
 */
import type { HeaderList } from './headers.ts';

const hopByHop: ReadonlySet<string> = new Set([
  'connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'proxy-authenticate',
  'proxy-authorization', 'proxy-authentication-info', 'http2-settings',
]);

/** Names a Connection field can't take away: a client could otherwise hide from the origin who it is, or from us what to store. */
const notNominable: ReadonlySet<string> = new Set([
  'host', 'content-length', 'content-type', 'content-encoding', 'content-range', 'cache-control', 'cdn-cache-control', 'expires', 'vary', 'set-cookie',
  'authorization', 'cookie', 'forwarded', 'via', 'cdn-loop', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host',
]);

/** The end-to-end fields of a request or an answer, in their order. */
export function endToEnd(list: HeaderList): HeaderList {
  const nominated = nominatedBy(list);
  return list.filter(([name]) => !hopByHop.has(name) && !nominated.has(name));
}

/** Whether a field of this name is for one connection whatever Connection says. */
export function isHopByHop(name: string): boolean {
  return hopByHop.has(name);
}

const none: ReadonlySet<string> = new Set();

/** The names that Connection lines nominate. */
function nominatedBy(list: HeaderList): ReadonlySet<string> {
  let names = none;
  for (const [name, value] of list) if (name === 'connection') names = names.union(nominatedIn(value));
  return names;
}

const fieldName = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;

/** The field names that a Connection value nominates, lower case. Nearly every value is one of two, which nominate none. */
export function nominatedIn(connection: string): ReadonlySet<string> {
  if (connection === 'keep-alive' || connection === 'close') return none;
  const options = connection.split(',').map((part) => part.trim().toLowerCase());
  return new Set(options.filter((option) => option !== 'close' && option !== 'keep-alive' && !notNominable.has(option) && fieldName.test(option)));
}

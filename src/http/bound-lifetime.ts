/**
 * Shortens what an answer says about its own lifetime, where part of it will be out of date sooner than its origin thought. Pure.
 */
import { parseDeltaSeconds } from './cache-control.ts';
import { parseHttpDate } from './http-date.ts';
import { listMembers } from './list.ts';

/** Fields of directives: ours to every cache, to CDNs (RFC 9213), and the older one of surrogates. */
export const lifetimeFields = ['cache-control', 'cdn-cache-control', 'surrogate-control'] as const;
/** They let a cache answer with what is no longer fresh, or never ask again. */
const prolonging: ReadonlySet<string> = new Set(['stale-while-revalidate', 'stale-if-error', 'immutable']);

/** A lifetime field's value for an answer `ageS` old of which a part holds for `leftS` more seconds. */
export function boundDirectives(value: string, ageS: number, leftS: number): string {
  const kept: string[] = [];
  for (const member of listMembers(value)) {
    const equals = member.indexOf('=');
    const name = (equals < 0 ? member : member.slice(0, equals)).trim().toLowerCase();
    if (prolonging.has(name)) continue;
    const seconds = parseDeltaSeconds(equals < 0 ? '' : member.slice(equals + 1).replaceAll('"', ''));
    const lifetime = name === 'max-age' || name === 's-maxage';
    kept.push(lifetime && seconds !== undefined ? `${name}=${Math.min(seconds, ageS + leftS)}` : member);
  }
  return kept.join(', ');
}

/** Expires for the same answer. */
export function boundExpires(value: string, leftS: number, nowMs: number): string {
  const expiresMs = parseHttpDate(value, nowMs);
  const boundMs = nowMs + leftS * 1000;
  return expiresMs === undefined || expiresMs <= boundMs ? value : new Date(boundMs).toUTCString();
}

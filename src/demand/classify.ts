/**
 * Whose wish a request is: a person's, a crawler's, a browser's guess ahead of a person (prefetch), or Foreshadow's own
 * (generated). Pure functions of strings; the user agent's part costs a large regular expression, so callers keep its
 * verdict per user-agent string. What is not a person's is counted apart and never becomes demand.
 */
import { createIsbotFromList, list } from 'isbot';
import type { HeaderReader } from '../http/headers.ts';
import type { DemandKind } from './window.ts';

/**
 * `isbot` also takes any agent that merely doesn't look like a browser for a robot ("mingw32", "okhttp/4.9", "curl/8").
 * Apps, package installers and API clients are a site's public too, so the patterns that only describe a shape or name
 * an HTTP library are left out, and what they caught rightly is named instead.
 */
const shapesAndLibraries: ReadonlySet<string> = new Set([
  '^[\\w \\.\\-\\(?:\\):%]+(?:/v?\\d+(?:\\.\\d+)?(?:\\.\\d{1,10})*?)?(?:,|$)',
  '^[\\w\\-]+/[\\w]+$', '^[^ ]{50,}$', '^\\d+\\b', '^\\w+/[\\w\\(\\)]*$', '^\\w+/\\d\\.\\d\\s\\([\\w@]+\\)$',
  '\\(\\)', '\\b\\w+/1\\.0;', ';\\s\\w+;$', '^client/', '^custom',
  '(?<!lib)http', '\\bperl\\b', '^apache/', '^php', '^python', '^wget', 'java(?!;)', 'library', 'node\\b', 'url',
]);
const namesItself = createIsbotFromList([
  ...list.filter((pattern) => !shapesAndLibraries.has(pattern)),
  'https?://', 'slurp', 'archiver', 'fetcher',
]);

/** Whether this user agent says that it is a crawler. Cache the answer per string: about 5 µs for an agent not seen before. */
export function isCrawler(userAgent: string): boolean {
  return userAgent !== '' && namesItself(userAgent);
}

/**
 * The kind of a request. `crawler` is the (cached) verdict on its user agent. Prefetches are told by `Sec-Purpose`
 * (Fetch standard), `Purpose` and `X-Purpose` (older Chrome, Safari) and `X-Moz` (older Firefox).
 */
export function classifyDemand(headers: HeaderReader, crawler: boolean): DemandKind {
  if (headers.get('foreshadow-purpose') === 'generate') return 'generated';
  if (crawler) return 'crawler';
  const purpose = headers.get('sec-purpose') ?? headers.get('purpose') ?? headers.get('x-purpose') ?? headers.get('x-moz');
  return purpose !== null && /\b(?:prefetch|prerender|preview)\b/i.test(purpose) ? 'prefetch' : 'person';
}

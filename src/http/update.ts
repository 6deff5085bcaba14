/**
 * Brings a stored answer's fields up to date from a later answer without a body: a 304 (RFC 9111 §3.2, §4.3.4) or a HEAD
 * (§4.3.5). What describes the stored bytes themselves stays as it was stored.
 */
import type { HeaderList, HeaderReader } from './headers.ts';
import { headerReader } from './headers.ts';

/** Fields that belong to the stored body, which the later answer did not bring. */
const ofTheBody: ReadonlySet<string> = new Set(['content-length', 'content-encoding', 'content-type', 'content-range']);

/**
 * The stored fields with those of the later answer put in place of their namesakes. `later` must already be without
 * hop-by-hop fields. A Set-Cookie of the later answer is for its client alone and is left out.
 */
export function updateStored(stored: HeaderList, later: HeaderList): HeaderList {
  const fresh = later.filter(([name]) => !ofTheBody.has(name) && name !== 'set-cookie');
  const replaced = new Set(fresh.map(([name]) => name));
  // Age counted the stored answer's way here; a later answer without one is new from the origin.
  replaced.add('age');
  return [...stored.filter(([name]) => !replaced.has(name)), ...fresh];
}

/**
 * Whether a 200 to HEAD is about the same representation as the stored answer to GET, so that it may freshen it
 * (RFC 9111 §4.3.5): no validator or length that both have differs.
 */
export function headMatches(stored: HeaderList, storedBytes: number, head: HeaderReader): boolean {
  const before = headerReader(stored);
  for (const name of ['etag', 'last-modified']) {
    const value = head.get(name);
    if (value !== null && value !== before.get(name)) return false;
  }
  const length = head.get('content-length');
  return length === null || length === String(storedBytes);
}

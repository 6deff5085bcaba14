/**
 * What of a page is its own: the digest of everything outside its holes. Two copies with the same one differ at most in what their slots, nonces and
 * tokens held, so a new price is no change of the page. Pure.
 */
import { createHash } from 'node:crypto';
import { compileSeed } from './seed.ts';
import type { Hole } from './types.ts';

/** SHA-256, 64 hexadecimal digits; without holes that of the body. Where the holes lie, and which they are, counts. */
export function digestOutside(body: Uint8Array, holes: readonly Hole[]): string {
  const hash = createHash('sha256');
  if (holes.length === 0) return hash.update(body).digest('hex');
  const { segments } = compileSeed(body, holes);
  hash.update(`${holes.map((hole) => (hole.kind === 'slot' ? `slot ${hole.slot}` : hole.kind)).join()}\n${segments.map((segment) => segment.byteLength).join()}\n`);
  for (const segment of segments) hash.update(segment);
  return hash.digest('hex');
}

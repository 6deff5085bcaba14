/**
 * The entity tag of a body that was put together. Strong (RFC 9110 §8.8.1): it is made from the seed's digest and every byte
 * that went into it, so equal tags mean equal bodies. Pure.
 */
import { createHash } from 'node:crypto';

/** `"…"`, ready for an ETag field. `seed`: the digest of the seed's body, or a strong tag of it. All lengths stand before the contents, so that no two lists read the same. */
export function composedTag(seed: string, contents: readonly (Uint8Array | undefined)[]): string {
  const hash = createHash('sha256');
  let lengths = `${seed}\n`;
  for (const content of contents) lengths += content === undefined ? '-,' : `${content.byteLength},`;
  hash.update(lengths);
  for (const content of contents) if (content !== undefined && content.byteLength > 0) hash.update(content);
  return `"${hash.digest('base64url').slice(0, 27)}"`; // 162 bits: no two bodies in the life of a site share them
}

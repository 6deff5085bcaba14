/**
 * What the header fields of a seed still say of a body that was put together from it: nothing about its bytes, its length or its
 * validators. Whoever answers adds the true ones. Pure.
 */
import type { HeaderList } from '../http/index.ts';

/**
 * Of the bytes: lengths and ranges (RFC 9110 §8.6, §14), digests (RFC 9530, RFC 3230, RFC 1864), signatures that may cover a digest (RFC 9421), deltas (RFC 3229).
 * Of the selected representation: validators (RFC 9110 §8.8). A `Last-Modified` of the seed would let clients keep an old price.
 */
const ofTheSeedOnly: ReadonlySet<string> = new Set([
  'content-length', 'content-range', 'accept-ranges',
  'etag', 'last-modified',
  'content-md5', 'digest', 'content-digest', 'repr-digest', 'unencoded-digest',
  'signature', 'signature-input',
  'delta-base', 'im',
]);

/** The seed's fields that are true of a composed body too. */
export function composedHeaders(headers: HeaderList): HeaderList {
  return headers.filter(([name]) => !ofTheSeedOnly.has(name));
}

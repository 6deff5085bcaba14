/**
 * Takes the content coding off a body, where somebody has to read it or to be given it plain. Never more than asked for: a few
 * coded bytes can stand for gigabytes.
 */
import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';

const decoders: Readonly<Record<string, (body: Uint8Array, options: { readonly maxOutputLength: number }) => Buffer>> = {
  'gzip': gunzipSync, 'x-gzip': gunzipSync, 'deflate': inflateSync, 'br': brotliDecompressSync, 'zstd': zstdDecompressSync,
};

/** `body` as it is where nothing is coded; undefined where it can't be read: unknown or several codings, damaged, or larger than `bytesMax`. */
export function decodeBody(body: Uint8Array, coding: string | null | undefined, bytesMax: number): Uint8Array | undefined {
  const name = coding?.trim().toLowerCase() ?? '';
  if (name === '' || name === 'identity') return body;
  try {
    return decoders[name]?.(body, { maxOutputLength: bytesMax });
  } catch {
    return undefined;
  }
}

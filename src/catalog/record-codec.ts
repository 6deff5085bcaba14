/**
 * A shadow record as it lies on disk, in catalog files and in an edge's local store: one JSON array in fixed order, header
 * fields flattened to name, value, name, value. Reading is strict: anything else is undefined, never a guess.
 */
import type { BlobDigest, ResourceKey, VariationKey } from '../kernel/index.ts';
import type { HeaderList } from '../http/headers.ts';
import type { CodedBody, ShadowRecord } from './shadow-record.ts';

const digestPattern = /^[0-9a-f]{64}$/;
const fields = 11;
/** More codings than there are. */
const codingsMax = 8;

/** When this changes, so do the formats of the catalog (version-file.ts) and of the local store (entry.ts). */
export function recordToTuple(record: ShadowRecord): unknown[] {
  return [
    record.resource, record.variation, record.vary.flat(), record.status, record.headers.flat(), record.body, record.bodyBytes,
    record.requestTimeMs, record.responseTimeMs, record.madeBy, record.version,
    ...(record.codings ? [record.codings.map(({ coding, body, bodyBytes }) => [coding, body, bodyBytes])] : []),
  ];
}

export function recordFromTuple(value: unknown, pairs: PairCache): ShadowRecord | undefined {
  if (!Array.isArray(value) || value.length < fields || value.length > fields + 1) return undefined;
  const tuple: readonly unknown[] = value;
  const [resource, variation, varyFlat, status, headersFlat, body, bodyBytes, requestTimeMs, responseTimeMs, madeBy, version, coded] = tuple;
  if (typeof resource !== 'string' || typeof variation !== 'string' || typeof body !== 'string' || !digestPattern.test(body)) return undefined;
  if (!isCount(status) || status < 100 || status > 599 || !isCount(bodyBytes) || !isCount(version)) return undefined;
  if (!isTime(requestTimeMs) || !isTime(responseTimeMs) || (madeBy !== 'capture' && madeBy !== 'generate')) return undefined;
  const vary = pairsOf(varyFlat, pairs);
  const headers = pairsOf(headersFlat, pairs);
  const codings = tuple.length > fields ? codingsOf(coded) : undefined;
  if (!vary || !headers || (tuple.length > fields && !codings)) return undefined;
  return {
    // The brands' constructors made these before they were written; the file's checksum says they are unchanged.
    resource: pairs.string(resource) as ResourceKey,
    variation: pairs.string(variation) as VariationKey,
    vary,
    status,
    headers,
    body: body as BlobDigest,
    bodyBytes,
    requestTimeMs,
    responseTimeMs,
    madeBy,
    version,
    ...(codings && { codings }),
  };
}

function codingsOf(value: unknown): readonly CodedBody[] | undefined {
  if (!Array.isArray(value) || value.length > codingsMax) return undefined;
  const codings: CodedBody[] = [];
  for (const one of value as readonly unknown[]) { // what Array.isArray gives is any[]
    if (!Array.isArray(one) || one.length !== 3) return undefined;
    const parts: readonly unknown[] = one;
    const [coding, body, bodyBytes] = parts;
    if (coding !== 'br' && coding !== 'zstd' && coding !== 'gzip') return undefined;
    if (typeof body !== 'string' || !digestPattern.test(body) || !isCount(bodyBytes)) return undefined;
    codings.push({ coding, body: body as BlobDigest, bodyBytes }); // as above
  }
  return codings;
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function pairsOf(value: unknown, cache: PairCache): HeaderList | undefined {
  if (!Array.isArray(value) || value.length % 2 !== 0) return undefined;
  const flat: readonly unknown[] = value;
  if (flat.length === 0) return none;
  const pairs: (readonly [string, string])[] = [];
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i];
    const text = flat[i + 1];
    if (typeof name !== 'string' || typeof text !== 'string') return undefined;
    pairs.push(cache.pair(name, text));
  }
  return pairs;
}

const none: HeaderList = [];
const slots = 4096;

/**
 * Makes equal header fields and strings one object. A direct-mapped table: what recurs in every record is nearly always found, what is
 * unique (ETag, Date) only ever displaces one entry, and the table never grows. 100,000 records of seven fields, three of them unique: 92 MB of heap without it, 72 MB with it.
 */
export class PairCache {
  readonly #pairs: (readonly [string, string] | undefined)[] = new Array<undefined>(slots).fill(undefined);
  readonly #strings: (string | undefined)[] = new Array<undefined>(slots).fill(undefined);

  pair(name: string, value: string): readonly [string, string] {
    const slot = (hashOf(name) * 31 + hashOf(value)) & (slots - 1);
    const known = this.#pairs[slot];
    if (known && known[0] === name && known[1] === value) return known;
    const pair = [this.string(name), value] as const;
    this.#pairs[slot] = pair;
    return pair;
  }

  string(text: string): string {
    const slot = hashOf(text) & (slots - 1);
    const known = this.#strings[slot];
    if (known === text) return known;
    this.#strings[slot] = text;
    return text;
  }
}

/** Eight characters spread over the string are enough to tell header fields apart. */
function hashOf(text: string): number {
  let hash = text.length;
  const step = (text.length >> 3) + 1;
  for (let i = 0; i < text.length; i += step) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 15);
}

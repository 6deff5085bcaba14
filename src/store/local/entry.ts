/**
 * Values of the local index. All copies of one variation are one value, because they are read together:
 *
 *   0 u8 format   1 u64 xxHash3 of the rest   9 u16 length of the variation's name, the name, then JSON: [[record, pinned, age], …]
 *
 * `pinned`: the catalog has (or had, until it says otherwise) a copy of this identity, so it is never evicted. `age`: its key in the eviction order.
 */
import type { VariationKey } from '../../kernel/index.ts';
import { type PairCache, recordFromTuple, recordToTuple, type ShadowRecord } from '../../catalog/index.ts';
import type { BodyPlace } from './body-files.ts';

export const localFormat = 2;
const headBytes = 11;

/** Format 1 had neither fillings nor coded bodies; what it had is the same. */
export function isLocalFormat(format: unknown): boolean {
  return format === 1 || format === localFormat;
}

export interface Copy {
  readonly record: ShadowRecord;
  readonly pinned: boolean;
  /** Hexadecimal key in the eviction order; empty for pinned copies. */
  readonly age: string;
}

export function encodeCopies(variation: VariationKey, copies: readonly Copy[]): Buffer {
  const name = Buffer.from(variation);
  const json = Buffer.from(JSON.stringify(copies.map(({ record, pinned, age }) => [recordToTuple(record), pinned, age])));
  const out = Buffer.allocUnsafe(headBytes + name.byteLength + json.byteLength);
  out.writeUInt8(localFormat, 0);
  out.writeUInt16LE(name.byteLength, 9);
  out.set(name, headBytes);
  out.set(json, headBytes + name.byteLength);
  out.writeBigUInt64LE(Bun.hash.xxHash3(out.subarray(9)), 1);
  return out;
}

/** The variation this value is of; undefined for damaged bytes. */
export function variationOf(value: Buffer): VariationKey | undefined {
  if (!isSound(value)) return undefined;
  const name = value.toString('utf8', headBytes, headBytes + value.readUInt16LE(9));
  return name as VariationKey; // written by encodeCopies
}

export function decodeCopies(value: Buffer, pairs: PairCache): Copy[] | undefined {
  if (!isSound(value)) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(value.toString('utf8', headBytes + value.readUInt16LE(9)));
  } catch {
    return undefined;
  }
  if (!Array.isArray(json)) return undefined;
  const list: readonly unknown[] = json;
  const copies: Copy[] = [];
  for (const item of list) {
    if (!Array.isArray(item)) return undefined;
    const parts: readonly unknown[] = item;
    const [tuple, pinned, age] = parts;
    const record = recordFromTuple(tuple, pairs);
    if (!record || typeof pinned !== 'boolean' || typeof age !== 'string') return undefined;
    copies.push({ record, pinned, age });
  }
  return copies;
}

function isSound(value: Buffer): boolean {
  if (value.byteLength < headBytes || !isLocalFormat(value[0])) return false;
  return value.readBigUInt64LE(1) === Bun.hash.xxHash3(value.subarray(9)) && value.byteLength >= headBytes + value.readUInt16LE(9);
}

const placeBytes = 32;

/** Segment, offset, length, sum of the body; then xxHash3 of these 24 bytes, so that no damage can point elsewhere. */
export function encodePlace(place: BodyPlace): Buffer {
  const out = Buffer.alloc(placeBytes);
  out.writeUInt32LE(place.segment, 0);
  out.writeUInt32LE(place.offset, 4);
  out.writeUInt32LE(place.bytes, 8);
  out.writeBigUInt64LE(place.sum, 16);
  out.writeBigUInt64LE(Bun.hash.xxHash3(out.subarray(0, 24)), 24);
  return out;
}

export function decodePlace(value: Buffer): BodyPlace | undefined {
  if (value.byteLength !== placeBytes || value.readBigUInt64LE(24) !== Bun.hash.xxHash3(value.subarray(0, 24))) return undefined;
  return { segment: value.readUInt32LE(0), offset: value.readUInt32LE(4), bytes: value.readUInt32LE(8), sum: value.readBigUInt64LE(16) };
}

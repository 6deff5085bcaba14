/** Small values of the local index with their sum: u8 format, u64 xxHash3 of the rest, then JSON. Damaged ones are undefined. */
import { isLocalFormat, localFormat } from './entry.ts';

const headBytes = 9;

export function encodeSealed(value: unknown): Buffer {
  const json = Buffer.from(JSON.stringify(value));
  const out = Buffer.allocUnsafe(headBytes + json.byteLength);
  out.writeUInt8(localFormat, 0);
  out.set(json, headBytes);
  out.writeBigUInt64LE(Bun.hash.xxHash3(out.subarray(headBytes)), 1);
  return out;
}

export function decodeSealed(value: Buffer): unknown {
  if (value.byteLength < headBytes || !isLocalFormat(value[0]) || value.readBigUInt64LE(1) !== Bun.hash.xxHash3(value.subarray(headBytes))) return undefined;
  try {
    return JSON.parse(value.toString('utf8', headBytes));
  } catch {
    return undefined;
  }
}

/**
 * One body in a segment file, byte by byte (docs/formats/volumes.md). Pure: bytes in, facts out.
 *
 *   0  u32  magic "FSB1" (the digit is the format version)      40  u64  xxHash3 of the body
 *   4  u32  body length                                         48  u64  xxHash3 of bytes 0..47
 *   8  32   SHA-256 of the body                                 56  the body, then zeros up to a multiple of 8
 *
 * All little-endian. The two fast sums let a scan tell a torn record from a whole one without SHA-256; what is handed out is
 * checked by whoever hands it out.
 */
export const recordHeaderBytes = 56;
export const segmentHeaderBytes = 32;
const segmentFormat = 1;
const recordMagic = Buffer.from('FSB1', 'latin1');
const segmentMagic = Buffer.from('FSHDWSEG', 'latin1');
const alignment = 8;
const padding = new Uint8Array(alignment);

/** Room a body takes in a segment. */
export function recordBytes(bodyBytes: number): number {
  return Math.ceil((recordHeaderBytes + bodyBytes) / alignment) * alignment;
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function bodySum(body: Uint8Array): bigint {
  return Bun.hash.xxHash3(body);
}

/** What to write for this body: header, body, padding. */
export function encodeRecord(digest: Uint8Array, body: Uint8Array, sum = bodySum(body)): Uint8Array[] {
  const header = Buffer.alloc(recordHeaderBytes);
  recordMagic.copy(header, 0);
  header.writeUInt32LE(body.byteLength, 4);
  header.set(digest, 8);
  header.writeBigUInt64LE(sum, 40);
  header.writeBigUInt64LE(Bun.hash.xxHash3(header.subarray(0, 48)), 48);
  const pad = recordBytes(body.byteLength) - recordHeaderBytes - body.byteLength;
  const parts: Uint8Array[] = [header];
  if (body.byteLength > 0) parts.push(body);
  if (pad > 0) parts.push(padding.subarray(0, pad));
  return parts;
}

export function encodeSegmentHeader(segment: number): Uint8Array {
  const header = Buffer.alloc(segmentHeaderBytes);
  segmentMagic.copy(header, 0);
  header.writeUInt32LE(segmentFormat, 8);
  header.writeUInt32LE(segment, 12);
  header.writeBigUInt64LE(Bun.hash.xxHash3(header.subarray(0, 24)), 24);
  return header;
}

/** `newer`: written by a later Foreshadow. `bad`: damaged or not a segment of this number; its records may still be whole. */
export function checkSegmentHeader(bytes: Uint8Array, segment: number): 'ok' | 'newer' | 'bad' {
  const header = view(bytes);
  if (header.byteLength < segmentHeaderBytes || !header.subarray(0, 8).equals(segmentMagic)) return 'bad';
  if (header.readBigUInt64LE(24) !== Bun.hash.xxHash3(header.subarray(0, 24))) return 'bad';
  if (header.readUInt32LE(8) > segmentFormat) return 'newer';
  return header.readUInt32LE(12) === segment ? 'ok' : 'bad';
}

export interface FoundRecord {
  readonly digest: Uint8Array;
  /** Of the body, from the start of the segment file. */
  readonly bodyOffset: number;
  readonly bodyBytes: number;
  readonly sum: bigint;
}

/**
 * Every whole record of a segment file, in order. Damage is stepped over: after a bad header the scan looks for the next good
 * one at the next multiple of 8. A record whose body does not have its sum is left out. A forged record inside a body can be
 * found this way and does no harm: it only ever names bytes that have the digest it says.
 */
export function* scanRecords(bytes: Uint8Array, from = segmentHeaderBytes): Generator<FoundRecord> {
  const file = view(bytes);
  let at = Math.ceil(from / alignment) * alignment;
  while (at + recordHeaderBytes <= file.byteLength) {
    const bodyBytes = wholeHeaderAt(file, at);
    if (bodyBytes === undefined) {
      at = nextMagic(file, at + alignment);
      continue;
    }
    const bodyOffset = at + recordHeaderBytes;
    const body = file.subarray(bodyOffset, bodyOffset + bodyBytes);
    const sum = file.readBigUInt64LE(at + 40);
    if (body.byteLength < bodyBytes) {
      // The length is true (its sum is), but the file ends: a torn tail, unless whole records follow inside what it claims.
      at = nextMagic(file, at + alignment);
      continue;
    }
    if (bodySum(body) === sum) yield { digest: file.subarray(at + 8, at + 40), bodyOffset, bodyBytes, sum };
    at += recordBytes(bodyBytes);
  }
}

function wholeHeaderAt(file: Buffer, at: number): number | undefined {
  if (file.readUInt32LE(at) !== recordMagic.readUInt32LE(0)) return undefined;
  if (file.readBigUInt64LE(at + 48) !== Bun.hash.xxHash3(file.subarray(at, at + 48))) return undefined;
  return file.readUInt32LE(at + 4);
}

function nextMagic(file: Buffer, from: number): number {
  for (let at = from; ; at += 1) {
    at = file.indexOf(recordMagic, at);
    if (at < 0) return file.byteLength;
    if (at % alignment === 0) return at;
  }
}

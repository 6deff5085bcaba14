/**
 * The list of a segment's live records beside it (`00000007.idx`), so that opening a store reads 44 bytes a blob and no bodies. It speaks for
 * the first `coveredBytes` of the segment; what comes after is scanned. It can always be lost: the segment itself is the truth,
 * except that a record which was collected is only missing here until its segment is rewritten.
 *
 *   0   8  magic "FSHDWIDX"        16  u64  covered bytes      32  u64  xxHash3 of everything else
 *   8  u32 format version          24  u32  records            40  records: 32 digest, u32 body offset, u32 body length
 *   12 u32 segment number          28  u32  0
 */
const magic = Buffer.from('FSHDWIDX', 'latin1');
const format = 1;
const headerBytes = 40;
const entryBytes = 40;

export interface SidecarEntry {
  readonly digest: Uint8Array;
  readonly bodyOffset: number;
  readonly bodyBytes: number;
}

export function encodeSidecar(segment: number, coveredBytes: number, entries: readonly SidecarEntry[]): Uint8Array {
  const out = Buffer.alloc(headerBytes + entries.length * entryBytes);
  magic.copy(out, 0);
  out.writeUInt32LE(format, 8);
  out.writeUInt32LE(segment, 12);
  out.writeBigUInt64LE(BigInt(coveredBytes), 16);
  out.writeUInt32LE(entries.length, 24);
  let at = headerBytes;
  for (const entry of entries) {
    out.set(entry.digest, at);
    out.writeUInt32LE(entry.bodyOffset, at + 32);
    out.writeUInt32LE(entry.bodyBytes, at + 36);
    at += entryBytes;
  }
  out.writeBigUInt64LE(sumOf(out), 32);
  return out;
}

export interface Sidecar {
  readonly coveredBytes: number;
  entries(): Generator<SidecarEntry>;
}

/** Undefined for anything that is not, whole, the list of this segment. */
export function parseSidecar(bytes: Uint8Array, segment: number): Sidecar | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (file.byteLength < headerBytes || !file.subarray(0, 8).equals(magic)) return undefined;
  if (file.readUInt32LE(8) !== format || file.readUInt32LE(12) !== segment) return undefined;
  const records = file.readUInt32LE(24);
  if (file.byteLength !== headerBytes + records * entryBytes) return undefined;
  if (file.readBigUInt64LE(32) !== sumOf(file)) return undefined;
  return {
    coveredBytes: Number(file.readBigUInt64LE(16)),
    *entries() {
      for (let at = headerBytes; at < file.byteLength; at += entryBytes) {
        yield {
          digest: file.subarray(at, at + 32),
          bodyOffset: file.readUInt32LE(at + 32),
          bodyBytes: file.readUInt32LE(at + 36),
        };
      }
    },
  };
}

function sumOf(file: Buffer): bigint {
  return Bun.hash.xxHash3(file.subarray(headerBytes), Bun.hash.xxHash3(file.subarray(0, 32)));
}

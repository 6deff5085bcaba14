/**
 * What has to be true of the LMDB file before LMDB may map it. Measured with lmdb 3.5 under Bun 1.4: a foreign, short or truncated file is no error there but a
 * segmentation fault or bus error that takes the process with it, so the file is judged here, with plain reads.
 *
 * After a clean close a seal beside the file says how long it is and what it sums to: any flipped bit is found. After a crash there is no seal;
 * then the two meta pages must be sound and every page they count must be there (LMDB itself is crash-safe: copy on write, meta page last).
 */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, rmSync, truncateSync, writeFileSync } from 'node:fs';

export const indexFile = 'data.mdb';
const sealFile = 'sealed.json';
const metaMagic = 0xbeefc0de;
const metaVersion = 2;
const metaFlag = 0x08;
/** Pages that were allocated last and freed in the same transaction are counted but never written. */
const unwrittenPagesMax = 16;
const chunkBytes = 4 * 1024 * 1024;

/** Undefined when the index may be opened, or there is none; else what is wrong with it. */
export function faultOfIndex(folder: string): string | undefined {
  const path = `${folder}/${indexFile}`;
  if (!existsSync(path)) return undefined;
  const fd = openSync(path, 'r');
  try {
    const status = fstatSync(fd);
    if (!status.isFile()) return 'it is not a file';
    const fault = faultOfMeta(fd, status.size, path);
    if (fault !== undefined) return fault;
    return faultOfSeal(folder, fd, status.size);
  } finally {
    closeSync(fd);
  }
}

/** The meta pages alone: for a reader while a writer has the file open. */
export function faultOfMetaPages(folder: string): string | undefined {
  const path = `${folder}/${indexFile}`;
  const fd = openSync(path, 'r');
  try {
    return faultOfMeta(fd, fstatSync(fd).size, undefined);
  } finally {
    closeSync(fd);
  }
}

/** Says that the file is whole as it lies there. Only after LMDB has closed it. */
export function sealIndex(folder: string): void {
  const fd = openSync(`${folder}/${indexFile}`, 'r');
  try {
    const bytes = fstatSync(fd).size;
    writeFileSync(`${folder}/${sealFile}`, `${JSON.stringify({ bytes, sum: sumOf(fd, bytes) })}\n`);
  } finally {
    closeSync(fd);
  }
}

/** Before the first change. */
export function breakSeal(folder: string): void {
  rmSync(`${folder}/${sealFile}`, { force: true });
}

function faultOfMeta(fd: number, bytes: number, path: string | undefined): string | undefined {
  const first = readMeta(fd, 0);
  const second = readMeta(fd, 1);
  if (!first || !second || first.pageBytes !== second.pageBytes) return 'it has no sound meta pages';
  const newest = first.transaction > second.transaction ? first : second;
  if (newest.roots.some((root) => root > newest.lastPage)) return 'its meta page names a page beyond the end';
  const needed = (newest.lastPage + 1) * newest.pageBytes;
  if (bytes >= needed) return undefined;
  if (needed - bytes > unwrittenPagesMax * newest.pageBytes) return `it has ${bytes} bytes where ${needed} are needed`;
  if (path !== undefined) truncateSync(path, needed);
  return undefined;
}

interface Meta {
  readonly pageBytes: number;
  readonly roots: readonly number[];
  readonly lastPage: number;
  readonly transaction: bigint;
}

/** LMDB's meta page (data version 2): page header 24 bytes, then magic, version, address, map size, two tree descriptions of 48 bytes, last page, transaction. */
function readMeta(fd: number, page: 0 | 1): Meta | undefined {
  const head = Buffer.alloc(160);
  if (readSync(fd, head, 0, 160, 0) < 160 || head.readUInt32LE(24) !== metaMagic) return undefined;
  const pageBytes = head.readUInt32LE(48);
  if (pageBytes < 512 || pageBytes > 65_536 || (pageBytes & (pageBytes - 1)) !== 0) return undefined;
  if (page === 1 && readSync(fd, head, 0, 160, pageBytes) < 160) return undefined;
  if (head.readUInt32LE(24) !== metaMagic || head.readUInt32LE(28) !== metaVersion) return undefined;
  if ((head.readUInt16LE(18) & metaFlag) === 0 || head.readBigUInt64LE(0) !== BigInt(page) || head.readUInt32LE(48) !== pageBytes) return undefined;
  const lastPage = Number(head.readBigUInt64LE(144));
  const roots = [88, 136].map((at) => head.readBigUInt64LE(at)).filter((root) => root !== 0xffff_ffff_ffff_ffffn).map(Number);
  if (!Number.isSafeInteger(lastPage) || roots.some((root) => !Number.isSafeInteger(root))) return undefined;
  return { pageBytes, roots, lastPage, transaction: head.readBigUInt64LE(152) };
}

function faultOfSeal(folder: string, fd: number, bytes: number): string | undefined {
  if (!existsSync(`${folder}/${sealFile}`)) return undefined;
  const seal = parseSeal(readFileSync(`${folder}/${sealFile}`, 'utf8'));
  // A seal that was cut short says nothing: the process died while it wrote it, after LMDB had closed the file well.
  if (!seal) return undefined;
  return seal.bytes === bytes && seal.sum === sumOf(fd, bytes) ? undefined : 'its bytes are not those it was closed with';
}

function parseSeal(text: string): { bytes: number; sum: string } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('bytes' in value) || !('sum' in value)) return undefined;
    return typeof value.bytes === 'number' && typeof value.sum === 'string' ? { bytes: value.bytes, sum: value.sum } : undefined;
  } catch {
    return undefined;
  }
}

/** xxHash3 over pieces, each seeded with the one before. About 100 MB in 40 ms from the page cache. */
function sumOf(fd: number, bytes: number): string {
  const chunk = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(1, bytes)));
  let sum = 0n;
  for (let at = 0; at < bytes; ) {
    const read = readSync(fd, chunk, 0, Math.min(chunk.byteLength, bytes - at), at);
    if (read === 0) break;
    sum = Bun.hash.xxHash3(chunk.subarray(0, read), sum);
    at += read;
  }
  return sum.toString(16);
}

/**
 * One version as a file, as text (docs/formats/catalog.md): a header line, one line for each removed id, one for each record, and a
 * last line with the SHA-256 of all before it, which every future format keeps. A version's `link` is that sum; each delta names the link of the version before it, so a chain
 * can't be put together from pieces of two histories. A `full` file holds everything there is at a version and names that version's link.
 *
 * Work is done in small pieces with pauses between them, because an edge reads these files on the thread that serves.
 */
import { createHash } from 'node:crypto';
import type { ShadowRecord } from './shadow-record.ts';
import { type PairCache, recordFromTuple, recordToTuple } from './record-codec.ts';

const catalogFormat = 1;
const linesPerTurn = 200;
const hashedPerTurn = 1024 * 1024;
const trailerBytes = '{"sha256":""}\n'.length + 64;

export type VersionKind = 'delta' | 'full';

export interface VersionHeader {
  readonly kind: VersionKind;
  readonly version: number;
  /** Of a delta: the link of the version before. Of a full: the link of its own version. Empty for version 0. */
  readonly link: string;
  readonly publishedAtMs: number;
}

export interface VersionFile extends VersionHeader {
  readonly put: readonly ShadowRecord[];
  readonly remove: readonly string[];
  /** The SHA-256 in the last line. */
  readonly sum: string;
}

/** Why bytes are not a version: `newer` format, or `corrupt`. */
export interface BadVersion {
  readonly why: 'newer' | 'corrupt';
  readonly detail: string;
}

export interface EncodedVersion {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  readonly sum: string;
}

const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export async function encodeVersion(header: VersionHeader, put: readonly ShadowRecord[], remove: readonly string[]): Promise<EncodedVersion> {
  const hasher = createHash('sha256');
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const add = (text: string): void => {
    const part = Buffer.from(text);
    hasher.update(part);
    parts.push(part);
    bytes += part.byteLength;
  };
  const { kind, version, link, publishedAtMs } = header;
  add(`${JSON.stringify({ foreshadow: 'catalog', format: catalogFormat, kind, version, link, publishedAtMs, remove: remove.length, put: put.length })}\n`);
  for (let from = 0; from < remove.length; from += linesPerTurn) {
    add(remove.slice(from, from + linesPerTurn).map((id) => `${JSON.stringify(id)}\n`).join(''));
    if (from > 0) await pause();
  }
  for (let from = 0; from < put.length; from += linesPerTurn) {
    add(put.slice(from, from + linesPerTurn).map((record) => `${JSON.stringify(recordToTuple(record))}\n`).join(''));
    if (from > 0) await pause();
  }
  const sum = hasher.digest('hex');
  const trailer = Buffer.from(`{"sha256":"${sum}"}\n`);
  return { parts: [...parts, trailer], bytes: bytes + trailer.byteLength, sum };
}

/** The sum a file carries, when it is true of the file; undefined for a damaged file. */
export async function checkedSum(bytes: Uint8Array): Promise<string | undefined> {
  const end = bytes.byteLength - trailerBytes;
  if (end <= 0) return undefined;
  const hasher = createHash('sha256');
  for (let from = 0; from < end; from += hashedPerTurn) {
    hasher.update(bytes.subarray(from, Math.min(end, from + hashedPerTurn)));
    if (from > 0) await pause();
  }
  const sum = hasher.digest('hex');
  return Buffer.from(bytes.buffer, bytes.byteOffset + end, trailerBytes).toString() === `{"sha256":"${sum}"}\n` ? sum : undefined;
}

interface ParsedHeader extends VersionHeader {
  readonly putCount: number;
  readonly removeCount: number;
}

function parseHeader(line: string): ParsedHeader | BadVersion {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { why: 'corrupt', detail: 'the first line is not JSON' };
  }
  if (typeof value !== 'object' || value === null || !('foreshadow' in value) || value.foreshadow !== 'catalog') {
    return { why: 'corrupt', detail: 'not a catalog file' };
  }
  const fields: Record<string, unknown> = { ...value };
  const { format, kind, version, link, publishedAtMs, put, remove } = fields;
  if (typeof format === 'number' && format > catalogFormat) return { why: 'newer', detail: `format ${format}, this version knows ${catalogFormat}` };
  const known = format === catalogFormat && (kind === 'delta' || kind === 'full') && Object.keys(fields).length === 8;
  if (!known || typeof link !== 'string' || typeof publishedAtMs !== 'number' || !isCount(version) || !isCount(put) || !isCount(remove)) {
    return { why: 'corrupt', detail: 'the first line is not a catalog header' };
  }
  return { kind, version, link, publishedAtMs, putCount: put, removeCount: remove };
}

export async function parseVersion(bytes: Uint8Array, cache: PairCache): Promise<VersionFile | BadVersion> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const firstEnd = file.indexOf(10);
  const header = parseHeader(file.toString('utf8', 0, Math.max(0, firstEnd)));
  const sum = await checkedSum(bytes);
  if (sum === undefined) return { why: 'corrupt', detail: 'the checksum is wrong' };
  if ('why' in header) return header;

  const remove: string[] = [];
  const put: ShadowRecord[] = [];
  const end = bytes.byteLength - trailerBytes;
  let at = firstEnd + 1;
  for (let line = 0; at < end; line++) {
    const lineEnd = file.indexOf(10, at);
    const value = parseLine(file.toString('utf8', at, lineEnd));
    at = lineEnd + 1;
    if (line < header.removeCount) {
      if (typeof value !== 'string') return { why: 'corrupt', detail: `line ${line + 2} is not an id` };
      remove.push(value);
    } else {
      const record = recordFromTuple(value, cache);
      if (!record) return { why: 'corrupt', detail: `line ${line + 2} is not a record` };
      put.push(record);
    }
    if (line % linesPerTurn === linesPerTurn - 1) await pause();
  }
  if (remove.length !== header.removeCount || put.length !== header.putCount) return { why: 'corrupt', detail: 'lines are missing' };
  return { kind: header.kind, version: header.version, link: header.link, publishedAtMs: header.publishedAtMs, put, remove, sum };
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

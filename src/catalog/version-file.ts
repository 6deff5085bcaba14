/**
 * One version as a file, as text (docs/formats/catalog.md): a header line, one line for each thing it changes, and a last line with the SHA-256 of all
 * before it, which every future format keeps. A version's `link` is the sum of its delta; each delta names the link of the version before it, so a chain
 * can't be put together from pieces of two histories. A `full` file holds everything there is at a version, a `span` what several versions in a row
 * changed; both name the link of the version they lead to.
 *
 * Work is done in small pieces with pauses between them, because an edge reads these files on the thread that serves.
 */
import { createHash } from 'node:crypto';
import type { FeedKey, FillingId } from '../compose/types.ts';
import { fillingFromTuple, fillingToTuple } from './filling-codec.ts';
import type { CatalogChange, CatalogDelta } from './shadow-record.ts';
import { type PairCache, recordFromTuple, recordToTuple } from './record-codec.ts';
import { ruleFromTuple, ruleToTuple } from './rules.ts';

const catalogFormat = 2;
const linesPerTurn = 200;
const hashedPerTurn = 1024 * 1024;
const trailerBytes = '{"sha256":""}\n'.length + 64;

export type VersionKind = 'delta' | 'full' | 'span';

export interface VersionHeader {
  readonly kind: VersionKind;
  readonly version: number;
  /** Of a delta: the link of the version before. Of others: the link of their own version. Empty for version 0. */
  readonly link: string;
  readonly publishedAtMs: number;
  /** Of a span alone: the version it begins after, and that version's link. */
  readonly from?: { readonly version: number; readonly link: string };
}

/** A file that was found whole. */
export interface SealedHeader extends VersionHeader {
  /** The SHA-256 in the last line. */
  readonly sum: string;
  readonly bytes: number;
}

export interface VersionFile extends VersionHeader, CatalogChange {
  /** The SHA-256 in the last line. */
  readonly sum: string;
}

/** What the file's version changed. */
export function deltaFrom({ version, publishedAtMs, kind, put, remove, fill, unfill, rules, heard }: VersionFile): CatalogDelta {
  return { version, publishedAtMs, full: kind === 'full', put, remove, fill, unfill, rules, heard };
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

/** What the lines after the header are, in their order. */
const sections = ['remove', 'put', 'unfill', 'fill', 'rules', 'heard'] as const;
type Section = (typeof sections)[number];

const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export async function encodeVersion(header: VersionHeader, change: CatalogChange): Promise<EncodedVersion> {
  const hasher = createHash('sha256');
  const parts: Uint8Array[] = [];
  let bytes = 0;
  const add = (text: string): void => {
    const part = Buffer.from(text);
    hasher.update(part);
    parts.push(part);
    bytes += part.byteLength;
  };
  const { kind, version, link, publishedAtMs, from } = header;
  const counts = Object.fromEntries(sections.map((section) => [section, change[section].length]));
  add(`${JSON.stringify({ foreshadow: 'catalog', format: catalogFormat, kind, version, link, publishedAtMs, ...(from && { from: from.version, fromLink: from.link }), ...counts })}\n`);
  let lines = 0;
  for (const section of sections) {
    const values = valuesOf(section, change);
    for (let at = 0; at < values.length; at += linesPerTurn) {
      const some = values.slice(at, at + linesPerTurn);
      add(some.map((value) => `${JSON.stringify(value())}\n`).join(''));
      lines += some.length;
      if (lines > linesPerTurn) await pause();
    }
  }
  const sum = hasher.digest('hex');
  const trailer = Buffer.from(`{"sha256":"${sum}"}\n`);
  return { parts: [...parts, trailer], bytes: bytes + trailer.byteLength, sum };
}

/** One for each line, made when it is written: together they would take as much memory as the file again. */
function valuesOf(section: Section, change: CatalogChange): readonly (() => unknown)[] {
  switch (section) {
    case 'remove': return change.remove.map((id) => () => id);
    case 'put': return change.put.map((record) => () => recordToTuple(record));
    case 'unfill': return change.unfill.map((id) => () => id);
    case 'fill': return change.fill.map((filling) => () => fillingToTuple(filling));
    case 'rules': return change.rules.map((rule) => () => ruleToTuple(rule));
    case 'heard': return change.heard.map((pair) => () => pair);
  }
}

/** The sum a file carries, when it is true of the file; undefined for a damaged file. */
async function checkedSum(bytes: Uint8Array): Promise<string | undefined> {
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
  readonly counts: Readonly<Record<Section, number>>;
}

const corrupt = (detail: string): BadVersion => ({ why: 'corrupt', detail });

function parseHeader(line: string): ParsedHeader | BadVersion {
  const value = parseLine(line);
  if (value === undefined) return corrupt('the first line is not JSON');
  if (typeof value !== 'object' || value === null || !('foreshadow' in value) || value.foreshadow !== 'catalog') return corrupt('not a catalog file');
  const fields: Record<string, unknown> = { ...value };
  const { format, kind, version, link, publishedAtMs } = fields;
  if (typeof format === 'number' && format > catalogFormat) return { why: 'newer', detail: `format ${format}, this version knows ${catalogFormat}` };
  const counts = countsOf(fields);
  const from = kind === 'span' ? fromOf(fields) : undefined;
  const known = (format === 1 || format === catalogFormat) && (kind === 'delta' || kind === 'full' || (kind === 'span' && from));
  if (!known || !counts || typeof link !== 'string' || typeof publishedAtMs !== 'number' || !isCount(version)) {
    return corrupt('the first line is not a catalog header');
  }
  return { kind, version, link, publishedAtMs, counts, ...(from && { from }) };
}

/** Format 1 had records only. */
function countsOf(fields: Readonly<Record<string, unknown>>): Record<Section, number> | undefined {
  const counts: Record<Section, number> = { remove: 0, put: 0, unfill: 0, fill: 0, rules: 0, heard: 0 };
  for (const section of fields['format'] === 1 ? (['remove', 'put'] as const) : sections) {
    const count = fields[section];
    if (!isCount(count)) return undefined;
    counts[section] = count;
  }
  return counts;
}

function fromOf({ from, fromLink }: Readonly<Record<string, unknown>>): VersionHeader['from'] {
  return isCount(from) && typeof fromLink === 'string' ? { version: from, link: fromLink } : undefined;
}

/** What the first line and the checksum say, without reading what is in between. */
export async function inspectVersion(bytes: Uint8Array): Promise<SealedHeader | BadVersion> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = parseHeader(file.toString('utf8', 0, Math.max(0, file.indexOf(10))));
  const sum = await checkedSum(bytes);
  if (sum === undefined) return corrupt('the checksum is wrong');
  if ('why' in header) return header;
  const { counts: _, ...rest } = header;
  return { ...rest, sum, bytes: bytes.byteLength };
}

export async function parseVersion(bytes: Uint8Array, cache: PairCache): Promise<VersionFile | BadVersion> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const firstEnd = file.indexOf(10);
  const header = parseHeader(file.toString('utf8', 0, Math.max(0, firstEnd)));
  const sum = await checkedSum(bytes);
  if (sum === undefined) return corrupt('the checksum is wrong');
  if ('why' in header) return header;

  const lines = new Lines(file, firstEnd + 1, bytes.byteLength - trailerBytes);
  const { counts, ...rest } = header;
  const change = {
    remove: await lines.read(counts.remove, textFrom),
    put: await lines.read(counts.put, (value) => recordFromTuple(value, cache)),
    unfill: await lines.read(counts.unfill, textFrom),
    fill: await lines.read(counts.fill, fillingFromTuple),
    rules: await lines.read(counts.rules, ruleFromTuple),
    heard: await lines.read(counts.heard, heardFrom),
  };
  if (lines.bad !== undefined) return corrupt(`line ${lines.bad} is not what it should be`);
  if (!lines.atEnd) return corrupt('there are more lines than the header says');
  return { ...rest, sum, ...change, unfill: change.unfill as FillingId[] }; // the ids of fillings, as they were written
}

/** The file's lines after the header, one section after another. */
class Lines {
  /** Number of the first line that is not what it should be. */
  bad: number | undefined;
  readonly #file: Buffer;
  readonly #end: number;
  #at: number;
  #line = 1;

  constructor(file: Buffer, from: number, end: number) {
    this.#file = file;
    this.#at = from;
    this.#end = end;
  }

  get atEnd(): boolean {
    return this.#at === this.#end;
  }

  async read<T>(count: number, decode: (value: unknown) => T | undefined): Promise<T[]> {
    const found: T[] = [];
    for (let n = 0; n < count && this.bad === undefined; n++) {
      const lineEnd = this.#at < this.#end ? this.#file.indexOf(10, this.#at) : -1;
      const one = lineEnd < 0 ? undefined : decode(parseLine(this.#file.toString('utf8', this.#at, lineEnd)));
      this.#line += 1;
      this.#at = lineEnd + 1;
      if (one === undefined) this.bad = this.#line;
      else found.push(one);
      if (this.#line % linesPerTurn === 0) await pause();
    }
    return found;
  }
}

function textFrom(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function heardFrom(value: unknown): CatalogChange['heard'][number] | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const pair: readonly unknown[] = value;
  const [feed, heardMs] = pair;
  return typeof feed === 'string' && typeof heardMs === 'number' && Number.isFinite(heardMs) ? [feed as FeedKey, heardMs] : undefined; // a key when it was written
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

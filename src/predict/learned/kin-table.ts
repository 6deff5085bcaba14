/**
 * Decayed counts of families (`kin-identity.ts`) in a bounded table of hashes: sets of four entries that lie together, so that one look-up touches one line
 * of memory. When a set is full the entry with the smallest decayed day makes room; what was counted of it is lost, which makes features of its
 * members poorer and nothing wrong. Scales and landmarks as in `state/decayed-counts.ts`.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';

const ways = 4;
const minuteMs = 60_000;
/** e^20 leaves the precision of a 32-bit float whole; landmarks move before. */
const exponentMax = 20;
const none = -1;

export class KinTable {
  readonly #tags: Uint32Array;
  /** One column a scale, in units of requests at the landmark. Read them with `factors`. */
  readonly columns: readonly Float32Array[];
  readonly #scalesMin: readonly number[];
  readonly #landmarksMs: Float64Array;
  readonly #sets: number;

  /** `entries`: a power of two. `scalesMin`: time constants, ascending; the last decides who makes room. */
  constructor(entries: number, scalesMin: readonly number[]) {
    this.#tags = new Uint32Array(entries);
    this.columns = scalesMin.map(() => new Float32Array(entries));
    this.#scalesMin = scalesMin;
    this.#landmarksMs = new Float64Array(scalesMin.length);
    this.#sets = entries / ways;
  }

  get bytes(): number {
    return this.#tags.length * 4 * (1 + this.columns.length);
  }

  /** The family's entry, or −1. */
  find(hash: number): number {
    const tags = this.#tags;
    const from = (hash & (this.#sets - 1)) * ways;
    if (tags[from] === hash) return from;
    if (tags[from + 1] === hash) return from + 1;
    if (tags[from + 2] === hash) return from + 2;
    return tags[from + 3] === hash ? from + 3 : none;
  }

  /** Moves the landmarks if need be; called before adding at `nowMs`. */
  advance(nowMs: number): void {
    for (let scale = 0; scale < this.#scalesMin.length; scale++) {
      const tau = (this.#scalesMin[scale] ?? 1) * minuteMs;
      const landmark = this.#landmarksMs[scale] ?? 0;
      if (nowMs - landmark <= exponentMax * tau) continue;
      const factor = Math.exp(-(nowMs - landmark) / tau);
      const column = this.columns[scale];
      if (column) for (let i = 0; i < column.length; i++) column[i] = (column[i] ?? 0) * factor;
      this.#landmarksMs[scale] = nowMs;
    }
  }

  /** As if `ms` had not passed. */
  skip(ms: number): void {
    for (let scale = 0; scale < this.#landmarksMs.length; scale++) this.#landmarksMs[scale] = (this.#landmarksMs[scale] ?? 0) + ms;
  }

  /** What a request at `atMs` adds to each column. */
  weights(atMs: number): Float64Array {
    return Float64Array.from(this.#scalesMin, (tau, scale) => Math.exp((atMs - (this.#landmarksMs[scale] ?? 0)) / (tau * minuteMs)));
  }

  /** What turns each column into decayed counts as of `nowMs`. */
  factors(nowMs: number): Float64Array {
    return this.weights(nowMs).map((weight) => 1 / weight);
  }

  add(hash: number, count: number, weights: Float64Array): void {
    const entry = this.#claim(hash);
    for (let scale = 0; scale < weights.length; scale++) {
      const column = this.columns[scale];
      if (column) column[entry] = (column[entry] ?? 0) + count * (weights[scale] ?? 0);
    }
  }

  /** Writes the entries in use, column by column. */
  write(writer: ByteWriter): void {
    for (const landmark of this.#landmarksMs) writer.double(landmark);
    const used = new Uint32Array(this.#tags.length);
    let length = 0;
    for (let entry = 0; entry < used.length; entry++) if (this.#tags[entry] !== 0) used[length++] = entry;
    const entries = used.subarray(0, length);
    writer.uint(length);
    writer.raw(bytesOf(entries));
    for (const column of [this.#tags, ...this.columns]) {
      const part = column instanceof Uint32Array ? new Uint32Array(length) : new Float32Array(length);
      for (let i = 0; i < length; i++) part[i] = column[entries[i] ?? 0] ?? 0;
      writer.raw(bytesOf(part));
    }
  }

  /** Reads into an empty table of equal size. Numbers that can't be counts become 0; entries that there can't be are left out. */
  read(reader: ByteReader): void {
    for (let scale = 0; scale < this.#landmarksMs.length; scale++) {
      const landmark = reader.double();
      this.#landmarksMs[scale] = Number.isFinite(landmark) && landmark > 0 ? landmark : 0;
    }
    const length = reader.length(4 * (2 + this.columns.length));
    const entries = new Uint32Array(length);
    bytesOf(entries).set(reader.raw(entries.byteLength));
    for (const column of [this.#tags, ...this.columns]) {
      const part = column instanceof Uint32Array ? new Uint32Array(length) : new Float32Array(length);
      bytesOf(part).set(reader.raw(part.byteLength));
      for (let i = 0; i < length; i++) {
        const entry = entries[i] ?? 0;
        const value = part[i] ?? 0;
        if (entry < column.length) column[entry] = value >= 0 && value < Infinity ? value : 0;
      }
    }
  }

  #claim(hash: number): number {
    const known = this.find(hash);
    if (known !== none) return known;
    const day = this.columns.at(-1);
    const from = (hash & (this.#sets - 1)) * ways;
    let weakest = from;
    for (let entry = from; entry < from + ways; entry++) {
      if (this.#tags[entry] === 0) {
        weakest = entry;
        break;
      }
      if ((day?.[entry] ?? 0) < (day?.[weakest] ?? 0)) weakest = entry;
    }
    this.#tags[weakest] = hash;
    for (const column of this.columns) column[weakest] = 0;
    return weakest;
  }
}

function bytesOf(column: Uint32Array | Float32Array): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength);
}

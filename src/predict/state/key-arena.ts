/**
 * The characters of many keys, one after the other in chunks of 256 KiB: a string of its own costs 16 to 40 bytes beside them. A key is a header (four times its
 * characters, and its kind; in base 128) and its characters: a byte each when all are up to U+00FF; else UTF-16, so that every string comes back exactly; or, when what
 * it begins with is a known folder (`key-folders.ts`), that one's number and the rest. Who owns a key knows its address; what is dead is reclaimed by moving
 * the rest of its chunk.
 */
import { Buffer } from 'node:buffer';
import { assert } from '../../kernel/index.ts';
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { KeyFolders } from './key-folders.ts';
import type { KeyHash } from './key-hash.ts';

const chunkBits = 18;
const chunkBytes = 1 << chunkBits;
const offsetMask = chunkBytes - 1;
/** Characters of a key. Longer ones are refused where they come from (`lineCharactersMax` of a trace, `limits.url`). */
const keyCharactersMax = 65_536;
/** A header of three bytes, a folder's number of two. */
const headerBytesMax = 5;
const chunksMax = 1 << (32 - chunkBits);
/** Kinds: a byte a character, two, a byte each behind a folder's number. */
const [narrow, broad, inFolder] = [0, 1, 2] as const;
/** The address of no key. */
export const nowhere = 0xffff_ffff;

export class KeyArena {
  readonly #folders = new KeyFolders();
  readonly #chunks: Buffer[] = [];
  /** Bytes in use in each chunk, and those of them whose keys are alive. */
  readonly #used: number[] = [];
  readonly #live: number[] = [];
  readonly #free: number[] = [];
  /** The chunk that is being filled. */
  #tail = -1;
  /** Where the characters of the key last looked at begin in its chunk, how many bytes they are, of which kind, and in which folder. */
  #at = 0;
  #length = 0;
  #kind = 0;
  #folder = -1;
  #scratch = new Uint8Array(256);

  get bytes(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, this.#folders.bytes);
  }

  /** Takes a key; returns its address. */
  append(key: string, wide: boolean): number {
    assert(key.length <= keyCharactersMax, 'a key is no longer than where it comes from allows');
    const folder = wide ? -1 : this.#folders.of(key);
    const first = folder < 0 ? 0 : this.#folders.at(folder)?.length ?? 0;
    const units = key.length - first;
    const chunk = this.#room((wide ? 2 * units : units) + headerBytesMax);
    const into = this.#chunks[chunk];
    const from = this.#used[chunk] ?? 0;
    if (!into) return nowhere;
    let at = writeNumber(into, from, 4 * units + (wide ? broad : folder < 0 ? narrow : inFolder));
    if (folder >= 0) at = writeNumber(into, at, folder);
    if (wide) for (let i = 0; i < key.length; i++, at += 2) into.writeUInt16LE(key.charCodeAt(i), at);
    else for (let i = first; i < key.length; i++) into[at++] = key.charCodeAt(i);
    this.#fill(chunk, at - from);
    return address(chunk, from);
  }

  /** Whether it is this key. */
  equals(where: number, key: string): boolean {
    const chunk = this.#look(where);
    const at = this.#at;
    if (this.#kind === broad) {
      if (this.#length !== 2 * key.length) return false;
      for (let i = 0; i < key.length; i++) if (((chunk[at + 2 * i] ?? 0) | ((chunk[at + 2 * i + 1] ?? 0) << 8)) !== key.charCodeAt(i)) return false;
      return true;
    }
    const folder = this.#kind === inFolder ? this.#folders.at(this.#folder) : undefined;
    const first = folder?.length ?? 0;
    if (this.#length !== key.length - first) return false;
    for (let i = 0; i < this.#length; i++) if (chunk[at + i] !== key.charCodeAt(first + i)) return false;
    for (let i = 0; folder && i < first; i++) if (folder[i] !== key.charCodeAt(i)) return false;
    return true;
  }

  /** Brings a key near the processor, who will need it soon. What it returns says nothing. */
  glance(where: number): number {
    return this.#chunks[where >>> chunkBits]?.[where & offsetMask] ?? 0;
  }

  /** The key as a string, made anew. */
  at(where: number): string {
    const chunk = this.#look(where);
    if (this.#kind === inFolder) return Buffer.from(this.#whole(chunk).buffer, 0, this.#length).toString('latin1');
    return chunk.toString(this.#kind === broad ? 'utf16le' : 'latin1', this.#at, this.#at + this.#length);
  }

  hashAt(where: number, hash: KeyHash): number {
    const chunk = this.#look(where);
    if (this.#kind === inFolder) return hash.ofBytes(this.#whole(chunk), 0, this.#length, false);
    return hash.ofBytes(chunk, this.#at, this.#length, this.#kind === broad);
  }

  /** The key is nobody's any more. Returns its chunk when more than a quarter of that is dead now, to be emptied by `move` and `drop`; else −1. */
  release(where: number): number {
    const chunk = where >>> chunkBits;
    this.#look(where);
    const live = (this.#live[chunk] ?? 0) - (this.#at + this.#length - (where & offsetMask));
    this.#live[chunk] = live;
    return chunk !== this.#tail && live < 0.75 * (this.#used[chunk] ?? 0) ? chunk : -1;
  }

  /** Addresses of all keys that were ever put to a chunk. */
  keysOf(chunk: number): number[] {
    const found: number[] = [];
    for (let offset = 0; offset < (this.#used[chunk] ?? 0);) {
      found.push(address(chunk, offset));
      this.#look(address(chunk, offset));
      offset = this.#at + this.#length;
    }
    return found;
  }

  /** Copies a key to the end; returns its new address. */
  move(where: number): number {
    const from = this.#look(where);
    const start = where & offsetMask;
    const length = this.#at + this.#length - start;
    const chunk = this.#room(length);
    const to = this.#used[chunk] ?? 0;
    this.#chunks[chunk]?.set(from.subarray(start, start + length), to);
    this.#fill(chunk, length);
    return address(chunk, to);
  }

  /** Lets go of a chunk that nothing alive is in. */
  drop(chunk: number): void {
    this.#chunks[chunk] = Buffer.alloc(0);
    this.#used[chunk] = 0;
    this.#live[chunk] = 0;
    this.#free.push(chunk);
  }

  write(writer: ByteWriter): void {
    this.#folders.write(writer);
    writer.uint(this.#chunks.length);
    this.#chunks.forEach((chunk, number) => {
      const used = this.#used[number] ?? 0;
      writer.uint(used);
      writer.view(chunk.subarray(0, used));
    });
  }

  /** Reads into an empty arena. What was written has to be claimed key by key. False when it can't be. */
  read(reader: ByteReader): boolean {
    if (!this.#folders.read(reader)) return false;
    const count = reader.length(1);
    if (count > chunksMax) return false;
    for (let chunk = 0; chunk < count; chunk++) {
      const used = reader.length(1);
      if (used > chunkBytes) return false;
      const bytes = Buffer.alloc(used);
      bytes.set(reader.raw(used));
      this.#chunks.push(bytes);
      this.#used.push(used);
      this.#live.push(0);
      if (used === 0) this.#free.push(chunk);
    }
    return true;
  }

  /** Says that an address that was read is a key's. False when there is none. */
  claim(where: number): boolean {
    const chunk = where >>> chunkBits;
    const used = this.#used[chunk] ?? 0;
    if ((where & offsetMask) >= used) return false;
    this.#look(where);
    const end = this.#at + this.#length;
    if (end > used || this.#length > 2 * keyCharactersMax || this.#kind > inFolder || (this.#kind === inFolder && this.#folder >= this.#folders.count)) return false;
    this.#live[chunk] = (this.#live[chunk] ?? 0) + end - (where & offsetMask);
    return true;
  }

  /** Finds the characters of a key; returns its chunk. */
  #look(where: number): Buffer {
    const chunk = this.#chunks[where >>> chunkBits] ?? empty();
    this.#at = where & offsetMask;
    const header = this.#number(chunk);
    this.#kind = header & 3;
    this.#length = this.#kind === broad ? (header >>> 2) * 2 : header >>> 2;
    if (this.#kind === inFolder) this.#folder = this.#number(chunk);
    return chunk;
  }

  /** Reads a number in base 128 and goes on behind it. */
  #number(chunk: Buffer): number {
    let byte = chunk[this.#at++] ?? 0;
    let number = byte & 0x7f;
    for (let shift = 7; byte >= 0x80 && shift < 28; shift += 7) {
      byte = chunk[this.#at++] ?? 0;
      number |= (byte & 0x7f) << shift;
    }
    return number;
  }

  /** The characters of a key in a folder, last looked at, and the folder's before them; `#length` is of both then. */
  #whole(chunk: Buffer): Uint8Array {
    const folder = this.#folders.at(this.#folder);
    const first = folder?.length ?? 0;
    const length = first + this.#length;
    if (length > this.#scratch.length) this.#scratch = new Uint8Array(2 * length);
    const scratch = this.#scratch;
    for (let i = 0; folder && i < first; i++) scratch[i] = folder[i] ?? 0;
    for (let i = first; i < length; i++) scratch[i] = chunk[this.#at + i - first] ?? 0;
    this.#length = length;
    return scratch;
  }

  #fill(chunk: number, bytes: number): void {
    this.#used[chunk] = (this.#used[chunk] ?? 0) + bytes;
    this.#live[chunk] = (this.#live[chunk] ?? 0) + bytes;
  }

  /** A chunk with room for so many bytes more. */
  #room(bytes: number): number {
    const used = this.#used[this.#tail] ?? chunkBytes;
    const tail = this.#chunks[this.#tail];
    if (tail && used + bytes <= chunkBytes) {
      if (used + bytes > tail.length) {
        const wider = Buffer.alloc(Math.min(chunkBytes, Math.max(2 * tail.length, used + bytes)));
        wider.set(tail);
        this.#chunks[this.#tail] = wider;
      }
      return this.#tail;
    }
    const chunk = this.#free.pop() ?? this.#chunks.length;
    assert(chunk < chunksMax, 'keys take no more than 4 GiB');
    // The first grows as it is needed: most tables are small.
    this.#chunks[chunk] = Buffer.alloc(chunk === 0 ? Math.max(bytes, 1024) : chunkBytes);
    this.#used[chunk] = 0;
    this.#live[chunk] = 0;
    this.#tail = chunk;
    return chunk;
  }
}

function empty(): Buffer {
  return Buffer.alloc(0);
}

function address(chunk: number, offset: number): number {
  return ((chunk << chunkBits) | offset) >>> 0;
}

/** Writes a number in base 128; returns where it ends. */
function writeNumber(into: Uint8Array, from: number, number: number): number {
  let at = from;
  let rest = number;
  for (; rest >= 0x80; rest >>>= 7) into[at++] = (rest & 0x7f) | 0x80;
  into[at++] = rest;
  return at;
}

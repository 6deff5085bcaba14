/**
 * Which blob is where, for all volumes, in typed arrays: about 45 bytes a blob and 8 more for each volume, so that a million
 * blobs on three volumes take some 70 MB. Open addressing with linear probing and backward-shift deletion (Knuth, TAOCP 3, §6.4,
 * algorithm R); the digest's first bytes are the hash.
 */
import { assert, type BlobDigest } from '../../kernel/index.ts';
import { digestFromBytes } from '../digest.ts';

const digestLength = 32;

/** A blob's place on one volume. `segment` 0 means none. */
export interface Place {
  readonly segment: number;
  readonly bodyOffset: number;
}

class Columns {
  segment: Uint32Array;
  offset: Uint32Array;
  constructor(capacity: number) {
    this.segment = new Uint32Array(capacity);
    this.offset = new Uint32Array(capacity);
  }
}

export class BlobIndex {
  #capacity: number;
  #slots: Int32Array;
  #digests: Buffer;
  #lengths: Uint32Array;
  readonly #volumes: Columns[];
  #used = 0;
  #free: number[] = [];
  #count = 0;
  #bytes = 0;

  constructor(volumes: number, capacity = 1024) {
    this.#capacity = capacity;
    this.#slots = new Int32Array(capacity * 2).fill(-1);
    this.#digests = Buffer.alloc(capacity * digestLength);
    this.#lengths = new Uint32Array(capacity);
    this.#volumes = Array.from({ length: volumes }, () => new Columns(capacity));
  }

  get count(): number {
    return this.#count;
  }

  /** Of bodies, each counted once however many copies there are. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The entry of this digest, or -1. */
  find(digest: Uint8Array): number {
    const mask = this.#slots.length - 1;
    for (let slot = hashOf(digest) & mask; ; slot = (slot + 1) & mask) {
      const id = this.#slots[slot] ?? -1;
      if (id < 0 || this.#same(id, digest)) return id;
    }
  }

  /** The entry of this digest, made when there is none. */
  add(digest: Uint8Array, bodyBytes: number): number {
    const known = this.find(digest);
    if (known >= 0) return known;
    if (this.#free.length === 0 && this.#used === this.#capacity) this.#grow();
    const id = this.#free.pop() ?? this.#used++;
    this.#digests.set(digest.subarray(0, digestLength), id * digestLength);
    this.#lengths[id] = bodyBytes;
    for (const volume of this.#volumes) volume.segment[id] = 0;
    this.#link(id);
    this.#count += 1;
    this.#bytes += bodyBytes;
    return id;
  }

  remove(id: number): void {
    const mask = this.#slots.length - 1;
    let hole = hashOf(this.digestAt(id)) & mask;
    while (this.#slots[hole] !== id) hole = (hole + 1) & mask;
    for (let next = (hole + 1) & mask; ; next = (next + 1) & mask) {
      const moved = this.#slots[next] ?? -1;
      if (moved < 0) break;
      const home = hashOf(this.digestAt(moved)) & mask;
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      this.#slots[hole] = moved;
      hole = next;
    }
    this.#slots[hole] = -1;
    this.#count -= 1;
    this.#bytes -= this.bodyBytes(id);
    this.#lengths[id] = 0;
    for (const volume of this.#volumes) volume.segment[id] = 0;
    this.#digests.fill(0, id * digestLength, (id + 1) * digestLength);
    this.#free.push(id);
  }

  /** A view of the digest; copy it before the next change. */
  digestAt(id: number): Uint8Array {
    return this.#digests.subarray(id * digestLength, (id + 1) * digestLength);
  }

  bodyBytes(id: number): number {
    return this.#lengths[id] ?? 0;
  }

  place(id: number, volume: number): Place | undefined {
    const columns = this.#columns(volume);
    const segment = columns.segment[id] ?? 0;
    return segment === 0 ? undefined : { segment, bodyOffset: columns.offset[id] ?? 0 };
  }

  setPlace(id: number, volume: number, place: Place | undefined): void {
    const columns = this.#columns(volume);
    columns.segment[id] = place?.segment ?? 0;
    columns.offset[id] = place?.bodyOffset ?? 0;
  }

  copies(id: number): number {
    let copies = 0;
    for (const volume of this.#volumes) if (volume.segment[id] !== 0) copies += 1;
    return copies;
  }

  /** Every entry there is now; entries may be removed while this runs, and added ones may be missed. */
  *ids(): Generator<number> {
    for (let id = 0; id < this.#used; id++) if (this.copies(id) > 0) yield id;
  }

  /**
   * The `limit` smallest digests after `cursor`, ascending. Digests are uniform, so a window of the key space with about that many in
   * it is looked at first and widened when it held too few: one pass over four bytes an entry, a few milliseconds for a million.
   */
  list(cursor: Uint8Array | undefined, limit: number): BlobDigest[] {
    const low = cursor ? hashOf(cursor) : 0;
    const after = cursor ? digestFromBytes(cursor) : '';
    let width = Math.ceil(((limit * 1.5 + 16) / Math.max(1, this.#count)) * 2 ** 32);
    for (;;) {
      const high = low + width;
      const found: BlobDigest[] = [];
      for (const id of this.ids()) {
        const prefix = this.#digests.readUInt32BE(id * digestLength);
        if (prefix < low || prefix > high) continue;
        const digest = digestFromBytes(this.digestAt(id));
        if (digest > after) found.push(digest);
      }
      if (found.length >= limit || high >= 2 ** 32) return found.sort().slice(0, limit);
      width *= 4;
    }
  }

  #columns(volume: number): Columns {
    const columns = this.#volumes[volume];
    assert(columns !== undefined, 'a known volume');
    return columns;
  }

  #same(id: number, digest: Uint8Array): boolean {
    return this.#digests.compare(digest, 0, digestLength, id * digestLength, (id + 1) * digestLength) === 0;
  }

  #link(id: number): void {
    const mask = this.#slots.length - 1;
    let slot = hashOf(this.digestAt(id)) & mask;
    while ((this.#slots[slot] ?? -1) >= 0) slot = (slot + 1) & mask;
    this.#slots[slot] = id;
  }

  #grow(): void {
    this.#capacity *= 2;
    const digests = Buffer.alloc(this.#capacity * digestLength);
    digests.set(this.#digests);
    this.#digests = digests;
    this.#lengths = widened(this.#lengths, this.#capacity);
    for (const volume of this.#volumes) {
      volume.segment = widened(volume.segment, this.#capacity);
      volume.offset = widened(volume.offset, this.#capacity);
    }
    this.#slots = new Int32Array(this.#capacity * 2).fill(-1);
    for (let id = 0; id < this.#used; id++) this.#link(id);
  }
}

function widened(column: Uint32Array, capacity: number): Uint32Array {
  const out = new Uint32Array(capacity);
  out.set(column);
  return out;
}

function hashOf(digest: Uint8Array): number {
  return (((digest[0] ?? 0) << 24) | ((digest[1] ?? 0) << 16) | ((digest[2] ?? 0) << 8) | (digest[3] ?? 0)) >>> 0;
}

/**
 * Numbers for strings: each key gets a small index that stays its own until it is released, so that everything about it
 * can live in typed-array columns. Released indexes are used again, the last released first.
 *
 * Characters lie in an arena (`key-arena.ts`), found through an open-addressing table of 4 bytes a place: the index, and 8 bits of the hash, so that only one in 256
 * of the other keys on the way is looked at; whether it is the key is decided by its characters. About 10 bytes a key beside its characters,
 * where a `Map` and an array of strings take 160.
 */
import { ForeshadowError, assert } from '../../kernel/index.ts';
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { KeyArena, nowhere } from './key-arena.ts';
import { KeyHash } from './key-hash.ts';
import { bytesOf, columnGrowth, widened } from './columns.ts';

/** An index takes 24 bits in a place of the table. */
const keysInTableMax = 0xff_fffe;
const indexMask = 0xff_ffff;
const fullestPart = 0.8;
/** Of the places; everything is hashed anew. */
const growth = 1.25;
const placesMin = 64;
/** Keys looked up together. */
const block = 256;
/** Strings made a moment ago, by the last bits of their index: who plans asks for the same busy keys every minute. */
const recentCount = 4096;

export class KeyTable<Key extends string> {
  readonly #hash: KeyHash;
  readonly #arena = new KeyArena();
  /** `nowhere` for an index that is nobody's. */
  #addresses = new Uint32Array(0);
  #span = 0;
  #size = 0;
  readonly #free: number[] = [];
  /** (hash & 255) << 24 | index + 1; 0: nothing here, and nothing further on that belongs before. */
  #places = new Int32Array(placesMin);
  readonly #recent: (Key | undefined)[] = Array.from<Key | undefined>({ length: recentCount }).fill(undefined);
  readonly #recentIndexes = new Int32Array(recentCount).fill(-1);

  /** `seed`: what those must not know who could choose keys that fall on one place. */
  constructor(seed = 0) {
    this.#hash = new KeyHash(seed);
  }

  /** Keys in the table. */
  get size(): number {
    return this.#size;
  }

  /** One more than the highest index ever given. */
  get span(): number {
    return this.#span;
  }

  get bytes(): number {
    return this.#arena.bytes + 4 * (this.#addresses.length + this.#places.length) + recentCount * 12;
  }

  indexOf(key: Key): number | undefined {
    const hash = this.#hash.ofString(key);
    const place = this.#find(key, hash);
    return place < 0 ? undefined : ((this.#places[place] ?? 0) & indexMask) - 1;
  }

  /**
   * Indexes of many keys, −1 for one that has none. As `indexOf`, but a few hundred keys are gone through step by step together, so that the processor waits for
   * memory once for many and not for each in turn: with a million keys, half the time.
   */
  indexesOf(keys: readonly Key[]): Int32Array {
    const found = new Int32Array(keys.length);
    const hashes = new Int32Array(Math.min(block, keys.length));
    const addresses = new Uint32Array(hashes.length);
    for (let from = 0; from < keys.length; from += block) {
      const to = Math.min(keys.length, from + block);
      for (let i = from; i < to; i++) hashes[i - from] = this.#hash.ofString(keys[i] ?? '');
      for (let i = 0; i < to - from; i++) addresses[i] = ((this.#places[this.#home(hashes[i] ?? 0)] ?? 0) & indexMask) - 1;
      for (let i = 0; i < to - from; i++) addresses[i] = this.#addresses[addresses[i] ?? 0] ?? nowhere;
      for (let i = 0; i < to - from; i++) addresses[i] = this.#arena.glance(addresses[i] ?? nowhere);
      for (let i = from; i < to; i++) {
        const key = keys[i];
        const place = key === undefined ? -1 : this.#find(key, hashes[i - from] ?? 0);
        found[i] = place < 0 ? -1 : ((this.#places[place] ?? 0) & indexMask) - 1;
      }
    }
    return found;
  }

  /** Whether the index is a key's. */
  has(index: number): boolean {
    return index < this.#span && this.#addresses[index] !== nowhere;
  }

  keyAt(index: number): Key | undefined {
    if (!this.has(index)) return undefined;
    const at = index & (recentCount - 1);
    if (this.#recentIndexes[at] === index) return this.#recent[at];
    const key = this.#arena.at(this.#addresses[index] ?? nowhere) as Key; // was one when it was taken in
    this.#recent[at] = key;
    this.#recentIndexes[at] = index;
    return key;
  }

  /** The key's index, given now if it had none. */
  intern(key: Key): number {
    const hash = this.#hash.ofString(key);
    const { wide } = this.#hash;
    const place = this.#find(key, hash);
    if (place >= 0) return ((this.#places[place] ?? 0) & indexMask) - 1;
    if (this.#size + 1 > fullestPart * this.#places.length) this.#rehash(Math.ceil(this.#places.length * growth));
    const index = this.#free.pop() ?? this.#span++;
    assert(index < keysInTableMax, 'a table holds 16 million keys');
    if (index >= this.#addresses.length) this.#addresses = widened(this.#addresses, Math.max(placesMin, Math.ceil(this.#addresses.length * columnGrowth)));
    this.#addresses[index] = this.#arena.append(key, wide);
    this.#size++;
    this.#put(index, hash);
    return index;
  }

  release(index: number): void {
    if (!this.has(index)) return;
    const address = this.#addresses[index] ?? nowhere;
    this.#unplace(index, this.#hashAt(address));
    this.#addresses[index] = nowhere;
    this.#size--;
    this.#free.push(index);
    if (this.#recentIndexes[index & (recentCount - 1)] === index) this.#recentIndexes[index & (recentCount - 1)] = -1;
    const chunk = this.#arena.release(address);
    if (chunk >= 0) this.#empty(chunk);
  }

  /** Indexes in use, ascending. */
  indexes(): Int32Array {
    const used = new Int32Array(this.#size);
    for (let index = 0, at = 0; index < this.#span; index++) if (this.#addresses[index] !== nowhere) used[at++] = index;
    return used;
  }

  /** Writes the keys and their indexes. */
  write(writer: ByteWriter): void {
    writer.uint(this.#span);
    writer.view(bytesOf(this.#addresses.subarray(0, this.#span)));
    this.#arena.write(writer);
  }

  /** Reads into an empty table; every key has the index it had, and free ones are used again from the lowest. Throws `bytes-invalid` for what is none. */
  read(reader: ByteReader): void {
    const span = reader.length(4);
    this.#addresses = new Uint32Array(span);
    bytesOf(this.#addresses).set(reader.raw(4 * span));
    this.#span = span;
    let sound = span < keysInTableMax && this.#arena.read(reader);
    let size = 0;
    for (let index = 0; index < span && sound; index++) {
      const address = this.#addresses[index] ?? nowhere;
      if (address === nowhere) continue;
      size++;
      sound = this.#arena.claim(address);
    }
    this.#places = new Int32Array(Math.max(placesMin, Math.ceil((size * growth) / fullestPart)));
    for (let index = span - 1; index >= 0 && sound; index--) {
      const address = this.#addresses[index] ?? nowhere;
      if (address === nowhere) {
        this.#free.push(index);
        continue;
      }
      const hash = this.#hashAt(address);
      sound = !this.#holds(address, hash);
      this.#put(index, hash);
      this.#size++;
    }
    if (!sound) throw new ForeshadowError('bytes-invalid', { source: 'internal', message: 'a table of keys can not be read: what it says of itself does not agree', hint: 'run the same version of Foreshadow everywhere' });
  }

  /** Where the key is; −1 for nowhere. */
  #find(key: Key, hash: number): number {
    const places = this.#places;
    const tag = hash << 24;
    for (let at = this.#home(hash); ; at = at + 1 === places.length ? 0 : at + 1) {
      const place = places[at] ?? 0;
      if (place === 0) return -1;
      if ((place ^ tag) >>> 24 === 0 && this.#arena.equals(this.#addresses[(place & indexMask) - 1] ?? nowhere, key)) return at;
    }
  }

  /** Whether the same key is there already. */
  #holds(address: number, hash: number): boolean {
    const places = this.#places;
    const tag = hash << 24;
    for (let at = this.#home(hash); ; at = at + 1 === places.length ? 0 : at + 1) {
      const place = places[at] ?? 0;
      if (place === 0) return false;
      if ((place ^ tag) >>> 24 === 0 && this.#arena.equals(this.#addresses[(place & indexMask) - 1] ?? nowhere, this.#arena.at(address))) return true;
    }
  }

  #put(index: number, hash: number): void {
    const places = this.#places;
    let at = this.#home(hash);
    while (places[at] !== 0) at = at + 1 === places.length ? 0 : at + 1;
    places[at] = (hash << 24) | (index + 1);
  }

  /** Takes an index out, and lets those behind it move up that were kept from their place. */
  #unplace(index: number, hash: number): void {
    const places = this.#places;
    const { length } = places;
    let hole = this.#home(hash);
    while (((places[hole] ?? 0) & indexMask) !== index + 1) hole = hole + 1 === length ? 0 : hole + 1;
    for (let at = hole + 1 === length ? 0 : hole + 1; places[at] !== 0; at = at + 1 === length ? 0 : at + 1) {
      const place = places[at] ?? 0;
      const home = this.#home(this.#hashAt(this.#addresses[(place & indexMask) - 1] ?? nowhere));
      // How far it is from its home is less than how far the hole is: it has to stay behind it.
      if ((at - home + length) % length < (at - hole + length) % length) continue;
      places[hole] = place;
      hole = at;
    }
    places[hole] = 0;
  }

  #rehash(length: number): void {
    this.#places = new Int32Array(length);
    for (let index = 0; index < this.#span; index++) {
      const address = this.#addresses[index] ?? nowhere;
      if (address !== nowhere) this.#put(index, this.#hashAt(address));
    }
  }

  /** Moves what is alive in a chunk to the end. A key is alive when the table finds it where it lies. */
  #empty(chunk: number): void {
    for (const address of this.#arena.keysOf(chunk)) {
      const places = this.#places;
      const hash = this.#hashAt(address);
      for (let at = this.#home(hash); places[at] !== 0; at = at + 1 === places.length ? 0 : at + 1) {
        const index = ((places[at] ?? 0) & indexMask) - 1;
        if (this.#addresses[index] !== address) continue;
        this.#addresses[index] = this.#arena.move(address);
        break;
      }
    }
    this.#arena.drop(chunk);
  }

  #hashAt(address: number): number {
    return this.#arena.hashAt(address, this.#hash);
  }

  #home(hash: number): number {
    return Math.floor(((hash >>> 0) / 0x1_0000_0000) * this.#places.length);
  }
}

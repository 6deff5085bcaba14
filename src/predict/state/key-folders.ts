/**
 * What many keys begin with: everything up to their last slash, once it was seen often enough to be worth a number. Learned as keys come, never forgotten (keys
 * refer to it), and bounded.
 */
import { Buffer } from 'node:buffer';
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';

/** Folders that have a number. */
export const keyFoldersMax = 4096;
/** Characters of one; shorter ones spare nothing. */
const charactersMin = 4;
const charactersMax = 255;
/** Keys of a folder before it gets a number, and folders that are counted towards that: when they are too many, counting begins anew. */
const keysMin = 16;
const countedMax = 8192;

export class KeyFolders {
  readonly #numbers = new Map<string, number>();
  /** The characters of each, a byte each. */
  readonly #folders: Uint8Array[] = [];
  readonly #counted = new Map<string, number>();

  get bytes(): number {
    return 100 * (this.#folders.length + this.#counted.size);
  }

  /** The number of the folder that a key begins with, −1 for none. Takes note of the key. Only keys without characters beyond U+00FF. */
  of(key: string): number {
    const length = key.lastIndexOf('/') + 1;
    if (length < charactersMin || length > charactersMax) return -1;
    const folder = key.slice(0, length);
    const known = this.#numbers.get(folder);
    if (known !== undefined) return known;
    if (this.#folders.length >= keyFoldersMax) return -1;
    const keys = (this.#counted.get(folder) ?? 0) + 1;
    if (keys < keysMin) {
      if (this.#counted.size >= countedMax) this.#counted.clear();
      this.#counted.set(folder, keys);
      return -1;
    }
    this.#counted.delete(folder);
    return this.#number(new Uint8Array(Buffer.from(folder, 'latin1')));
  }

  /** Folders with a number: 0 to this, less one. */
  get count(): number {
    return this.#folders.length;
  }

  /** The characters of a folder, a byte each; undefined for a number that was not given. */
  at(number: number): Uint8Array | undefined {
    return this.#folders[number];
  }

  write(writer: ByteWriter): void {
    writer.uint(this.#folders.length);
    for (const folder of this.#folders) {
      writer.uint(folder.length);
      writer.raw(folder);
    }
  }

  /** Reads what was written. False for what is not a list of folders. */
  read(reader: ByteReader): boolean {
    const length = reader.length(1 + charactersMin);
    for (let i = 0; i < length; i++) this.#number(reader.raw(reader.length(1)).slice());
    return length <= keyFoldersMax && this.#numbers.size === length;
  }

  #number(folder: Uint8Array): number {
    // From its bytes, for a slice would keep the key that it was cut from in memory.
    this.#numbers.set(Buffer.from(folder).toString('latin1'), this.#folders.length);
    return this.#folders.push(folder) - 1;
  }
}

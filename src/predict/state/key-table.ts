/**
 * Numbers for strings: each key gets a small index that stays its own until it is released, so that everything about it
 * can live in typed-array columns. Released indexes are used again, the last released first.
 */
export class KeyTable<Key extends string> {
  readonly #indexes = new Map<Key, number>();
  readonly #keys: (Key | undefined)[] = [];
  readonly #free: number[] = [];

  /** Keys in the table. */
  get size(): number {
    return this.#indexes.size;
  }

  /** One more than the highest index ever given. */
  get span(): number {
    return this.#keys.length;
  }

  indexOf(key: Key): number | undefined {
    return this.#indexes.get(key);
  }

  /** Whether the index is a key's. */
  has(index: number): boolean {
    return this.#keys[index] !== undefined;
  }

  keyAt(index: number): Key | undefined {
    return this.#keys[index];
  }

  /** The key's index, given now if it had none. */
  intern(key: Key): number {
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const index = this.#free.pop() ?? this.#keys.length;
    this.#keys[index] = key;
    this.#indexes.set(key, index);
    return index;
  }

  release(index: number): void {
    const key = this.#keys[index];
    if (key === undefined) return;
    this.#indexes.delete(key);
    this.#keys[index] = undefined;
    this.#free.push(index);
  }

  /** Indexes in use, ascending. */
  indexes(): number[] {
    const used: number[] = [];
    for (let index = 0; index < this.#keys.length; index++) if (this.#keys[index] !== undefined) used.push(index);
    return used;
  }
}

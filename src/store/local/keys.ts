/** Keys of the local index: hashes with seeds of the store's own, because resource names are longer than LMDB's keys may be. */
import type { FillingId } from '../../compose/types.ts';
import type { ResourceKey, VariationKey } from '../../kernel/index.ts';

const after = Buffer.alloc(9, 0xff);

export class LocalKeys {
  readonly #first: bigint;
  readonly #second: bigint;

  constructor(seeds: readonly [string, string]) {
    this.#first = BigInt(seeds[0]);
    this.#second = BigInt(seeds[1]);
  }

  /** 24 bytes. Colliding names are told apart by the record itself. */
  record(resource: ResourceKey, variation: VariationKey): Buffer {
    const key = Buffer.allocUnsafe(24);
    key.writeBigUInt64LE(Bun.hash.xxHash3(resource, this.#first), 0);
    key.writeBigUInt64LE(Bun.hash.xxHash3(resource, this.#second), 8);
    key.writeBigUInt64LE(Bun.hash.xxHash3(variation, this.#first), 16);
    return key;
  }

  /** 16 bytes. */
  filling(id: FillingId): Buffer {
    const key = Buffer.allocUnsafe(16);
    key.writeBigUInt64LE(Bun.hash.xxHash3(id, this.#first), 0);
    key.writeBigUInt64LE(Bun.hash.xxHash3(id, this.#second), 8);
    return key;
  }

  /** Every record key of a resource. */
  rangeOf(resource: ResourceKey): { start: Buffer; end: Buffer } {
    const prefix = Buffer.allocUnsafe(16);
    prefix.writeBigUInt64LE(Bun.hash.xxHash3(resource, this.#first), 0);
    prefix.writeBigUInt64LE(Bun.hash.xxHash3(resource, this.#second), 8);
    return { start: prefix, end: Buffer.concat([prefix, after]) };
  }
}

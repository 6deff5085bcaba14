/**
 * The reading side of the local store: synchronous, never waiting for a write. What is read is checked against its sum; what is not sound is left out
 * and counted, never thrown at the request. A damaged body is reported, so that it is dropped.
 */
import type { BlobDigest, Log, ResourceKey, VariationKey } from '../../kernel/index.ts';
import { messageOf } from '../../kernel/index.ts';
import { PairCache, type ShadowRecord } from '../../catalog/index.ts';
import { digestBytes } from '../digest.ts';
import type { BodyPlace, BodyReader } from './body-files.ts';
import type { LocalDatabase } from './database.ts';
import { decodeCopies, decodePlace, variationOf } from './entry.ts';
import type { LocalKeys } from './keys.ts';

export class Reading {
  /** Damaged values and bodies met. */
  corrupt = 0;
  readonly pairs = new PairCache();
  readonly #database: LocalDatabase;
  readonly #keys: LocalKeys;
  readonly #log: Log;

  constructor(database: LocalDatabase, keys: LocalKeys, log: Log) {
    this.#database = database;
    this.#keys = keys;
    this.#log = log;
  }

  records(resource: ResourceKey, variation: VariationKey): readonly ShadowRecord[] {
    const value = this.attempt(() => this.#database.records.get(this.#keys.record(resource, variation)), undefined);
    const copies = value && decodeCopies(value, this.pairs);
    if (value && !copies) this.corrupt += 1;
    const [first] = copies ?? [];
    return first && first.record.resource === resource && first.record.variation === variation ? copies?.map((copy) => copy.record) ?? [] : [];
  }

  variations(resource: ResourceKey): readonly VariationKey[] {
    return this.attempt(() => {
      const found: VariationKey[] = [];
      for (const { value } of this.#database.records.getRange(this.#keys.rangeOf(resource))) {
        const variation = variationOf(value);
        if (variation === undefined) this.corrupt += 1;
        else found.push(variation);
      }
      return found;
    }, []);
  }

  place(digest: BlobDigest): BodyPlace | undefined {
    const value = this.attempt(() => this.#database.bodies.get(digestBytes(digest)), undefined);
    const place = value && decodePlace(value);
    if (value && !place) this.corrupt += 1;
    return place;
  }

  body(digest: BlobDigest, files: BodyReader, drop: (digest: BlobDigest, place: BodyPlace) => void): Uint8Array | undefined {
    const place = this.place(digest);
    const body = place && files.read(place);
    if (!place || body) return body;
    this.corrupt += 1;
    this.#log.warn('local-body-corrupt', { digest });
    drop(digest, place);
    return undefined;
  }

  attempt<T>(read: () => T, otherwise: T): T {
    try {
      return read();
    } catch (error) {
      this.corrupt += 1;
      this.#log.error('local-index-unreadable', { error: messageOf(error) });
      return otherwise;
    }
  }
}

/**
 * Brings newer catalog versions into the edge's local store: records whose bodies are not there yet are fetched from the
 * blob store, in small batches with room for requests in between. A version counts as applied when all of it is. What can't be
 * had now is tried again with the next pull; until then the edge serves what it has.
 */
import type { CatalogReader, CatalogDelta, ShadowRecord } from '../catalog/index.ts';
import { messageOf, type BlobDigest, type Log, type ResourceKey, type VariationKey } from '../kernel/index.ts';
import type { LocalStore } from '../store/index.ts';
import type { Copies } from './copies.ts';

/** Records applied before requests get a turn. */
const batchRecords = 32;

export interface PullerOptions {
  readonly reader: CatalogReader;
  readonly bodies: { get(digest: BlobDigest): Promise<Uint8Array | undefined> };
  readonly local: LocalStore;
  readonly copies: Copies;
  readonly log: Log;
}

export class CatalogPuller {
  readonly #options: PullerOptions;
  #running: Promise<void> | undefined;
  #again = false;
  #closed = false;

  constructor(options: PullerOptions) {
    this.#options = options;
  }

  /** Pulls whatever is newer. Calls while one is under way make it look once more. */
  pull(): Promise<void> {
    if (this.#running) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#pullAll().catch((error: unknown) => {
      this.#options.log.warn('catalog-pull-failed', { problem: messageOf(error), hint: 'serving goes on from the local copies; it is tried again' });
    }).finally(() => { this.#running = undefined; });
    return this.#running;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#running;
  }

  async #pullAll(): Promise<void> {
    do {
      this.#again = false;
      for await (const delta of this.#options.reader.since(this.#options.local.appliedVersion())) {
        if (this.#closed) return;
        await this.#apply(delta);
      }
    } while (this.#again && !this.#closed);
  }

  async #apply(delta: CatalogDelta): Promise<void> {
    const { local } = this.#options;
    let missing = 0;
    for (let from = 0; from < delta.put.length; from += batchRecords) {
      if (this.#closed) return;
      const applied = await Promise.all(delta.put.slice(from, from + batchRecords).map((record) => this.#applyRecord(record)));
      missing += applied.filter((there) => !there).length;
      await new Promise<void>((resolve) => { setImmediate(resolve); });
    }
    for (const id of delta.remove) await this.#remove(id);
    if (missing > 0) this.#options.log.warn('catalog-bodies-missing', { version: delta.version, missing, hint: 'the copies concerned are made again by the generator' });
    await local.setAppliedVersion(delta.version);
  }

  async #applyRecord(record: ShadowRecord): Promise<boolean> {
    const { local, copies, bodies } = this.#options;
    if (local.hasBody(record.body)) {
      await copies.apply(record, undefined);
      return true;
    }
    const body = await bodies.get(record.body);
    if (!body) return false;
    await copies.apply(record, body);
    return true;
  }

  /** A `shadowId`: resource, variation and varied headers, a line each. */
  async #remove(id: string): Promise<void> {
    const [resource = '', variation = '', ...varied] = id.split('\n');
    const vary = varied.map((line): [string, string] => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)];
    });
    await this.#options.copies.remove(resource as ResourceKey, variation as VariationKey, vary); // parts of an id that the catalog made from these types
  }
}

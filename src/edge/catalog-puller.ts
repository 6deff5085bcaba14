/**
 * Brings newer catalog versions into the edge's local store: records whose bodies are not there yet are fetched from the
 * blob store, in small batches with room for requests in between. A body that can't be had is reported (the brain looks after
 * it, and has the copy made again where it is lost) and asked for again with the next pulls; until then the edge serves what it has.
 */
import { partsOfShadowId, shadowId, type CatalogReader, type CatalogDelta, type ShadowRecord } from '../catalog/index.ts';
import { messageOf, type BlobDigest, type Log } from '../kernel/index.ts';
import type { LocalStore } from '../store/index.ts';
import type { Copies } from './copies.ts';

/** Records applied before requests get a turn. */
const batchRecords = 32;
/** Records whose bodies are waited for; of more the oldest are given up until the catalog names them again. */
const missingMax = 10_000;

export interface PullerOptions {
  readonly reader: CatalogReader;
  readonly bodies: { get(digest: BlobDigest): Promise<Uint8Array | undefined> };
  readonly local: LocalStore;
  readonly copies: Copies;
  /** Told of records whose bodies are nowhere. */
  readonly missing: (records: readonly ShadowRecord[]) => void;
  readonly log: Log;
}

export class CatalogPuller {
  readonly #options: PullerOptions;
  readonly #missing = new Map<string, ShadowRecord>();
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
      await this.#putAll([...this.#missing.values()]);
      for await (const delta of this.#options.reader.since(this.#options.local.appliedVersion())) {
        if (this.#closed) return;
        await this.#apply(delta);
      }
    } while (this.#again && !this.#closed);
  }

  async #apply(delta: CatalogDelta): Promise<void> {
    const { local, copies, log } = this.#options;
    const missing = await this.#putAll(delta.put);
    if (this.#closed) return;
    for (const id of delta.remove) await this.#remove(id);
    if (delta.full) {
      const listed = new Set(delta.put.map(shadowId));
      if (await local.removeUnlisted((id) => listed.has(id)) > 0) copies.forgetMemory();
    }
    if (missing > 0) log.warn('catalog-bodies-missing', { version: delta.version, missing, hint: 'the brain looks for them, and has made again what is lost' });
    await local.setAppliedVersion(delta.version);
  }

  /** Returns how many had no body to be found. */
  async #putAll(records: readonly ShadowRecord[]): Promise<number> {
    const missing: ShadowRecord[] = [];
    for (let from = 0; from < records.length && !this.#closed; from += batchRecords) {
      const batch = records.slice(from, from + batchRecords);
      const applied = await Promise.all(batch.map((record) => this.#put(record)));
      missing.push(...batch.filter((_, index) => applied[index] === false));
      await new Promise<void>((resolve) => { setImmediate(resolve); });
    }
    for (const id of this.#missing.keys()) {
      if (this.#missing.size <= missingMax) break;
      this.#missing.delete(id);
    }
    if (missing.length > 0) this.#options.missing(missing);
    return missing.length;
  }

  async #put(record: ShadowRecord): Promise<boolean> {
    const { local, copies, bodies } = this.#options;
    const id = shadowId(record);
    const body = local.hasBody(record.body) ? 'there' : await bodies.get(record.body);
    if (body === undefined) {
      this.#missing.set(id, record);
      return false;
    }
    this.#missing.delete(id);
    await copies.apply(record, body === 'there' ? undefined : body);
    return true;
  }

  async #remove(id: string): Promise<void> {
    this.#missing.delete(id);
    const { resource, variation, vary } = partsOfShadowId(id);
    await this.#options.copies.remove(resource, variation, vary);
  }
}

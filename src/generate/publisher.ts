/**
 * Turns what has been prepared since the last time into one new catalog version: bodies first (`sync`), then the catalog,
 * then word of it. Copies that only grew younger wait a while for others. What could not be published stays pending and goes with the next. Also the gate between
 * writing bodies and collecting unused ones: a body that is written and not yet in a version must not be swept away.
 */
import { noChange, partsOfShadowId, shadowId, type Catalog, type CatalogDelta, type CatalogRule, type ShadowRecord } from '../catalog/index.ts';
import { messageOf, type BlobDigest, type Clock, type Log } from '../kernel/index.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { Holdings } from './holdings.ts';

/** What publishing needs of the catalog. */
export type CatalogWriter = Pick<Catalog, 'head' | 'publish' | 'liveBlobs'>;

export interface PublisherParts {
  readonly catalog: CatalogWriter;
  readonly blobs: BlobStore;
  readonly holdings: Holdings;
  readonly clock: Clock;
  readonly log: Log;
  readonly onPublished: (version: number) => void;
  /** How long copies that were only renewed wait for others. */
  readonly renewalsMs: number;
}

/** How long to rest after storage failed: doubling from the first to the longest. */
const restFirstMs = 2000;
const restMaxMs = 60_000;

export class Publisher {
  readonly #parts: PublisherParts;
  #put = new Map<string, ShadowRecord>();
  #remove = new Set<string>();
  #rules: CatalogRule[] = [];
  /** Something is pending that changes what is answered; not only ages. */
  #changed = false;
  /** Since when something is pending, on the monotonic clock. */
  #pendingSinceMs = 0;
  #writing = 0;
  #collecting: Promise<void> | undefined;
  #publishing: Promise<void> | undefined;
  #idle: (() => void) | undefined;
  #failures = 0;
  #failuresInRow = 0;
  #restUntilMs = 0;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  get pending(): number {
    return this.#put.size + this.#remove.size + this.#rules.length;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Whether storage failed a moment ago: nothing is worth asking the origin for that can't be kept. */
  get resting(): boolean {
    return this.#parts.clock.monotonicMs() < this.#restUntilMs;
  }

  /** Writes a body; it and the record made from it in `record` become visible to collection together. */
  async keep(body: Uint8Array, record: (digest: BlobDigest) => ShadowRecord): Promise<ShadowRecord> {
    while (this.#collecting) await this.#collecting;
    this.#writing++;
    try {
      const made = record(await this.#parts.blobs.put(body));
      this.#failuresInRow = 0;
      this.put(made);
      return made;
    } catch (error) {
      this.#rest();
      throw error;
    } finally {
      if (--this.#writing === 0) this.#idle?.();
    }
  }

  /** A record whose body is kept already. One that a newer answer has overtaken is left out. */
  put(record: ShadowRecord): void {
    const id = shadowId(record);
    const held = this.#parts.holdings.get(id, record.resource);
    if (held && held.responseTimeMs > record.responseTimeMs) return;
    this.#note(!held || held.body !== record.body || held.status !== record.status);
    this.#remove.delete(id);
    this.#put.set(id, record);
    this.#parts.holdings.put(record);
  }

  remove(record: ShadowRecord): void {
    const id = shadowId(record);
    this.#note(true);
    this.#put.delete(id);
    this.#remove.add(id);
    this.#parts.holdings.remove(record);
  }

  /** Rules that come into force with the next version. */
  announce(rules: readonly CatalogRule[]): void {
    this.#note(true);
    this.#rules.push(...rules);
  }

  /** Publishes, in turn with all other versions, one that `make` makes of the newest; what it brings back or takes away is what there is from then on. */
  async goBack(make: (base: number) => Promise<CatalogDelta>): Promise<void> {
    await this.publish();
    while (this.#publishing) await this.#publishing;
    const { catalog, holdings, onPublished } = this.#parts;
    const made = make(catalog.head()).then((delta) => {
      for (const id of delta.remove) {
        const held = holdings.get(id, partsOfShadowId(id).resource);
        if (held) holdings.remove(held);
      }
      for (const record of delta.put) holdings.put(record);
      onPublished(delta.version);
    });
    this.#publishing = made.catch(() => undefined);
    try {
      await made;
    } finally {
      this.#publishing = undefined;
    }
  }

  /** Publishes what is pending, unless it is only younger ages, which wait for more: else a quiet site would write a version each second. */
  async publishDue(): Promise<void> {
    if (this.#changed || this.#parts.clock.monotonicMs() - this.#pendingSinceMs >= this.#parts.renewalsMs) await this.publish();
  }

  /** Publishes what is pending; at most one version is made at a time. */
  async publish(): Promise<void> {
    while (this.#publishing) await this.#publishing;
    if (this.pending === 0) return;
    this.#publishing = this.#publishOnce();
    try {
      await this.#publishing;
    } finally {
      this.#publishing = undefined;
    }
  }

  /** Frees bodies that no copy uses, here or in a version that is kept. */
  async collect(): Promise<{ readonly blobs: number; readonly bytes: number }> {
    while (this.#collecting) await this.#collecting;
    let done = (): void => undefined;
    this.#collecting = new Promise((resolve) => { done = resolve; });
    try {
      if (this.#writing > 0) await new Promise<void>((resolve) => { this.#idle = resolve; });
      await this.publish();
      const live = this.#parts.catalog.liveBlobs();
      for (const digest of this.#parts.holdings.bodies()) live.add(digest);
      return await this.#parts.blobs.collect(live);
    } finally {
      this.#idle = undefined;
      this.#collecting = undefined;
      done();
    }
  }

  async #publishOnce(): Promise<void> {
    const { blobs, catalog, holdings, log, onPublished } = this.#parts;
    const put = this.#put;
    const remove = this.#remove;
    const rules = this.#rules;
    this.#rules = [];
    this.#put = new Map();
    this.#remove = new Set();
    this.#changed = false;
    try {
      await blobs.sync();
      const delta = await catalog.publish(catalog.head(), { ...noChange, put: [...put.values()], remove: [...remove], rules });
      for (const record of delta.put) holdings.adopt(record);
      onPublished(delta.version);
    } catch (error) {
      this.#failures++;
      this.#rest();
      log.error('publish-failed', { put: put.size, remove: remove.size, problem: messageOf(error) });
      this.#rules.unshift(...rules);
      this.#putBack(put, remove);
    }
  }

  #rest(): void {
    const restMs = Math.min(restMaxMs, restFirstMs * 2 ** Math.min(10, this.#failuresInRow++));
    this.#restUntilMs = this.#parts.clock.monotonicMs() + restMs;
  }

  #note(changed: boolean): void {
    if (this.pending === 0) this.#pendingSinceMs = this.#parts.clock.monotonicMs();
    this.#changed ||= changed;
  }

  /** Newer word on the same copy wins. */
  #putBack(put: ReadonlyMap<string, ShadowRecord>, remove: ReadonlySet<string>): void {
    this.#note(true);
    for (const [id, record] of put) if (!this.#put.has(id) && !this.#remove.has(id)) this.#put.set(id, record);
    for (const id of remove) if (!this.#put.has(id)) this.#remove.add(id);
  }
}

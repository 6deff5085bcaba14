/**
 * Turns what has been prepared since the last time into one new catalog version: bodies first (`sync`), then the catalog,
 * then word of it. Copies that only grew younger wait a while for others. What could not be published stays pending and goes with the next. Also the gate between
 * writing bodies and collecting unused ones: a body that is written and not yet in a version must not be swept away.
 */
import { partsOfShadowId, shadowId, type Catalog, type CatalogDelta, type CatalogRule, type ShadowRecord } from '../catalog/index.ts';
import type { FeedKey, Filling, FillingId } from '../compose/types.ts';
import { messageOf, type BlobDigest, type Clock, type Log, type ResourceKey } from '../kernel/index.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { Holdings } from './holdings.ts';
import { PendingChange } from './pending-change.ts';

/** What publishing needs of the catalog. */
export type CatalogWriter = Pick<Catalog, 'head' | 'get' | 'publish' | 'liveBlobs' | 'rules'>;

/** Who makes what fills the slots of copies. */
export interface FillingSource {
  /** There is a copy of it now; there is none any more. */
  want(resource: ResourceKey): void;
  unwant(resource: ResourceKey): void;
  /** What is under way is handed over, or has taken long enough. */
  finish(): Promise<void>;
  /** When each feed was last heard whose fillings have all been handed over. */
  heard(): readonly (readonly [feed: FeedKey, heardMs: number])[];
  /** A version with these times and fillings is published. */
  published(heard: readonly (readonly [feed: FeedKey, heardMs: number])[]): void;
  /** A version went back to other fillings than were handed over last. */
  handAgain(ids: readonly FillingId[]): void;
}

export interface PublisherParts {
  readonly catalog: CatalogWriter;
  readonly blobs: BlobStore;
  readonly holdings: Holdings;
  /** Bodies that are written and named by pages which are not to be published yet. */
  readonly waiting: () => Iterable<BlobDigest>;
  readonly clock: Clock;
  readonly log: Log;
  readonly onPublished: (version: number) => void;
  /** How long copies that were only renewed wait for others. */
  readonly renewalsMs: number;
  /** Absent where no route has slots to fill. */
  readonly slots?: FillingSource | undefined;
}

/** How long to rest after storage failed: doubling from the first to the longest. */
const restFirstMs = 2000;
const restMaxMs = 60_000;

export class Publisher {
  readonly #parts: PublisherParts;
  #next = new PendingChange();
  /** On its way into a version. */
  #underWay: PendingChange | undefined;
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
  /** When the last version was begun, on the monotonic clock. */
  #publishedMs = -Infinity;

  constructor(parts: PublisherParts) {
    this.#parts = parts;
  }

  get pending(): number {
    return this.#next.size;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Whether storage failed a moment ago: nothing is worth asking the origin for that can't be kept. */
  get resting(): boolean {
    return this.#parts.clock.monotonicMs() < this.#restUntilMs;
  }

  /** Bodies written within `work` are safe from collection until it ends; by then something must name them: a record, or a page in waiting. */
  async writing<Made>(work: (put: (body: Uint8Array) => Promise<BlobDigest>) => Promise<Made>): Promise<Made> {
    while (this.#collecting) await this.#collecting;
    this.#writing++;
    try {
      const made = await work((body) => this.#parts.blobs.put(body));
      this.#failuresInRow = 0;
      return made;
    } catch (error) {
      this.#rest();
      throw error;
    } finally {
      if (--this.#writing === 0) this.#idle?.();
    }
  }

  /** A record whose body is kept already. One that a newer answer has overtaken is left out. */
  put(answer: ShadowRecord): void {
    const id = shadowId(answer);
    const held = this.#parts.holdings.get(id, answer.resource);
    if (held && held.responseTimeMs > answer.responseTimeMs) return;
    // The same body has the same codings, whoever brings it again.
    const record = held?.codings && held.body === answer.body ? { ...answer, codings: held.codings } : answer;
    this.#note(!held || held.body !== record.body || held.status !== record.status);
    this.#next.put(record);
    this.#parts.holdings.put(record);
    this.#parts.slots?.want(record.resource);
  }

  remove(record: ShadowRecord): void {
    this.#note(true);
    this.#next.remove(shadowId(record));
    this.#parts.holdings.remove(record);
    this.#unwantUnheld(record.resource);
  }

  /** A filling that is new or another one now. */
  fill(filling: Filling): void {
    this.#note(true);
    this.#next.fill(filling);
  }

  /** A filling that nobody shows any more. */
  unfill(id: FillingId): void {
    this.#note(true);
    this.#next.unfill(id);
  }

  /** Feeds with fillings that are not published yet: that these were heard is said with the version. */
  unpublishedFeeds(): ReadonlySet<FeedKey> {
    return new Set([...this.#next.fillings.values(), ...this.#underWay?.fillings.values() ?? []].map(({ feed }) => feed));
  }

  /** Rules that come into force with the next version. */
  announce(rules: readonly CatalogRule[]): void {
    this.#note(true);
    this.#next.rules.push(...rules);
  }

  /** Publishes, in turn with all other versions, one that `make` makes of the newest; what it brings back or takes away is what there is from then on. */
  async goBack(make: (base: number) => Promise<CatalogDelta>): Promise<void> {
    await this.publish();
    while (this.#publishing) await this.#publishing;
    const { catalog, holdings, slots, onPublished } = this.#parts;
    const made = make(catalog.head()).then((delta) => {
      for (const id of delta.remove) {
        const { resource } = partsOfShadowId(id);
        const held = holdings.get(id, resource);
        if (held) holdings.remove(held);
        this.#unwantUnheld(resource);
      }
      for (const record of delta.put) {
        holdings.put(record);
        slots?.want(record.resource);
      }
      slots?.handAgain([...delta.fill.map(({ id }) => id), ...delta.unfill]);
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

  /** Publishes at once when what fills slots has changed, but at most one version in `everyMs`: a new price does not wait for the next round. */
  async publishFillings(everyMs: number): Promise<void> {
    const dueMs = this.#publishedMs + everyMs;
    if (this.#next.fillings.size > 0 && !this.resting && this.#parts.clock.monotonicMs() >= dueMs) await this.publish();
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
      for (const digest of this.#parts.waiting()) live.add(digest);
      return await this.#parts.blobs.collect(live);
    } finally {
      this.#idle = undefined;
      this.#collecting = undefined;
      done();
    }
  }

  async #publishOnce(): Promise<void> {
    const { blobs, catalog, holdings, slots, log, onPublished } = this.#parts;
    // A new page and what fills it come in one version; so does all that one word of a feed changes.
    await slots?.finish();
    this.#publishedMs = this.#parts.clock.monotonicMs();
    const taken = this.#next;
    this.#underWay = taken;
    this.#next = new PendingChange();
    this.#changed = false;
    const heard = slots?.heard() ?? [];
    try {
      await blobs.sync();
      const delta = await catalog.publish(catalog.head(), taken.with(heard));
      for (const record of delta.put) holdings.adopt(record);
      this.#takeBack(taken.records, delta);
      slots?.published(heard);
      onPublished(delta.version);
    } catch (error) {
      this.#failures++;
      this.#rest();
      log.error('publish-failed', { put: taken.records.size, remove: taken.removals.size, fill: taken.fillings.size, problem: messageOf(error) });
      this.#note(true);
      this.#next.putBack(taken);
    } finally {
      this.#underWay = undefined;
    }
  }

  #unwantUnheld(resource: ResourceKey): void {
    if (this.#parts.holdings.of(resource).length === 0) this.#parts.slots?.unwant(resource);
  }

  /** What a rule did not let into the version is not held either: there is what the catalog has. */
  #takeBack(offered: ReadonlyMap<string, ShadowRecord>, delta: CatalogDelta): void {
    const { catalog, holdings } = this.#parts;
    const published = new Set(delta.put.map(shadowId));
    for (const [id, record] of offered) {
      if (published.has(id) || this.#next.records.has(id)) continue;
      const there = catalog.get(id);
      if (there) holdings.put(there);
      else holdings.remove(record);
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
}

/**
 * Brings newer catalog versions into the edge's local store: rules first, so that what is wrong is wrong at once; then what fills slots; then records whose
 * bodies are not there yet, fetched from the blob store in small batches with room for requests in between; removals last. A body that can't be had is
 * reported (the brain looks after it, and has the copy made again where it is lost) and asked for again with the next pulls; until then the edge serves what it has.
 */
import { bodiesOf, mergeRules, partsOfShadowId, shadowId, type CatalogChange, type CatalogReader, type CatalogDelta, type CatalogRule, type ShadowRecord } from '../catalog/index.ts';
import type { FillingId } from '../compose/types.ts';
import { messageOf, type BlobDigest, type Log } from '../kernel/index.ts';
import type { LocalStore } from '../store/index.ts';
import type { Copies } from './copies.ts';

/** Records applied or removed before requests get a turn. */
const batchRecords = 32;
/** An edge waits so long for orders before it answers. */
const ordersWithinMs = 1000;
/** Records whose bodies are waited for; of more the oldest are given up until the catalog names them again. */
const missingMax = 10_000;

export interface PullerOptions {
  readonly reader: CatalogReader;
  readonly bodies: { get(digest: BlobDigest): Promise<Uint8Array | undefined> };
  readonly local: LocalStore;
  readonly copies: Copies;
  /** Told of records whose bodies are nowhere. */
  readonly missing: (records: readonly ShadowRecord[]) => void;
  /** Told of rules as soon as a version brings them, before anything else of it is applied: these are all in force. */
  readonly ruled: (rules: readonly CatalogRule[]) => void;
  /** Told of fillings that have come, changed or gone. */
  readonly filled: (ids: readonly FillingId[]) => void;
  /** Told of feeds a version says were heard. */
  readonly heard: (pairs: CatalogChange['heard']) => void;
  readonly log: Log;
}

export class CatalogPuller {
  readonly #options: PullerOptions;
  readonly #missing = new Map<string, ShadowRecord>();
  #running: Promise<void> | undefined;
  #again = false;
  /** The version being applied, and the newest whose rules are in force already. */
  #applying = 0;
  #ruledVersion = 0;
  #told = false;
  #closed = false;

  constructor(options: PullerOptions) {
    this.#options = options;
  }

  /** Pulls whatever is newer. Calls while one is under way make it look once more. */
  pull(): Promise<void> {
    if (this.#running) {
      this.#again = true;
      this.#told = true;
      return this.#running;
    }
    this.#running = this.#pullAll().catch((error: unknown) => {
      this.#options.log.warn('catalog-pull-failed', { problem: messageOf(error), hint: 'serving goes on from the local copies; it is tried again' });
    }).finally(() => { this.#running = undefined; });
    return this.#running;
  }

  /** Before the edge answers: orders that were given while it was away. What can't be read in a second comes with the first pull. */
  async ruleFirst(): Promise<void> {
    this.#applying = this.#options.local.appliedVersion();
    if (this.#options.local.stats().records === 0) return;
    const ruled = this.#ruleAhead().catch((error: unknown) => {
      this.#options.log.warn('catalog-pull-failed', { problem: messageOf(error), hint: 'serving goes on from the local copies; it is tried again' });
    });
    await Promise.race([ruled, new Promise<void>((resolve) => { setTimeout(resolve, ordersWithinMs); })]);
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
      await this.#putAll([...this.#missing.values()]);
    } while (this.#again && !this.#closed);
  }

  async #apply(delta: CatalogDelta): Promise<void> {
    const { local, copies, log } = this.#options;
    this.#applying = delta.version;
    await this.#rule(delta);
    await this.#fill(delta);
    const missing = await this.#putAll(delta.put);
    if (this.#closed) return;
    for (let from = 0; from < delta.remove.length; from += batchRecords) await Promise.all(delta.remove.slice(from, from + batchRecords).map((id) => this.#remove(id)));
    if (delta.full) {
      const listed = new Set(delta.put.map(shadowId));
      if (await local.removeUnlisted((id) => listed.has(id)) > 0) copies.forgetMemory();
    }
    await this.#unfill(delta);
    if (missing > 0) log.warn('catalog-bodies-missing', { version: delta.version, missing, hint: 'the brain looks for them, and has made again what is lost' });
    await local.setAppliedVersion(delta.version);
  }

  async #rule({ version, full, rules, publishedAtMs }: CatalogDelta): Promise<void> {
    const { local, ruled } = this.#options;
    if (!full && version <= this.#ruledVersion) return;
    const before = local.rules();
    const after = full ? rules : mergeRules(before, rules, publishedAtMs);
    if (after !== before && (after.length > 0 || before.length > 0)) {
      // Durable before it shows, so that what was seen to be purged stays so; but in force even where the disk fails.
      await local.putRules(after).finally(() => { ruled(after); });
    }
    this.#ruledVersion = version;
  }

  /** A large version takes a while to be applied; an order in a later one does not wait for it. */
  async #ruleAhead(): Promise<void> {
    for await (const delta of this.#options.reader.since(this.#applying)) await this.#rule(delta);
  }

  /** Before the pages that show them. When feeds were heard goes after: it is true of the new values, and would make old ones look young. */
  async #fill({ full, fill, heard }: CatalogDelta): Promise<void> {
    const { local, filled } = this.#options;
    if (fill.length > 0) await local.putFillings(fill);
    const listed = full ? new Set(fill.map(({ id }) => id)) : undefined;
    const gone = listed ? await local.removeUnlistedFillings((id) => listed.has(id)) : [];
    if (fill.length + gone.length > 0) filled([...fill.map(({ id }) => id), ...gone]);
    if (heard.length === 0) return;
    await local.putHeard(heard);
    this.#options.heard(heard);
  }

  async #unfill({ unfill }: CatalogDelta): Promise<void> {
    if (unfill.length === 0) return;
    await this.#options.local.removeFillings(unfill);
    this.#options.filled(unfill);
  }

  /** Returns how many had no body to be found. */
  async #putAll(records: readonly ShadowRecord[]): Promise<number> {
    const missing: ShadowRecord[] = [];
    for (let from = 0; from < records.length && !this.#closed; from += batchRecords) {
      const batch = records.slice(from, from + batchRecords);
      // All bodies first: the records then go into the store together, so that no visitor sees one page of before and one of after.
      const fetched = await Promise.all(batch.map(async (record) => ({ record, bodies: await this.#bodiesOf(record) })));
      await Promise.all(fetched.map(({ record, bodies }) => this.#put(record, bodies)));
      missing.push(...fetched.flatMap(({ record, bodies: [own] }) => (own === undefined ? [record] : [])));
      await new Promise<void>((resolve) => { setImmediate(resolve); });
      // Rules of what was published meanwhile, once for each time that word of it came.
      if (!this.#told) continue;
      this.#told = false;
      await this.#ruleAhead();
    }
    for (const id of this.#missing.keys()) {
      if (this.#missing.size <= missingMax) break;
      this.#missing.delete(id);
    }
    if (missing.length > 0) this.#options.missing(missing);
    return missing.length;
  }

  /** Of those a record has, in their order: `there` where the store has it, undefined where it is not to be had. */
  #bodiesOf(record: ShadowRecord): Promise<readonly (Uint8Array | 'there' | undefined)[]> {
    const { local, bodies } = this.#options;
    return Promise.all(bodiesOf(record).map(async ({ body }) => (local.hasBody(body) ? 'there' : bodies.get(body))));
  }

  /** A coded body that can't be had costs only its coding; the record's own is what counts. */
  async #put(record: ShadowRecord, bodies: readonly (Uint8Array | 'there' | undefined)[]): Promise<void> {
    const [own, ...coded] = bodies.map((body) => (body === 'there' ? undefined : body));
    if (bodies[0] === undefined) {
      this.#missing.set(shadowId(record), record);
      return;
    }
    this.#missing.delete(shadowId(record));
    await this.#options.copies.apply(record, own, coded);
  }

  async #remove(id: string): Promise<void> {
    this.#missing.delete(id);
    const { resource, variation, vary } = partsOfShadowId(id);
    await this.#options.copies.remove(resource, variation, vary);
  }
}

/**
 * The copies that exist, as the generator sees them: the newest published or about to be. Answers by resource and by
 * identity, knows which bodies are in use, and how many bytes. Plain state; publishing is `publisher.ts`.
 */
import { shadowId, type ShadowRecord } from '../catalog/shadow-record.ts';
import type { BlobDigest, ResourceKey, VariationKey } from '../kernel/index.ts';

const none: readonly ShadowRecord[] = [];

export class Holdings {
  readonly #byResource = new Map<ResourceKey, ShadowRecord[]>();
  readonly #bodies = new Map<BlobDigest, { uses: number; readonly bytes: number }>();
  #records = 0;
  #bytes = 0;

  constructor(records: Iterable<ShadowRecord>) {
    for (const record of records) this.put(record);
  }

  get records(): number {
    return this.#records;
  }

  get resources(): number {
    return this.#byResource.size;
  }

  /** Bytes of distinct bodies, coded ones included. */
  get bytes(): number {
    return this.#bytes;
  }

  of(resource: ResourceKey): readonly ShadowRecord[] {
    return this.#byResource.get(resource) ?? none;
  }

  variation(resource: ResourceKey, variation: VariationKey): readonly ShadowRecord[] {
    const records = this.of(resource);
    return records.length === 0 ? none : records.filter((record) => record.variation === variation);
  }

  get(id: string, resource: ResourceKey): ShadowRecord | undefined {
    return this.of(resource).find((record) => shadowId(record) === id);
  }

  byResource(): Iterable<readonly [ResourceKey, readonly ShadowRecord[]]> {
    return this.#byResource.entries();
  }

  *all(): Iterable<ShadowRecord> {
    for (const records of this.#byResource.values()) yield* records;
  }

  put(record: ShadowRecord): void {
    const records = this.#byResource.get(record.resource);
    const id = shadowId(record);
    const at = records?.findIndex((other) => shadowId(other) === id) ?? -1;
    const before = records?.[at];
    if (before) this.#release(before);
    if (!records) this.#byResource.set(record.resource, [record]);
    else if (at >= 0) records[at] = record;
    else records.push(record);
    this.#records++;
    for (const { body, bodyBytes } of bodiesOf(record)) {
      const used = this.#bodies.get(body);
      if (used) used.uses++;
      else {
        this.#bodies.set(body, { uses: 1, bytes: bodyBytes });
        this.#bytes += bodyBytes;
      }
    }
  }

  remove(record: ShadowRecord): void {
    const records = this.#byResource.get(record.resource);
    const id = shadowId(record);
    const at = records?.findIndex((other) => shadowId(other) === id) ?? -1;
    const held = records?.[at];
    if (!records || !held) return;
    records.splice(at, 1);
    if (records.length === 0) this.#byResource.delete(record.resource);
    this.#release(held);
  }

  /** The published form of a record, in place of the equal one held: one object for both lists. */
  adopt(published: ShadowRecord): void {
    const records = this.#byResource.get(published.resource);
    const id = shadowId(published);
    const at = records?.findIndex((other) => shadowId(other) === id) ?? -1;
    const held = records?.[at];
    if (records && held && held.body === published.body && held.responseTimeMs === published.responseTimeMs && held.codings?.length === published.codings?.length) records[at] = published;
  }

  /** Whether a copy uses this body, plain or coded. */
  holds(body: BlobDigest): boolean {
    return this.#bodies.has(body);
  }

  /** Bodies in use. */
  bodies(): Iterable<BlobDigest> {
    return this.#bodies.keys();
  }

  #release(record: ShadowRecord): void {
    this.#records--;
    for (const { body } of bodiesOf(record)) {
      const used = this.#bodies.get(body);
      if (!used || --used.uses > 0) continue;
      this.#bodies.delete(body);
      this.#bytes -= used.bytes;
    }
  }
}

/** The body as the origin sent it, and in its codings. */
function* bodiesOf(record: ShadowRecord): Iterable<Pick<ShadowRecord, 'body' | 'bodyBytes'>> {
  yield record;
  if (record.codings) yield* record.codings;
}

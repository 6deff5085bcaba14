/** A catalog as a brain publishes it, written by the test: copies, their codings, and what fills slots. */
import { Catalog, noChange, type CatalogChange, type CatalogRule, type RollbackOptions, type RuleTarget, type ShadowRecord } from '../../src/catalog/index.ts';
import type { FeedKey, Filling, FillingId } from '../../src/compose/index.ts';
import { silentLog, systemClock, type BlobDigest, type ResourceKey, type VariationKey } from '../../src/kernel/index.ts';
import { digestOf } from '../../src/store/index.ts';
import { onStrike, temporaryFolder, type Published } from './stage.ts';

export class Brain implements Published {
  readonly dirs: readonly string[];
  readonly #stored = new Map<BlobDigest, Uint8Array>();
  readonly #catalog: Catalog;

  private constructor(dirs: readonly string[], catalog: Catalog) {
    this.dirs = dirs;
    this.#catalog = catalog;
  }

  static async open(): Promise<Brain> {
    const dirs = [temporaryFolder()];
    const catalog = await Catalog.open({ dirs, clock: systemClock, log: silentLog });
    onStrike(() => catalog.close());
    return new Brain(dirs, catalog);
  }

  readonly bodies = { get: (digest: BlobDigest): Promise<Uint8Array | undefined> => Promise.resolve(this.#stored.get(digest)) };

  async publish(change: Partial<CatalogChange>): Promise<void> {
    await this.#catalog.publish(this.#catalog.head(), { ...noChange, ...change });
  }

  /** An operator's word, said now. */
  order(effect: CatalogRule['effect'], target: RuleTarget, forMs = 3_600_000): Promise<void> {
    const atMs = Date.now();
    return this.publish({ rules: [{ version: 0, atMs, target, effect, untilMs: atMs + forMs }] });
  }

  async rollback(to: number, options: RollbackOptions = {}): Promise<void> {
    await this.#catalog.rollback(this.#catalog.head(), to, options);
  }

  /** Stores a body and gives its digest. */
  store(body: string | Uint8Array): { readonly body: BlobDigest; readonly bodyBytes: number } {
    const bytes = new Uint8Array(Buffer.from(body));
    const digest = digestOf(bytes);
    this.#stored.set(digest, bytes);
    return { body: digest, bodyBytes: bytes.byteLength };
  }

  /** A record of a page made now, with its body stored. */
  record(resource: string, body: string | Uint8Array, fields: Readonly<Record<string, string>>, more: Partial<ShadowRecord> = {}): ShadowRecord {
    const nowMs = Date.now();
    return {
      resource: resource as ResourceKey, variation: '' as VariationKey, vary: [], status: 200, headers: Object.entries(fields), ...this.store(body), // keys as the site's rules make them
      requestTimeMs: nowMs, responseTimeMs: nowMs, madeBy: 'generate', version: 0, ...more,
    };
  }
}

export interface FillingSays extends Partial<Omit<Filling, 'id' | 'feed' | 'versions'>> {
  readonly id: string;
  readonly feed: string;
  /** Text, or text by profile (`cats:1`). */
  readonly texts: readonly (string | readonly [text: string, profile: Readonly<Record<string, number>>])[];
}

export function filling({ id, feed, texts, ...more }: FillingSays): Filling {
  return {
    id: id as FillingId, feed: feed as FeedKey, maxAgeMs: 60_000, valueTimeMs: Date.now(), fallback: undefined, version: 0, // named as `compileSlots` names them
    versions: texts.map((text) => (typeof text === 'string' ? { text, profile: undefined } : { text: text[0], profile: new Map(Object.entries(text[1])) })),
    ...more,
  };
}

export const feed = (key: string): FeedKey => key as FeedKey; // named as `feedKey` names them

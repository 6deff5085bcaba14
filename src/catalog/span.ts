/**
 * Several versions in a row as one change. Its removals name everything that came or was there and is no more at its end, so that it leads to the same state
 * from any version it spans, not only from the one it begins after.
 */
import type { FeedKey, Filling, FillingId } from '../compose/types.ts';
import { mergeRules } from './rules.ts';
import type { CatalogRule } from './rule.ts';
import { type CatalogChange, type CatalogDelta, type ShadowRecord, shadowId } from './shadow-record.ts';
import { hear } from './state.ts';

export class ChangeSum {
  readonly #put = new Map<string, ShadowRecord>();
  readonly #remove = new Set<string>();
  readonly #fill = new Map<FillingId, Filling>();
  readonly #unfill = new Set<FillingId>();
  readonly #heard = new Map<FeedKey, number>();
  #rules: readonly CatalogRule[] = [];

  /** Versions in their order; none of them full. */
  add(delta: CatalogDelta): void {
    for (const id of delta.remove) {
      this.#put.delete(id);
      this.#remove.add(id);
    }
    for (const record of delta.put) {
      const id = shadowId(record);
      this.#remove.delete(id);
      this.#put.set(id, record);
    }
    for (const id of delta.unfill) {
      this.#fill.delete(id);
      this.#unfill.add(id);
    }
    for (const filling of delta.fill) {
      this.#unfill.delete(filling.id);
      this.#fill.set(filling.id, filling);
    }
    // Those that are over stay: they may end a hold that is older than the span.
    this.#rules = mergeRules(this.#rules, delta.rules, Number.NEGATIVE_INFINITY);
    hear(this.#heard, delta.heard);
  }

  change(): CatalogChange {
    return {
      put: [...this.#put.values()], remove: [...this.#remove], fill: [...this.#fill.values()], unfill: [...this.#unfill],
      rules: this.#rules, heard: [...this.#heard],
    };
  }
}

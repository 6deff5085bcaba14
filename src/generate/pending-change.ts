/** What the next catalog version is to change, gathered until it is made. The later word on a copy or a filling counts. Plain state. */
import { shadowId, type CatalogChange, type CatalogRule, type ShadowRecord } from '../catalog/index.ts';
import type { Filling, FillingId } from '../compose/types.ts';

export class PendingChange {
  readonly records = new Map<string, ShadowRecord>();
  readonly removals = new Set<string>();
  readonly fillings = new Map<FillingId, Filling>();
  readonly unfillings = new Set<FillingId>();
  readonly rules: CatalogRule[] = [];

  get size(): number {
    return this.records.size + this.removals.size + this.fillings.size + this.unfillings.size + this.rules.length;
  }

  put(record: ShadowRecord): void {
    const id = shadowId(record);
    this.removals.delete(id);
    this.records.set(id, record);
  }

  remove(id: string): void {
    this.records.delete(id);
    this.removals.add(id);
  }

  fill(filling: Filling): void {
    this.unfillings.delete(filling.id);
    this.fillings.set(filling.id, filling);
  }

  unfill(id: FillingId): void {
    this.fillings.delete(id);
    this.unfillings.add(id);
  }

  /** Takes in what could not be published; newer word wins. */
  putBack(before: PendingChange): void {
    this.rules.unshift(...before.rules);
    for (const [id, record] of before.records) if (!this.records.has(id) && !this.removals.has(id)) this.records.set(id, record);
    for (const id of before.removals) if (!this.records.has(id)) this.removals.add(id);
    for (const [id, filling] of before.fillings) if (!this.fillings.has(id) && !this.unfillings.has(id)) this.fillings.set(id, filling);
    for (const id of before.unfillings) if (!this.fillings.has(id)) this.unfillings.add(id);
  }

  /** As the catalog takes it. */
  with(heard: CatalogChange['heard']): CatalogChange {
    return { put: [...this.records.values()], remove: [...this.removals], fill: [...this.fillings.values()], unfill: [...this.unfillings], rules: this.rules, heard };
  }
}

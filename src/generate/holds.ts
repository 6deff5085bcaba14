/** What is to stay as it is because an operator went back to it: neither fetched, nor replaced by what passes, nor taken out by a write that passed. */
import { compileRules, type CatalogRule, type CompiledRules, type ShadowRecord } from '../catalog/index.ts';
import type { Clock, ResourceKey } from '../kernel/index.ts';

export class Holds {
  readonly #rules: () => readonly CatalogRule[];
  readonly #clock: Clock;
  #of: readonly CatalogRule[] = [];
  #compiled: CompiledRules = compileRules([]);

  /** `rules` gives the same list for as long as it says the same. */
  constructor(rules: () => readonly CatalogRule[], clock: Clock) {
    this.#rules = rules;
    this.#clock = clock;
  }

  /** `records` are the copies there are of it: they carry the tags. */
  has(resource: ResourceKey, records: readonly Pick<ShadowRecord, 'headers'>[]): boolean {
    const rules = this.#rules();
    if (rules !== this.#of) {
      this.#of = rules;
      this.#compiled = compileRules(rules.filter(({ effect }) => effect === 'hold'));
    }
    if (!this.#compiled.any) return false;
    return this.#compiled.holds({ resource, headers: records.flatMap(({ headers }) => headers) }, this.#clock.nowMs());
  }
}

/**
 * What the local store knows besides copies and fillings: the rules in force, and when feeds were heard. Each is one sealed value, small and
 * read once, when the store is opened.
 */
import { compileRules, hear, ruleFromTuple, ruleToTuple, type CatalogChange, type CatalogRule, type CompiledRules } from '../../catalog/index.ts';
import type { FeedKey, FeedsHeard } from '../../compose/types.ts';
import type { Table } from './database.ts';
import { decodeSealed, encodeSealed } from './sealed.ts';

const rulesKey = Buffer.from('rules');
const heardKey = Buffer.from('heard');

export class Notes {
  readonly #meta: Table;
  readonly #heard = new Map<FeedKey, number>();
  #rules: readonly CatalogRule[] = [];
  #compiled = compileRules([]);
  /** Which of them could not be read. Rules that are lost would bring back what was purged: the catalog has to be read again. */
  readonly damaged: { readonly rules: boolean; readonly heard: boolean };

  constructor(meta: Table) {
    this.#meta = meta;
    const rules = listAt(meta, rulesKey, ruleFromTuple);
    const heard = listAt(meta, heardKey, heardFrom);
    this.damaged = { rules: rules === undefined, heard: heard === undefined };
    this.#useRules(rules ?? []);
    hear(this.#heard, heard ?? []);
  }

  get rules(): readonly CatalogRule[] {
    return this.#rules;
  }

  get compiled(): CompiledRules {
    return this.#compiled;
  }

  get heard(): FeedsHeard {
    return this.#heard;
  }

  /** In force from now on; what is to be written, in a transaction, is what it returns. */
  setRules(rules: readonly CatalogRule[]): () => void {
    this.#useRules(rules);
    const value = encodeSealed(rules.map(ruleToTuple));
    return () => { this.#meta.putSync(rulesKey, value); };
  }

  /** The same; undefined where nothing is news. */
  setHeard(pairs: CatalogChange['heard']): (() => void) | undefined {
    if (hear(this.#heard, pairs).length === 0) return undefined;
    return () => { this.#meta.putSync(heardKey, encodeSealed([...this.#heard])); };
  }

  #useRules(rules: readonly CatalogRule[]): void {
    this.#rules = rules;
    this.#compiled = compileRules(rules);
  }
}

function listAt<T>(meta: Table, key: Buffer, decode: (value: unknown) => T | undefined): T[] | undefined {
  const bytes = meta.get(key);
  if (!bytes) return [];
  const value = decodeSealed(bytes);
  if (!Array.isArray(value)) return undefined;
  const list: readonly unknown[] = value;
  const found: T[] = [];
  for (const one of list) {
    const read = decode(one);
    if (read === undefined) return undefined;
    found.push(read);
  }
  return found;
}

function heardFrom(value: unknown): CatalogChange['heard'][number] | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const pair: readonly unknown[] = value;
  const [feed, heardMs] = pair;
  return typeof feed === 'string' && typeof heardMs === 'number' ? [feed as FeedKey, heardMs] : undefined; // a key when it was written
}

/**
 * The operator's rules at this edge: whether a copy is good, of use in an outage only, or as if it weren't there. Asked at each look-up, so it costs one
 * boolean while there are no rules, and what it found of a copy is remembered until the rules change. Copies that a purge binds are swept from the local store
 * in the background, so that the rule can be forgotten when its time is over.
 */
import { compileRules, type CatalogRule, type CompiledRules, type ShadowRecord, type Verdict } from '../catalog/index.ts';
import { messageOf, type Log } from '../kernel/index.ts';
import type { LocalStore } from '../store/index.ts';

export class Rulebook {
  #rules: CompiledRules;
  /** Of the rules in force; a record is gone with the copy that has it. */
  #verdicts = new WeakMap<ShadowRecord, Verdict>();

  constructor(rules: readonly CatalogRule[] = []) {
    this.#rules = compileRules(rules);
  }

  /** These are all there are, from now on. */
  use(rules: readonly CatalogRule[]): void {
    this.#rules = compileRules(rules);
    this.#verdicts = new WeakMap();
  }

  get any(): boolean {
    return this.#rules.any;
  }

  verdict(record: ShadowRecord): Verdict {
    if (!this.#rules.any) return 'good';
    const known = this.#verdicts.get(record);
    if (known !== undefined) return known;
    const verdict = this.#rules.verdict(record);
    this.#verdicts.set(record, verdict);
    return verdict;
  }

  /** Those that are not gone. */
  present<Copy extends { readonly record: ShadowRecord }>(copies: readonly Copy[]): readonly Copy[] {
    if (!this.#rules.any || copies.every(({ record }) => this.verdict(record) !== 'gone')) return copies;
    return copies.filter(({ record }) => this.verdict(record) !== 'gone');
  }

  /** Whether what is there is to stay as it is, so that this answer is not kept. */
  holds(answer: Pick<ShadowRecord, 'resource' | 'headers'>, nowMs: number): boolean {
    return this.#rules.holds(answer, nowMs);
  }
}

export interface RuleKeeperOptions {
  readonly local: Pick<LocalStore, 'rules' | 'removeMatching'>;
  /** Has memory forget what it holds; the store no longer has it all. */
  readonly forget: () => void;
  readonly log: Log;
}

/** Puts rules in force, and removes from the local store what is gone by them, one sweep at a time. What is put meanwhile the store itself refuses. */
export class RuleKeeper {
  readonly rulebook: Rulebook;
  readonly #options: RuleKeeperOptions;
  #sweeping: Promise<void> | undefined;
  #again = false;

  constructor(options: RuleKeeperOptions) {
    this.#options = options;
    this.rulebook = new Rulebook(options.local.rules());
  }

  /** These are all there are, in force when it returns; when the edge starts, those the store remembers. Resolves when they have been swept. */
  use(rules: readonly CatalogRule[] = this.#options.local.rules()): Promise<void> {
    this.rulebook.use(rules);
    if (!rules.some((rule) => rule.effect === 'purge')) return Promise.resolve();
    this.#again = true;
    this.#sweeping ??= this.#sweep().finally(() => { this.#sweeping = undefined; });
    return this.#sweeping;
  }

  /** Resolves when no sweep is under way. */
  async settled(): Promise<void> {
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    const { local, forget, log } = this.#options;
    while (this.#again) {
      this.#again = false;
      try {
        const removed = await local.removeMatching((record) => this.rulebook.verdict(record) === 'gone');
        forget();
        if (removed > 0) log.info('purged', { copies: removed });
      } catch (error) {
        log.warn('purge-not-swept', { problem: messageOf(error), hint: 'the rule is in force all the same; the next one, or the next start, sweeps again' });
      }
    }
  }
}

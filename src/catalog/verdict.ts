/**
 * The rules in force, made ready to be asked of many copies: by resource and tag in maps, patterns compiled once. Pure.
 */
import { compilePattern, resourceTarget } from '../http/index.ts';
import type { ResourceKey } from '../kernel/index.ts';
import type { CatalogRule, RuleTarget } from './rule.ts';
import type { ShadowRecord } from './shadow-record.ts';
import { tagsOf } from './tags.ts';

/** What the operator's rules say of a copy. `stale`: of use only where the origin can't answer, or once it has confirmed it. `gone`: as if it weren't there. */
export type Verdict = 'good' | 'stale' | 'gone';

/** What of a copy the rules look at. */
export type Judged = Pick<ShadowRecord, 'resource' | 'headers' | 'version' | 'requestTimeMs'>;

export interface CompiledRules {
  /** False: every copy is good and none is held, without looking. */
  readonly any: boolean;
  verdict(record: Judged): Verdict;
  /** Whether new copies of this resource are not to be kept. */
  holds(record: Pick<Judged, 'resource' | 'headers'>, nowMs: number): boolean;
}

export function compileRules(rules: readonly CatalogRule[]): CompiledRules {
  const book = new TargetIndex(rules);
  return {
    any: rules.length > 0,
    verdict(record) {
      let verdict: Verdict = 'good';
      for (const rule of rules.length === 0 ? rules : book.about(record)) {
        if (!isOlder(rule, record)) continue;
        if (rule.effect === 'purge') return 'gone';
        if (rule.effect === 'soft-purge') verdict = 'stale';
      }
      return verdict;
    },
    holds(record, nowMs) {
      for (const rule of rules.length === 0 ? rules : book.about(record)) if (rule.effect === 'hold' && rule.untilMs > nowMs) return true;
      return false;
    },
  };
}

/** Whether one of the targets is about a copy; patterns are compiled once. */
export function compileTargets(targets: readonly RuleTarget[]): (record: Pick<Judged, 'resource' | 'headers'>) => boolean {
  const book = new TargetIndex(targets.map((target) => ({ target })));
  return (record) => book.about(record).next().done !== true;
}

/** Whether the rule, if the copy is its target, is about a copy of this age. */
function isOlder(rule: CatalogRule, record: Judged): boolean {
  if (record.requestTimeMs > rule.atMs) return false;
  return record.version === 0 || (rule.only !== 'captures' && record.version < rule.version);
}

/** What says something of targets, to be asked what is about a copy. */
class TargetIndex<Entry extends { readonly target: RuleTarget }> {
  readonly #site: Entry[] = [];
  readonly #resources = new Map<ResourceKey, Entry[]>();
  readonly #tags = new Map<string, Entry[]>();
  readonly #patterns: { readonly matches: (path: string) => boolean; readonly rule: Entry }[] = [];

  constructor(entries: readonly Entry[]) {
    for (const rule of entries) {
      const { target } = rule;
      if (target.kind === 'site') this.#site.push(rule);
      else if (target.kind === 'resource') addTo(this.#resources, target.resource, rule);
      else if (target.kind === 'tag') addTo(this.#tags, target.tag, rule);
      else {
        const pattern = compilePattern(target.pattern);
        if (pattern.ok) this.#patterns.push({ matches: pattern.matches, rule });
      }
    }
  }

  *about({ resource, headers }: Pick<Judged, 'resource' | 'headers'>): Generator<Entry> {
    yield* this.#site;
    yield* this.#resources.get(resource) ?? [];
    if (this.#patterns.length > 0) {
      const [path = ''] = resourceTarget(resource).target.split('?', 1);
      for (const { matches, rule } of this.#patterns) if (matches(path)) yield rule;
    }
    if (this.#tags.size > 0) for (const tag of tagsOf(headers)) yield* this.#tags.get(tag) ?? [];
  }
}

function addTo<Key, Entry>(lists: Map<Key, Entry[]>, key: Key, rule: Entry): void {
  const list = lists.get(key);
  if (list) list.push(rule);
  else lists.set(key, [rule]);
}

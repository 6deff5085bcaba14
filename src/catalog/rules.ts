/**
 * The rules in force together: what a new one makes needless, what is over, how they lie on disk. Pure; times are passed in.
 */
import type { ResourceKey } from '../kernel/index.ts';
import type { CatalogRule, RuleTarget } from './rule.ts';

/** Rules in force at once. A version with more is refused (`usage`): a rule that was forgotten early would bring back what it purged. */
export const rulesMax = 10_000;

/**
 * The rules after `added` came, without those that are over. One replaces an older one of the same effect and target, and a purge of the whole site every
 * older purge: it binds all they do. A hold is ended by one of the same target that is over.
 */
export function mergeRules(inForce: readonly CatalogRule[], added: readonly CatalogRule[], nowMs: number): readonly CatalogRule[] {
  if (added.length === 0 && inForce.every((rule) => rule.untilMs > nowMs)) return inForce;
  const byKey = new Map<string, CatalogRule>();
  for (const rule of [...inForce, ...added]) {
    const key = keyOf(rule);
    const old = byKey.get(key);
    const longer = old && rule.effect !== 'hold' && old.untilMs > rule.untilMs ? { ...rule, untilMs: old.untilMs } : rule;
    if (isSitePurge(rule)) {
      for (const [other, covered] of byKey) if (covered.effect !== 'hold' && covered.untilMs <= rule.untilMs) byKey.delete(other);
    }
    byKey.delete(key);
    byKey.set(key, longer);
  }
  return [...byKey.values()].filter((rule) => rule.untilMs > nowMs);
}

function isSitePurge(rule: CatalogRule): boolean {
  return rule.effect === 'purge' && rule.target.kind === 'site' && rule.only === undefined;
}

function keyOf({ effect, target, only }: CatalogRule): string {
  return `${effect} ${only ?? ''} ${target.kind} ${wordOf(target)}`;
}

function wordOf(target: RuleTarget): string {
  switch (target.kind) {
    case 'resource': return target.resource;
    case 'pattern': return target.pattern;
    case 'tag': return target.tag;
    case 'site': return '';
  }
}

/** `[version, atMs, untilMs, effect, kind of target, target]`, and `captures` where it binds nothing else. */
export function ruleToTuple(rule: CatalogRule): unknown[] {
  const { version, atMs, untilMs, effect, target, only } = rule;
  return [version, atMs, untilMs, effect, target.kind, wordOf(target), ...(only ? [only] : [])];
}

export function ruleFromTuple(value: unknown): CatalogRule | undefined {
  if (!Array.isArray(value) || value.length < 6 || value.length > 7) return undefined;
  const tuple: readonly unknown[] = value;
  const [version, atMs, untilMs, effect, kind, word, only] = tuple;
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 0 || !isTime(atMs) || !isTime(untilMs)) return undefined;
  if (effect !== 'purge' && effect !== 'soft-purge' && effect !== 'hold') return undefined;
  if (typeof word !== 'string' || (only !== undefined && only !== 'captures')) return undefined;
  const target = targetOf(kind, word);
  return target && { version, atMs, untilMs, effect, target, ...(only && { only }) };
}

function targetOf(kind: unknown, word: string): RuleTarget | undefined {
  switch (kind) {
    case 'site': return { kind };
    case 'resource': return { kind, resource: word as ResourceKey }; // it was one when it was written
    case 'pattern': return { kind, pattern: word };
    case 'tag': return { kind, tag: word };
    default: return undefined;
  }
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { compilePattern, resourceTarget } from '../http/index.ts';
import type { ResourceKey } from '../kernel/index.ts';
import { sampleRecord } from '../../test/store/sample-record.ts';
import { type CatalogRule, compileRules, compileTargets, mergeRules, ruleFromTuple, ruleToTuple, type RuleTarget, type ShadowRecord, tagsOf, type Verdict } from './index.ts';

/** Whether a resource is what a target is about, one at a time: what the compiled forms are held to. */
function isTarget(target: RuleTarget, resource: ResourceKey, tags: () => readonly string[]): boolean {
  switch (target.kind) {
    case 'site': return true;
    case 'resource': return target.resource === resource;
    case 'tag': return tags().includes(target.tag);
    case 'pattern': {
      const pattern = compilePattern(target.pattern);
      const [path = ''] = resourceTarget(resource).target.split('?', 1);
      return pattern.ok && pattern.matches(path);
    }
  }
}

const key = (text: string): ResourceKey => text as ResourceKey; // tests make keys by hand
const paths = ['/a', '/a?q=1', '/a/b', '/a/b/c', '/b', '//host.example/a/b'];
const target = fc.oneof(
  fc.constantFrom(...paths).map((path): RuleTarget => ({ kind: 'resource', resource: key(path) })),
  fc.constantFrom('/a/**', '/:x', '/a/*', '/b', 'no pattern').map((pattern): RuleTarget => ({ kind: 'pattern', pattern })),
  fc.constantFrom('t1', 't2').map((tag): RuleTarget => ({ kind: 'tag', tag })),
  fc.constant<RuleTarget>({ kind: 'site' }),
);
const rule: fc.Arbitrary<CatalogRule> = fc.record({
  version: fc.integer({ min: 1, max: 5 }), atMs: fc.integer({ min: 0, max: 20 }), untilMs: fc.integer({ min: 0, max: 40 }), target,
  effect: fc.constantFrom('purge' as const, 'soft-purge' as const, 'hold' as const), captures: fc.boolean(),
}).map(({ captures, ...rest }) => (captures ? { ...rest, only: 'captures' } : rest));
const record: fc.Arbitrary<ShadowRecord> = fc.record({
  resource: fc.constantFrom(...paths), version: fc.integer({ min: 0, max: 5 }), requestTimeMs: fc.integer({ min: 0, max: 20 }), tag: fc.constantFrom('t1', 't2', 't3'),
}).map(({ resource, tag, ...rest }) => sampleRecord(1, { resource: key(resource), headers: [['surrogate-key', `x ${tag}`]], ...rest }));

/** The same, said slowly. */
function verdictOf(rules: readonly CatalogRule[], copy: ShadowRecord): Verdict {
  const bound = rules.filter((one) => one.effect !== 'hold' && copy.requestTimeMs <= one.atMs
    && (copy.version === 0 || (one.only === undefined && copy.version < one.version)) && isTarget(one.target, copy.resource, () => tagsOf(copy.headers)));
  if (bound.some((one) => one.effect === 'purge')) return 'gone';
  return bound.length > 0 ? 'stale' : 'good';
}

test('compiled rules say what each rule says by itself', () => {
  fc.assert(fc.property(fc.array(rule, { maxLength: 12 }), record, fc.integer({ min: 0, max: 40 }), (rules, copy, nowMs) => {
    const compiled = compileRules(rules);
    expect(compiled.any).toBe(rules.length > 0);
    expect(compiled.verdict(copy)).toBe(verdictOf(rules, copy));
    const held = rules.some((one) => one.effect === 'hold' && one.untilMs > nowMs && isTarget(one.target, copy.resource, () => tagsOf(copy.headers)));
    expect(compiled.holds(copy, nowMs)).toBe(held);
  }), { seed: 1, numRuns: 2000 });
});

describe('rules in force together', () => {
  test('what later ones make needless changes no verdict, and nothing is forgotten before its time', () => {
    fc.assert(fc.property(fc.array(rule, { maxLength: 12 }), record, fc.integer({ min: 0, max: 40 }), (unordered, copy, nowMs) => {
      // As they are published: each later in version and time than those before.
      const rules = unordered.toSorted((a, b) => a.version - b.version).map((one, n) => ({ ...one, version: n + 1, atMs: n * 2 }));
      const merged = rules.reduce<readonly CatalogRule[]>((inForce, one) => mergeRules(inForce, [one], nowMs), []);
      expect(merged.every((one) => one.untilMs > nowMs)).toBe(true);
      const least = rules.filter((one) => one.untilMs > nowMs);
      const severity = { good: 0, stale: 1, gone: 2 };
      expect(severity[compileRules(merged).verdict(copy)]).toBeGreaterThanOrEqual(severity[verdictOf(least, copy)]);
      expect(merged.length).toBeLessThanOrEqual(least.length);
    }), { seed: 2, numRuns: 2000 });
  });

  test('a hold is ended by one of the same target that is over', () => {
    const hold: CatalogRule = { version: 1, atMs: 5, target: { kind: 'site' }, effect: 'hold', untilMs: 100 };
    const inForce = mergeRules([], [hold], 10);
    expect(inForce).toEqual([hold]);
    expect(mergeRules(inForce, [{ ...hold, version: 2, untilMs: 10 }], 10)).toEqual([]);
    expect(mergeRules(inForce, [], 10)).toBe(inForce);
    expect(mergeRules(inForce, [], 100)).toEqual([]);
  });
});

test('a rule is the same when it is read again, and anything else is none', () => {
  fc.assert(fc.property(rule, (one) => {
    expect(ruleFromTuple(JSON.parse(JSON.stringify(ruleToTuple(one))))).toEqual(one);
  }), { seed: 3, numRuns: 300 });
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const read = ruleFromTuple(value);
    if (read) expect(JSON.stringify(ruleToTuple(read))).toBe(JSON.stringify(value));
  }), { seed: 4, numRuns: 1000 });
});

test('targets made ready say what each of them says alone', () => {
  fc.assert(fc.property(fc.array(target, { maxLength: 4 }), record, (targets, copy) => {
    expect(compileTargets(targets)(copy)).toBe(targets.some((one) => isTarget(one, copy.resource, () => tagsOf(copy.headers))));
  }), { seed: 11, numRuns: 500 });
});

import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { holds, parseExpression } from './expression.ts';
import type { EsiFacts } from './variable.ts';

const facts: EsiFacts = { header: (name) => (name === 'cookie' ? 'group=Advanced; n=10; empty=' : name === 'accept-language' ? 'en' : null), host: 'h', query: '' };

/** Undefined where it can't be read. */
function verdict(text: string): boolean | undefined {
  const expression = parseExpression(text);
  return expression && holds(expression, facts);
}

const cases: readonly (readonly [test: string, verdict: boolean | undefined])[] = [
  ['$(HTTP_COOKIE{group})==\'Advanced\'', true],
  ['$(HTTP_COOKIE{group}) == Advanced', true],
  ['$(HTTP_COOKIE{group})!="Advanced"', false],
  ['$(HTTP_COOKIE{n})>9', true],
  ['$(HTTP_COOKIE{n})>\'9\'', true],
  ['\'10\' < \'9x\'', true],
  ['2 <= 2 & 2 >= 2', true],
  ['1.5 > 1', true],
  ['-1 < 0', true],
  // Neither equal nor unequal to anything.
  ['$(HTTP_COOKIE{none})==\'\'', false],
  ['$(HTTP_COOKIE{none})!=\'x\'', false],
  ['$(HTTP_COOKIE{empty})!=\'x\'', false],
  ['$(HTTP_COOKIE{none}|x)==x', true],
  ['$(HTTP_COOKIE{group})', true],
  ['$(HTTP_COOKIE{none})', false],
  ['!$(HTTP_COOKIE{none})', true],
  ['$(HTTP_ACCEPT_LANGUAGE{en})', true],
  ['$(HTTP_ACCEPT_LANGUAGE{de})', false],
  ['!$(HTTP_ACCEPT_LANGUAGE{de})', true],
  ['$(HTTP_ACCEPT_LANGUAGE{en})==true', true],
  // Comparisons bind strongest, then !, &, |.
  ['!1==2', true],
  ['1==2 & 1==2 | 1==1', true],
  ['1==1 | 1==1 & 1==2', true],
  ['(1==1 | 1==1) & 1==2', false],
  ['!(1==2) && !(2==1) || 1==2', true],
  ['!!1', true],
  ['', undefined],
  ['1 ==', undefined],
  ['== 1', undefined],
  ['(1', undefined],
  ['1)', undefined],
  ['1 1', undefined],
  ['\'open', undefined],
  ['1 == 1 == 1', undefined],
  ['process.exit()', undefined],
  ['$(no)', undefined],
];
for (const [text, wanted] of cases) test(`the test ${text}`, () => { expect(verdict(text)).toBe(wanted); });

test('a longer or deeper test than allowed is never true', () => {
  expect([verdict(`1${' '.repeat(1_023)}`), verdict(`1${' '.repeat(1_024)}`)]).toEqual([true, undefined]);
  expect([verdict(`${'('.repeat(32)}1${')'.repeat(32)}`), verdict(`${'('.repeat(33)}1${')'.repeat(33)}`)]).toEqual([true, undefined]);
  expect([verdict(`${'!'.repeat(32)}1`), verdict(`${'!'.repeat(33)}1`)]).toEqual([true, undefined]);
});

test('never throws', () => {
  const token = fc.constantFrom('$(HTTP_COOKIE{n})', '$(', ')', '(', '!', '&', '|', '==', '!=', '<', '>=', '\'', '"', '1', 'a', ' ', '\n', '$');
  fc.assert(fc.property(fc.array(fc.oneof(token, fc.string({ maxLength: 3 })), { maxLength: 30 }), (tokens) => {
    expect([true, false, undefined]).toContain(verdict(tokens.join('')));
  }), { numRuns: 2_000, seed: 5 });
});

test('is the same as the same written with all parentheses', () => {
  interface Pair { readonly bare: string; readonly full: string; readonly value: boolean }
  const leaf: fc.Arbitrary<Pair> = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.constantFrom('==', '!=', '<', '<='), fc.integer({ min: 0, max: 3 })).map(([a, operator, b]) => {
    const value = operator === '==' ? a === b : operator === '!=' ? a !== b : operator === '<' ? a < b : a <= b;
    return { bare: `${a}${operator}${b}`, full: `(${a} ${operator} ${b})`, value };
  });
  const negated = fc.tuple(leaf, fc.boolean()).map(([{ bare, full, value }, not]) => (not ? { bare: `!${bare}`, full: `(!${full})`, value: !value } : { bare, full, value }));
  const all = fc.array(negated, { minLength: 1, maxLength: 4 }).map((terms) => ({ bare: terms.map(({ bare }) => bare).join('&'), full: `(${terms.map(({ full }) => full).join(' & ')})`, value: terms.every(({ value }) => value) }));
  const any = fc.array(all, { minLength: 1, maxLength: 4 }).map((terms) => ({ bare: terms.map(({ bare }) => bare).join('|'), full: terms.map(({ full }) => full).join(' | '), value: terms.some(({ value }) => value) }));
  fc.assert(fc.property(any, ({ bare, full, value }) => {
    expect([verdict(bare), verdict(full)]).toEqual([value, value]);
  }), { numRuns: 500, seed: 6 });
});

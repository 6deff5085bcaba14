import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { compileVariation } from '../http/index.ts';
import { chooseVariation } from './variation-choice.ts';

const dimensions = [
  { name: 'device', values: ['mobile', 'desktop'], fallback: 'desktop', exact: false },
  { name: 'language', values: ['de', 'pt', 'en'], fallback: 'en', exact: false },
  { name: 'audience', values: ['new', 'vip'], fallback: 'new', exact: true },
];
const names = dimensions.map((dimension) => dimension.name);
const key = compileVariation(names);

describe('choice of a variation', () => {
  test('an exact copy is taken before all others', () => {
    expect(chooseVariation(key(['mobile', 'de', 'vip']), [key(['mobile', 'en', 'vip']), key(['mobile', 'de', 'vip'])], dimensions))
      .toEqual({ key: key(['mobile', 'de', 'vip']), crossed: [] });
  });

  test('an exact dimension is never crossed', () => {
    expect(chooseVariation(key(['mobile', 'de', 'vip']), [key(['mobile', 'de', 'new'])], dimensions)).toBeUndefined();
  });

  test('one crossing is better than two, the first dimension is kept longest', () => {
    const wanted = key(['mobile', 'de', 'new']);
    expect(chooseVariation(wanted, [key(['desktop', 'en', 'new']), key(['mobile', 'pt', 'new'])], dimensions)?.crossed).toEqual(['language']);
    expect(chooseVariation(wanted, [key(['desktop', 'de', 'new']), key(['mobile', 'pt', 'new'])], dimensions)?.crossed).toEqual(['language']);
  });

  test('the default stands in before other values, then in declared order', () => {
    const wanted = key(['mobile', 'fr', 'new']);
    const offer = (...languages: string[]): unknown => chooseVariation(wanted, languages.map((language) => key(['mobile', language, 'new'])), dimensions)?.key;
    expect(offer('pt', 'de', 'en')).toBe(key(['mobile', 'en', 'new']));
    expect(offer('pt', 'de')).toBe(key(['mobile', 'de', 'new']));
    expect(offer('xx', 'pt')).toBe(key(['mobile', 'pt', 'new']));
  });

  test('a key of other dimensions, or of undeclared ones, is no stand-in', () => {
    const device = compileVariation(['device']);
    const other = compileVariation(['colour']);
    expect(chooseVariation(key(['mobile', 'de', 'new']), [device(['mobile'])], dimensions)).toBeUndefined();
    expect(chooseVariation(device(['mobile']), [other(['mobile'])], dimensions)).toBeUndefined();
    expect(chooseVariation(other(['red']), [other(['blue'])], dimensions)).toBeUndefined();
    expect(chooseVariation(device(['mobile']), [], dimensions)).toBeUndefined();
  });

  test('whatever is offered, in whatever order: nothing exact is crossed, and nothing nearer is passed over', () => {
    const point = fc.tuple(fc.constantFrom('mobile', 'desktop'), fc.constantFrom('de', 'pt', 'en'), fc.constantFrom('new', 'vip'));
    fc.assert(fc.property(point, fc.array(point, { maxLength: 8 }), (wanted, offered) => {
      const choice = chooseVariation(key(wanted), offered.map((values) => key(values)), dimensions);
      const again = chooseVariation(key(wanted), offered.toReversed().map((values) => key(values)), dimensions);
      const crossings = offered.filter((values) => values[2] === wanted[2]).map((values) => values.filter((value, i) => value !== wanted[i]).length);
      expect(choice?.crossed.length).toBe(crossings.length === 0 ? undefined : Math.min(...crossings));
      expect(choice?.crossed ?? []).not.toContain('audience');
      expect(again).toEqual(choice);
    }), { seed: 4, numRuns: 500 });
  });
});

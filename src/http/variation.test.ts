import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { compileBounded, compileDevice, compileLanguage, compileVariation, noVariation, parseVariation } from './variation.ts';

describe('variation key', () => {
  test('is in declared order', () => {
    expect<string>(compileVariation(['device', 'language'])(['mobile', 'de'])).toBe('device=mobile,language=de');
    expect(compileVariation([])([])).toBe(noVariation);
    expect(parseVariation(noVariation)).toEqual([]);
  });

  test('comes back as it went in, whatever the values', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.string({ unit: 'grapheme' })), { minLength: 1, maxLength: 4 }), (pairs) => {
      const wellFormed = pairs.map(([name, value]) => [name.toWellFormed(), value.toWellFormed()] as const);
      const made = compileVariation(wellFormed.map(([name]) => name))(wellFormed.map(([, value]) => value));
      expect(parseVariation(made)).toEqual(wellFormed);
      expect(made).toMatch(/^[\x20-\x7e]*$/);
    }), { numRuns: 500 });
  });
});

describe('language', () => {
  const choose = compileLanguage(['en', 'de', 'pt-BR'], 'en');
  test.each([
    [null, 'en'], ['', 'en'], ['*', 'en'], ['de', 'de'], ['DE', 'de'], ['de-AT,de;q=0.9,en;q=0.8', 'de'], ['fr', 'en'], ['fr, de;q=0.1', 'de'],
    ['pt', 'pt-BR'], ['en;q=0.1, de;q=0.9', 'de'], ['de;q=0', 'en'], [';;;,,=', 'en'], ['de', 'de'],
  ])('%p gets %p', (header, expected) => {
    expect(choose(header)).toBe(expected);
  });

  test('remembers no more than its bound and stays right', () => {
    for (let i = 0; i < 3000; i++) expect(choose(`x${i}, de`)).toBe('de');
    expect(choose('de-AT')).toBe('de');
  });

  test('looks at the start of an endless header only', () => {
    expect(choose(`de${', x;q=0.1'.repeat(2000)}`)).toBe('de');
    expect(choose(`${'x, '.repeat(2000)}de`)).toBe('en');
  });
});

describe('device', () => {
  const agents = {
    iphone: 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
    ipad: 'Mozilla/5.0 (iPad; CPU OS 15_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.0 Mobile/15E148 Safari/604.1',
    androidPhone: 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
    androidTablet: 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    firefoxTablet: 'Mozilla/5.0 (Android 15; Tablet; rv:140.0) Gecko/140.0 Firefox/140.0',
    windows: 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
    curl: 'curl/8.5.0',
  };
  test.each<[keyof typeof agents, string, string]>([
    ['iphone', 'mobile', 'mobile'], ['androidPhone', 'mobile', 'mobile'], ['ipad', 'mobile', 'tablet'], ['androidTablet', 'mobile', 'tablet'],
    ['firefoxTablet', 'mobile', 'tablet'], ['windows', 'desktop', 'desktop'], ['curl', 'desktop', 'desktop'],
  ])('%s is %s, or %s where tablets are told apart', (agent, two, three) => {
    expect(compileDevice(['mobile', 'desktop'], 'desktop')(agents[agent], null)).toBe(two);
    expect(compileDevice(['mobile', 'tablet', 'desktop'], 'desktop')(agents[agent], null)).toBe(three);
  });

  test('the client hint goes before the agent, an undeclared class is the fallback', () => {
    const choose = compileDevice(['mobile', 'desktop'], 'desktop');
    expect(choose(agents.windows, '?1')).toBe('mobile');
    expect(choose(agents.windows, '?0')).toBe('desktop');
    expect(choose(null, null)).toBe('desktop');
    expect(compileDevice(['small', 'desktop'], 'desktop')(agents.iphone, null)).toBe('desktop');
  });
});

test('a bounded value is itself or the fallback', () => {
  const bound = compileBounded(['new', 'vip'], 'new');
  expect(['vip', 'other', null, undefined, '__proto__'].map(bound)).toEqual(['vip', 'new', 'new', 'new', 'new']);
});

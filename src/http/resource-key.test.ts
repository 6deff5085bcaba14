import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { applyNoVarySearch, normalisePath, parseNoVarySearch, queryRules, resourceKey, resourceTarget, trackingParameters } from './resource-key.ts';

const all = queryRules(trackingParameters, undefined);
const key = (path: string, query = '', rules = all, host?: string): string => resourceKey(path, query, rules, host);

describe('resourceKey', () => {
  test.each([
    ['/', '', '/'],
    ['', '', '/'],
    ['/a/b.html', '', '/a/b.html'],
    ['/%7Euser/%61', '', '/~user/a'],
    ['/a%2fb', '', '/a%2Fb'],
    ['/a%2Fb', '', '/a%2Fb'],
    ['/100%', '', '/100%25'],
    ['/%%361', '', '/%2561'],
    ['/%zz', '', '/%25zz'],
    ['/é', '', '/%C3%A9'],
    ['/%c3%a9', '', '/%C3%A9'],
    ['/a b', '', '/a%20b'],
    ['/\ud800', '', '/%EF%BF%BD'],
    ['/p', 'b=2&a=1', '/p?a=1&b=2'],
    ['/p', 'b=2&a=2&b=1&a=1', '/p?a=2&a=1&b=2&b=1'],
    ['/p', '&&a=1&', '/p?a=1'],
    ['/p', 'a', '/p?a'],
    ['/p', 'a=', '/p?a='],
    ['/p', 'q=%41+b', '/p?q=A+b'],
    ['/p', '%61=1', '/p?a=1'],
    ['/p', 'utm_source=x', '/p'],
    ['/p', 'UTM_Source=x&fbclid=1&id=3&GCLID=2', '/p?id=3'],
    ['/p', 'utm=1', '/p?utm=1'],
    ['/p', '%75tm_source=x', '/p'],
  ])('%p with query %p is %p', (path, query, expected) => {
    expect(key(path, query)).toBe(expected);
  });

  test('keeps what keepQuery names, and that only', () => {
    const rules = queryRules(trackingParameters, ['page', 'gclid']);
    expect(key('/p', 'q=1&page=2&gclid=3&Page=4', rules)).toBe('/p?gclid=3&page=2');
    expect(key('/p', 'q=1', queryRules([], []))).toBe('/p');
  });

  test('names the host where the site has several', () => {
    expect(key('/p', 'a=1', all, 'shop.example')).toBe('//shop.example/p?a=1');
  });

  test('a path is never read as a host', () => {
    expect(key('//evil.example/p')).toBe('////evil.example/p');
    expect(resourceTarget(resourceKey('//evil.example/p', '', all))).toEqual({ host: undefined, target: '//evil.example/p' });
  });

  test('what a key asks for has the same key, whatever the URL', () => {
    const text = fc.stringMatching(/^[/a%236Ff1é &=?+.:~-]{0,12}$/);
    fc.assert(fc.property(text, text, fc.option(fc.constantFrom('a.example', 'b.example:8080'), { nil: undefined }), (path, query, host) => {
      const made = resourceKey(`/${path.replaceAll('?', '')}`, query.replaceAll('?', ''), all, host);
      const back = resourceTarget(made);
      expect(back.host).toBe(host);
      const [againPath = '', ...rest] = back.target.split('?');
      expect(key(againPath, rest.join('?'), all, host)).toBe(made);
      expect(made).toMatch(/^[\x21-\x7e]+$/);
    }), { numRuns: 3000, examples: [['/%%361', '%%361', undefined]] });
  });

  test('order of differently named parameters does not matter', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,4}$/), { minLength: 1, maxLength: 6 });
    fc.assert(fc.property(names, fc.nat(), (parameters, turn) => {
      const pairs = parameters.map((name, index) => `${name}=${index}`);
      const turned = [...pairs.slice(turn % pairs.length), ...pairs.slice(0, turn % pairs.length)];
      expect(key('/', turned.join('&'))).toBe(key('/', pairs.join('&')));
    }), { numRuns: 200 });
  });
});

test('a clean path comes back as it is', () => {
  expect(normalisePath('/products/42')).toBe('/products/42');
});

describe('No-Vary-Search', () => {
  const apply = (field: string, query: string): string | undefined => {
    const rule = parseNoVarySearch(field);
    return rule === undefined ? undefined : applyNoVarySearch(resourceKey('/p', query, all), rule);
  };
  test.each([
    ['params', 'a=1&b=2', '/p'],
    ['params=("a" "c")', 'a=1&b=2&c=3', '/p?b=2'],
    ['params, except=("b")', 'a=1&b=2', '/p?b=2'],
    ['params=("x y")', 'x+y=1&x%20y=2&z=3', '/p?z=3'],
    ['key-order, params=("a")', 'b=1', '/p?b=1'],
  ])('%p leaves of %p %p', (field, query, expected) => {
    expect(apply(field, query)).toBe(expected);
  });
  test.each(['', 'key-order', 'params=?0', 'params=a', 'params=(a)', 'params=("a"', 'params=("a"), except=("b")', 'params, except="b"', 'params=()'])(
    '%p changes nothing', (field) => {
      expect(apply(field, 'a=1')).toBeUndefined();
    });
});

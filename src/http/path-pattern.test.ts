import { describe, expect, test } from 'bun:test';
import { compilePattern, compileRoutes } from './path-pattern.ts';

test.each<[string, string[], string[]]>([
  ['/exact', ['/exact'], ['/exact/', '/exact/x', '/Exact', '/exac', '/']],
  ['/', ['/'], ['', '/a', '//']],
  ['/products/:id', ['/products/1', '/products/a-b.html'], ['/products', '/products/', '/products/1/2', '/products/1/']],
  ['/p/:a/x/:b', ['/p/1/x/2'], ['/p/1/y/2', '/p//x/2']],
  ['/account/**', ['/account', '/account/', '/account/a', '/account/a/b/'], ['/accounts', '/', '/accoun']],
  ['/**', ['/', '/a', '/a/b'], []],
  ['/static/*.css', ['/static/a.css', '/static/.css'], ['/static/a.css.map', '/static/a/b.css', '/static/a.js', '/static/axcss']],
  ['/img/*', ['/img/a', '/img/'], ['/img', '/img/a/b']],
  ['/a.b/:c', ['/a.b/1'], ['/aXb/1']],
])('%p', (pattern, yes, no) => {
  const compiled = compilePattern(pattern);
  if (!compiled.ok) throw new Error(compiled.problem);
  for (const path of yes) expect(`${path} ${compiled.matches(path)}`).toBe(`${path} true`);
  for (const path of no) expect(`${path} ${compiled.matches(path)}`).toBe(`${path} false`);
});

test.each(['', 'a', '/a?b', '/a#b', '/a/**/b', '/a**', '/:', '/:a-b', '/:a.html', '/é', '/a b', '/*a*b*'])('%p is refused', (pattern) => {
  expect(compilePattern(pattern)).toMatchObject({ ok: false, problem: expect.any(String) });
});

describe('compileRoutes', () => {
  const route = compileRoutes(['/a/special', '/a/:id', '/a/late', '/b/**', '/b/never', '/a/special']);
  test.each([['/a/special', 0], ['/a/late', 1], ['/a/x', 1], ['/b/never', 3], ['/b', 3], ['/c', -1]])('%p is route %p', (path, index) => {
    expect(route(path)).toBe(index);
  });
  test('no routes match nothing', () => {
    expect(compileRoutes([])('/')).toBe(-1);
  });
  test('a bad pattern is a defect of the caller', () => {
    expect(() => compileRoutes(['x'])).toThrow('must start with "/"');
  });
});

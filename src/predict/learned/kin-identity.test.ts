import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { kinIdentity } from './kin-identity.ts';

describe('kinIdentity', () => {
  const same = (of: 'name' | 'folder' | 'routeClass', a: string, b: string): boolean => kinIdentity(a)[of] === kinIdentity(b)[of];

  test.each([
    ['/win/raster_2.2-31', '/mac/raster_3.0', true],
    ['/news/goal.html', '/amp/goal.json', true],
    ['/img/Logo-2024.png', '/img/logo-2025.png', true],
    ['/a/h2o.css', '/a/h3o.css', false],
    ['/a/one', '/a/two', false],
    ['/a/12', '/a/13', false],
  ])('%p and %p have the same name: %p', (a, b, expected) => {
    expect(same('name', a, b)).toBe(expected);
  });

  test('folder and class', () => {
    expect(same('folder', '/a/b/x', '/a/b/y.png')).toBe(true);
    expect(same('folder', '/a/b/x', '/a/c/x')).toBe(false);
    expect(same('routeClass', '/a/b/x.png', '/a/c/d/y.png')).toBe(true);
    expect(same('routeClass', '/a/x.png', '/a/x.css')).toBe(false);
    expect(same('routeClass', '/a/x.png', '/b/x.png')).toBe(false);
    // Pages at the root are one class, not each its own; a version is no kind of file.
    expect(same('routeClass', '/one', '/two')).toBe(true);
    expect(same('routeClass', '/p/one_1.2', '/p/two_1.3')).toBe(true);
    expect([kinIdentity('/').depth, kinIdentity('/a').depth, kinIdentity('/a/b/').depth, kinIdentity('//host.example/a').depth]).toEqual([0, 1, 2, 2]);
    expect([kinIdentity('/a').hasQuery, kinIdentity('/a?b=1').hasQuery]).toEqual([false, true]);
  });

  test('what stands beyond the characters that are looked at makes no other family', () => {
    const long = `/a/${'x'.repeat(600)}`;
    expect(kinIdentity(`${long}/b/c.png`)).toEqual(kinIdentity(long));
    expect(kinIdentity(`${'x'.repeat(510)}ab`).name).not.toBe(kinIdentity(`${'x'.repeat(510)}cd`).name);
  });

  test('anything has an identity, of hashes that are not 0', () => {
    fc.assert(fc.property(fc.string({ maxLength: 700 }), (text) => {
      const { name, folder, routeClass, depth } = kinIdentity(text);
      for (const hash of [name, folder, routeClass]) expect(Number.isInteger(hash) && hash > 0 && hash < 2 ** 32).toBe(true);
      expect(depth >= 0 && depth <= 15).toBe(true);
    }), { numRuns: 300, seed: 5 });
  });
});

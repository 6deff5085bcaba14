import { expect, test } from 'bun:test';
import type { DemandWindow } from '../demand/index.ts';
import { headerReader } from '../http/index.ts';
import type { RegionName, ResourceKey, VariationKey } from '../kernel/index.ts';
import { followedPerSecondMax, refererCharactersMax, VisitsTold } from './visits-told.ts';

const eu = 'eu' as RegionName; // spelled as their makers would, here and below
const good = { good: true, whole: true };
const site = { resolve: (target: string) => ({ route: undefined as never, resource: target as ResourceKey }) };

function visit(path: string, client: string, fields: Readonly<Record<string, string>> = {}) {
  const headers = headerReader(Object.entries({ 'user-agent': 'Firefox', ...fields }));
  return { get: (name: string) => headers.get(name), client, host: 'shop.example', resource: path as ResourceKey, variation: '' as VariationKey, calledOurs: false };
}

/** Two windows, a minute's end between them: what was asked for in the first, and in the second. */
function windows(first: (told: VisitsTold) => void, second: (told: VisitsTold) => void): DemandWindow {
  const told = new VisitsTold(1000);
  const fromMs = Date.now();
  first(told);
  told.window(fromMs, fromMs + 1000);
  second(told);
  return told.window(fromMs + 1000, fromMs + 2000);
}

test('people\'s requests are counted; a crawler\'s, our own and a part of a page\'s are no steps', () => {
  const window = windows(() => undefined, (told) => {
    told.take(visit('/a', '192.0.2.1'), eu, good, site);
    told.take(visit('/b', '192.0.2.1', { 'user-agent': 'Googlebot/2.1' }), eu, good, site);
    told.take({ ...visit('/c', '192.0.2.1'), calledOurs: true }, eu, good, site);
    told.take(visit('/d', '192.0.2.1'), eu, { good: true, whole: false }, site);
  });
  expect(window.totals).toEqual({ person: 2, crawler: 1, prefetch: 0, generated: 1 });
  expect(window.counts.map(({ resource }) => resource as string)).toEqual(['/a', '/d']);
  expect([window.steps, window.sweeps, window.suspect]).toEqual([[], [], 0]);
});

test('what is told of a hundred visitors names none of them', () => {
  const window = windows((told) => {
    for (let i = 0; i < 100; i++) told.take(visit('/a', `192.0.2.${i}`), eu, good, site);
  }, (told) => {
    for (let i = 0; i < 100; i++) told.take(visit('/b', `192.0.2.${i}`, { referer: `https://shop.example/${'x'.repeat(refererCharactersMax)}`, cookie: 'session=secret' }), eu, good, site);
  });
  expect(/192\.0|secret|Firefox/.test(JSON.stringify(window))).toBe(false);
});

test('of more visits a second than are followed, those by some browsers stand for the others', () => {
  const told = new VisitsTold(1000);
  let asked = 0;
  const second = (): number => {
    asked = 0;
    for (let i = 0; i < 8 * followedPerSecondMax; i++) {
      told.take({
        ...visit('/a', '', { 'user-agent': `Browser ${i % 500}` }),
        get client(): string {
          asked++;
          return `192.0.2.${i}`;
        },
      }, eu, good, site);
    }
    told.window(0, 1000);
    return asked;
  };
  expect(second()).toBe(8 * followedPerSecondMax);
  for (let again = 0; again < 6; again++) second();
  expect(second()).toBeLessThanOrEqual(1.5 * followedPerSecondMax);
  expect(second()).toBeGreaterThan(followedPerSecondMax / 8);
});

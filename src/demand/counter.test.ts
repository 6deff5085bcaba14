import { describe, expect, test } from 'bun:test';
import { seededRandom } from '../kernel/index.ts';
import type { RegionName, ResourceKey, VariationKey } from '../kernel/index.ts';
import { DemandCounter } from './counter.ts';

const region = 'eu' as RegionName;
const plain = '' as VariationKey;
const real = (i: number): ResourceKey => `/products/${i}` as ResourceKey;

describe('DemandCounter', () => {
  test('counts each (resource, variation, region) apart, and each kind', () => {
    const counter = new DemandCounter(100);
    const mobile = 'device=mobile' as VariationKey;
    const us = 'us' as RegionName;
    counter.count(real(1), plain, region, 'person');
    counter.count(real(1), plain, region, 'person');
    counter.count(real(1), mobile, region, 'person');
    counter.count(real(1), plain, us, 'person');
    counter.count(real(2), plain, region, 'crawler');
    counter.count(real(2), plain, region, 'prefetch');
    counter.count(real(2), plain, region, 'generated');
    expect(counter.take(0, 60_000)).toEqual({
      fromMs: 0, toMs: 60_000, overflow: 0,
      counts: [
        { resource: real(1), variation: plain, region, count: 2 },
        { resource: real(1), variation: mobile, region, count: 1 },
        { resource: real(1), variation: plain, region: us, count: 1 },
      ],
      totals: { person: 4, crawler: 1, prefetch: 1, generated: 1 },
    });
    expect(counter.take(60_000, 120_000)).toEqual({ fromMs: 60_000, toMs: 120_000, counts: [], overflow: 0, totals: { person: 0, crawler: 0, prefetch: 0, generated: 0 } });
  });

  test('what only ever got errors takes no place; a known key\'s errors are demand', () => {
    const counter = new DemandCounter(100);
    counter.count(real(1), plain, region, 'person', false);
    counter.count(real(1), plain, region, 'person', false);
    counter.count(real(2), plain, region, 'person', true);
    counter.count(real(2), plain, region, 'person', false);
    const window = counter.take(0, 60_000);
    expect(window.counts).toEqual([{ resource: real(2), variation: plain, region, count: 2 }]);
    expect(window.overflow).toBe(2);
    expect(counter.keys).toBe(1);
  });

  test('a flood of a million random URLs does not push out ten thousand real ones', () => {
    const keysMax = 16_000;
    const counter = new DemandCounter(keysMax);
    const random = seededRandom(7);
    // One by one in turn, so that each has been asked for often enough to have a place.
    for (let round = 0; round < 3; round++) {
      for (let i = 0; i < 10_000; i++) counter.count(real(i), plain, region, 'person');
      counter.take(round * 60_000, (round + 1) * 60_000);
    }
    for (let i = 0; i < 1_000_000; i++) {
      counter.count(`/search?q=${random.below(2 ** 31)}-${i}` as ResourceKey, plain, region, 'person');
      if (i % 100_000 === 0) counter.take(0, (i / 100_000 + 4) * 60_000);
    }
    counter.take(0, 20 * 60_000);
    for (let i = 0; i < 10_000; i++) counter.count(real(i), plain, region, 'person');
    const window = counter.take(20 * 60_000, 21 * 60_000);
    expect(window.counts.length).toBe(10_000);
    expect(window.overflow).toBe(0);
    expect(counter.keys).toBeLessThanOrEqual(keysMax);
  });

  test('real keys get their places in the middle of a flood', () => {
    const keysMax = 4000;
    const counter = new DemandCounter(keysMax);
    const random = seededRandom(11);
    let minute = 0;
    for (let i = 0; i < 300_000; i++) {
      const flooded = random.next() < 0.9;
      const resource = flooded ? (`/x/${i}-${random.below(2 ** 31)}` as ResourceKey) : real(random.below(500));
      counter.count(resource, plain, region, 'person');
      if (i % 20_000 === 0) counter.take(minute * 60_000, ++minute * 60_000);
    }
    counter.take(0, minute * 60_000);
    for (let i = 0; i < 500; i++) counter.count(real(i), plain, region, 'person');
    expect(counter.take(0, (minute + 1) * 60_000).counts.length).toBe(500);
  });

  test('never keeps more keys than its limit, and nothing is lost from the totals', () => {
    const counter = new DemandCounter(50);
    for (let i = 0; i < 500; i++) for (let twice = 0; twice < 3; twice++) counter.count(real(i), plain, region, 'person');
    expect(counter.keys).toBeLessThanOrEqual(50);
    const window = counter.take(0, 1);
    expect(window.counts.reduce((sum, { count }) => sum + count, 0) + window.overflow).toBe(1500);
  });

  test('places of keys nobody asks for any more go to new ones', () => {
    const counter = new DemandCounter(10);
    for (let i = 0; i < 40; i++) for (let twice = 0; twice < 2; twice++) counter.count(real(i), plain, region, 'person');
    counter.take(0, 60_000);
    const twoDaysMs = 2 * 86_400_000;
    counter.take(twoDaysMs - 1, twoDaysMs);
    counter.count(real(99), plain, region, 'person');
    expect(counter.take(twoDaysMs, twoDaysMs + 1).counts.map(({ resource }) => resource)).toEqual([real(99)]);
  });
});

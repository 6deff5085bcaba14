import { describe, expect, test } from 'bun:test';
import type { DemandCount } from '../demand/index.ts';
import { seededRandom } from '../kernel/index.ts';
import type { RegionName, ResourceKey, VariationKey } from '../kernel/index.ts';
import { DemandEngine } from './engine.ts';
import { everywhere, horizonsMin } from './forecaster.ts';

const minuteMs = 60_000;
const startMs = 1_700_000_040_000;
const eu = 'eu' as RegionName;
const us = 'us' as RegionName;
const key = (name: string | number): ResourceKey => `/${name}` as ResourceKey;
const counted = (resource: ResourceKey, count: number, region = eu, variation = ''): DemandCount => ({ resource, count, region, variation: variation as VariationKey });

/** Poisson demand of known rates a minute. */
function play(forecaster: DemandEngine, minutes: number, rates: readonly number[], seed = 1, fromMs = startMs): void {
  const random = seededRandom(seed);
  for (let minute = 0; minute < minutes; minute++) {
    const counts: DemandCount[] = [];
    rates.forEach((rate, i) => {
      const count = random.poisson(rate);
      if (count > 0) counts.push(counted(key(i), count, i % 3 === 0 ? us : eu));
    });
    forecaster.observe(fromMs + minute * minuteMs, counts);
  }
}

describe('DemandEngine', () => {
  test('finds steady rates, the highest first, and P(≥1) follows', () => {
    const forecaster = new DemandEngine({ keysMax: 1000 });
    play(forecaster, 2000, [5, 1, 0.1]);
    const nowMs = startMs + 2000 * minuteMs;
    const rates = forecaster.rates(nowMs, 10, 'next');
    expect(rates.map(({ resource }) => resource)).toEqual([key(0), key(1), key(2)]);
    [5, 1, 0.1].forEach((rate, i) => { expect(Math.abs(Math.log((rates[i]?.perMinute ?? 0) / rate))).toBeLessThan(0.35); });
    const forecast = forecaster.forecast(nowMs, key(1), everywhere) ?? [];
    expect(forecast.map(({ horizonMin }) => horizonMin)).toEqual([...horizonsMin]);
    forecast.forEach(({ horizonMin, mean, p, q50, q90, q99 }) => {
      expect(Math.abs(mean / horizonMin - 1)).toBeLessThan(0.35);
      expect(p).toBeGreaterThan(0.95);
      expect([q50 <= q90, q90 <= q99, q99 < 4 * horizonMin]).toEqual([true, true, true]);
    });
    expect(forecaster.forecast(nowMs, key('never'), everywhere)).toBeUndefined();
    expect(forecaster.rates(nowMs, 2, 'next').length).toBe(2);
  });

  test('probabilities come true as often as they say', () => {
    const forecaster = new DemandEngine({ keysMax: 1000 });
    const random = seededRandom(8);
    const rates = Array.from({ length: 300 }, () => 10 ** (-3 + 2.5 * random.next()));
    play(forecaster, 3 * 1440, rates, 3);
    let nowMs = startMs + 3 * 1440 * minuteMs;
    let said = 0;
    let came = 0;
    for (let round = 0; round < 40; round++) {
      const p = new Map([...forecaster.forecasts(nowMs, 0, 0)].filter(({ region, horizonMin }) => region === everywhere && horizonMin === 15).map((forecast) => [forecast.resource, forecast.p]));
      const seen = new Set<ResourceKey>();
      for (let minute = 0; minute < 15; minute++, nowMs += minuteMs) {
        const counts = rates.flatMap((rate, i) => (random.next() < 1 - Math.exp(-rate) ? [counted(key(i), 1)] : []));
        for (const { resource } of counts) seen.add(resource);
        forecaster.observe(nowMs, counts);
      }
      for (const [resource, probability] of p) {
        said += probability;
        came += seen.has(resource) ? 1 : 0;
      }
    }
    expect(Math.abs(said / came - 1)).toBeLessThan(0.06);
  });

  test('a birth and a burst are seen within minutes', () => {
    const forecaster = new DemandEngine({ keysMax: 1000 });
    play(forecaster, 1500, [1, 1, 1]);
    let nowMs = startMs + 1500 * minuteMs;
    for (let minute = 0; minute < 5; minute++, nowMs += minuteMs) forecaster.observe(nowMs, [counted(key('new'), 20)]);
    expect(forecaster.rates(nowMs, 1, 'next')[0]?.resource).toBe(key('new'));
  });

  test('depends on the past only: what is forecast at t is the same whatever follows, and equal runs are equal', () => {
    const short = new DemandEngine({ keysMax: 500 });
    const long = new DemandEngine({ keysMax: 500 });
    const rates = Array.from({ length: 60 }, (_, i) => 2 ** (-i / 8));
    play(short, 700, rates, 5);
    play(long, 700, rates, 5);
    const nowMs = startMs + 700 * minuteMs;
    const told = [...long.forecasts(nowMs, 0, 0)];
    expect([...short.forecasts(nowMs, 0, 0)]).toEqual(told);
    // Asking changes nothing.
    play(short, 100, rates, 6, nowMs);
    play(long, 100, rates, 6, nowMs);
    expect([...short.forecasts(nowMs + 100 * minuteMs, 0, 0)]).toEqual([...long.forecasts(nowMs + 100 * minuteMs, 0, 0)]);
  });

  test('goes on from a snapshot as if it had never stopped', () => {
    const whole = new DemandEngine({ keysMax: 500 });
    const rates = Array.from({ length: 40 }, (_, i) => 2 ** (-i / 6));
    play(whole, 600, rates, 2);
    const resumed = new DemandEngine({ keysMax: 500, snapshot: whole.snapshot() });
    const nowMs = startMs + 600 * minuteMs;
    expect([...resumed.forecasts(nowMs, 0, 0)]).toEqual([...whole.forecasts(nowMs, 0, 0)]);
    expect(resumed.rates(nowMs, 100, 'next')).toEqual(whole.rates(nowMs, 100, 'next'));
    expect(resumed.variationShares(nowMs, key(1))).toEqual(whole.variationShares(nowMs, key(1)));
  });

  test('a damaged snapshot is refused, wherever the damage is', () => {
    const forecaster = new DemandEngine({ keysMax: 100 });
    play(forecaster, 50, [1, 1]);
    const bytes = forecaster.snapshot();
    for (let at = 0; at < bytes.length; at += 7) {
      const damaged = bytes.slice();
      damaged[at] = (damaged[at] ?? 0) ^ 0x20;
      expect(() => new DemandEngine({ keysMax: 100, snapshot: damaged })).toThrow('a forecast snapshot can not be read');
    }
    // A smaller limit than the snapshot's is met as new keys come.
    const smaller = new DemandEngine({ keysMax: 16, snapshot: bytes });
    for (let i = 0; i < 100; i++) smaller.observe(startMs + (60 + i) * minuteMs, [counted(key(`more-${i}`), 1)]);
    expect(smaller.size().keys).toBeLessThanOrEqual(16);
  });

  test('keeps no more keys than its limit, and the busy ones', () => {
    const forecaster = new DemandEngine({ keysMax: 200 });
    for (let minute = 0; minute < 500; minute++) {
      const nowMs = startMs + minute * minuteMs;
      forecaster.observe(nowMs, [counted(key('home'), 5), counted(key('list'), 1), ...Array.from({ length: 10 }, (_, i) => counted(key(`once-${minute}-${i}`), 1))]);
    }
    const nowMs = startMs + 500 * minuteMs;
    expect(forecaster.size().keys).toBeLessThanOrEqual(200);
    expect(forecaster.rates(nowMs, 2, 'next').map(({ resource }) => resource)).toEqual([key('home'), key('list')]);
  });
});

describe('regions', () => {
  test('divide a resource\'s rate, a region without history borrowing from the site\'s', () => {
    const forecaster = new DemandEngine({ keysMax: 100 });
    for (let minute = 0; minute < 300; minute++) {
      forecaster.observe(startMs + minute * minuteMs, [counted(key('a'), 9, eu), counted(key('a'), 3, us), ...(minute === 299 ? [counted(key('b'), 4, eu)] : [])]);
    }
    const nowMs = startMs + 300 * minuteMs;
    const meanOf = (resource: ResourceKey, region: RegionName): number => forecaster.forecast(nowMs, resource, region)?.[2]?.mean ?? 0;
    expect(meanOf(key('a'), eu) / meanOf(key('a'), us)).toBeCloseTo(3, 0);
    expect(Math.abs((meanOf(key('a'), eu) + meanOf(key('a'), us)) / meanOf(key('a'), everywhere) - 1)).toBeLessThan(0.2);
    // Four requests from one region, and four that say what the site says: 1 in 8 of page b's demand is expected elsewhere.
    expect(meanOf(key('b'), us)).toBeGreaterThan(0);
    expect(meanOf(key('b'), us)).toBeLessThan(0.3 * meanOf(key('b'), eu));
    expect(meanOf(key('a'), 'ap' as RegionName)).toBe(0);
  });

  test('are listed for keys seen since the given time, with every horizon, above the given probability', () => {
    const forecaster = new DemandEngine({ keysMax: 100 });
    forecaster.observe(startMs, [counted(key('old'), 1, eu)]);
    for (let minute = 1; minute < 90; minute++) forecaster.observe(startMs + minute * minuteMs, [counted(key('a'), 2, eu), ...(minute === 3 ? [counted(key('a'), 1, us)] : [])]);
    const nowMs = startMs + 90 * minuteMs;
    const listed = [...forecaster.forecasts(nowMs, startMs + minuteMs, 0.001)];
    expect(new Set(listed.map(({ resource, region }) => `${region} ${resource}`))).toEqual(new Set(['* /a', 'eu /a', 'us /a']));
    expect(listed.length).toBe(12);
    expect([...forecaster.forecasts(nowMs, startMs + minuteMs, 0.9)].map(({ region }) => region)).not.toContain(us);
  });
});

describe('variationShares', () => {
  test('shrink towards the site\'s among variations of the same dimensions, and sum to 1', () => {
    const forecaster = new DemandEngine({ keysMax: 100 });
    for (let minute = 0; minute < 60; minute++) {
      forecaster.observe(startMs + minute * minuteMs, [
        counted(key('page'), 3, eu, 'device=mobile'), counted(key('page'), 1, eu, 'device=desktop'), counted(key('style.css'), 5),
        ...(minute === 59 ? [counted(key('new'), 1, eu, 'device=desktop')] : []),
      ]);
    }
    const nowMs = startMs + 60 * minuteMs;
    expect(forecaster.variationShares(nowMs, key('style.css'))).toEqual([{ variation: '' as VariationKey, share: 1 }]);
    const page = forecaster.variationShares(nowMs, key('page'));
    expect(page.map(({ variation }) => variation as string)).toEqual(['device=mobile', 'device=desktop']);
    expect(page[0]?.share).toBeCloseTo(0.75, 1);
    const fresh = forecaster.variationShares(nowMs, key('new'));
    expect(fresh.length).toBe(2);
    expect(fresh.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 10);
    // Once desktop, and the prior's four requests three quarters mobile.
    expect(fresh.find(({ variation }) => variation.includes('mobile'))?.share).toBeCloseTo(0.6, 1);
    expect(forecaster.variationShares(nowMs, key('never'))).toEqual([]);
  });

  test('of a page nobody knows follow its section, and in a region that region\'s tilt', () => {
    const forecaster = new DemandEngine({ keysMax: 500 });
    for (let minute = 0; minute < 90; minute++) {
      const at = startMs + minute * minuteMs;
      forecaster.observe(at, [
        counted(key(`news/${minute}.html`), 9, eu, 'device=mobile'), counted(key(`news/${minute}.html`), 1, us, 'device=desktop'),
        counted(key(`docs/${minute}`), 2, us, 'device=mobile'), counted(key(`docs/${minute}`), 18, us, 'device=desktop'),
      ]);
    }
    const nowMs = startMs + 90 * minuteMs;
    forecaster.observe(nowMs, [counted(key('news/new.html'), 1, eu, 'device=desktop'), counted(key('docs/new'), 1, us, 'device=mobile')]);
    const mobile = (name: string, region?: RegionName): number => forecaster.variationShares(nowMs, key(name), region).find(({ variation }) => variation.includes('mobile'))?.share ?? 0;
    // One request of its own, four as its section's: .9 × 4/5 and .1 × 4/5 + 1/5.
    expect([Math.abs(mobile('news/new.html') - 0.72) < 0.04, Math.abs(mobile('docs/new') - 0.28) < 0.04]).toEqual([true, true]);
    expect(mobile('news/new.html', eu)).toBeGreaterThan(mobile('news/new.html') + 0.05);
    expect(mobile('news/new.html', us)).toBeLessThan(mobile('news/new.html') - 0.05);
    expect(mobile('news/new.html', 'ap' as RegionName)).toBe(mobile('news/new.html'));
    const resumed = new DemandEngine({ keysMax: 500, snapshot: forecaster.snapshot() });
    expect(resumed.variationShares(nowMs, key('docs/new'), eu)).toEqual(forecaster.variationShares(nowMs, key('docs/new'), eu));
  });
});

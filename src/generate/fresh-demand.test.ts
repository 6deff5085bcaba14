import { expect, test } from 'bun:test';
import type { DemandCount, DemandJourneys, DemandStep, DemandWindow } from '../demand/window.ts';
import { ManualClock, type RegionName, type ResourceKey, type VariationKey } from '../kernel/index.ts';
import { FreshDemand, minuteStepsMax, minuteSweepsMax } from './fresh-demand.ts';

const startMs = 1_700_000_040_000; // a whole minute
const count = (resource: string, variation: string, times: number): DemandCount => ({
  resource: resource as ResourceKey, variation: variation as VariationKey, region: 'eu' as RegionName, count: times, // spelled as their makers would
});
const windowOf = (fromMs: number, ...counts: DemandCount[]): DemandWindow => ({
  fromMs, toMs: fromMs + 1000, counts, overflow: 1, suspect: 3, steps: [], sweeps: [], totals: { person: counts.reduce((sum, c) => sum + c.count, 0) + 1, crawler: 2, prefetch: 0, generated: 0 },
});

function setUp(keysMax = 100, forecast: { resource: string; perMinute: number }[] = []) {
  const clock = new ManualClock(startMs);
  const observed: [number, Record<string, number>][] = [];
  const told: DemandJourneys[] = [];
  const demand = new FreshDemand({
    observe: (minuteMs, counts, journeys) => {
      observed.push([minuteMs - startMs, Object.fromEntries(counts.map((c) => [`${c.resource} ${c.variation}`, c.count]))]);
      if (journeys) told.push(journeys);
    },
    rates: () => forecast.map(({ resource, perMinute }) => ({ resource: resource as ResourceKey, perMinute })),
    variationShares: () => [{ variation: 'd=a' as VariationKey, share: 0.5 }, { variation: 'd=b' as VariationKey, share: 0.5 }],
  }, clock, keysMax);
  return { clock, observed, told, demand };
}

test('windows become whole minutes, told in order once they are over', () => {
  const { clock, observed, demand } = setUp();
  demand.add(windowOf(startMs + 58_000, count('/a', 'd=a', 2)));
  demand.add(windowOf(startMs + 59_000, count('/a', 'd=a', 1), count('/b', '', 1)));
  clock.advance(61_000);
  demand.add(windowOf(startMs + 60_000, count('/a', 'd=a', 7)));
  expect(demand.closeMinutes()).toBe(false);
  clock.advance(3000);
  expect(demand.closeMinutes()).toBe(true);
  expect(observed).toEqual([[0, { '/a d=a': 3, '/b ': 1 }]]);
  demand.add(windowOf(startMs + 50_000, count('/late', '', 1)));
  clock.advance(60_000);
  demand.closeMinutes();
  expect(observed[1]).toEqual([60_000, { '/a d=a': 7, '/late ': 1 }]);
  expect(demand.totals).toEqual({ person: 16, crawler: 8, prefetch: 0, generated: 0, overflow: 4, suspect: 12 });
});

test('the current minute is in the outlook at once, and leaves it when the forecaster has it', () => {
  const { clock, demand } = setUp(100, [{ resource: '/a', perMinute: 5 }, { resource: '/c', perMinute: 1 }]);
  demand.add(windowOf(startMs, count('/b', 'd=b', 3), count('/c', 'd=a', 2)));
  expect(demand.rates(clock.nowMs(), 10, 'copies')).toEqual([{ resource: '/a' as ResourceKey, perMinute: 5 }, { resource: '/b' as ResourceKey, perMinute: 3 }, { resource: '/c' as ResourceKey, perMinute: 2 }]);
  expect(demand.rates(clock.nowMs(), 1, 'copies').length).toBe(1);
  expect(demand.variationShares(clock.nowMs(), '/b' as ResourceKey)).toEqual([{ variation: 'd=b' as VariationKey, share: 0.875 }, { variation: 'd=a' as VariationKey, share: 0.125 }]);
  clock.advance(63_000);
  demand.closeMinutes();
  expect(demand.rates(clock.nowMs(), 10, 'copies').map(({ perMinute }) => perMinute)).toEqual([5, 1]);
});

test('keys of a minute are bounded, and what had no room is counted', () => {
  const { clock, demand, observed } = setUp(2);
  demand.add(windowOf(startMs, count('/a', '', 1), count('/b', '', 1), count('/c', '', 4), count('/a', '', 1)));
  clock.advance(63_000);
  demand.closeMinutes();
  expect(observed[0]?.[1]).toEqual({ '/a ': 2, '/b ': 1 });
  expect(demand.totals.overflow).toBe(5);
});

test('steps of all edges are added up by the minute, and are bounded; sweeps too', () => {
  const { clock, demand, told } = setUp();
  const step = (from: string, lagMin: number, times: number): DemandStep => ({ from: from as ResourceKey, to: '/z' as ResourceKey, lagMin, count: times });
  const sweep = { from: '/a' as ResourceKey, to: '/b' as ResourceKey, asked: 20, seconds: 60, region: 'eu' as RegionName };
  demand.add({ ...windowOf(startMs), steps: [step('/a', 1, 0.5), step('/b', 1, 1)], sweeps: [sweep] });
  demand.add({ ...windowOf(startMs + 1000), steps: [step('/a', 1, 2), step('/a', 2, 1)], sweeps: Array.from({ length: minuteSweepsMax }, () => sweep) });
  demand.add({ ...windowOf(startMs + 60_000), steps: Array.from({ length: minuteStepsMax + 5 }, (_, i) => step(`/${i}`, 1, 1)), sweeps: [] });
  clock.advance(123_000);
  demand.closeMinutes();
  expect(told[0]?.steps).toEqual([step('/a', 1, 2.5), step('/b', 1, 1), step('/a', 2, 1)]);
  expect(told[0]?.sweeps.length).toBe(minuteSweepsMax);
  expect(told[1]?.steps.length).toBe(minuteStepsMax);
});

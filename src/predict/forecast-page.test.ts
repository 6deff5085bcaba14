import { expect, test } from 'bun:test';
import type { DemandCount } from '../demand/index.ts';
import type { RegionName, ResourceKey, VariationKey } from '../kernel/index.ts';
import { DemandEngine } from './engine.ts';
import { pagedMax } from './forecast-page.ts';
import { everywhere } from './forecaster.ts';
import type { Forecast } from './forecaster.ts';

const minuteMs = 60_000;
const startMs = 1_700_000_040_000;
const nowMs = startMs + 30 * minuteMs;

function engineOf(keys: number): DemandEngine {
  const engine = new DemandEngine({ keysMax: keys + 10 });
  for (let minute = 0; minute < 30; minute += 10) {
    engine.observe(startMs + minute * minuteMs, Array.from({ length: keys }, (_, i): DemandCount => ({
      resource: `/${i}` as ResourceKey, variation: '' as VariationKey, region: (i % 2 === 0 ? 'eu' : 'us') as RegionName, count: 1 + (i % 7), // spelled as their parsers would
    })));
  }
  return engine;
}

function leaf(engine: DemandEngine, region: RegionName, limit: number): Forecast[] {
  const items: Forecast[] = [];
  let cursor: string | undefined;
  do {
    const page = engine.page(nowMs, { region, horizonMin: 15, limit, cursor });
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return items;
}

test('pages follow each other without gap or repetition, most expected first, everywhere and in a region', () => {
  const engine = engineOf(100);
  for (const [region, count] of [[everywhere, 100], ['eu', 50], ['nowhere', 0]] as const) {
    const items = leaf(engine, region as RegionName, 7); // any text may be asked about
    expect(new Set(items.map(({ resource }) => resource)).size).toBe(count);
    expect(items.length).toBe(count);
    expect(items.every((item, i) => i === 0 || item.mean <= (items[i - 1]?.mean ?? 0) * 1.001)).toBe(true);
    expect(items.every((item) => item.region === region && item.horizonMin === 15)).toBe(true);
  }
  expect(() => engine.page(nowMs, { region: everywhere, horizonMin: 15, limit: 5, cursor: 'x' })).toThrow('cursor is not one');
});

test('no more than the most expected are leafed through', () => {
  expect(leaf(engineOf(pagedMax + 500), everywhere, 1000).length).toBe(pagedMax);
});

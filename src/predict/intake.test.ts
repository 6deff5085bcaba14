import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { DemandCount } from '../demand/index.ts';
import type { RegionName, ResourceKey, VariationKey } from '../kernel/index.ts';
import { Intake, facetsMax } from './intake.ts';
import { createState } from './state/state.ts';
import type { EngineState } from './state/state.ts';

const minuteMs = 60_000;
const startMs = 1_700_000_040_000;
const counted = (resource: string, count = 1, region = 'eu', variation = ''): DemandCount => ({ resource: resource as ResourceKey, region: region as RegionName, variation: variation as VariationKey, count });

function intakeOf(keysMax: number): { readonly state: EngineState; readonly intake: Intake; readonly forgotten: number[] } {
  const state = createState(keysMax, 3);
  const forgotten: number[] = [];
  return { state, forgotten, intake: new Intake(state, keysMax, (key) => { forgotten.push(key); }) };
}

describe('Intake', () => {
  test('gives each count its indexes, and marks the first that is known of a key', () => {
    const { state, intake } = intakeOf(100);
    intake.take(startMs, [counted('/a')]);
    const { keys, regions, counts, born, sums } = intake.take(startMs + minuteMs, [counted('/b', 2), counted('/a', 3), counted('/b', 4, 'us'), counted('/a', 5, 'us', 'device=mobile')]);
    // By key, and of one key in the order in which they were given.
    expect([[...keys], [...regions], [...counts], [...born]]).toEqual([[0, 0, 1, 1], [0, 1, 0, 1], [3, 5, 2, 4], [0, 0, 1, 0]]);
    expect([[...sums.keys], [...sums.counts], [...sums.firsts]]).toEqual([[0, 1], [8, 6], [0, 2, 4]]);
    expect([state.byResource.totals[0], state.byResource.totals[1], state.byRegion.totals[0], state.byRegion.totals[1]]).toEqual([9, 6, 6, 9]);
    expect([state.regionsOf.totalAt(state.regionsOf.find(0, 1)), state.regionsOf.totalAt(state.regionsOf.find(1, 0))]).toEqual([5, 2]);
    const us = state.regionsOf.find(0, 1);
    expect(state.regionsOf.weightAt(us) * state.regionsOf.factor(startMs + minuteMs)).toBeCloseTo(5, 4);
    expect(state.variationsOf.find(1, 1)).toBe(-1);
  });

  test('never holds more keys than allowed, nor lets go of one that is asked for in the minute; what it keeps is counted exactly', () => {
    const key = fc.nat({ max: 60 });
    fc.assert(fc.property(fc.array(fc.array(fc.tuple(key, fc.nat({ max: 2 }), fc.integer({ min: 1, max: 9 })), { maxLength: 40 }), { maxLength: 12 }), (minutes) => {
      const keysMax = 20;
      const { state, intake, forgotten } = intakeOf(keysMax);
      /** Requests of each key, and of each of its regions, since it was last let go. */
      const exact = new Map<string, number>();
      minutes.forEach((rows, minute) => {
        const names = new Map(Array.from(state.resources.indexes(), (index) => [index, state.resources.keyAt(index) ?? '']));
        forgotten.length = 0;
        const taken = intake.take(startMs + minute * minuteMs, rows.map(([name, region, count]) => counted(`/${name}`, count, `r${region}`)));
        const asked = new Set(rows.map(([name]) => `/${name}`));
        for (const index of forgotten) {
          const name = names.get(index) ?? '';
          expect(asked.has(name)).toBe(false);
          for (const id of exact.keys()) if (id === name || id.startsWith(`${name} `)) exact.delete(id);
        }
        expect(state.resources.size).toBeLessThanOrEqual(keysMax);
        // Whoever was known, and everybody when there is room for all, is taken.
        const kept = rows.filter(([name]) => state.resources.indexOf(`/${name}` as ResourceKey) !== undefined);
        const keptKeys = kept.map(([name]) => state.resources.indexOf(`/${name}` as ResourceKey) ?? -1).sort((a, b) => a - b);
        expect([...taken.keys]).toEqual(keptKeys);
        if (asked.size <= keysMax) expect(kept.length).toBe(rows.length);
        for (const [name, region, count] of kept) for (const id of [`/${name}`, `/${name} r${region}`]) exact.set(id, (exact.get(id) ?? 0) + count);
      });
      expect(state.resources.size).toBe([...exact.keys()].filter((id) => !id.includes(' ')).length);
      for (const [id, count] of exact) {
        const [name = '', region] = id.split(' ');
        const index = state.resources.indexOf(name as ResourceKey) ?? -1;
        const slot = region === undefined ? -1 : state.regionsOf.find(index, state.regions.indexOf(region as RegionName) ?? -1);
        expect(region === undefined ? state.byResource.totals[index] : state.regionsOf.totalAt(slot)).toBe(count);
      }
    }), { numRuns: 200, seed: 31 });
  });

  test('lets the least asked for go, with their pairs, and keeps those of the others', () => {
    const { state, intake, forgotten } = intakeOf(64);
    for (let minute = 0; minute < 60; minute++) intake.take(startMs + minute * minuteMs, Array.from({ length: 64 }, (_, i) => i).filter((i) => minute % (1 + Math.floor(i / 8)) === 0).flatMap((i) => [counted(`/${i}`, 1, 'eu'), counted(`/${i}`, 1, 'us')]));
    const pairs = state.regionsOf.size;
    expect(pairs).toBe(128);
    intake.take(startMs + 60 * minuteMs, [counted('/new', 1, 'ap')]);
    expect([...forgotten].sort((a, b) => a - b)).toEqual([56, 57, 58, 59]);
    expect(state.regionsOf.size).toBe(pairs - 8 + 1);
    expect(state.regionsOf.totalAt(state.regionsOf.find(3, 1))).toBe(60);
    expect(state.resources.keyAt(forgotten[3] ?? -1)).toBe('/new' as ResourceKey);
  });

  test('a minute of more keys than there is room for is taken as far as there is room, in its order', () => {
    const { state, intake } = intakeOf(20);
    intake.take(startMs, Array.from({ length: 15 }, (_, i) => counted(`/old/${i}`)));
    const { keys, counts } = intake.take(startMs + minuteMs, [counted('/old/3', 2), ...Array.from({ length: 30 }, (_, i) => counted(`/new/${i}`)), counted('/new/0', 4), counted('/new/29', 5)]);
    expect(state.resources.size).toBe(20);
    const taken = Array.from(keys, (index, i) => `${state.resources.keyAt(index) ?? ''} ${counts[i] ?? 0}`);
    expect(taken.sort()).toEqual(['/old/3 2', ...Array.from({ length: 19 }, (_, i) => `/new/${i} 1`), '/new/0 4'].sort());
  });

  test('one new key from many regions makes no more room than one', () => {
    const { intake, forgotten } = intakeOf(20);
    intake.take(startMs, Array.from({ length: 19 }, (_, i) => counted(`/${i}`)));
    intake.take(startMs + minuteMs, Array.from({ length: 40 }, (_, i) => counted('/new', 1, `r${i}`)));
    expect(forgotten).toEqual([]);
    intake.take(startMs + 2 * minuteMs, [counted('/other')]);
    expect(forgotten.length).toBe(1);
  });

  test('regions beyond the limit count as the last one', () => {
    const { state, intake } = intakeOf(100);
    intake.take(startMs, Array.from({ length: facetsMax + 5 }, (_, i) => counted('/a', 1, `r${i}`)));
    expect([state.regions.size, state.byRegion.totals[facetsMax - 1], state.byRegion.totals[0]]).toEqual([facetsMax, 6, 1]);
  });
});

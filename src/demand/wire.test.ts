import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { ForeshadowError } from '../kernel/index.ts';
import type { RegionName, ResourceKey, VariationKey } from '../kernel/index.ts';
import type { DemandWindow } from './window.ts';
import { decodeDemandWindow, encodeDemandWindow } from './wire.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 20 });
const count = fc.record({
  resource: text.map((path) => `/${path}` as ResourceKey),
  variation: text.map((value) => value as VariationKey),
  region: fc.constantFrom('eu', 'us', 'ap').map((name) => name as RegionName),
  count: fc.integer({ min: 1, max: 1_000_000 }),
});
const step = fc.record({ from: count.map(({ resource }) => resource), to: count.map(({ resource }) => resource), lagMin: fc.integer({ min: 1, max: 30 }), count: fc.integer({ min: 1, max: 8 }).map((sources) => 1 / sources) });
const sweep = fc.record({ from: count.map(({ resource }) => resource), to: count.map(({ resource }) => resource), asked: fc.integer({ min: 1, max: 500 }), seconds: fc.integer({ min: 1, max: 5000 }), region: count.map(({ region }) => region) });
const window: fc.Arbitrary<DemandWindow> = fc
  .tuple(fc.array(count, { maxLength: 30 }), fc.nat(), fc.nat(), fc.nat(), fc.nat({ max: 1e9 }), fc.nat({ max: 1e6 }), fc.record({ suspect: fc.nat(), steps: fc.array(step, { maxLength: 10 }), sweeps: fc.array(sweep, { maxLength: 4 }) }))
  .map(([counts, crawler, prefetch, generated, fromMs, overflow, journeys]) => ({
    ...journeys,
    fromMs: 1_700_000_000_000 + fromMs, toMs: 1_700_000_000_000 + fromMs + 60_000, counts, overflow,
    totals: { person: counts.reduce((sum, item) => sum + item.count, overflow), crawler, prefetch, generated },
  }));
const noJourneys = { suspect: 0, steps: [], sweeps: [] };
const bounded = { numRuns: 200, seed: 42 };

function rejects(bytes: Uint8Array): boolean {
  try {
    decodeDemandWindow(bytes);
    return false;
  } catch (thrown) {
    if (thrown instanceof ForeshadowError && thrown.code === 'bytes-invalid') return true;
    throw thrown;
  }
}

describe('a demand window as bytes', () => {
  test('comes back as it was', () => {
    fc.assert(fc.property(window, (given) => { expect(decodeDemandWindow(encodeDemandWindow(given))).toEqual(given); }), bounded);
  });

  test('is refused when any byte is changed, cut off or added', () => {
    fc.assert(fc.property(window, fc.nat(), fc.integer({ min: 1, max: 255 }), (given, where, difference) => {
      const bytes = encodeDemandWindow(given);
      const changed = bytes.slice();
      const at = where % changed.length;
      changed[at] = (changed[at] ?? 0) ^ difference;
      expect(rejects(changed)).toBe(true);
      expect(rejects(bytes.subarray(0, at))).toBe(true);
      expect(rejects(Uint8Array.from([...bytes, 0]))).toBe(true);
    }), bounded);
  });

  test('is refused with a right checksum and wrong content', () => {
    const impossible: DemandWindow = { fromMs: 0, toMs: 1, counts: [], overflow: 0, ...noJourneys, totals: { person: 5, crawler: 0, prefetch: 0, generated: 0 } };
    expect(() => decodeDemandWindow(encodeDemandWindow(impossible))).toThrow('do not add up');
  });

  test('is compact: a repeated resource is written once', () => {
    const resource = `/${'long'.repeat(50)}` as ResourceKey;
    const counts = ['eu', 'us', 'ap'].map((region) => ({ resource, variation: '' as VariationKey, region: region as RegionName, count: 1 }));
    const bytes = encodeDemandWindow({ fromMs: 0, toMs: 60_000, counts, overflow: 0, ...noJourneys, totals: { person: 3, crawler: 0, prefetch: 0, generated: 0 } });
    expect(bytes.length).toBeLessThan(280);
  });
});

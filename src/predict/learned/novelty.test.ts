import { expect, test } from 'bun:test';
import type { RegionName, ResourceKey, VariationKey } from '../../kernel/index.ts';
import { Intake } from '../intake.ts';
import type { ObservedMinute } from '../stage.ts';
import { createState } from '../state/state.ts';
import { Novelty } from './novelty.ts';

const startMs = 1_700_000_040_000;

test('a region that goes through what it did not ask for lately is told from one that asks for the same again, whatever the order within a minute', () => {
  const state = createState(10_000, 1);
  const intake = new Intake(state, 10_000, () => undefined);
  const [novelty, backwards] = [new Novelty(state), new Novelty(state)];
  for (let minute = 0; minute < 20; minute++) {
    const nowMs = startMs + minute * 60_000;
    const asked = (region: string, key: number) => ({ resource: `/${key}` as ResourceKey, region: region as RegionName, variation: '' as VariationKey, count: 1 });
    const taken = intake.take(nowMs, Array.from({ length: 20 }, (_, i) => i).flatMap((i) => [asked('sweep', 100 + minute * 20 + i), asked('people', i)]));
    const observed: ObservedMinute = { startMs: nowMs, ...taken, steps: { from: new Int32Array(0), to: new Int32Array(0), lagsMin: new Int32Array(0), counts: new Float64Array(0) }, sweeps: [] };
    novelty.observe(observed);
    backwards.observe({ ...observed, keys: observed.keys.toReversed(), regions: observed.regions.toReversed(), counts: observed.counts.toReversed() });
  }
  // After 400 entries, of which the last 64 weigh most.
  expect([novelty.of(0), novelty.of(1)].map((part) => Math.round(100 * part))).toEqual([100, 0]);
  expect([backwards.of(0), backwards.of(1)]).toEqual([novelty.of(0), novelty.of(1)]);
  expect(novelty.of(-1)).toBeNaN();
});

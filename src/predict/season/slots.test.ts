import { expect, test } from 'bun:test';
import type { RegionName, ResourceKey } from '../../kernel/index.ts';
import { createState } from '../state/state.ts';
import { Slots, keySlots, regionSlots, siteSlot } from './slots.ts';

const nowMs = Date.UTC(2024, 0, 2);

function siteOf(regions: number, keys: number): { readonly slots: Slots; readonly add: (region: number, count: number) => void; readonly ask: (key: number, count: number) => void } {
  const state = createState(1000, 1);
  for (let i = 0; i < regions; i++) state.regions.intern(`r${i}` as RegionName);
  for (let i = 0; i < keys; i++) state.resources.intern(`/part/${i}` as ResourceKey);
  state.byRegion.grow(regions);
  state.byResource.grow(keys);
  for (const columns of [state.byRegion, state.byResource]) columns.advance(nowMs);
  return {
    slots: new Slots(state),
    add: (region, count) => { state.byRegion.add(Int32Array.of(region), Float64Array.of(count), nowMs); },
    ask: (key, count) => { state.byResource.add(Int32Array.of(key), Float64Array.of(count), nowMs); },
  };
}

test('the largest 32 of a kind are watched; who is in stays until clearly smaller', () => {
  const { slots, add } = siteOf(40, 1);
  for (let region = 0; region < 40; region++) add(region, 1000 + 10 * region);
  expect(slots.choose(nowMs).length).toBe(32);
  expect(Array.from({ length: 40 }, (_, region) => slots.ofRegion(region) >= regionSlots)).toEqual(Array.from({ length: 40 }, (_, region) => region >= 8));
  // A little larger than the least that is in, then much larger.
  add(0, 300);
  expect(slots.choose(nowMs)).toEqual([]);
  add(0, 1000);
  expect(slots.choose(nowMs).length).toBe(2);
  expect([slots.ofRegion(0) >= 0, slots.ofRegion(8)]).toEqual([true, -1]);
  expect(slots.names[slots.ofRegion(0)]).toBe('region r0');
});

test('a resource has a series while it is asked for often, and until its index is another\'s', () => {
  const { slots, ask } = siteOf(1, 50);
  ask(3, 5000);
  ask(4, 5);
  slots.choose(nowMs);
  expect([slots.ofKey(3), slots.ofKey(4), slots.names[keySlots]]).toEqual([keySlots, -1, 'resource /part/3']);
  expect(slots.forget(3)).toBe(keySlots);
  expect([slots.ofKey(3), slots.held[keySlots], slots.held[siteSlot]]).toEqual([-1, -1, 0]);
});

test('resources of one first segment and kind are of one class', () => {
  const { slots } = siteOf(1, 50);
  for (let key = 0; key < 50; key++) slots.count(key, 20);
  slots.choose(nowMs);
  const ofClass = slots.ofClass(0);
  expect(ofClass).toBeGreaterThan(0);
  for (let key = 1; key < 50; key++) expect(slots.ofClass(key)).toBe(ofClass);
});

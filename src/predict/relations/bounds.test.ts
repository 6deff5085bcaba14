import { expect, test } from 'bun:test';
import { SweepOrder } from '../../demand/index.ts';
import { seededRandom } from '../../kernel/index.ts';
import type { ResourceKey } from '../../kernel/index.ts';
import { KeyTable } from '../state/key-table.ts';
import { EvidenceWeights } from './evidence-weights.ts';
import { KeyOrder, placedMax } from './key-order.ts';
import { KeyRows, KeySums } from './key-sums.ts';
import { LagProfile } from './lag-profile.ts';
import { PairSums } from './pair-sums.ts';
import { RecentDemand, recentMax } from './recent-demand.ts';
import { keysAheadMax, keysPassedMax, sweepsFollowedMax, SweepsAhead } from './sweeps-ahead.ts';
import type { Ahead, SweepView } from './sweeps-ahead.ts';
import { targetsEach, TransitionGraph } from './transition-graph.ts';

test('a minute with too many entries is thinned out, and its sum stays', () => {
  const recent = new RecentDemand();
  const length = recentMax * 3 + 7;
  const keys = Int32Array.from({ length }, (_, i) => i);
  recent.add(0, keys, new Int32Array(length), new Float64Array(length).fill(2), () => true);
  const [minute] = recent.asOf(60_000);
  expect(minute?.keys.length ?? 0).toBeLessThanOrEqual(recentMax);
  expect(minute?.counts.reduce((sum, count) => sum + count, 0)).toBeCloseTo(2 * length, 3);
  expect(recent.asOf(40 * 60_000)).toEqual([]);
});

interface AheadKey { readonly key: number; readonly region: number }

function listed({ length, keys, regions }: Ahead): AheadKey[] {
  return Array.from({ length }, (_, i) => ({ key: keys[i] ?? -1, region: regions[i] ?? -1 }));
}

const nobody: SweepView = { rateOf: () => 1e-5, lastSeenMs: () => 0, nowMs: 1e9 };

test('of many sweeps the fastest are looked ahead of, and of each a bounded way', () => {
  const resources = new KeyTable<ResourceKey>(1);
  for (let i = 0; i < placedMax; i++) resources.intern(`/p/${i}` as ResourceKey);
  const ahead = new SweepsAhead(resources);
  const sweep = (from: number) => ({ from, to: from + 100, asked: 100, seconds: 1, region: from % 1000 });
  const found = listed(ahead.of(Array.from({ length: sweepsFollowedMax + 4 }, (_, i) => sweep(100 * i)), nobody));
  expect(new Set(found.map(({ region }) => region)).size).toBe(sweepsFollowedMax);
  expect(found.length).toBe(sweepsFollowedMax * keysAheadMax);
  expect(found.filter(({ region }) => region === 0).slice(0, 3).map(({ key }) => key)).toEqual([101, 102, 103]);
  // Down the list.
  expect(listed(ahead.of([{ from: 500, to: 400, asked: 50, seconds: 60, region: 0 }], nobody)).slice(0, 2).map(({ key }) => key)).toEqual([399, 398]);
});

test('of very many keys passed some are looked at, which tell the same', () => {
  const resources = new KeyTable<ResourceKey>(1);
  const length = keysPassedMax + 1000;
  for (let i = 0; i < length; i++) resources.intern(`/p/${i}` as ResourceKey);
  const ahead = new SweepsAhead(resources);
  let looked = 0;
  // One in two that lie on the way was asked for, whatever the one.
  const view: SweepView = { rateOf: () => 1e-5, lastSeenMs: (key) => { looked++; return (key >> 1) % 2 === 0 ? 1e9 : 0; }, nowMs: 1e9 };
  const sweep = { from: 10, to: length - 100, asked: length / 2, seconds: 3600, region: 0 };
  // Until all are in order.
  for (let minute = 0; minute < length / placedMax; minute++) ahead.of([sweep], view);
  looked = 0;
  const { within } = ahead.of([sweep], view);
  expect(looked).toBeLessThanOrEqual(keysPassedMax);
  expect(within[3] ?? 0).toBeCloseTo(0.5, 2);
});

test('keys are in the order of lists, whatever comes and goes, and not too many are put in at a time', () => {
  const resources = new KeyTable<ResourceKey>(1);
  const order = new KeyOrder(resources);
  const lists = new SweepOrder();
  const random = seededRandom(3);
  for (let round = 0; round < 40; round++) {
    // Names alike in their first letters, so that codes don't tell, and others.
    for (let i = 0; i < 60; i++) resources.intern((random.below(2) === 0 ? `/list?product=${random.below(5000)}` : `/${random.below(40)}/x${random.below(300)}`) as ResourceKey);
    for (let i = 0; i < 20; i++) {
      const key = random.below(resources.span);
      resources.release(key);
      order.forget(key);
      // Its index is another's at once.
      if (i % 2 === 0) resources.intern(`/again-${random.below(1e6)}` as ResourceKey);
    }
    order.renew();
    const names = [...resources.indexes()].map((key) => resources.keyAt(key) ?? '').sort((a, b) => lists.compare(a, b));
    expect(Array.from({ length: order.length }, (_, position) => resources.keyAt(order.keyAt(position)))).toEqual(names.map((name) => name as ResourceKey)); // as they went in
    for (let position = 0; position < order.length; position += 7) expect(order.positionOf(order.keyAt(position))).toBe(position);
  }
  for (let i = 0; i < placedMax + 100; i++) resources.intern(`/more-${i}` as ResourceKey);
  const before = order.length;
  order.renew();
  expect(order.length - before).toBe(placedMax);
  order.renew();
  expect(order.length).toBe(resources.size);
  expect(order.positionOf(resources.span + 5)).toBe(-1);
});

test('what is frequent stays among a source\'s targets, whatever rare ones come by', () => {
  const graph = new TransitionGraph(4);
  graph.advance(0);
  for (let i = 0; i < 1000; i++) {
    graph.step(0, 1, 1);
    if (i % 2 === 0) graph.step(0, 100 + i, 1);
  }
  const targets = graph.targets.subarray(0, targetsEach);
  expect(targets.includes(1)).toBe(true);
  expect(graph.steps[targets.indexOf(1)] ?? 0).toBe(1000);
  // More sources than there is room for: the least asked for goes.
  graph.visit(0, 100);
  for (let from = 1; from < 50; from++) graph.step(from, 0, 1);
  expect([graph.span, graph.sourceOf(0) >= 0, graph.keys.filter((key) => key >= 0).length]).toEqual([4, true, 4]);
});

test('pairs have their sums, however many there are', () => {
  const sums = new PairSums(2, 4);
  for (let round = 0; round < 2; round++) for (let i = 0; i < 5000; i++) {
    const at = sums.place(i % 71, Math.floor(i / 71));
    sums.sums[at] = (sums.sums[at] ?? 0) + 1;
    sums.sums[at + 1] = i;
  }
  expect(sums.size).toBe(5000);
  for (let i = 0; i < 5000; i++) {
    const at = sums.find(i % 71, Math.floor(i / 71));
    expect([sums.sums[at], sums.sums[at + 1]]).toEqual([2, i]);
  }
  expect(sums.find(72, 0)).toBe(-1);
});

test('sums that share rows keep apart, grow, and begin anew', () => {
  const rows = new KeyRows();
  const [one, other] = [new KeySums(3, rows), new KeySums(1, rows)];
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 3000; i++) {
      const key = (i * 7919) % 100_000;
      const at = one.place(key);
      one.sums[at + 2] = i;
      if (i % 3 !== 0) continue;
      // The sums may move when a place is made.
      const alsoAt = other.place(key);
      other.sums[alsoAt] = 1 - i;
    }
    expect(rows.size).toBe(3000);
    for (let i = 0; i < 3000; i++) {
      const key = (i * 7919) % 100_000;
      expect([one.sums[one.find(key) + 2], other.sums[other.find(key)] ?? 0]).toEqual([i, i % 3 === 0 ? 1 - i : 0]);
      expect(rows.keyAt(rows.find(key))).toBe(key);
    }
    expect([one.find(1), other.find(1), rows.find(1)]).toEqual([-1, -1, -1]);
    one.clear(7919);
    expect([one.sums[one.find(7919) + 2], one.sums[one.find(2 * 7919) + 2]]).toEqual([0, 2]);
    rows.clear();
    for (const sums of [one, other]) sums.reset();
    expect([rows.find(7919), one.sums.some((sum) => sum !== 0), other.sums.some((sum) => sum !== 0)]).toEqual([-1, false, false]);
  }
});

test('the lags of steps are learned', () => {
  const profile = new LagProfile();
  for (let i = 0; i < 3000; i++) profile.add(i % 3 === 0 ? 10 : 2, 1);
  profile.settle();
  expect(profile.coming(1, 5)).toBeCloseTo(2 / 3, 1);
  expect(profile.coming(3, 5)).toBeLessThan(0.01);
  expect(profile.coming(3, 15)).toBeCloseTo(1 / 3, 1);
  expect(profile.coming(31, 30)).toBe(0);
});

test('weights are what makes promises come true', () => {
  const weights = new EvidenceWeights([0.5, 0.5]);
  // The first class's promises come true by three in ten, the second's never.
  for (let time = 0; time < 300; time++) {
    const rows = 40;
    const promises = Float64Array.from({ length: 2 * rows }, (_, i) => (i % 4 === 0 || i % 4 === 3 ? 1 : 0));
    weights.learn(promises, new Float64Array(rows).fill(0.2), Float64Array.from({ length: rows }, (_, i) => (i % 2 === 0 ? 0.5 : 0.2)));
  }
  expect(weights.values[0]).toBeCloseTo(0.3, 1);
  expect(weights.values[1]).toBeLessThan(0.05);
});

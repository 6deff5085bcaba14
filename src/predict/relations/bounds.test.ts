import { expect, test } from 'bun:test';
import type { ResourceKey } from '../../kernel/index.ts';
import { KeyTable } from '../state/key-table.ts';
import { EvidenceWeights } from './evidence-weights.ts';
import { LagProfile } from './lag-profile.ts';
import { PairSums } from './pair-sums.ts';
import { RecentDemand, recentMax } from './recent-demand.ts';
import { keysAheadMax, sweepsFollowedMax, SweepsAhead } from './sweeps-ahead.ts';
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

test('of many sweeps the fastest are looked ahead of, and of each a bounded way', () => {
  const resources = new KeyTable<ResourceKey>(1);
  for (let i = 0; i < 20_000; i++) resources.intern(`/p/${i}` as ResourceKey);
  const ahead = new SweepsAhead();
  const sweep = (from: number) => ({ from, to: from + 100, asked: 100, seconds: 1, region: from % 1000 });
  const found = ahead.of(Array.from({ length: sweepsFollowedMax + 4 }, (_, i) => sweep(100 * i)), { resources, rateOf: () => 1e-5, lastSeenMs: () => 0, nowMs: 1e9 });
  expect(new Set(found.map(({ region }) => region)).size).toBe(sweepsFollowedMax);
  expect(found.length).toBeLessThanOrEqual(sweepsFollowedMax * keysAheadMax);
  expect(found.filter(({ region }) => region === 0).slice(0, 3).map(({ key }) => key)).toEqual([101, 102, 103]);
  // Down the list.
  expect(ahead.of([{ from: 500, to: 400, asked: 50, seconds: 60, region: 0 }], { resources, rateOf: () => 1e-5, lastSeenMs: () => 0, nowMs: 1e9 }).slice(0, 2).map(({ key }) => key)).toEqual([399, 398]);
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

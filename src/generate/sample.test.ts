import { expect, test } from 'bun:test';
import type { ShadowRecord } from '../catalog/index.ts';
import type { BlobDigest, ResourceKey, VariationKey } from '../kernel/index.ts';
import { Holdings } from './holdings.ts';
import { chooseSample } from './sample.ts';

const key = (path: string): ResourceKey => path as ResourceKey; // spelled as resourceKey would
const copy = (path: string, variation = ''): ShadowRecord => ({
  resource: key(path), variation: variation as VariationKey, vary: [], status: 200, headers: [], body: path as BlobDigest, bodyBytes: 1, // spelled as their makers would
  requestTimeMs: 1, responseTimeMs: 1, madeBy: 'generate', version: 0,
});

test('what is asked for more is sampled more, all its variations, and nothing without a copy or demand', () => {
  const holdings = new Holdings([copy('/a', 'd=x'), copy('/a', 'd=y'), copy('/b'), copy('/never')]);
  const demand = new Map([[key('/none'), 100], [key('/a'), 6], [key('/b'), 2], [key('/never'), 0]]);
  const counts: Record<string, number> = {};
  for (let n = 1; n <= 800; n++) {
    const { resource, variation } = chooseSample(holdings, demand, n) ?? copy('nothing');
    counts[`${resource} ${variation}`] = (counts[`${resource} ${variation}`] ?? 0) + 1;
  }
  expect(Object.keys(counts).sort()).toEqual(['/a d=x', '/a d=y', '/b ']);
  for (const [name, expected] of [['/a d=x', 300], ['/a d=y', 300], ['/b ', 200]] as const) expect(Math.abs((counts[name] ?? 0) - expected)).toBeLessThan(8);
});

test('without demand or copies there is no sample', () => {
  expect(chooseSample(new Holdings([copy('/a')]), new Map(), 1)).toBeUndefined();
  expect(chooseSample(new Holdings([]), new Map([[key('/a'), 1]]), 1)).toBeUndefined();
});

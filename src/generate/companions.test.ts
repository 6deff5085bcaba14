import { expect, test } from 'bun:test';
import type { ShadowRecord } from '../catalog/index.ts';
import type { BlobDigest, ResourceKey, VariationKey } from '../kernel/index.ts';
import { Companions, companionsMax, companionsWaitMs } from './companions.ts';

const key = (path: string): ResourceKey => path as ResourceKey; // spelled as resourceKey would
const page = (path: string, body = 'b', variation = ''): ShadowRecord => ({
  resource: key(path), variation: variation as VariationKey, vary: [], status: 200, headers: [], body: body as BlobDigest, bodyBytes: 1, // spelled as their makers would
  requestTimeMs: 1, responseTimeMs: 1, madeBy: 'generate', version: 0,
});
const paths = (records: readonly ShadowRecord[]): string[] => records.map(({ resource }) => resource);

test('a page goes when its last asset is there, and not before', () => {
  const companions = new Companions();
  const missing = new Set([key('/a.css'), key('/b.js')]);
  companions.hold(page('/p'), [...missing], 0);
  companions.hold(page('/q'), [key('/b.js')], 0);
  expect(paths(companions.settle((asset) => missing.has(asset), 1))).toEqual([]);
  missing.delete(key('/b.js'));
  expect(paths(companions.settle((asset) => missing.has(asset), 2))).toEqual(['/q']);
  missing.delete(key('/a.css'));
  expect(paths(companions.settle((asset) => missing.has(asset), 3))).toEqual(['/p']);
  expect([companions.size, companions.late]).toEqual([0, 0]);
});

test('no page waits longer than the limit, and no newer copy of it makes it longer', () => {
  const companions = new Companions();
  companions.hold(page('/p', 'one'), [key('/a')], 0);
  companions.hold(page('/p', 'two'), [key('/b')], companionsWaitMs - 1);
  expect(companions.settle(() => true, companionsWaitMs - 1)).toEqual([]);
  expect(companions.settle(() => true, companionsWaitMs).map(({ body }) => String(body))).toEqual(['two']);
  expect(companions.late).toBe(1);
});

test('what waits is named, by target and body; what is dropped is not', () => {
  const companions = new Companions();
  companions.hold(page('/p', 'one', 'd=x'), [key('/a')], 0);
  companions.hold(page('/q', 'two'), [key('/a')], 0);
  expect([[...companions.targets()], [...companions.bodies()].map(String)]).toEqual([['/p\nd=x', '/q\n'], ['one', 'two']]);
  companions.drop(page('/q'));
  expect([[...companions.targets()], companions.size]).toEqual([['/p\nd=x'], 1]);
});

test('pages that wait are bounded: further ones go at once', () => {
  const companions = new Companions();
  for (let i = 0; i < companionsMax; i++) expect(companions.hold(page(`/${i}`), [key('/a')], 0)).toBe(true);
  expect(companions.hold(page('/more'), [key('/a')], 0)).toBe(false);
  expect(companions.hold(page('/0', 'newer'), [key('/a')], 0)).toBe(true);
  expect([companions.size, companions.late]).toEqual([companionsMax, 1]);
});

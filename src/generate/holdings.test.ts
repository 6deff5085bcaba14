import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { shadowId, type ShadowRecord } from '../catalog/index.ts';
import type { BlobDigest, ResourceKey, VariationKey } from '../kernel/index.ts';
import { chooseEvictions } from './evict.ts';
import { Holdings } from './holdings.ts';

function recordOf(resource: number, variation: number, body: number, responseTimeMs = 0): ShadowRecord {
  return {
    resource: `/r${resource}` as ResourceKey, variation: `v=${variation}` as VariationKey, vary: [], status: 200, headers: [], body: `b${body}` as BlobDigest, bodyBytes: body + 1, // any names will do
    requestTimeMs: 0, responseTimeMs, madeBy: 'generate', version: 0,
  };
}

test('holdings count records, resources and distinct bodies as a plain map would', () => {
  const small = fc.integer({ min: 0, max: 3 });
  fc.assert(fc.property(fc.array(fc.record({ put: fc.boolean(), resource: small, variation: small, body: small }), { maxLength: 60 }), (steps) => {
    const holdings = new Holdings([]);
    const model = new Map<string, ShadowRecord>();
    for (const step of steps) {
      const record = recordOf(step.resource, step.variation, step.body);
      if (step.put) {
        holdings.put(record);
        model.set(shadowId(record), record);
      } else {
        holdings.remove(record);
        model.delete(shadowId(record));
      }
    }
    const bodies = new Map([...model.values()].map((record) => [record.body, record.bodyBytes]));
    expect(holdings.records).toBe(model.size);
    expect(holdings.resources).toBe(new Set([...model.values()].map((record) => record.resource)).size);
    expect(holdings.bytes).toBe([...bodies.values()].reduce((sum, bytes) => sum + bytes, 0));
    expect(new Set(holdings.bodies())).toEqual(new Set(bodies.keys()));
    expect(new Set([...holdings.all()].map((record) => `${shadowId(record)} ${record.body}`))).toEqual(new Set([...model].map(([id, record]) => `${id} ${record.body}`)));
  }), { seed: 5, numRuns: 200 });
});

test('the published form takes the place of the equal one only', () => {
  const holdings = new Holdings([recordOf(1, 1, 1, 10)]);
  holdings.adopt({ ...recordOf(1, 1, 1, 5), version: 7 });
  expect([...holdings.all()][0]?.version).toBe(0);
  holdings.adopt({ ...recordOf(1, 1, 1, 10), version: 8 });
  expect([...holdings.all()][0]?.version).toBe(8);
});

test('within the budget nothing goes; beyond it the least wanted, the oldest first, and no more than needed', () => {
  const records = Array.from({ length: 10 }, (_, i) => ({ ...recordOf(i, 0, i, i), bodyBytes: 100 }));
  const demand = new Map(records.map((record, i) => [record.resource, i < 5 ? 0 : i]));
  expect(chooseEvictions(records, demand, 1000, 1000)).toEqual({ records: [], demandBelow: 0 });
  const { records: gone, demandBelow } = chooseEvictions(records, demand, 1000, 400);
  expect(gone.map(({ resource }) => resource)).toEqual(['/r0', '/r1', '/r2', '/r3', '/r4', '/r5', '/r6'].map((path) => path as ResourceKey)); // as recordOf
  expect(demandBelow).toBe(6);
});

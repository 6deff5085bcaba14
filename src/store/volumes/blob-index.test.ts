import { expect, test } from 'bun:test';
import fc from 'fast-check';
import type { BlobDigest } from '../../kernel/index.ts';
import { digestBytes, digestOf } from '../digest.ts';
import { BlobIndex } from './blob-index.ts';

const name = (n: number): Buffer => digestBytes(digestOf(Buffer.from(String(n))));

/** Digests that share their first bytes, so that they collide in the table. */
function crowded(n: number): Buffer {
  const digest = name(n);
  digest.fill(n % 3, 0, 4);
  return digest;
}

test('agrees with a plain map through any adding and removing, crowded or not', () => {
  const step = fc.record({ add: fc.boolean(), n: fc.nat(60) });
  fc.assert(fc.property(fc.array(step, { maxLength: 300 }), fc.boolean(), (steps, crowd) => {
    const digestFor = crowd ? crowded : name;
    const index = new BlobIndex(2, 4);
    const model = new Map<number, number>();
    for (const { add, n } of steps) {
      const id = index.find(digestFor(n));
      expect(id >= 0).toBe(model.has(n));
      if (add) {
        index.setPlace(index.add(digestFor(n), n), n % 2, { segment: n + 1, bodyOffset: n * 8 });
        model.set(n, n);
      } else if (id >= 0) {
        index.remove(id);
        model.delete(n);
      }
      expect(index.count).toBe(model.size);
    }
    for (const n of model.keys()) {
      const id = index.find(digestFor(n));
      expect(index.place(id, n % 2)).toEqual({ segment: n + 1, bodyOffset: n * 8 });
      expect(index.place(id, 1 - (n % 2))).toBeUndefined();
      expect(index.bodyBytes(id)).toBe(n);
    }
    expect(index.bytes).toBe([...model.values()].reduce((sum, n) => sum + n, 0));
  }), { seed: 20_261_123, numRuns: 100 });
});

test('lists in order from any cursor', () => {
  const index = new BlobIndex(1, 4);
  const all: BlobDigest[] = [];
  for (let n = 0; n < 500; n++) {
    all.push(digestOf(Buffer.from(String(n))));
    index.setPlace(index.add(name(n), 1), 0, { segment: 1, bodyOffset: 0 });
  }
  all.sort();
  for (const [from, limit] of [[0, 500], [0, 1], [250, 10], [499, 5], [100, 1000]] as const) {
    const cursor = from === 0 ? undefined : all[from - 1];
    expect(index.list(cursor && digestBytes(cursor), limit)).toEqual(all.slice(from, from + limit));
  }
});

import { expect, test } from 'bun:test';
import { sampleRecord } from '../../test/store/sample-record.ts';
import { Copies, type Copy, type CopySource } from './copies.ts';
import { makeOf } from './made-copy.ts';
import { PreparedMemory } from './prepared-memory.ts';

const nowhere: CopySource = { records: () => [], variations: () => [], body: () => undefined, hasBody: () => false, put: () => Promise.resolve(), remove: () => Promise.resolve() };

function someCopy(n: number): Copy {
  return new Copies(nowhere, { memoryCacheBytes: 1 << 20, variantsPerVariation: 8 }).keep(sampleRecord(n), new Uint8Array(10)).copy;
}

const made = (copy: Copy, bytes: number): Copy => makeOf(copy, { headers: [], body: new Uint8Array(bytes), validators: copy.validators });

test('what was made is made once for each name, and what could not be made is tried again', () => {
  const memory = new PreparedMemory(1 << 20);
  const copy = someCopy(1);
  const first = memory.obtain(copy, 'a', () => made(copy, 100));
  expect(memory.obtain(copy, 'a', () => made(copy, 200))).toBe(first);
  expect(memory.obtain(copy, 'b', () => made(copy, 200))).not.toBe(first);
  expect(memory.obtain(copy, 'c', () => undefined)).toBeUndefined();
  expect(memory.obtain(copy, 'c', () => made(copy, 5))?.body.byteLength).toBe(5);
});

test('what was made of copies is bounded in bytes: the oldest is let go of, and what is too large is never held', () => {
  const memory = new PreparedMemory(50_000);
  const copies = Array.from({ length: 30 }, (_, n) => someCopy(n));
  for (const copy of copies) memory.obtain(copy, 'page', () => made(copy, 8_000));
  expect(memory.bytes).toBeLessThanOrEqual(50_000);
  expect(copies.filter((copy) => copy.made?.has('page'))).toEqual(copies.slice(-4));
  const [large = someCopy(99)] = copies;
  expect(memory.obtain(large, 'large', () => made(large, 60_000)).body.byteLength).toBe(60_000);
  expect(large.made?.has('large')).toBe(false);
  expect(memory.bytes).toBeLessThanOrEqual(50_000);
});

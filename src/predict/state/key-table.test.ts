import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { keyFoldersMax } from './key-folders.ts';
import { KeyHash } from './key-hash.ts';
import { KeyTable } from './key-table.ts';

const anyKey = fc.oneof(fc.string({ maxLength: 12 }), fc.string({ unit: 'binary', maxLength: 12 }), fc.constantFrom('', 'é', '\ud800', '\udc00x', 'ÿ', 'Ā', 'a\u0000', 'a'));

function copied(table: KeyTable<string>): KeyTable<string> {
  const writer = new ByteWriter('TEST', 1);
  table.write(writer);
  const copy = new KeyTable<string>(99);
  const reader = new ByteReader(writer.finish(), 'TEST', 1, 'a test');
  copy.read(reader);
  reader.end();
  return copy;
}

describe('KeyTable', () => {
  test('is what a Map and a list would be, whatever comes and goes', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.boolean(), anyKey), { maxLength: 300 }), fc.maxSafeNat(), (steps, seed) => {
      const table = new KeyTable<string>(seed);
      const known = new Map<string, number>();
      const free: number[] = [];
      let span = 0;
      for (const [isNew, key] of steps) {
        const before = known.get(key);
        expect(table.indexOf(key)).toBe(before);
        if (isNew) {
          const index = before ?? free.pop() ?? span++;
          known.set(key, index);
          expect(table.intern(key)).toBe(index);
        } else if (before !== undefined) {
          table.release(before);
          table.release(before);
          known.delete(key);
          free.push(before);
        }
      }
      for (const read of [table, copied(table)]) {
        expect([read.size, read.span, [...read.indexes()]]).toEqual([known.size, span, [...known.values()].sort((a, b) => a - b)]);
        for (const [key, index] of known) expect([read.indexOf(key), read.keyAt(index), read.has(index)]).toEqual([index, key, true]);
        expect([...read.indexesOf([...known.keys(), 'never there'])]).toEqual([...known.values(), -1]);
        for (const index of free) expect([read.keyAt(index), read.has(index)]).toEqual([undefined, false]);
      }
    }), { numRuns: 200, seed: 11 });
  });

  test('holds tens of thousands of keys, most of which come and go, in little more than their characters', () => {
    const table = new KeyTable<string>(7);
    const keyOf = (i: number): string => `/articles/${i}/${'some-title-that-is-rather-long'.slice(0, i % 31)}${i % 50 === 0 ? ' ≈ 雨' : ''}`;
    const live = new Map<string, number>();
    let characters = 0;
    for (let i = 0; i < 60_000; i++) {
      const index = table.intern(keyOf(i));
      live.set(keyOf(i), index);
      if (i < 10_000) continue;
      const old = keyOf(i - 10_000);
      const at = live.get(old) ?? -1;
      if (table.keyAt(at) !== old) throw new Error(`${old} is lost`);
      table.release(at);
      live.delete(old);
    }
    expect([table.size, table.span]).toEqual([10_000, 10_001]);
    for (const [key, index] of live) {
      if (table.indexOf(key) !== index || table.keyAt(index) !== key) throw new Error(`${key} is lost`);
      characters += key.length + 2;
    }
    expect(table.indexOf(keyOf(0))).toBeUndefined();
    expect([...table.indexesOf([...live.keys()])]).toEqual([...live.values()]);
    // A third of the characters may be dead, two chunks unfilled; 11 bytes a key to find them; 48 KiB of recent strings.
    expect(table.bytes).toBeLessThan(characters * 1.4 + 2 * 262_144 + 11 * 10_000 + 49_152);
  });

  test('keys of every length come back, to the longest', () => {
    const table = new KeyTable<string>();
    const keys = [0, 1, 62, 63, 64, 127, 128, 8191, 8192, 65_535, 65_536].flatMap((length) => ['x'.repeat(length), 'é'.repeat(length), 'Ω'.repeat(length)]);
    const indexes = keys.map((key) => table.intern(key));
    keys.forEach((key, i) => { expect(table.keyAt(indexes[i] ?? -1) === key && table.indexOf(key) === indexes[i]).toBe(true); });
    expect(table.size).toBe(new Set(keys).size);
    expect(() => table.intern('x'.repeat(65_537))).toThrow('a key is no longer');
  });

  test('what many keys begin with is kept once, and every key comes back', () => {
    const sizes = [0, 1].map((shared) => {
      const table = new KeyTable<string>(1);
      const keyOf = (i: number): string => (shared === 1 ? `/catalog/section-${i % 30}/item-${i}.html` : `/catalog-section-${i % 30}-item-${i}.html`);
      for (let i = 0; i < 20_000; i++) table.intern(keyOf(i));
      for (let i = 0; i < 20_000; i += 3) table.release(table.indexOf(keyOf(i)) ?? -1);
      for (const read of [table, copied(table)]) {
        for (let i = 0; i < 20_000; i++) {
          const index = read.indexOf(keyOf(i));
          if ((index === undefined) !== (i % 3 === 0) || (index !== undefined && read.keyAt(index) !== keyOf(i))) throw new Error(`${keyOf(i)} is lost`);
        }
        for (const other of ['/catalog/section-3/', '/catalog/section-3/é', '/catalog/section-3/雨']) expect(read.keyAt(read.intern(other))).toBe(other);
        expect(read.indexOf('/catalog/section-3')).toBeUndefined();
      }
      return table.bytes;
    });
    expect(sizes[1]).toBeLessThan((sizes[0] ?? 0) - 12 * 13_333);
  });

  test('keys of more folders than have numbers are kept whole', () => {
    const table = new KeyTable<string>();
    const keyOf = (i: number): string => `/folder-${i % (keyFoldersMax + 900)}/page-${Math.floor(i / (keyFoldersMax + 900))}`;
    for (let i = 0; i < 20 * (keyFoldersMax + 900); i++) table.intern(keyOf(i));
    for (let i = 0; i < 20 * (keyFoldersMax + 900); i++) if (table.keyAt(table.indexOf(keyOf(i)) ?? -1) !== keyOf(i)) throw new Error(`${keyOf(i)} is lost`);
    expect(table.size).toBe(20 * (keyFoldersMax + 900));
  });

  test('a table that does not agree with itself is refused', () => {
    const table = new KeyTable<string>();
    for (let i = 0; i < 10; i++) table.intern(`/page/${i}`);
    const writer = new ByteWriter('TEST', 1);
    table.write(writer);
    const bytes = writer.finish();
    // Past the span: ten addresses of four bytes.
    const damaged = (at: number, to: number): (() => void) => () => {
      const inner = bytes.slice(5, -4);
      inner[at] = to;
      const again = new ByteWriter('TEST', 1);
      again.raw(inner);
      new KeyTable<string>().read(new ByteReader(again.finish(), 'TEST', 1, 'a test'));
    };
    expect(damaged(5, 0)).toThrow('does not agree');
    expect(damaged(4, 0x30)).toThrow('does not agree');
    expect(damaged(0, 200)).toThrow('can not be read');
  });
});

describe('KeyHash', () => {
  test('is the same of a string and of its bytes, and another with another seed', () => {
    fc.assert(fc.property(anyKey, fc.maxSafeNat(), (key, seed) => {
      const hash = new KeyHash(seed);
      const wide = /[^\0-\xff]/.test(key);
      const bytes = Buffer.from(key, wide ? 'utf16le' : 'latin1');
      const shifted = Buffer.concat([Buffer.from('abc'), bytes]);
      expect(hash.ofBytes(shifted, 3, bytes.length, wide)).toBe(hash.ofString(key));
      expect(hash.wide).toBe(wide);
    }), { numRuns: 500, seed: 12 });
    const hashes = Array.from({ length: 50 }, (_, seed) => new KeyHash(seed * 0x1_0000_0001).ofString('/page'));
    expect(new Set(hashes).size).toBe(50);
  });

  test('fills places evenly', () => {
    const hash = new KeyHash(5);
    const places = new Int32Array(64);
    for (let i = 0; i < 64_000; i++) {
      const place = hash.ofString(`/page/${i}`) >>> 26;
      places[place] = (places[place] ?? 0) + 1;
    }
    // Five standard deviations of a thousand.
    expect([Math.min(...places) > 842, Math.max(...places) < 1158]).toEqual([true, true]);
  });
});

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter } from './bytes.ts';

describe('ByteWriter and ByteReader', () => {
  test('whole numbers, doubles and strings come back as they were', () => {
    fc.assert(fc.property(fc.array(fc.maxSafeNat()), fc.double(), fc.string({ unit: 'grapheme' }), (numbers, double, string) => {
      const writer = new ByteWriter('TEST', 3);
      writer.uint(numbers.length);
      for (const number of numbers) writer.uint(number);
      writer.double(double);
      writer.string(string);
      const reader = new ByteReader(writer.finish(), 'TEST', 3, 'a test');
      expect(Array.from({ length: reader.length(1) }, () => reader.uint())).toEqual(numbers);
      expect(reader.double()).toBe(double);
      expect(reader.string(1000)).toBe(string);
      reader.end();
    }), { numRuns: 200, seed: 1 });
  });

  test('columns that are not copied are written like others, whole or in pieces', () => {
    const column = Uint8Array.from({ length: 5000 }, (_, i) => i);
    const written = (way: 'raw' | 'view'): ByteWriter => {
      const writer = new ByteWriter('TEST', 3);
      writer.uint(7);
      writer[way](column);
      writer.string('after');
      writer[way](column.subarray(0, 3));
      return writer;
    };
    const whole = written('raw').finish();
    expect(written('view').finish()).toEqual(whole);
    const parts = [...written('view').parts(512)];
    expect(Math.max(...parts.map(({ length }) => length))).toBe(512);
    expect(Buffer.concat(parts).equals(whole)).toBe(true);
  });

  test('what is read raw can be copied out by slice, from a file\'s Buffer too', () => {
    const writer = new ByteWriter('TEST', 3);
    writer.raw(Uint8Array.of(1, 2, 3));
    const raw = new ByteReader(Buffer.from(writer.finish()), 'TEST', 3, 'a test').raw(3);
    expect([raw.slice().buffer.byteLength, [...raw]]).toEqual([3, [1, 2, 3]]);
  });

  const finished = (): Uint8Array => {
    const writer = new ByteWriter('TEST', 3);
    writer.uint(200);
    return writer.finish();
  };

  test.each([
    ['another name', () => new ByteReader(finished(), 'ELSE', 3, 'x'), 'something else'],
    ['another version', () => new ByteReader(finished(), 'TEST', 4, 'x'), 'format version is 3, not 4'],
    ['nothing at all', () => new ByteReader(new Uint8Array(), 'TEST', 3, 'x'), 'too short'],
    ['a length beyond the end', () => new ByteReader(finished(), 'TEST', 3, 'x').length(1), 'ends too early'],
    ['reading beyond the end', () => new ByteReader(finished(), 'TEST', 3, 'x').double(), 'ends too early'],
    ['something left over', () => { new ByteReader(finished(), 'TEST', 3, 'x').end(); }, 'more than there should be'],
  ])('%s is refused', (_, act, message) => {
    expect(act).toThrow(message);
  });
});

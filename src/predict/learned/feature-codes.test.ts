import { describe, expect, test } from 'bun:test';
import { encode, featureBlock, missing, plain, ratio } from './feature-codes.ts';
import type { Feature } from './feature-codes.ts';

function codesOf(feature: Feature, values: readonly number[]): number[] {
  const block = featureBlock([feature], values.length);
  block.values.set(values);
  encode([feature], block, values.length);
  return [...(block.codes[0] ?? [])];
}

describe('features as bytes', () => {
  test('a plain one is laid out evenly in its range, ends beyond', () => {
    expect(codesOf(plain('x', -1, 1), [-1, 0, 1, -0.5, -9, 9, -Infinity, Infinity])).toEqual([0, 127, 254, 64, 0, 254, 0, 254]);
    expect(codesOf(plain('x', -1, 1), [Number.NaN])).toEqual([missing]);
  });

  test('a ratio is laid out by its logarithm: in order, and never further off than 6 % of an octave', () => {
    const values = Array.from({ length: 500 }, (_, i) => Math.exp(-5.5 + i * 0.022));
    const codes = codesOf(ratio('x', -5, 5), values);
    codes.forEach((code, i) => { expect(code).toBeGreaterThanOrEqual(codes[i - 1] ?? 0); });
    values.forEach((value, i) => {
      const even = Math.min(254, Math.max(0, ((Math.log(value) + 5) / 10) * 254));
      expect(Math.abs((codes[i] ?? 0) - even)).toBeLessThan(254 * 0.12 * (Math.LN2 / 10) + 1);
    });
    expect(codesOf(ratio('x', -5, 5), [0, 1e-30, 3e38, Infinity, Number.NaN])).toEqual([0, 0, 254, 254, missing]);
  });

  test('columns of a block do not touch each other', () => {
    const features = [plain('one', 0, 254), plain('two', 0, 254)];
    const block = featureBlock(features, 3);
    block.values.set([1, 2, 3, 4, 5, 6]);
    encode(features, block, 2);
    expect(block.codes.map((codes) => [...codes])).toEqual([[1, 2, 0], [4, 5, 0]]);
  });
});

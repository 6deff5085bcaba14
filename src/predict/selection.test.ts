import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { largest, largestOfMany, smallest } from './selection.ts';

test('largest agrees with sorting everything, equal scores by index', () => {
  fc.assert(fc.property(fc.array(fc.constantFrom(0, -1, 1, 2, 2.5, 3, 7), { maxLength: 80 }), fc.integer({ min: 0, max: 90 }), (scores, limit) => {
    const expected = scores
      .map((score, index) => ({ score, index }))
      .filter(({ score }) => score > 0)
      .sort((a, b) => b.score - a.score || a.index - b.index)
      .slice(0, limit)
      .map(({ index }) => index);
    expect([...largest(Float64Array.from(scores), scores.length, limit)]).toEqual(expected);
  }), { numRuns: 500, seed: 4 });
});

test('largestOfMany finds the same', () => {
  const score = fc.oneof(fc.constantFrom(0, -0, -1, 1e-30, 1, 1.0000001, 1.0001, 2, 1e30, Infinity), fc.float({ noNaN: true }));
  fc.assert(fc.property(fc.array(score, { maxLength: 80 }), fc.integer({ min: 0, max: 90 }), (list, limit) => {
    const scores = Float32Array.from(list);
    expect(largestOfMany(scores, limit).sort()).toEqual(largest(scores, scores.length, limit).sort());
  }), { numRuns: 500, seed: 4 });
});

test('smallest agrees with sorting what is eligible, equal values by index', () => {
  const value = fc.oneof(fc.constantFrom(0, 0, 1e-30, 1, 1.0000001, 1.0001, 2, 1e30), fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }));
  fc.assert(fc.property(fc.array(fc.tuple(value, fc.boolean()), { maxLength: 80 }), fc.integer({ min: 0, max: 90 }), (rows, count) => {
    const values = Float32Array.from(rows, ([one]) => one);
    const expected = rows
      .flatMap(([, eligible], index) => (eligible ? [index] : []))
      .sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0) || a - b)
      .slice(0, count)
      .sort((a, b) => a - b);
    expect([...smallest(values, Uint8Array.from(rows, ([, eligible]) => (eligible ? 1 : 0)), count)]).toEqual(expected);
  }), { numRuns: 500, seed: 4 });
});

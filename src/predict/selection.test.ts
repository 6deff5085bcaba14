import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { largest } from './selection.ts';

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

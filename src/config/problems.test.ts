import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { editDistance, formatPath, nearest } from './problems.ts';

test('edit distance is a distance', () => {
  expect(editDistance('origin', 'orgiin')).toBe(1);
  expect(editDistance('', 'abc')).toBe(3);
  fc.assert(fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
    const distance = editDistance(a, b);
    expect(distance === 0).toBe(a === b);
    expect(distance).toBe(editDistance(b, a));
    expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
    expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
  }), { seed: 7, numRuns: 500 });
});

test('the nearest candidate is offered only when it is near', () => {
  expect(nearest('desktp', ['mobile', 'desktop'])).toBe('desktop');
  expect(nearest('refrigerator', ['mobile', 'desktop'])).toBeUndefined();
});

test('paths read as people write them', () => {
  expect(formatPath(['routes', 2, 'vary', 0])).toBe('routes[2].vary[0]');
  expect(formatPath(['dimensions', 'bad name'])).toBe('dimensions["bad name"]');
});

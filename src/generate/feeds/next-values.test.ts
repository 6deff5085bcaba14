import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { NextValues, placesMax, stateCharactersMax, statesMax } from './next-values.ts';

function observed(values: readonly unknown[], pointer = '/a'): NextValues {
  const next = new NextValues();
  for (const value of values) next.observe(pointer, value);
  return next;
}

test('what followed most often is most probable, and what was seen once is even odds', () => {
  expect(observed(['red', 'green']).likelyNext('/a', 'red')).toEqual([{ value: 'green', probability: 0.5 }]);
  const next = observed(['green', 'amber', 'red', 'green', 'amber', 'red', 'green', 'red', 'green', 'amber']);
  const likely = next.likelyNext('/a', 'green');
  expect(likely.map(({ value }) => value)).toEqual(['amber', 'red']);
  expect(likely[0]?.probability).toBeGreaterThan(2 * (likely[1]?.probability ?? 1));
  expect(next.likelyNext('/a', 'blue')).toEqual([]);
  expect(next.likelyNext('/b', 'green')).toEqual([]);
  expect(next.likelyNext('/a', undefined)).toEqual([]);
});

test('the same value again is no successor, and values may be anything that is JSON', () => {
  const next = observed([{ n: 1 }, { n: 1 }, { n: 1 }, null, { n: 1 }]);
  expect(next.likelyNext('/a', { n: 1 })).toEqual([{ value: null, probability: 0.5 }]);
  expect(next.likelyNext('/a', null)).toEqual([{ value: { n: 1 }, probability: 0.5 }]);
});

test('what followed long ago fades', () => {
  const values: string[] = [];
  for (let time = 0; time < 20; time++) values.push('in stock', 'few');
  for (let time = 0; time < 14; time++) values.push('in stock', 'sold out');
  const [first, second] = observed(values).likelyNext('/a', 'in stock');
  expect([first?.value, second?.value]).toEqual(['sold out', 'few']);
});

test('places and states are bounded: the longest untouched place and the least seen state go', () => {
  const next = new NextValues();
  for (const value of ['a', 'b']) next.observe('/first', value);
  for (const value of ['a', 'b']) next.observe('/kept', value);
  for (let place = 0; place < placesMax - 2; place++) next.observe(`/${place}`, 1);
  next.observe('/kept', 'b');
  next.observe('/one more', 1);
  next.observe('/and one more', 1);
  expect(next.likelyNext('/first', 'a')).toEqual([]);
  expect(next.likelyNext('/kept', 'a')).toHaveLength(1);

  const many = observed(['a', 'b', 'a', 'b', 'a', ...Array.from({ length: 100 }, (_, index) => index), 'a']);
  expect(many.likelyNext('/a', 'a').map(({ value }) => value)).toContain('b');
  expect(many.likelyNext('/a', 50)).toEqual([]);
  const full = observed([...Array.from({ length: 45 }, (_, index) => index % 15), 'newest', 'newer still']);
  expect(full.likelyNext('/a', 'newest')).toEqual([{ value: 'newer still', probability: 0.5 }]);
  const star = new NextValues();
  for (let value = 0; value < 100; value++) {
    star.observe('/a', 'hub');
    star.observe('/a', value);
  }
  expect(star.likelyNext('/a', 'hub')).toHaveLength(statesMax - 1);
});

test('a long value is no state, and nothing is said to follow over it', () => {
  const next = observed(['a', 'x'.repeat(stateCharactersMax), 'b']);
  expect(next.likelyNext('/a', 'a')).toEqual([]);
  expect(next.likelyNext('/a', 'b')).toEqual([]);
});

test('probabilities are those of one distribution, in order, and only of what was seen', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 200 }), (values) => {
    const next = observed(values);
    for (const current of new Set(values)) {
      const likely = next.likelyNext('/a', current);
      expect(likely.length).toBeLessThan(statesMax);
      expect(likely.reduce((sum, { probability }) => sum + probability, 0)).toBeLessThan(1);
      expect(likely.map(({ probability }) => probability)).toEqual(likely.map(({ probability }) => probability).sort((a, b) => b - a));
      for (const { value } of likely) expect(values.some((one, at) => one === current && values[at + 1] === value)).toBe(true);
    }
  }), { seed: 4, numRuns: 200 });
});

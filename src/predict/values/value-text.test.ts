import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { edited, editBetween, formOf, stateCharactersMax, stateText } from './value-text.ts';

const edit = (before: unknown, after: unknown): string | undefined => editBetween(stateText(before) ?? '', stateText(after) ?? '');
const apply = (value: unknown, change: string): unknown => {
  const made = edited(stateText(value) ?? '', change);
  return made === undefined ? undefined : JSON.parse(made);
};

test('the same change in different values is one edit', () => {
  expect([edit(7, 6), edit(2, 1), apply(9, '-1'), edit(12.5, 12.99), apply(20, '0.49')]).toEqual(['-1', '-1', 8, '0.49', 20.49]);
  expect([edit('1:0', '2:0'), apply('3:3', '0:1'), edit({ home: 0, away: 2 }, { home: 0, away: 3 }), apply({ home: 1, away: 0 }, '1:1')]).toEqual(['0:1', '4:3', '1:1', { home: 1, away: 1 }]);
  expect([edit('12:59', '13:00'), apply('09:08', '1:1')]).toEqual(['0:1,1:-59', '09:09']);
});

test('what is more than a few numbers is no edit, and one that does not go is not made', () => {
  expect([edit('red', 'green'), edit('1 left', 'sold out'), edit([1, 2, 3], [2, 3, 4]), edit('x1', 'x1')]).toEqual([undefined, undefined, undefined, undefined]);
  expect([apply('0 left', '0:-1'), apply('1', '3:1')]).toEqual([undefined, undefined]);
});

test('a value longer than a state may be has no text', () => {
  expect([stateText('x'.repeat(stateCharactersMax - 2))?.length, stateText('x'.repeat(stateCharactersMax - 1)), stateText(undefined)]).toEqual([stateCharactersMax, undefined, undefined]);
});

test('an edit leads from the one to the other, whatever they are', () => {
  const numbers = fc.oneof(fc.integer({ min: -1000, max: 1000 }), fc.integer({ min: 0, max: 99_999 }).map((cents) => cents / 100));
  const scores = fc.tuple(fc.nat(20), fc.nat(20)).map(([home, away]) => ({ home, away }));
  fc.assert(fc.property(fc.oneof(fc.tuple(numbers, numbers), fc.tuple(scores, scores)), ([before, after]) => {
    const from = stateText(before) ?? '';
    const to = stateText(after) ?? '';
    const change = editBetween(from, to);
    if (from === to || change === undefined) return;
    expect(formOf(from)).toBe(formOf(to));
    expect(edited(from, change)).toBe(to);
  }), { seed: 3, numRuns: 300 });
});

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { chooseRange, contentRange } from './range.ts';

describe('chooseRange of 10 bytes', () => {
  test.each([
    [null, 'whole'], ['bytes=0-1', '0-1'], ['bytes=1-', '1-9'], ['bytes=-1', '9-9'], ['bytes=-20', '0-9'], ['bytes=5-99', '5-9'], ['BYTES=0-0', '0-0'],
    ['bytes=9-9', '9-9'], ['bytes=10-', 'unsatisfiable'], ['bytes=-0', 'unsatisfiable'], ['bytes=10-5', 'whole'], ['bytes=5-4', 'whole'],
    ['bytes=0-1,3-4', 'whole'], ['lines=0-1', 'whole'], ['bytes=', 'whole'], ['bytes=-', 'whole'], ['bytes=a-b', 'whole'], ['bytes 0-1', 'whole'],
    ['bytes=0-99999999999999999999', '0-9'],
  ])('%p: %p', (range, expected) => {
    const choice = chooseRange(range, 10);
    expect(choice.kind === 'part' ? `${choice.first}-${choice.last}` : choice.kind).toBe(expected);
  });
});

test('an empty body satisfies no range', () => {
  expect(chooseRange('bytes=-1', 0).kind).toBe('unsatisfiable');
  expect(chooseRange('bytes=0-', 0).kind).toBe('unsatisfiable');
});

test('a part lies within the body', () => {
  const offset = fc.option(fc.nat(30), { nil: undefined });
  fc.assert(fc.property(offset, offset, fc.nat(20), (from, to, bytes) => {
    const choice = chooseRange(`bytes=${from ?? ''}-${to ?? ''}`, bytes);
    if (choice.kind !== 'part') return;
    expect(choice.first).toBeGreaterThanOrEqual(0);
    expect(choice.last).toBeGreaterThanOrEqual(choice.first);
    expect(choice.last).toBeLessThan(bytes);
  }), { numRuns: 1000 });
});

test('Content-Range', () => {
  expect(contentRange(chooseRange('bytes=2-3', 10), 10)).toBe('bytes 2-3/10');
  expect(contentRange(chooseRange('bytes=99-', 10), 10)).toBe('bytes */10');
});

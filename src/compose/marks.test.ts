import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { markOf, markOffsets, unusedMark } from './marks.ts';

const page = Buffer.from('<p>one</p>');
const mark = unusedMark(page) ?? '';
const marked = (...parts: readonly string[]): Buffer => Buffer.from(parts.join(''), 'latin1');

test('offsets are those in the page', () => {
  expect(markOffsets(page, marked('<p>', markOf(mark, '0a'), 'one', markOf(mark, '0b'), markOf(mark, '1a'), '</p>'), mark)).toEqual(new Map([['0a', 3], ['0b', 6], ['1a', 6]]));
  expect(markOffsets(page, page, mark)).toEqual(new Map());
});

test.each([
  ['a byte changed', ['<p>', markOf(mark, '0a'), 'onf</p>']],
  ['a byte changed before the mark', ['<P>', markOf(mark, '0a'), 'one</p>']],
  ['a byte lost', ['<p>', markOf(mark, '0a'), 'one</p']],
  ['a byte lost before the mark', ['<p', markOf(mark, '0a'), 'one</p>']],
  ['a byte added', ['<p>', markOf(mark, '0a'), 'one</p>\n']],
  ['everything lost', ['']],
  ['a mark cut', ['<p>one</p>', `${mark}0a`]],
])('a rewriter that changed the page is not believed: %s', (_, parts) => {
  expect(markOffsets(page, marked(...parts), mark)).toBeUndefined();
});

test('whatever pieces of marks the page has, those that were put in are found, and only those', () => {
  const piece = fc.constantFrom('\x02', '\x02f', '\x02fs', '\x02fs0', '\x02fs00', '\x02fs000a\x03', 'fs01', '00', '01', '0a\x03', '\x03', 'x');
  fc.assert(fc.property(fc.array(fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join('')), { minLength: 1, maxLength: 6 }), (parts) => {
    const original = marked(...parts);
    const own = unusedMark(original) ?? '';
    const expected = new Map<string, number>();
    let text = parts[0] ?? '';
    let at = text.length;
    parts.slice(1).forEach((part, i) => {
      expected.set(`${i}a`, at);
      text += markOf(own, `${i}a`) + part;
      at += part.length;
    });
    expect(markOffsets(original, marked(text), own)).toEqual(expected);
  }), { seed: 44, numRuns: 500 });
});

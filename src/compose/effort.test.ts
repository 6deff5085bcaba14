import { describe, expect, test } from 'bun:test';
import { ancestorsIn } from './effort.ts';
import { htmlPlaces } from './html-places.ts';

const found = (page: string, select: string): number | undefined =>
  htmlPlaces(Buffer.from(page), { slots: [{ name: 'a', select }], forms: false, tokens: [], notice: false, rawText: true }, 1024)?.length;
const slot = '<p id=s>x</p>';

test.each([
  ['#s', []],
  ['main .price', ['main']],
  ['  main  ul > li .price ', ['main', 'main  ul > li']],
  ['a>b c', ['a>b']],
  ['a b, c > d e,f', ['a', 'c > d']],
  ['[title="a b"] .x', ['[title="a b"]']],
  ['[title=a b] .x', ['[title=a b]']],
  [':not(a b) .x', [':not(a b)']],
  ['.a\\ b .x', ['.a\\ b']],
  ['a + b ~ c d', ['a + b ~ c']],
])('what stands before the descendant combinators of %j', (selector, expected) => {
  expect(ancestorsIn(selector)).toEqual(expected);
});

// Without the limits each of these takes minutes, and the test ends at its deadline.
describe('a page that nests too much for its size is given up', () => {
  test.each([
    ['an ancestor with very many of its kind', '<div>'.repeat(200_000) + slot, 'div #s'],
    ['ancestors of ancestors', '<div class=a>'.repeat(20_000) + slot, '.a .a .a .a #s'],
    ['many elements that are never closed, and end tags of none of them', '<p>'.repeat(250_000) + '</b>'.repeat(250_000), '#s'],
  ])('%s', (_, page, select) => {
    expect(found(page, select)).toBeUndefined();
  });

  test.each([
    ['deep, and looked for by itself', '<div>'.repeat(200_000) + slot, '#s'],
    ['deep, with few ancestors that match', `<main>${'<div>'.repeat(50_000)}${slot}`, 'main #s'],
    ['wide below a few ancestors', `<main><ul>${'<li><b>x</b></li>'.repeat(50_000)}<li>${slot}</li></ul></main>`, 'main ul li #s'],
    ['items without end tags', `<ul>${'<li>x'.repeat(3000)}</ul>${'<b>x</b>'.repeat(20_000)}${slot}`, '#s'],
    ['one list after another', `${'<div><p>y</p></div>'.repeat(30_000)}<div>${slot}</div>`, 'div #s'],
  ])('others are not: %s', (_, page, select) => {
    expect(found(page, select)).toBe(1);
  });
});

import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import type { ResourceKey, VariationKey } from '../kernel/index.ts';
import { Fidelity, fidelityRoutesMax, likenessOf, worstMax, type Seen } from './fidelity.ts';
import { plainText, visibleText } from './visible-text.ts';

const html = (body: string, title = 'Red shoes'): Seen => ({ status: 200, contentType: 'text/html', text: visibleText(`<title>${title}</title><body>${body}`) });
const json = (body: string): Seen => ({ status: 200, contentType: 'application/json', text: plainText(body) });
const words = (from: number, to: number): string => Array.from({ length: to - from }, (_, i) => `word${from + i}`).join(' ');
const score = (a: Seen, b: Seen): number => likenessOf(a, b).score;

describe('what readers can not tell apart is the same', () => {
  const page = `<h1>Red shoes</h1><p>${words(0, 50)}</p><a href="/a?s=1">more</a>`;
  test.each<[string, string, string]>([
    ['scripts, styles, comments', '<script>a = 1</script><!-- 1 --><style>a{}</style>', '<script>b = 22</script><!-- 2 -->'],
    ['hidden fields and attributes', '<form><input type="hidden" name="csrf" value="abc123"></form><p data-x="1">', '<form><input type="hidden" name="csrf" value="zzz999"></form><p data-x="2">'],
    ['clocks', '<p>Updated 2026-11-23T18:01:02Z, 18:01, 6:01:02 pm</p>', '<p>Updated 2026-11-23T19:07:59Z, 19:07, 7:07:59 pm</p>'],
    ['relative ages', '<p>3 minutes ago</p><p>vor 2 Stunden</p>', '<p>an hour ago</p><p>vor 3 Stunden</p>'],
    ['long tokens', '<p>Request 7f3a9c0e11d24b6fa3b2c1d0</p><a href="/x?token=0a9f8e7d6c5b4a39281706f5">go</a>', '<p>Request 00aa11bb22cc33dd44ee55ff</p><a href="/x?token=ffee00dd11cc22bb33aa4499">go</a>'],
    ['white space and case', '<p>Made  by\n hand</p>', '<p>made by HAND</p>'],
  ])('%s', (_, one, other) => {
    expect(likenessOf(html(page + one), html(page + other))).toEqual({ score: 1, differs: [] });
  });
});

describe('what they can is not', () => {
  test.each<[string, Seen, Seen, number, readonly string[]]>([
    ['a status', html('x'), { ...html('x'), status: 404 }, 0, ['status 200 is now 404']],
    ['a kind', html('x'), json('{}'), 0, ['text/html is now application/json']],
    ['other bytes', { status: 200, contentType: 'image/png', text: undefined }, { status: 200, contentType: 'image/png', text: undefined }, 0, ['other bytes']],
    ['a price', html('<p>Price 49.00</p>'), html('<p>Price 59.00</p>'), 0.5, ['gone: "Price 49.00"', 'new: "Price 59.00"']],
    ['a date', html('<p>Fair on 2026-11-23</p>'), html('<p>Fair on 2026-11-24</p>'), 0.9, ['gone: "Fair on 2026-11-23"', 'new: "Fair on 2026-11-24"']],
    ['a title', html('same words here', 'One'), html('same words here', 'Two'), 0.9, ['title "One" is now "Two"']],
    ['links', html('<a href="/a">x</a>'), html('<a href="/b">x</a>'), 0.85, ['links: 1 gone, 1 new']],
  ])('%s', (_, one, other, most, differs) => {
    const likeness = likenessOf(one, other);
    expect(likeness.score).toBeLessThanOrEqual(most);
    expect(likeness.differs).toEqual(differs as string[]); // written as a constant
  });

  test('the more is different, the lower', () => {
    const page = html(words(0, 300));
    const scores = [0, 10, 100, 200, 300].map((gone) => score(page, html(words(gone, 300) + words(1000, 1000 + gone))));
    expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    expect(scores[0]).toBe(1);
    expect(scores[1]).toBeGreaterThan(0.9);
    expect(scores[4]).toBeLessThan(0.05);
  });

  test('data and text are compared by their words', () => {
    expect(score(json('{"price": 1, "stock": 2}'), json('{ "price":1,"stock":2 }'))).toBe(1);
    expect(score(json('{"price": 1, "stock": 2}'), json('{"price": 1, "stock": 3}'))).toBeLessThan(1);
  });
});

test('likeness is symmetrical, between 0 and 1, and 1 with itself', () => {
  const side = fc.string({ maxLength: 200 }).map((text) => html(`<p>${text}</p>`));
  fc.assert(fc.property(side, side, (a, b) => {
    expect(score(a, b)).toBeCloseTo(score(b, a), 10);
    expect(score(a, a)).toBe(1);
    expect(score(a, b)).toBeGreaterThanOrEqual(0);
    expect(score(a, b)).toBeLessThanOrEqual(1);
  }), { seed: 11, numRuns: 200 });
});

const page = (path: string, atMs = 0) => ({ resource: path as ResourceKey, variation: '' as VariationKey, atMs }); // spelled as their makers would

test('newer comparisons count more; a page that is true again is no longer listed', () => {
  const fidelity = new Fidelity();
  fidelity.note('/a', page('/a/1'), undefined);
  fidelity.note('/a', page('/a/2', 5), { score: 0.5, differs: ['x'] });
  expect(fidelity.routes()).toEqual([{ match: '/a', score: 0.75, samples: 2, worst: [{ ...page('/a/2', 5), score: 0.5, differs: ['x'] }] }]);
  for (let i = 0; i < 200; i++) fidelity.note('/a', page('/a/2'), undefined);
  const [route] = fidelity.routes();
  expect(route?.score).toBeGreaterThan(0.999);
  expect([route?.samples, route?.worst]).toEqual([202, []]);
  for (let i = 0; i < 60; i++) fidelity.note('/a', page('/a/3'), { score: 0, differs: ['x'] });
  expect(fidelity.routes()[0]?.score).toBeLessThan(0.05);
});

test('the worst pages of a route are listed, a bounded number of a bounded number of routes', () => {
  const fidelity = new Fidelity();
  for (let i = 0; i < 20; i++) fidelity.note('/a', page(`/${i}`), { score: i / 20, differs: ['x'] });
  expect(fidelity.routes()[0]?.worst.map(({ resource }) => String(resource))).toEqual(Array.from({ length: worstMax }, (_, i) => `/${i}`));
  for (let i = 0; i < fidelityRoutesMax; i++) fidelity.note(`/r${i}`, page('/'), undefined);
  expect(fidelity.routes()).toHaveLength(fidelityRoutesMax);
  expect(fidelity.routes().some(({ match }) => match === '/a')).toBe(false);
});

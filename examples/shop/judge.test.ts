import { describe, expect, test } from 'bun:test';
import { categories, productById, products } from './goods.ts';
import type { Product } from './goods.ts';
import { whatIsWrong } from './judge.ts';
import type { Judged } from './judge.ts';
import { priceCents, recommendationLists, scoreOf, stockOf, tastes } from './market.ts';
import { categoryPage, homePage, productPage } from './pages.ts';
import type { Visitor } from './pages.ts';
import type { ShopLore } from '../../src/cli/demo-visitors.ts';

const atMs = Date.UTC(2026, 5, 1, 12);
const lamp = theProduct('floor-lamp');
const visitor: Visitor = { device: 'desktop', language: 'de', segment: 'vip', nowMs: atMs };

function theProduct(id: string): Product {
  const product = productById.get(id);
  if (!product) throw new Error(`the shop sells no ${id}`);
  return product;
}

function judged(text: string, path: string, more: Partial<Judged> = {}): Judged {
  const { device, language, segment } = visitor;
  return { path, text, device, language, segment, taste: 0, askedMs: atMs + 1000, gotMs: atMs + 1010, live: true, ...more };
}

/** A page made long ago with live parts of another time, as a copy shows them. */
function copy(partsMs: number, taste = 0): string {
  const old = productPage({ ...visitor, nowMs: atMs - 3_600_000 }, lamp);
  const live = productPage({ ...visitor, nowMs: partsMs }, lamp);
  const part = (page: string, pattern: RegExp): string => pattern.exec(page)?.[0] ?? '';
  const money = new Intl.NumberFormat('de', { style: 'currency', currency: 'EUR' });
  const recs = (recommendationLists('vip', partsMs)[taste]?.list ?? []).map(({ id }) => `<span class="price" data-price="${id}">${money.format(priceCents(theProduct(id), 'vip', partsMs) / 100)}</span>`);
  return old.replace(/ id="price"[^<]*/, part(live, / id="price"[^<]*/)).replace(/<p id="stock"[^<]*/, part(live, /<p id="stock"[^<]*/)).replace(/<section id="recs">.*<\/section>/, `<section id="recs"><ul>${recs.join('')}</ul></section>`);
}

describe('the shop\'s own pages', () => {
  const pages: [path: string, text: string][] = [['/', homePage(visitor)], ['/products/floor-lamp', productPage(visitor, lamp)]];
  for (const category of categories) pages.push([`/c/${category.id}`, categoryPage(visitor, category)]);
  test.each(pages)('%s is right while a cache may show it, and not for ever', (path, text) => {
    expect(whatIsWrong(judged(text, path))).toBeUndefined();
    expect(whatIsWrong(judged(text, path, { askedMs: atMs + 39_000, gotMs: atMs + 39_010 }))).toBeUndefined();
    expect(whatIsWrong(judged(text, path, { askedMs: atMs + 60_000, gotMs: atMs + 60_010 }))).toContain('should be');
    expect(whatIsWrong(judged(text, path, { askedMs: atMs + 60_000, gotMs: atMs + 60_010, live: false }))).toBeUndefined();
  });

  test.each([{ segment: 'new' }, { language: 'pt' }, { device: 'mobile' }] as const)('are wrong for somebody else: %p', (other) => {
    expect(whatIsWrong(judged(homePage(visitor), '/', other))).toContain('somebody else');
  });
});

describe('copies with live parts', () => {
  const path = '/products/floor-lamp';
  test('are right with what the feeds said a moment ago, however old the page', () => {
    for (const agoMs of [0, 5000, 12_000]) expect(whatIsWrong(judged(copy(atMs - agoMs), path, { askedMs: atMs, gotMs: atMs }))).toBeUndefined();
  });

  test('are wrong with the price, the stock or the list of another time, audience or taste', () => {
    expect(whatIsWrong(judged(copy(atMs - 60_000), path))).toStartWith('the vip price of floor-lamp on /products/floor-lamp was "');
    const right = copy(atMs);
    expect(whatIsWrong(judged(right.replace(/>\d+ auf Lager</, '>41 auf Lager<'), path))).toStartWith('the stock of floor-lamp');
    expect(whatIsWrong(judged(copy(atMs, 3), path, { taste: 3 }))).toBeUndefined();
    expect(whatIsWrong(judged(copy(atMs, 3), path, { taste: 4 }))).toStartWith('the list of recs');
    const money = new Intl.NumberFormat('de', { style: 'currency', currency: 'EUR' });
    const [mine, others] = (['vip', 'new'] as const).map((segment) => money.format(priceCents(lamp, segment, atMs) / 100));
    expect(whatIsWrong(judged(right.replace(mine ?? '', others ?? ''), path))).toStartWith('the vip price');
  });
});

test('JSON has the prices of this time and audience', () => {
  const document = (segment: 'new' | 'vip', ms: number): string => JSON.stringify(Object.fromEntries(products.map((product) => [product.id, priceCents(product, segment, ms) / 100])));
  const path = '/api/prices.json';
  expect(whatIsWrong(judged(document('vip', atMs - 5000), path))).toBeUndefined();
  for (const text of [document('new', atMs), document('vip', atMs - 60_000), '{}']) expect(whatIsWrong(judged(text, path))).toContain('does not have the vip prices');
});

test('the market moves in steps, so that whoever knows the time knows what it says', () => {
  for (const product of products) {
    for (const stepMs of [2000, 5000, 10_000]) {
      const [from, to] = [atMs, atMs + stepMs - 1];
      if (stepMs === 2000) expect(scoreOf(product, to)).toBe(scoreOf(product, from));
      if (stepMs === 5000) expect(stockOf(product, to)).toBe(stockOf(product, from));
      if (stepMs === 10_000) expect(priceCents(product, 'new', to)).toBe(priceCents(product, 'new', from));
    }
  }
  expect(products.some((product) => scoreOf(product, atMs + 30_000) !== scoreOf(product, atMs))).toBe(true);
});

test('the demo\'s visitors know the shop by these names', () => {
  // The types are the test: the demo loads both by name when it is played.
  const lore: ShopLore = { tastes, whatIsWrong };
  expect(lore.tastes).toHaveLength(recommendationLists('new', atMs).length);
});

/**
 * Whether what a visitor got is right: made for them, with the prices, stock and lists that hold at that time. Everything the shop says is a function of
 * time, so this needs nobody's word but the page's own. Live parts may lag as far as their feed's interval and its publication take; what the
 * shop itself wrote may be as old as its Cache-Control lets an answer be. Pure.
 */
import { productById, products } from './goods.ts';
import type { Language } from './goods.ts';
import { bestsellers, priceCents, recommendationLists, recommendations, stockOf } from './market.ts';
import type { Segment } from './market.ts';
import { pageLife } from './pages.ts';
import { words } from './words.ts';

export interface Judged {
  readonly path: string;
  readonly text: string;
  readonly device: 'mobile' | 'desktop';
  readonly language: Language;
  readonly segment: Segment;
  /** Which of the ten tastes the visitor's interests are of; the first is everybody's. */
  readonly taste: number;
  /** When it was asked for, and when it had come; epoch ms. */
  readonly askedMs: number;
  readonly gotMs: number;
  /** Whether the feeds have been well for a while. Where not, the age of live parts is not judged. */
  readonly live: boolean;
}

/** From a feed's new value until every visitor sees it, on a machine that does a lot besides. */
const settleMs = 10_000;
/** How often each feed is heard, as `foreshadow.yaml` has it. */
const everyMs = { prices: 5000, stock: 5000, shelves: 5000, scores: 2000, recs: 10_000 } as const;
type Feed = keyof typeof everyMs;
/** Everything moves in steps of whole seconds. */
const stepMs = 1000;
/** How long a cache may show the shop's own JSON. */
const jsonLifeMs = 5000;

/** One sentence about the first thing that is wrong; undefined: all is right. */
export function whatIsWrong(judged: Judged): string | undefined {
  if (judged.path === '/api/prices.json') return wrongPrices(judged);
  const { text, language, device, segment, path } = judged;
  if (!text.includes(`<html lang="${language}">`) || !text.includes(`data-device="${device}" data-audience="${segment}"`)) return `${path} was made for somebody else than ${device}, ${language}, ${segment}`;
  if (!judged.live) return undefined;
  return wrongProduct(judged) ?? wrongList(judged, 'bestsellers', 'scores', (ms) => bestsellers(device === 'mobile' ? 6 : 12, ms))
    ?? wrongList(judged, 'shelf', 'shelves', () => products.filter(({ category }) => path === `/c/${category.id}`));
}

function wrongProduct(judged: Judged): string | undefined {
  const { text, language, segment, taste, path } = judged;
  const product = productById.get(path.replace('/products/', ''));
  if (!path.startsWith('/products/') || !product) return undefined;
  const say = words[language];
  const stockAt = (ms: number): string => (stockOf(product, ms) > 0 ? `${new Intl.NumberFormat(language).format(stockOf(product, ms))} ${say.inStock}` : say.soldOut);
  const price = / id="price"[^>]*>([^<]*)</.exec(text)?.[1]?.trim() ?? '';
  const stock = / id="stock"[^>]*>([^<]*)</.exec(text)?.[1]?.trim() ?? '';
  return wrongPrice(judged, 'prices', product.id, price)
    ?? unlessHeld(judged, 'stock', stockAt, stockAt, stock, `the stock of ${product.id}`)
    ?? wrongList(judged, 'recs', 'recs', (ms) => recommendationLists(segment, ms)[taste]?.list ?? [], (ms) => recommendations(segment, ms, product));
}

/** The cards within an element, and their prices. What the shop itself wrote there is `own`, where that differs. */
function wrongList(judged: Judged, id: string, feed: Feed, live: (ms: number) => readonly { readonly id: string }[], own = live): string | undefined {
  const from = judged.text.search(new RegExp(`<\\w+ id="${id}"`));
  if (from < 0) return undefined;
  const part = judged.text.slice(from, judged.text.indexOf('</ul>', from));
  const cards = [...part.matchAll(/data-price="([^"]+)">([^<]*)</g)].map(([, product = '', price = '']) => ({ product, price }));
  const named = (list: readonly { readonly id: string }[]): string => list.map((product) => product.id).join(' ');
  const problem = unlessHeld(judged, feed, (ms) => named(live(ms)), (ms) => named(own(ms)), named(cards.map(({ product }) => ({ id: product }))), `the list of ${id}`);
  if (problem !== undefined) return problem;
  for (const { product, price } of cards) {
    const wrong = wrongPrice(judged, feed, product, price);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function wrongPrice(judged: Judged, feed: Feed, id: string, shown: string): string | undefined {
  const product = productById.get(id);
  if (!product) return `${judged.path} has a price of ${id}, which the shop does not sell`;
  const money = euros(judged.language);
  const priceAt = (ms: number): string => money.format(priceCents(product, judged.segment, ms) / 100);
  return unlessHeld(judged, feed, priceAt, priceAt, shown, `the ${judged.segment} price of ${id}`);
}

function wrongPrices(judged: Judged): string | undefined {
  if (!judged.live) return undefined;
  const pricesAt = (ms: number): string => JSON.stringify(Object.fromEntries(products.map((product) => [product.id, priceCents(product, judged.segment, ms) / 100])));
  // The document says nothing of when the shop made it: any moment of its life will do.
  return heldWithin(judged.gotMs, jsonLifeMs + everyMs.prices + settleMs, pricesAt, judged.text.trim()) ? undefined : `${judged.path} does not have the ${judged.segment} prices of this time`;
}

/** Right is what the feed said lately, or on a page that a cache may still show as the shop's own, what the shop said when it was made. */
function unlessHeld(judged: Judged, feed: Feed, live: (ms: number) => string, own: (ms: number) => string, shown: string, what: string): string | undefined {
  const madeMs = Date.parse(/<time>([^<]+)<\/time>/.exec(judged.text)?.[1] ?? '');
  if (heldWithin(judged.gotMs, judged.gotMs - judged.askedMs + everyMs[feed] + settleMs, live, shown)) return undefined;
  if (judged.askedMs - madeMs <= (pageLife.freshS + pageLife.staleS) * 1000 && own(madeMs) === shown) return undefined;
  return `${what} on ${judged.path} was ${JSON.stringify(shown)}, and should be ${JSON.stringify(live(judged.gotMs))}`;
}

function heldWithin(endMs: number, spanMs: number, at: (ms: number) => string, shown: string): boolean {
  for (let ms = endMs; ms >= endMs - spanMs; ms -= stepMs) if (at(ms) === shown) return true;
  return false;
}

function euros(language: Language): Intl.NumberFormat {
  return new Intl.NumberFormat(language, { style: 'currency', currency: 'EUR' });
}

/**
 * Prices, stock and what sells, as pure functions of time: the shop's pages and its feeds are different processes and
 * agree without talking, and whoever knows the time knows what they must say. Prices move every 10 s, stock every 5 s, what sells every 2 s.
 * Nothing here is random in the sense of unrepeatable.
 */
import type { Product } from './goods.ts';
import { categories, products } from './goods.ts';

export const segments = ['new', 'loyal', 'vip'] as const;
export type Segment = (typeof segments)[number];

const discount: Readonly<Record<Segment, number>> = { new: 0, loyal: 0.05, vip: 0.12 };

/** A number in [0, 1) that is always the same for the same two. */
function scatter(a: number, b: number): number {
  let x = Math.imul(a + 1, 0x9e3779b1) ^ Math.imul(b + 1, 0x85ebca77);
  x = Math.imul(x ^ (x >>> 15), 0x2c1b3c6d);
  return ((x ^ (x >>> 13)) >>> 0) / 4_294_967_296;
}

export function priceCents(product: Product, segment: Segment, nowMs: number): number {
  const moved = 1 + 0.06 * (scatter(product.number, Math.floor(nowMs / 10_000)) - 0.5);
  return Math.round(product.baseCents * moved * (1 - discount[segment]));
}

export function stockOf(product: Product, nowMs: number): number {
  return Math.floor(scatter(product.number, 7_000_000 + Math.floor(nowMs / 5000)) * 40);
}

/** How much a product is asked for just now, 0 to 100; drifts over minutes, in steps of 2 s. */
export function scoreOf(product: Product, nowMs: number): number {
  const phase = scatter(product.number, 1) * 2 * Math.PI;
  return Math.round(50 + 30 * Math.sin((Math.floor(nowMs / 2000) * 2000) / 240_000 + phase) + 20 * scatter(product.number, 2));
}

export function bestsellers(count: number, nowMs: number, within?: string): Product[] {
  return products
    .filter((product) => within === undefined || product.category.id === within)
    .toSorted((a, b) => scoreOf(b, nowMs) - scoreOf(a, nowMs) || a.number - b.number)
    .slice(0, count);
}

/** What is shown to this audience beside a product: its own category for new visitors, what sells everywhere for others. */
export function recommendations(segment: Segment, nowMs: number, besides?: Product): Product[] {
  const pool = bestsellers(12, nowMs, segment === 'new' ? besides?.category.id : undefined).filter((product) => product !== besides);
  return (segment === 'vip' ? pool.toSorted((a, b) => b.baseCents - a.baseCents) : pool).slice(0, 4);
}

/** What readers of these categories like, weights by category; the first is for everybody. */
export const tastes: readonly (readonly string[])[] = [
  categories.map(({ id }) => id), ...categories.map(({ id }) => [id]), ['kitchen', 'garden'], ['paper', 'light'], ['travel', 'workshop'],
];

/** Ten lists for ten tastes, each with its profile: what sells among what somebody of that taste looks at. One more than is shown: a page leaves itself out. */
export function recommendationLists(segment: Segment, nowMs: number): { readonly profile: Readonly<Record<string, number>>; readonly list: Product[] }[] {
  return tastes.map((ids) => {
    const pool = bestsellers(products.length, nowMs).filter((product) => ids.includes(product.category.id)).slice(0, 12);
    const list = (segment === 'vip' ? pool.toSorted((a, b) => b.baseCents - a.baseCents) : pool).slice(0, 5);
    return { profile: Object.fromEntries(ids.map((id) => [id, 1])), list };
  });
}

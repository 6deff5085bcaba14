/**
 * The shop's pages, as pure functions of who asks and when. Each carries `data-device`, `lang` and `data-audience`, so
 * that anybody (a test, a curious reader of the source) sees for whom it was made.
 */
import { categories, products } from './goods.ts';
import type { Category, Language, Product } from './goods.ts';
import { bestsellers, priceCents, recommendations, stockOf } from './market.ts';
import type { Segment } from './market.ts';
import { words } from './words.ts';

export interface Visitor { readonly device: 'mobile' | 'desktop'; readonly language: Language; readonly segment: Segment; readonly nowMs: number }

/** How long a cache may show a page, and for how much longer while it asks for a new one. */
export const pageLife = { freshS: 10, staleS: 30 } as const;

const euros = new Map((['en', 'de', 'pt'] as const).map((language) => [language, new Intl.NumberFormat(language, { style: 'currency', currency: 'EUR' })]));

function money(cents: number, language: Language): string {
  return euros.get(language)?.format(cents / 100) ?? '';
}

function layout(visitor: Visitor, title: string, main: string): string {
  const say = words[visitor.language];
  const options = (['new', 'loyal', 'vip'] as const).map((segment) => `<option${segment === visitor.segment ? ' selected' : ''}>${segment}</option>`).join('');
  return `<!doctype html>
<html lang="${visitor.language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title} · Corner Shop</title>
<link rel="icon" href="/assets/logo.svg"><link rel="stylesheet" href="/assets/shop.css"><script src="/assets/shop.js" defer></script></head>
<body class="${visitor.device}" data-device="${visitor.device}" data-audience="${visitor.segment}">
<header><a class="name" href="/"><img src="/assets/logo.svg" alt="" width="34" height="34">Corner Shop</a>
<nav>${categories.map((category) => `<a href="/c/${category.id}">${category.name[visitor.language]}</a>`).join('')}</nav>
<nav class="right"><a href="/account">${say.account}</a><a href="/cart">${say.cart}</a></nav></header>
<main>
${main}
</main>
<footer><span>${say.madeAt} <time>${new Date(visitor.nowMs).toISOString()}</time></span><a href="/about">${say.about}</a><a href="/delivery">${say.delivery}</a><a href="/api/prices.json">prices.json</a><a href="/api/scores.json">scores.json</a>
<label>segment <select id="audience">${options}</select></label><span>${visitor.device}, ${visitor.language}, ${visitor.segment}</span></footer>
</body></html>
`;
}

function cards(list: readonly Product[], visitor: Visitor): string {
  const card = (product: Product): string => `<li class="card"><a href="/products/${product.id}"><img src="/images/${product.id}.svg" alt="" loading="lazy" width="200" height="200">`
    + `<span>${product.name[visitor.language]}</span></a><span class="price" data-price="${product.id}">${money(priceCents(product, visitor.segment, visitor.nowMs), visitor.language)}</span></li>`;
  return `<ul class="grid">${list.map(card).join('')}</ul>`;
}

export function homePage(visitor: Visitor): string {
  const say = words[visitor.language];
  return layout(visitor, say.tagline, `<h1>${say.tagline}</h1><p class="greeting">${say.greeting[visitor.segment]}</p>
<h2>${say.bestsellers}</h2><div id="bestsellers">${cards(bestsellers(visitor.device === 'mobile' ? 6 : 12, visitor.nowMs), visitor)}</div>`);
}

export function categoryPage(visitor: Visitor, category: Category): string {
  const name = category.name[visitor.language];
  return layout(visitor, name, `<h1>${name}</h1><div id="shelf">${cards(products.filter((product) => product.category === category), visitor)}</div>`);
}

export function productPage(visitor: Visitor, product: Product): string {
  const say = words[visitor.language];
  const name = product.name[visitor.language];
  const stock = stockOf(product, visitor.nowMs);
  return layout(visitor, name, `<article class="product" data-product="${product.id}" data-category="${product.category.id}"><img src="/images/${product.id}.svg" alt="${name}" width="400" height="400"><div>
<h1>${name}</h1><p>${say.blurb}</p>
<p class="big" id="price" data-price="${product.id}">${money(priceCents(product, visitor.segment, visitor.nowMs), visitor.language)}</p>
<p id="stock" class="soft">${stock > 0 ? `${stock} ${say.inStock}` : say.soldOut}</p>
<form method="post" action="/cart"><input type="hidden" name="product" value="${product.id}"><button>${say.addToCart}</button></form></div></article>
<section id="recs"><h2>${say.alsoLike}</h2>${cards(recommendations(visitor.segment, visitor.nowMs, product), visitor)}</section>`);
}

export function textPage(visitor: Visitor, title: string, text: string): string {
  return layout(visitor, title, `<h1>${title}</h1><p>${text}</p>`);
}

import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { assetsMax, linksMax, referencesOfCss, referencesOfHtml } from './links.ts';

const page = 'https://shop.example/products/1?x=2';

const assetsInOrder = [
  'https://shop.example/css/main.css', 'https://shop.example/p-1.png', 'https://shop.example/p-2.png', 'https://shop.example/products/favicon.ico',
  'https://shop.example/js/app.js', 'https://shop.example/products/x.css', 'https://shop.example/products/bg.png', 'https://shop.example/products/b2.png',
  'https://shop.example/products/a.png', 'https://shop.example/products/a-400.png', 'https://shop.example/products/a,800.png', 'https://shop.example/products/a.avif',
  'https://shop.example/products/v.mp4', 'https://shop.example/products/v.jpg', 'https://shop.example/sprite.svg',
];

test('a page\'s own things', () => {
  const html = `<!doctype html><html><head>
    <link rel="stylesheet" href="/css/main.css"><link rel="preload" as="image" imagesrcset="/p-1.png 1x, /p-2.png 2x">
    <link rel="canonical" href="/products/1"><link rel="next" href="?page=2"><link rel="shortcut icon" href="favicon.ico"><link rel="alternate" type="application/rss+xml" href="/feed.xml"><link rel="alternate" hreflang="de" href="/de/">
    <script src="//shop.example/js/app.js"></script><style>@import "x.css"; body { background: url( 'bg.png' ) } /* url(no.png) */</style></head>
    <body style="background:url(b2.png)"><img src="a.png" srcset="a-400.png 400w, a,800.png 800w ,data:image/png;base64,AA== 2x">
    <picture><source srcset="a.avif"></picture><video poster="v.jpg" src="v.mp4"></video><svg><use href="/sprite.svg#icon"/></svg>
    <a href="/products/2#reviews">2</a><a href="/products/2">again</a><a href="#top">top</a><a href="mailto:a@b.example">m</a>
    <a href="javascript:void 0">j</a><a rel="nofollow" href="/secret">n</a><a href="/logout">bye</a><a href="https://user:pw@other.example/">o</a></body></html>`;
  expect(referencesOfHtml(html, page)).toEqual({
    assets: assetsInOrder, feeds: ['https://shop.example/feed.xml'],
    links: ['https://shop.example/products/1?page=2', 'https://shop.example/products/2', 'https://other.example/'],
  });
});

test('a base moves what is relative', () => {
  expect(referencesOfHtml('<base href="/deep/er/"><img src="a.png"><a href="b">b</a>', page))
    .toEqual({ assets: ['https://shop.example/deep/er/a.png'], links: ['https://shop.example/deep/er/b'], feeds: [] });
});

test('a style sheet\'s own things', () => {
  expect(referencesOfCss('@import url("a.css"); @import \'b.css\'; @font-face { src: url(../f.woff2) format("woff2"), url(data:x) }', 'https://shop.example/css/main.css').assets)
    .toEqual(['https://shop.example/css/a.css', 'https://shop.example/css/b.css', 'https://shop.example/f.woff2']);
});

test('what one document refers to is bounded', () => {
  let html = '';
  for (let i = 0; i < 1000; i++) html += `<img src="/i${i}.png"><a href="/p${i}">x</a>`;
  const found = referencesOfHtml(html, page);
  expect(found.assets.length).toBe(assetsMax);
  expect(found.links.length).toBe(linksMax);
});

test('any text at all is survived, and only http comes out', () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom('<', '>', 'a', ' ', 'href=', 'src=', '"', "'", '/', 'url(', ')', ':', 'style', ',', '&', ';', '\n'), maxLength: 80 }), (text) => {
    for (const url of [...referencesOfHtml(text, page).assets, ...referencesOfHtml(text, page).links, ...referencesOfCss(text, page).assets]) {
      expect(url).toMatch(/^https?:\/\//);
    }
  }), { seed: 3, numRuns: 300 });
});

test('what a page includes (Edge Side Includes) belongs to it, and comes first', () => {
  expect(referencesOfHtml('<img src="a.png"><esi:include src="/fragments/price" alt="none.html"/><!--esi <esi:include src="/fragments/cart?$(HTTP_COOKIE{id})"/> -->', page).assets)
    .toEqual(['https://shop.example/fragments/price', 'https://shop.example/products/none.html', 'https://shop.example/products/a.png']);
});

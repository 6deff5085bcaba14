/** Drawings of the goods, as SVG made from a product's category (shape) and number (colour). */
import type { Category, Product } from './goods.ts';

const shapes: Readonly<Record<Category['shape'], string>> = {
  mug: '<path d="M56 62h74v62a22 22 0 0 1-22 22H78a22 22 0 0 1-22-22z"/><path d="M130 78h14a18 18 0 0 1 0 36h-14" fill="none" stroke-width="10"/>',
  lamp: '<path d="M72 52h56l24 54H48z"/><path d="M100 106v40M74 150h52" fill="none" stroke-width="10" stroke-linecap="round"/>',
  leaf: '<path d="M52 140C40 76 92 46 156 48c4 62-24 112-88 104 12-34 34-58 62-76-36 12-62 34-78 64z"/>',
  book: '<path d="M58 46h74a12 12 0 0 1 12 12v94H70a12 12 0 0 1-12-12z"/><path d="M76 74h48M76 92h36" fill="none" stroke-width="7" stroke-linecap="round" class="fine"/>',
  bag: '<path d="M52 80h96l8 72H44z"/><path d="M76 80V66a24 24 0 0 1 48 0v14" fill="none" stroke-width="10"/>',
  tool: '<path d="M62 52h60l18 18-18 18H62z"/><path d="M84 88h20v64H84z"/>',
};

export function picture(product: Product): string {
  const hue = (product.category.hue + (product.number % 10) * 9) % 360;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200" role="img"><rect width="200" height="200" fill="hsl(${hue} 45% 92%)"/>`
    + `<circle cx="${60 + (product.number * 37) % 80}" cy="${60 + (product.number * 53) % 80}" r="46" fill="hsl(${hue} 55% 84%)"/>`
    + `<g fill="hsl(${hue} 42% 46%)" stroke="hsl(${hue} 42% 46%)">${shapes[product.category.shape]}</g><style>.fine{stroke:#fff}</style></svg>`;
}

export const logo = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" rx="14" fill="#1f5f5b"/><path d="M16 26h32l-3 24H19z" fill="#fff"/><path d="M24 26v-4a8 8 0 0 1 16 0v4" fill="none" stroke="#fff" stroke-width="4"/></svg>';

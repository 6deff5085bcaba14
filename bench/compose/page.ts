/**
 * What the `compose` suite puts together: a shop's page of 16 KiB with four slots (price, stock, recommendations in ten versions, a greeting), and
 * 10,000 variations of it: once as dimensions make them, where variations that agree on what a slot depends on share its
 * filling, and once with four fillings of their own each, where nothing can be shared.
 */
import { compileDynamics, type CompiledSlot, type Dynamics, type Filling, type Profile } from '../../src/compose/index.ts';
import { loadConfig } from '../../src/config/index.ts';

export const pageBytes = 16 * 1024;
export const variations = 10_000;
const versionsOfRecs = 10;

/** What one variation shows: its slots' fillings in declared order, and the visitor's profile. */
export interface Variation {
  readonly fillings: readonly Filling[];
  readonly profile: Profile;
}

export interface ShopPage {
  readonly body: Uint8Array;
  readonly dynamics: Dynamics;
  /** 10 languages × 10 audiences × 10 price groups × 10 lists of recommendations. */
  readonly shared: (variation: number) => Variation;
  /** Four fillings of its own each. */
  readonly own: (variation: number) => Variation;
  /** As `own`, but with ten characters in each: what a filling costs beside its text. */
  readonly tiny: (variation: number) => Variation;
}

const ten = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'] as const;
const values = `values: [${ten.join(', ')}]`;
const configText = `
origin: { url: "http://127.0.0.1:3000" }
dimensions:
  language: { from: { header: Language }, ${values} }
  audience: { from: { cookie: segment }, ${values} }
  group: { from: { cookie: group }, ${values} }
  interests: { from: { cookie: interests }, match: similarity }
feeds:
  prices: { url: "http://127.0.0.1:3001/prices.json?group={group}" }
  stock: { url: "http://127.0.0.1:3001/stock.json" }
  recs: { url: "http://127.0.0.1:3001/recs?audience={audience}" }
routes:
  - match: /products/:id
    slots:
      - { name: price, select: "#price", feed: prices, value: "/{id}", template: "{{ value }} {{ language }}" }
      - { name: stock, select: "#stock", feed: stock, value: "/{id}", template: "{{ value }} {{ language }}" }
      - { name: recs, select: "#recs", feed: recs, value: "/{id}", variations: ${versionsOfRecs}, template: "{{ value }}" }
      - { name: hello, select: "#hello", feed: stock, value: "/{id}", template: "{{ audience }} {{ language }}" }
`;

export function shopPage(nowMs: number): ShopPage {
  const loaded = loadConfig({ text: configText, env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ path, reason }) => `${path} ${reason}`).join('\n'));
  const [route] = loaded.config.routes;
  if (!route) throw new Error('the configuration has a route');
  const dynamics = compileDynamics(route, loaded.config.feeds, { notice: undefined, form: { byLanguage: {}, otherwise: '' } });
  const digit = (variation: number, place: number): (typeof ten)[number] => pick(ten, Math.floor(variation / 10 ** place));
  const fillings = (product: number, variation: number, textOf: (slot: CompiledSlot, version: number) => string, versions: number): Filling[] => dynamics.slots.map((slot) => {
    const valueOf = (name: string): string => digit(variation, ['language', 'audience', 'group'].indexOf(name) + 1);
    const count = slot.config.variations > 1 ? versions : 1;
    return {
      id: slot.fillingId(`/products/${product}`, valueOf), feed: slot.feedKey(valueOf), maxAgeMs: slot.feed.maxAgeMs, valueTimeMs: nowMs, fallback: undefined, version: 1,
      versions: Array.from({ length: count }, (_, at) => ({ text: textOf(slot, at), profile: count > 1 ? profileOf(at) : undefined })),
    };
  });
  return {
    body: pageOf(), dynamics,
    shared: (variation) => ({
      fillings: fillings(7, variation, (slot, version) => text(slot.config.name, slot.config.dimensions.map((name) => digit(variation, ['language', 'audience', 'group'].indexOf(name) + 1)).join(''), version), versionsOfRecs),
      profile: profileOf(variation % versionsOfRecs),
    }),
    own: (variation) => ({ fillings: fillings(variation, variation, (slot) => text(slot.config.name, String(variation), variation), 1), profile: profileOf(0) }),
    tiny: (variation) => ({ fillings: fillings(variation, variation, () => String(variation).padStart(10, '0'), 1), profile: profileOf(0) }),
  };
}

/** Mostly one interest, a little of the next. */
function profileOf(at: number): Profile {
  return new Map([[pick(ten, at), 1], [pick(ten, at + 1), 0.25]]);
}

/** 40 to 70 bytes for price, stock and greeting, about 600 for a list of recommendations. */
function text(slot: string, what: string, version: number): string {
  switch (slot) {
    case 'price': return `<data value="${what}">${what} €</data>`;
    case 'stock': return `<span class="stock">${what} in stock</span>`;
    case 'hello': return `Welcome back, dear reader of kind ${what}!`;
    default: return `<ol>${Array.from({ length: 8 }, (_, at) => `<li><a href="/products/${version}-${at}">Recommendation ${at}, for ${what} and ${version}</a></li>`).join('')}</ol>`;
  }
}

function pageOf(): Uint8Array {
  const head = '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>A product</title><link rel="stylesheet" href="/a.css"></head>\n<body>\n<p id="hello">Welcome!</p>\n<h1>A product</h1><p id="price">9.90 €</p>\n<p id="stock">in stock</p>\n';
  const tail = '<aside id="recs"><ol><li>nothing yet</li></ol></aside>\n<footer>Imprint</footer>\n</body></html>\n';
  const row = '<div class="row"><a href="/products/1" title="another one">Another product</a> <span>with some text about it</span></div>\n';
  const room = pageBytes - Buffer.byteLength(head) - Buffer.byteLength(tail);
  return new Uint8Array(Buffer.from(`${head}${row.repeat(Math.floor(room / row.length))}${' '.repeat(room % row.length)}${tail}`));
}

function pick<T>(list: readonly [T, ...T[]], at: number): T {
  return list[at % list.length] ?? list[0];
}

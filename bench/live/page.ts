/**
 * What the `live` suite has put together: one page of 16 KiB, four dimensions of ten values each, an offer that is another text at each of these 10,000
 * points, and a price that all show: `shared`, where it depends on one dimension only, and `own`, where each variation's price is a text of its own. The
 * origin, the configuration and the judges of answers share this.
 */
export const variations = 10_000;
export const path = '/offer';
export const kinds = ['shared', 'own'] as const;
export type Kind = (typeof kinds)[number];

const pageBytes = 16 * 1024;
const names = ['city', 'tariff', 'age', 'taste'] as const;
const values = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'] as const;

/** About as long as such texts are. */
export const offerText = 'Our best today: three nights in a quiet room with a view of the river, breakfast until eleven, bicycles for everybody and a late departure.';
const priceTemplates: Readonly<Record<Kind, string>> = { shared: '{{ value }} for {{ tariff }}', own: '{{ value }} for {{ city }}, {{ tariff }}, {{ age }}, {{ taste }}' };
const offerTemplate = '{{ value }} Chosen for {{ city }}, {{ tariff }}, {{ age }}, {{ taste }}.';

/** Fillings there are when all is prepared, and those that a change of the price changes. */
export const fillingsOf: Readonly<Record<Kind, { readonly all: number; readonly changing: number }>> = {
  shared: { all: variations + values.length, changing: values.length },
  own: { all: 2 * variations, changing: variations },
};

export interface Ports { readonly site: number; readonly admin: number; readonly origin: number; readonly feed: number }

export function configuration(kind: Kind, ports: Ports): string {
  return `site: live
origin: { url: "http://127.0.0.1:${ports.origin}", probe: { path: /healthz, interval: 1s, timeout: 1s } }
regions: [ { name: local, listen: "127.0.0.1:${ports.site}" } ]
dimensions:
${names.map((name) => `  ${name}: { from: { cookie: ${name} }, values: [${values.join(', ')}] }`).join('\n')}
feeds:
  prices: { url: "http://127.0.0.1:${ports.feed}/prices.json", every: 1s, maxAge: 10m }
routes:
  - match: ${path}
    slots:
      - { name: price, select: "#price", feed: prices, value: /price, template: "${priceTemplates[kind]}" }
      - { name: offer, select: "#offer", feed: prices, value: /offer, template: "${offerTemplate}" }
admin: { listen: "127.0.0.1:${ports.admin}" }
`;
}

/** What the origin sends, whoever asks. */
export function originPage(): string {
  const head = '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>An offer</title></head>\n<body><h1>An offer</h1><p id="price">ask us</p><p id="offer">ask us</p>\n';
  const tail = '</body></html>\n';
  const row = '<div class="row"><a href="/elsewhere" title="another one" rel="nofollow">Another offer</a> <span>with some text about it</span></div>\n';
  const room = pageBytes - head.length - tail.length;
  return `${head}${row.repeat(Math.floor(room / row.length))}${' '.repeat(room % row.length)}${tail}`;
}

/** A visitor's request for one of the variations. */
export function requestBytes(variation: number, port: number): Buffer {
  const cookies = names.map((name, place) => `${name}=${valueAt(variation, place)}`).join('; ');
  return Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUser-Agent: Mozilla/5.0\r\nAccept: text/html\r\nAccept-Encoding: identity\r\nCookie: ${cookies}\r\n\r\n`, 'latin1');
}

/** What a variation's slots show in all, once they are filled, in bytes. */
export function shownBytes(kind: Kind, price: number): number {
  return Array.from({ length: variations }, (_, variation) => Buffer.byteLength(Object.values(shownTexts(kind, variation, price)).join(''))).reduce((sum, bytes) => sum + bytes, 0);
}

/** The price that this variation's page shows; 'wrong' for a page of another variation, half a page or none. */
export function priceShown(kind: Kind, variation: number, body: Uint8Array): number | 'wrong' {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('latin1');
  const price = Number(/<p id="price">(\d+) for/.exec(text)?.[1] ?? Number.NaN);
  const right = Object.entries(shownTexts(kind, variation, price)).every(([slot, shown]) => text.includes(`<p id="${slot}">${shown}</p>`));
  return right && text.endsWith('</body></html>\n') ? price : 'wrong';
}

function shownTexts(kind: Kind, variation: number, price: number): Readonly<Record<string, string>> {
  const [city, tariff, age, taste] = names.map((_, place) => valueAt(variation, place));
  const all = `${city}, ${tariff}, ${age}, ${taste}`;
  return { price: `${price} for ${kind === 'own' ? all : tariff}`, offer: `${offerText} Chosen for ${all}.` };
}

function valueAt(variation: number, place: number): string {
  return values[Math.floor(variation / 10 ** place) % values.length] ?? '';
}

import { describe, expect, test } from 'bun:test';
import { loadConfig, type Config } from '../config/index.ts';
import { compileSlots } from './slots.ts';

function configOf(text: string): Config {
  const loaded = loadConfig({ text: `origin: { url: "http://127.0.0.1:3000" }\n${text}`, env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(loaded.problems.map(({ path, reason }) => `${path} ${reason}`).join('\n'));
  return loaded.config;
}

const shop = configOf(`
dimensions:
  language: { from: acceptLanguage, values: [en, de] }
  audience: { from: { cookie: segment }, values: [new, vip] }
  interests: { from: { cookie: interests }, match: similarity }
feeds:
  prices: { url: "http://127.0.0.1:3001/prices.json" }
  recs: { url: "http://127.0.0.1:3001/recs?audience={audience}" }
routes:
  - match: /products/:id
    slots:
      - { name: price, select: "#price", feed: prices, value: "/{id}", template: "{{ value | money }}" }
      - { name: stock, select: "#stock", feed: prices, value: "/stock/{id}" }
      - { name: recs, select: "#recs", feed: recs, template: "{{ value.title }}", variations: 10 }
      - { name: hello, select: "#hello", feed: prices, template: "{% if audience == 'vip' %}{{ id }}{% endif %}" }
`);
const [price, stock, recs, hello] = compileSlots(shop.routes[0] ?? { match: '', slots: [] }, shop.feeds);
const german = (name: string): string => ({ language: 'de', audience: 'vip' })[name] ?? '';

describe('what a slot depends on is what its feed, its template and its filters name', () => {
  test('fillings', () => {
    expect([price, stock, recs, hello].map((slot) => String(slot?.fillingId('/products/7', german)))).toEqual([
      '/products/:id#price?id=7&language=de',
      '/products/:id#stock?id=7',
      '/products/:id#recs?audience=vip',
      '/products/:id#hello?id=7&audience=vip',
    ]);
    expect([price, recs].map((slot) => slot?.config.profile)).toEqual([undefined, 'interests']);
  });

  test('instances of feeds', () => {
    expect([price, recs].map((slot) => String(slot?.feedKey(german)))).toEqual(['prices', 'recs?audience=vip']);
  });
});

test('parts of a path are unescaped, and escaped again where they go: no path makes a filling of another', () => {
  expect(price?.parts('/products/a%2Fb%25')).toEqual({ id: 'a/b%' });
  expect(price?.pointer('/products/a%2Fb~', german)).toBe('/a~1b~0');
  expect(stock?.pointer('/products/7', german)).toBe('/stock/7');
  expect(String(hello?.fillingId('/products/7%26audience=new', german))).toBe('/products/:id#hello?id=7%26audience%3Dnew&audience=vip');
});

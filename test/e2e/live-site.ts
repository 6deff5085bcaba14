/**
 * A small shop as origin and its feeds as another server, both in the test's own process: pages in two languages with slots, tags and a style
 * sheet. The origin can be stopped, and its pages be replaced; the feeds can say anything, and be stopped on their own.
 */
import { freePort } from '../../bench/machine/program.ts';

export const languages = ['en', 'de'] as const;

type Feed = (url: URL) => Response | Promise<Response>;

export class LiveSite implements AsyncDisposable {
  readonly port: number;
  readonly feedPort: number;
  /** What the page says that is no slot. */
  text = 'first edition';
  price = 10;
  /** Answers in place of the feed, by path. */
  readonly instead = new Map<string, Feed>();
  /** Paths the origin was asked for by anybody. */
  readonly asked: string[] = [];
  #origin: Bun.Server<undefined> | undefined;
  #feeds: Bun.Server<undefined> | undefined;

  private constructor(port: number, feedPort: number) {
    this.port = port;
    this.feedPort = feedPort;
    this.startOrigin();
    this.startFeeds();
  }

  static async create(): Promise<LiveSite> {
    return new LiveSite(await freePort(), await freePort());
  }

  get url(): string { return `http://127.0.0.1:${this.port}`; }

  /** Short ages, so that a test needs not wait long for one to pass. */
  get config(): string {
    const feeds = `http://127.0.0.1:${this.feedPort}`;
    return `
site: live
dimensions:
  language: { from: acceptLanguage, values: [en, de] }
  interests: { from: { cookie: interests }, match: similarity }
feeds:
  prices: { url: "${feeds}/prices", every: 100ms, maxAge: 3s, schema: { type: object, additionalProperties: { type: number } } }
  recs: { url: "${feeds}/recs", every: 200ms, maxAge: 10m }
routes:
  - match: /products/:id
    vary: [language]
    forms: disable
    slots:
      - { name: price, select: "#price", feed: prices, value: "/{id}", template: "{{ value | money: 'EUR' }}" }
      - { name: stamp, select: "#stamp", feed: prices, value: "/{id}", fallback: { template: "not known" } }
      - { name: recs, select: "#recs", feed: recs, variations: 3, template: "<b>{{ value.title }}</b>" }
  - match: /api/price.json
    slots: [ { name: price, pointer: /price, feed: prices, value: /a } ]
origin: { probe: { path: /products/a, interval: 200ms, timeout: 1s } }
budgets: { originRequests: 200/s, originShare: 100% }
degraded: { notice: "A copy, {age} old." }
`;
  }

  startOrigin(): void {
    this.#origin ??= Bun.serve({ hostname: '127.0.0.1', port: this.port, fetch: (request) => this.#page(request) });
  }

  async stopOrigin(): Promise<void> {
    await this.#origin?.stop(true);
    this.#origin = undefined;
  }

  startFeeds(): void {
    this.#feeds ??= Bun.serve({ hostname: '127.0.0.1', port: this.feedPort, fetch: (request) => this.#feed(new URL(request.url)) });
  }

  async stopFeeds(): Promise<void> {
    await this.#feeds?.stop(true);
    this.#feeds = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.stopOrigin(), this.stopFeeds()]);
  }

  #feed(url: URL): Response | Promise<Response> {
    const instead = this.instead.get(url.pathname);
    if (instead) return instead(url);
    switch (url.pathname) {
      case '/prices': return Response.json({ a: this.price, b: this.price + 1, c: this.price + 2 });
      case '/recs': return Response.json(['cats', 'dogs', 'fish'].map((kind) => ({ title: `all about ${kind}`, profile: { [kind]: 1 } })));
      default: return new Response('no such feed', { status: 404 });
    }
  }

  #page(request: Request): Response {
    const { pathname } = new URL(request.url);
    this.asked.push(pathname);
    const product = /^\/products\/([abc])$/.exec(pathname)?.[1];
    if (product === undefined && pathname === '/api/price.json') return Response.json({ price: 0, currency: 'EUR' }, { headers: { 'cache-control': 'public, max-age=60' } });
    if (product === undefined) return new Response('nothing here', { status: 404 });
    const language = request.headers.get('accept-language')?.startsWith('de') ? 'de' : 'en';
    return new Response(`<!doctype html>
<html lang="${language}"><head><title>${product}</title></head><body><main data-text="${this.text}">
<p>${this.text}, ${language}. ${'This page is made by the origin and long enough to be taken seriously. '.repeat(10)}</p>
<p id="price">origin's price</p><p id="stamp">origin's stamp</p><aside id="recs">origin's list</aside>
<form method="post" action="/cart"><button>Buy</button></form></main></body></html>
`, { headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'public, max-age=60', vary: 'Accept-Language', etag: `"${product}-${language}-${this.text.length}-${this.text.slice(0, 3)}"`, 'surrogate-key': `product product-${product}` } });
  }
}

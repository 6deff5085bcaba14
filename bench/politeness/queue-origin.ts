/**
 * A real origin that slows under load: so many workers, one queue, each request served for the same time. `/sitemap.xml` lists more pages than will be
 * fetched (and few enough to be planned for in a few milliseconds: here everything shares one thread). Tells who asked when and how long people waited; can be made to strain.
 */

export class QueueOrigin {
  readonly #server: Bun.Server<undefined>;
  readonly #waiting: (() => void)[] = [];
  readonly #workers: number;
  #busy = 0;
  /** How long a request is served, ms. */
  serviceMs: number;
  /** When each generated request came, `performance.now()`. */
  readonly generatedAtMs: number[] = [];

  constructor(workers: number, serviceMs: number) {
    this.#workers = workers;
    this.serviceMs = serviceMs;
    this.#server = Bun.serve({ hostname: '127.0.0.1', port: 0, idleTimeout: 60, fetch: (request) => this.#answer(request) });
  }

  get url(): string {
    return this.#server.url.origin;
  }

  async close(): Promise<void> {
    await this.#server.stop(true);
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === '/robots.txt') return new Response('no', { status: 404 });
    if (pathname === '/sitemap.xml') return new Response(`<urlset>${Array.from({ length: 3000 }, (_, page) => `<url><loc>${this.url}/pages/${page}</loc></url>`).join('')}</urlset>`, { headers: { 'content-type': 'application/xml' } });
    if (request.headers.get('foreshadow-purpose') === 'generate') this.generatedAtMs.push(performance.now());
    if (this.#busy >= this.#workers) await new Promise<void>((resolve) => { this.#waiting.push(resolve); });
    this.#busy++;
    await Bun.sleep(this.serviceMs);
    this.#busy--;
    this.#waiting.shift()?.();
    return new Response(`<!doctype html><html><head><title>Page</title></head><body>${pathname} ${'text '.repeat(200)}</body></html>`, { headers: { 'content-type': 'text/html', 'cache-control': 'max-age=60' } });
  }
}

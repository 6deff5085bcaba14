/**
 * The shop's live data, a process of its own, `feeds.ts [PORT] [--tied]`, as in most real companies: it goes on while the shop's
 * web server is down. Prices and shelves by audience and stock by polling, recommendations in ten versions with a profile each, what sells
 * just now as server-sent events. `--tied`: it ends when its input does.
 */
import { categories, products } from './goods.ts';
import { bestsellers, priceCents, recommendationLists, scoreOf, segments, stockOf } from './market.ts';

const scoresEveryMs = 2000;

/** What sells, every two seconds, with ids so that a reader can see what it missed. */
function scores(): Response {
  let timer: ReturnType<typeof setInterval> | undefined;
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      const send = (): void => {
        const nowMs = Date.now();
        controller.enqueue(new TextEncoder().encode(`id: ${nowMs}\nevent: scores\ndata: ${JSON.stringify(sellingNow(nowMs))}\n\n`));
      };
      send();
      timer = setInterval(send, scoresEveryMs);
    },
    cancel() { clearInterval(timer); },
  });
  return new Response(stream, { headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store' } });
}

function sellingNow(nowMs: number): unknown {
  const prices = (product: (typeof products)[number]) => Object.fromEntries(segments.map((segment) => [segment, priceCents(product, segment, nowMs) / 100]));
  return {
    scores: Object.fromEntries(products.map((product) => [product.id, scoreOf(product, nowMs)])),
    top: bestsellers(12, nowMs).map((product) => ({ id: product.id, name: product.name, prices: prices(product) })),
  };
}

function feed(request: Request): Response {
  const url = new URL(request.url);
  const nowMs = Date.now();
  const audience = segments.find((known) => known === url.searchParams.get('audience')) ?? 'new';
  const headers = { 'cache-control': 'no-cache' };
  switch (url.pathname) {
    case '/prices.json': return Response.json(Object.fromEntries(products.map((product) => [product.id, priceCents(product, audience, nowMs) / 100])), { headers });
    case '/shelves.json': return Response.json(Object.fromEntries(categories.map((category) => [
      category.id, products.filter((product) => product.category === category).map((product) => ({ id: product.id, name: product.name, price: priceCents(product, audience, nowMs) / 100 })),
    ])), { headers });
    case '/stock.json': return Response.json(Object.fromEntries(products.map((product) => [product.id, stockOf(product, nowMs)])), { headers });
    case '/recs': return Response.json(recommendationLists(audience, nowMs).map(({ profile, list }) => ({
      profile, items: list.map((product) => ({ id: product.id, name: product.name, price: priceCents(product, audience, nowMs) / 100 })),
    })), { headers });
    case '/scores': return scores();
    default: return new Response('no such feed\n', { status: 404 });
  }
}

// Time-outs off: an event stream may be quiet for longer than the default 10 s.
const server = Bun.serve({ hostname: '127.0.0.1', port: Number(process.argv[2] ?? 3001), idleTimeout: 0, fetch: feed });
console.log(`feeds on http://127.0.0.1:${server.port}`);
if (process.argv.includes('--tied')) process.stdin.on('end', () => { process.exit(0); }).resume();

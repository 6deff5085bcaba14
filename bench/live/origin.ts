/**
 * The page's origin and its feed, a process of its own: `origin.ts PORT FEED_PORT`. The feed's price is set by `POST /price?is=N`, and
 * `GET /told?price=N` says when the feed first answered with it, epoch ms, 0 where it has not.
 */
import { offerText, originPage } from './page.ts';

const [port, feedPort] = process.argv.slice(2).map(Number);
const page = originPage();
const told = new Map<number, number>();
let price = 100;

Bun.serve({
  hostname: '127.0.0.1',
  port: port ?? 0,
  fetch(request) {
    if (new URL(request.url).pathname !== '/offer') return new Response('ok\n', { headers: { 'cache-control': 'no-store' } });
    return new Response(page, { headers: { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'public, max-age=3600' } });
  },
});
Bun.serve({
  hostname: '127.0.0.1',
  port: feedPort ?? 0,
  fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    switch (pathname) {
      case '/price': price = Number(searchParams.get('is')); return new Response();
      case '/told': return new Response(String(told.get(Number(searchParams.get('price'))) ?? 0));
      default: {
        if (!told.has(price)) told.set(price, performance.timeOrigin + performance.now());
        return Response.json({ price, offer: offerText });
      }
    }
  },
});

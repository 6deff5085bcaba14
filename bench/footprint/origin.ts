/** The origin of the footprint benchmark, a process of its own: `origin.ts PORT`. Any item, 8 KiB, no two alike. */
import { itemBody } from './item.ts';

Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.argv[2]),
  fetch(request) {
    const item = /\/items\/(\d+)$/.exec(request.url)?.[1];
    if (item === undefined) return new Response('no such item\n', { status: 404 });
    return new Response(itemBody(Number(item)), { headers: { 'content-type': 'text/plain', 'cache-control': 'public, max-age=86400' } });
  },
});

/** The origin of the replay, a process of its own: `origin.ts PORT`. It answers every URL. */
import { pageBody } from './page.ts';

Bun.serve({
  hostname: '127.0.0.1',
  port: Number(process.argv[2]),
  fetch(request) {
    const url = request.url.replace(/^https?:\/\/[^/]+/, '');
    return new Response(pageBody(url), { headers: { 'content-type': 'text/html', 'cache-control': 'public, max-age=60' } });
  },
});

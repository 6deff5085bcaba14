/** Pages with Edge Side Includes whose origin goes away before anybody has asked for them: both seeds and fragments have been prepared. */
import { expect, test } from 'bun:test';
import { freePort, until } from '../../bench/machine/program.ts';
import { RunningForeshadow } from './program.ts';

const rest = '<p>and what else there is to say about it</p>'.repeat(20);
const pages: Readonly<Record<string, string>> = {
  '/robots.txt': 'Sitemap: /sitemap.xml',
  '/products/1': `<!doctype html><title>One</title><h1>One</h1><esi:include src="/fragments/price"/><!--esi <esi:include src="/fragments/missing" alt="/fragments/also"/> -->${rest}`,
  '/fragments/price': `<b>5 €</b>${rest}`,
  '/fragments/also': `<i>also</i>${rest}`,
};

test('seeds and fragments are prepared before the outage, and pages come together while the origin is gone', async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const told = new Map<string, string | null>();
  const server = Bun.serve({
    hostname: '127.0.0.1', port,
    fetch(request) {
      const { pathname } = new URL(request.url);
      told.set(pathname, request.headers.get('surrogate-capability'));
      if (pathname === '/sitemap.xml') return new Response(`<urlset><url><loc>${url}/products/1</loc></url></urlset>`, { headers: { 'content-type': 'application/xml' } });
      const page = pages[pathname];
      // Frameworks that know ESI write the tags only for who says that it processes them.
      if (pathname === '/products/1' && !told.get(pathname)) return new Response('no surrogate', { status: 500 });
      // For surrogates only: browsers and other caches must not keep it.
      const keeping = pathname === '/products/1' ? { 'cache-control': 'no-store', 'surrogate-control': 'max-age=600, content="ESI/1.0"' } : { 'cache-control': 'max-age=600' };
      return page === undefined ? new Response('no', { status: 404 }) : new Response(page, { headers: { 'content-type': 'text/html', ...keeping } });
    },
  });
  await using foreshadow = await RunningForeshadow.start({ originUrl: url, config: 'site: esi\nroutes: [ { match: "/products/**", esi: true } ]\nbudgets: { originRequests: 100/s, originShare: 100% }\n' });
  try {
    await foreshadow.published(3);
    expect([told.get('/products/1'), told.get('/fragments/price')]).toEqual(['foreshadow="Surrogate/1.0 ESI/1.0"', null]);
  } finally {
    await server.stop(true);
  }
  let text = '';
  await until('the page to come together', async () => {
    text = await (await fetch(`${foreshadow.url}/products/1`)).text();
    return text.includes('<b>5 €</b>');
  }, 10_000, 100).catch((error: unknown) => { throw new Error(`${String(error)}; it says ${text}`); });
  expect(text).toBe(`<!doctype html><title>One</title><h1>One</h1><b>5 €</b>${rest} <i>also</i>${rest} ${rest}`);
}, 40_000);

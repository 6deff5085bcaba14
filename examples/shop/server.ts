/**
 * The shop itself, the origin of `foreshadow demo`: `server.ts [PORT] [--tied]`. An ordinary small site: pages that differ by
 * device, language and audience, private pages, a cart, JSON that changes, assets with long lives. Pages say in Surrogate-Key what they show.
 * A line on its input breaks it on purpose: `ok`, `slow`, `errors`. (To kill or hang it, kill or stop the process.) `--tied`: it ends when its input does.
 */
import { createHash } from 'node:crypto';
import { createInterface } from 'node:readline';
import { categories, languages, productById, products } from './goods.ts';
import type { Product } from './goods.ts';
import { priceCents, scoreOf, segments } from './market.ts';
import { categoryPage, homePage, pageLife, productPage, textPage } from './pages.ts';
import type { Visitor } from './pages.ts';
import { logo, picture } from './pictures.ts';
import { words } from './words.ts';

type Trouble = 'ok' | 'slow' | 'errors';

const pageHeaders = { 'cache-control': `public, max-age=${pageLife.freshS}, stale-while-revalidate=${pageLife.staleS}`, vary: 'User-Agent, Accept-Language, Cookie' };
const assetHeaders = { 'cache-control': 'public, max-age=86400' };
const privateHeaders = { 'cache-control': 'private, no-store' };

function visitorOf(request: Request): Visitor {
  const asked = request.headers.get('accept-language') ?? '';
  const preferred = asked.split(',').map((part) => part.trim().slice(0, 2).toLowerCase());
  const segment = /(?:^|;\s*)segment=(\w+)/.exec(request.headers.get('cookie') ?? '')?.[1];
  return {
    device: /mobi|android/i.test(request.headers.get('user-agent') ?? '') ? 'mobile' : 'desktop',
    language: preferred.map((tag) => languages.find((known) => known === tag)).find((known) => known !== undefined) ?? 'en',
    segment: segments.find((known) => known === segment) ?? 'new',
    nowMs: Date.now(),
  };
}

/** An answer with a validator: 304 where the client has this very body already. */
function answer(request: Request, body: string | Uint8Array<ArrayBuffer>, type: string, headers: Readonly<Record<string, string>>, status = 200): Response {
  const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 20)}"`;
  const all = { ...headers, etag };
  const known = request.headers.get('if-none-match')?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (status === 200 && known?.includes(etag)) return new Response(null, { status: 304, headers: all });
  return new Response(body, { status, headers: { ...all, 'content-type': type } });
}

const html = 'text/html; charset=utf-8';

function page(request: Request, body: string, headers: Readonly<Record<string, string>> = pageHeaders, status = 200): Response {
  return answer(request, body, html, { ...headers, 'content-language': visitorOf(request).language }, status);
}

/** Headers of a page, with the tags by which its copies can be purged. */
function about(...tags: readonly string[]): Readonly<Record<string, string>> {
  return { ...pageHeaders, 'surrogate-key': tags.join(' ') };
}

function sitemap(origin: string): string {
  const paths = ['/', '/about', '/delivery', ...categories.map(({ id }) => `/c/${id}`), ...products.map(({ id }) => `/products/${id}`)];
  return `<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n${paths.map((path) => `<url><loc>${origin}${path}</loc></url>`).join('\n')}\n</urlset>\n`;
}

async function readable(request: Request, url: URL): Promise<Response> {
  const visitor = visitorOf(request);
  const say = words[visitor.language];
  const [, section = '', name = ''] = url.pathname.split('/');
  const product = productById.get(section === 'images' ? name.replace(/\.svg$/, '') : name);
  const category = categories.find(({ id }) => id === name);
  switch (section) {
    case '': return page(request, homePage(visitor), about('home'));
    case 'c': if (category) return page(request, categoryPage(visitor, category), about(category.id)); break;
    case 'products': if (product) return page(request, productPage(visitor, product), about(product.id, product.category.id)); break;
    case 'images': if (product) return answer(request, picture(product), 'image/svg+xml', assetHeaders); break;
    case 'assets': {
      if (name === 'logo.svg') return answer(request, logo, 'image/svg+xml', assetHeaders);
      const type = { 'shop.css': 'text/css', 'shop.js': 'text/javascript' }[name];
      if (type !== undefined) return answer(request, await Bun.file(`${import.meta.dir}/assets/${name}`).bytes(), `${type}; charset=utf-8`, assetHeaders);
      break;
    }
    case 'about': return page(request, textPage(visitor, say.about, say.aboutText));
    case 'delivery': return page(request, textPage(visitor, say.delivery, say.deliveryText));
    case 'account': return page(request, textPage(visitor, say.account, say.accountText), privateHeaders);
    case 'cart': return page(request, textPage(visitor, say.cart, url.searchParams.has('added') ? say.added : say.cartText), privateHeaders);
    case 'api': return data(request, name, visitor);
    case 'healthz': return new Response('ok\n', { headers: { 'cache-control': 'no-store' } });
    case 'robots.txt': return answer(request, `User-agent: *\nDisallow: /account\nDisallow: /cart\nSitemap: ${url.origin}/sitemap.xml\n`, 'text/plain', assetHeaders);
    case 'sitemap.xml': return answer(request, sitemap(url.origin), 'application/xml', assetHeaders);
  }
  return page(request, textPage(visitor, '404', say.notFound), { 'cache-control': 'no-cache' }, 404);
}

function data(request: Request, name: string, visitor: Visitor): Response {
  const listed = (value: (product: Product) => number): string => JSON.stringify(Object.fromEntries(products.map((product) => [product.id, value(product)])));
  const headers = { 'cache-control': 'public, max-age=5' };
  switch (name) {
    case 'prices.json': return answer(request, listed((product) => priceCents(product, visitor.segment, visitor.nowMs) / 100), 'application/json', { ...headers, vary: 'Cookie' });
    case 'scores.json': return answer(request, listed((product) => scoreOf(product, visitor.nowMs)), 'application/json', headers);
    default: return Response.json({ title: 'Not found', status: 404 }, { status: 404, headers: { 'content-type': 'application/problem+json' } });
  }
}

function startShop(port: number): { readonly port: number; setTrouble(trouble: Trouble): void } {
  let trouble: Trouble = 'ok';
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port,
    async fetch(request) {
      if (trouble === 'slow') await Bun.sleep(3000);
      if (trouble === 'errors') return new Response('Something went wrong in the shop.\n', { status: 500, headers: { 'cache-control': 'no-store' } });
      const url = new URL(request.url);
      if (request.method === 'GET' || request.method === 'HEAD') return readable(request, url);
      if (request.method === 'POST' && url.pathname === '/cart') {
        await request.arrayBuffer();
        return new Response(null, { status: 303, headers: { location: '/cart?added', 'cache-control': 'no-store' } });
      }
      return new Response('Not allowed here.\n', { status: 405, headers: { allow: 'GET, HEAD' } });
    },
  });
  return { port: server.port ?? port, setTrouble: (next) => { trouble = next; } };
}

const shop = startShop(Number(process.argv[2] ?? 3000));
console.log(`shop on http://127.0.0.1:${shop.port}`);
const orders = createInterface({ input: process.stdin }).on('line', (line) => {
  if (line === 'ok' || line === 'slow' || line === 'errors') shop.setTrouble(line);
});
if (process.argv.includes('--tied')) orders.on('close', () => { process.exit(0); });

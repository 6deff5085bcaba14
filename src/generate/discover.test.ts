import { plainRoute } from '../config/index.ts';
import { expect, test } from 'bun:test';
import { gzipSync } from 'node:zlib';
import type { HeaderList } from '../http/index.ts';
import { createLog, ManualClock, type ResourceKey } from '../kernel/index.ts';
import { Discoverer, readBeforeMax } from './discover.ts';
import { syndicationFeedsMax } from './discover-feeds.ts';
import { feedLinksMax } from './links.ts';
import type { FetchResult } from './fetch.ts';
import { Frontier, frontierMax } from './frontier.ts';
import { Site } from './site.ts';

interface Page {
  readonly status?: number;
  readonly type?: string;
  readonly body?: string | Uint8Array;
  readonly headers?: HeaderList;
}

/** A discoverer over a site that is a table of pages; a path of `undefined` fails. */
function over(pages: Readonly<Record<string, Page | 'timeout'>>) {
  const clock = new ManualClock();
  const frontier = new Frontier();
  const asked: string[] = [];
  const requests: { readonly path: string; readonly headers: HeaderList }[] = [];
  const logged: Record<string, unknown>[] = [];
  const site = new Site({
    feeds: [], degraded: { notice: undefined, form: { byLanguage: {}, otherwise: '' } },
    origin: { url: 'http://origin.test', host: 'origin', probe: { path: '/', intervalMs: 1, timeoutMs: 1 }, limits: { latencyP95Ms: undefined, errorRate: 0.1 } },
    hosts: [], regions: [], dropQuery: [], dimensions: [], routes: [{ ...plainRoute, match: '/account/**', vary: [], shadow: 'never', cache: 'off' }],
  });
  const discoverer = new Discoverer({
    frontier, clock,
    log: createLog({ clock, level: 'warn', write: (line) => logged.push(JSON.parse(line) as Record<string, unknown>) }), // our own log's lines
    pay: (fetch) => fetch(),
    fetcher: async ({ path, headers }): Promise<FetchResult> => {
      asked.push(path);
      requests.push({ path, headers });
      const page = pages[path] ?? { status: 404 };
      if (page === 'timeout') return { kind: 'failed', failure: 'timeout', message: '', latencyMs: 1 };
      const body = typeof page.body === 'string' ? new TextEncoder().encode(page.body) : page.body ?? new Uint8Array(0);
      return {
        kind: 'answer', status: page.status ?? 200, headers: [['content-type', page.type ?? 'text/plain'], ...(page.headers ?? [])],
        body, framed: true, requestHeaders: [], requestTimeMs: 0, responseTimeMs: 0, latencyMs: 1,
      };
    },
  }, site, 'Foreshadow/0.1 (+https://shop.example/bot)');
  return { clock, discoverer, frontier, asked, requests, logged, found: () => [...frontier.all()].map((entry) => `${entry.source} ${entry.resource}`) };
}

const urlset = (...paths: string[]): string => `<urlset>${paths.map((path) => `<url><loc>https://shop.example${path}</loc></url>`).join('')}</urlset>`;
const index = (...paths: string[]): string => `<sitemapindex>${paths.map((path) => `<sitemap><loc>https://shop.example${path}</loc></sitemap>`).join('')}</sitemapindex>`;
const key = (text: string): ResourceKey => text as ResourceKey; // spelled as resourceKey would

test('without robots.txt, /sitemap.xml is read, its public host learned, forbidden routes left out', async () => {
  const site = over({ '/sitemap.xml': { body: urlset('/', '/a', '/account/me') } });
  expect(await site.discoverer.readSite()).toEqual({ complete: true, sitemaps: 1, urls: 2 });
  expect(site.asked).toEqual(['/robots.txt', '/sitemap.xml']);
  expect(site.found()).toEqual(['sitemap /', 'sitemap /a']);
});

test('robots.txt names the sitemaps and forbids what it forbids to us', async () => {
  const site = over({
    '/robots.txt': { body: 'User-agent: *\nDisallow: /\n\nUser-agent: foreshadow\nDisallow: /search\n\nSitemap: https://shop.example/maps/1.xml.gz\nSitemap: https://shop.example/maps/2.xml' },
    '/maps/1.xml.gz': { body: gzipSync(urlset('/a')) }, '/maps/2.xml': { body: urlset('/b') },
  });
  expect(await site.discoverer.readSite()).toEqual({ complete: true, sitemaps: 2, urls: 2 });
  expect(site.discoverer.allows(key('/a'))).toBe(true);
  expect(site.discoverer.allows(key('/search?q=x'))).toBe(false);
});

test('before robots.txt is read, and while it fails, nothing unasked is allowed', async () => {
  const site = over({ '/robots.txt': { status: 503 }, '/sitemap.xml': { body: urlset('/a') } });
  expect(site.discoverer.allows(key('/a'))).toBe(false);
  expect((await site.discoverer.readSite()).complete).toBe(false);
  expect(site.discoverer.allows(key('/a'))).toBe(false);
  expect(site.asked).toEqual(['/robots.txt']);
});

test('indexes nest to a depth, loops end, each file is read once', async () => {
  const site = over({
    '/sitemap.xml': { body: index('/s1.xml', '/s1.xml', '/sitemap.xml') }, '/s1.xml': { body: index('/s2.xml') },
    '/s2.xml': { body: index('/s3.xml') }, '/s3.xml': { body: urlset('/too-deep') },
  });
  await site.discoverer.readSite();
  expect(site.asked).toEqual(['/robots.txt', '/sitemap.xml', '/s1.xml', '/s2.xml']);
  expect(site.found()).toEqual([]);
});

test('a sitemap that is none is a logged reason', async () => {
  const site = over({ '/robots.txt': { body: 'Sitemap: /x\nSitemap: https://shop.example/login\nSitemap: https://shop.example/slow\nSitemap: https://shop.example/none' }, '/login': { type: 'text/html', body: '<html>Log in</html>' }, '/slow': 'timeout' });
  expect((await site.discoverer.readSite()).complete).toBe(false);
  expect(site.logged.map((line) => `${String(line['event'])} ${String(line['why'])}`)).toEqual([
    'sitemap-unreadable not-a-sitemap', 'discovery-fetch-failed timeout', 'sitemap-unreadable status 404',
  ]);
});

test('a missing /sitemap.xml nobody declared is nothing to speak of', async () => {
  const site = over({});
  expect((await site.discoverer.readSite()).complete).toBe(true);
  expect(site.logged).toEqual([]);
});

test('redirects within the site are followed, others are not, and circles end', async () => {
  const site = over({
    '/robots.txt': { status: 301, headers: [['location', 'https://elsewhere.example/robots.txt']] },
    '/sitemap.xml': { status: 301, headers: [['location', '/real.xml']] }, '/real.xml': { body: urlset('/a') },
  });
  await site.discoverer.readSite();
  expect(site.found()).toEqual(['sitemap /a']);
  const circle = over({ '/sitemap.xml': { status: 302, headers: [['location', '/sitemap.xml']] } });
  expect((await circle.discoverer.readSite()).complete).toBe(false);
  expect(circle.asked.length).toBe(7);
});

test('a page brings its own assets and links, of the site only', () => {
  const site = over({});
  const html = '<link rel=stylesheet href=/main.css><a href="/b">b</a><a href="/page">self</a><a href="https://elsewhere.example/c">c</a><img src="https://cdn.example/i.png">';
  const own = site.discoverer.readDocument(key('/page'), [['content-type', 'text/html; charset=utf-8']], new TextEncoder().encode(html), true);
  expect(own).toEqual([key('/main.css')]);
  expect(site.found()).toEqual(['asset /main.css', 'link /b']);
  expect(site.frontier.get(key('/main.css'))?.parent).toBe(key('/page'));
  site.discoverer.readDocument(key('/main.css'), [['content-type', 'text/css']], new TextEncoder().encode('a { background: url(bg.png) }'), true);
  site.discoverer.readDocument(key('/data.json'), [['content-type', 'application/json']], new TextEncoder().encode('<a href="/x">'), true);
  site.discoverer.readDocument(key('/linked'), [['content-type', 'text/html']], new TextEncoder().encode('<a href="/y"><img src="/z.png">'), false);
  expect(site.found()).toEqual(['asset /main.css', 'link /b', 'asset /bg.png', 'asset /z.png']);
});

const rss = (...paths: string[]): string => `<rss><channel>${paths.map((path) => `<item><link>https://shop.example${path}</link><pubDate>Tue, 03 Feb 2026 10:00:00 GMT</pubDate></item>`).join('')}</channel></rss>`;
const page = (discoverer: Discoverer, path: string, html: string): readonly ResourceKey[] => discoverer.readDocument(key(path), [['content-type', 'text/html']], new TextEncoder().encode(html), true);

test('syndication feeds are read with their validators, on the site only, so many, and left alone when they are none', async () => {
  const pages: Record<string, Page | 'timeout'> = {
    '/robots.txt': { body: 'User-agent: *\nDisallow: /private\nSitemap: https://shop.example/sitemap.xml' }, '/sitemap.xml': { body: urlset('/') },
    '/feed.xml': { body: rss('/new', '/newer'), headers: [['etag', '"1"']] }, '/broken.xml': { type: 'text/html', body: '<html>' },
  };
  const site = over(pages);
  await site.discoverer.readSite();
  const link = (href: string): string => `<link rel="alternate" type="application/rss+xml" href="${href}">`;
  page(site.discoverer, '/', link('/feed.xml') + link('/private/feed.xml') + link('https://elsewhere.example/feed.xml') + link('/broken.xml'));
  site.asked.length = 0;
  expect(await site.discoverer.readFeeds()).toBe(2);
  expect(site.asked).toEqual(['/feed.xml', '/broken.xml']);
  expect(site.frontier.get(key('/new'))).toMatchObject({ source: 'feed', changedMs: Date.UTC(2026, 1, 3, 10) });
  expect(site.logged.map((line) => `${String(line['event'])} ${String(line['why'])}`)).toEqual(['syndication-unreadable not-a-feed']);
  pages['/feed.xml'] = { status: 304 };
  for (let i = 0; i < 10; i++) expect(await site.discoverer.readFeeds()).toBe(0);
  expect(site.requests.at(-1)).toEqual({ path: '/feed.xml', headers: [['if-none-match', '"1"']] });
  expect(site.asked.filter((path) => path === '/broken.xml').length).toBe(5);
  for (let i = 0; i < syndicationFeedsMax + 10; i++) page(site.discoverer, `/p${i}`, Array.from({ length: feedLinksMax + 5 }, (_, n) => link(`/feeds/${i}-${n}.xml`)).join(''));
  site.asked.length = 0;
  await site.discoverer.readFeeds();
  // Those of the first page and of the next ones, but for the broken one and the one that robots.txt forbids.
  expect(site.asked).toEqual(['/feed.xml', ...[0, 1].flatMap((i) => Array.from({ length: feedLinksMax }, (_, n) => `/feeds/${i}-${n}.xml`)).slice(0, syndicationFeedsMax - 3)]);
});

test('a feed in a sitemap\'s place is read as one', async () => {
  const site = over({ '/robots.txt': { body: 'Sitemap: https://shop.example/atom.xml\nSitemap: https://shop.example/sitemap.xml' }, '/sitemap.xml': { body: urlset('/') }, '/atom.xml': { body: '<feed><entry><link href="/new"/></entry></feed>' } });
  expect(await site.discoverer.readSite()).toEqual({ complete: true, sitemaps: 2, urls: 1 });
  await site.discoverer.readFeeds();
  expect(site.found()).toEqual(['sitemap /', 'feed /new']);
});

test('what a list names when it is read again is new; what it named before is not', async () => {
  const pages: Record<string, Page> = { '/sitemap.xml': { body: urlset('/a') } };
  const site = over(pages);
  await site.discoverer.readSite();
  page(site.discoverer, '/', '<a href="/b">b</a>');
  site.clock.advance(60_000);
  pages['/sitemap.xml'] = { body: urlset('/a', '/c') };
  await site.discoverer.readSite();
  page(site.discoverer, '/', '<a href="/b">b</a><a href="/d">d</a><a href="/c">c</a>');
  const born = (path: string): unknown => site.frontier.get(key(path))?.bornMs;
  expect([born('/a'), born('/b'), born('/c'), born('/d')]).toEqual([undefined, undefined, site.clock.nowMs(), site.clock.nowMs()]);
  // Listed, and linked from a page: both are known.
  expect(site.frontier.get(key('/c'))).toMatchObject({ source: 'sitemap', parent: '/' });
  for (let i = 0; i < readBeforeMax; i++) page(site.discoverer, `/page${i}`, '<p>');
  page(site.discoverer, '/', '<a href="/e">e</a>');
  expect([site.frontier.get(key('/e'))?.source, born('/e')]).toEqual(['link', undefined]);
});

test('in a full frontier what has left the lists gives way to what is new', () => {
  const frontier = new Frontier();
  const offer = (resource: string, nowMs: number): void => { frontier.offer({ resource: key(resource), source: 'feed', priority: 0.5, parent: undefined, changedMs: undefined }, nowMs); };
  for (let i = 0; i < frontierMax.feed; i++) offer(`/${i}`, 0);
  offer('/0', 5 * 3_600_000);
  offer('/new', 5 * 3_600_000);
  expect([frontier.get(key('/new')), frontier.refused]).toEqual([undefined, 1]);
  offer('/new', 7 * 3_600_000);
  expect([frontier.get(key('/new'))?.source, frontier.get(key('/0'))?.source, frontier.get(key('/1')), frontier.counts.feed]).toEqual(['feed', 'feed', undefined, frontierMax.feed]);
});

test('a coded page is read like any other; what can not be decoded refers to nothing', () => {
  const site = over({});
  const coded = [['content-type', 'text/html'], ['content-encoding', 'gzip']] as const;
  expect(site.discoverer.readDocument(key('/page'), coded, gzipSync('<img src=/i.png>'), true)).toEqual([key('/i.png')]);
  expect(site.discoverer.readDocument(key('/page'), coded, new TextEncoder().encode('<img src=/j.png>'), true)).toEqual([]);
});

test('the frontier is bounded, keeps the best source, and counts what had no room', () => {
  const frontier = new Frontier();
  const offer = (resource: string, source: 'asset' | 'link' | 'sitemap', changedMs?: number): void => {
    frontier.offer({ resource: key(resource), source, priority: 0.5, parent: undefined, changedMs });
  };
  for (let i = 0; i < frontierMax.link + 3; i++) offer(`/l${i}`, 'link');
  expect(frontier.refused).toBe(3);
  offer('/l0', 'sitemap', 5);
  offer('/l0', 'link');
  expect(frontier.get(key('/l0'))).toMatchObject({ source: 'sitemap', changedMs: 5 });
  expect(frontier.counts).toEqual({ asset: 0, feed: 0, sitemap: 1, link: frontierMax.link - 1 });
  frontier.forget(key('/l0'));
  expect(frontier.size).toBe(frontierMax.link - 1);
});

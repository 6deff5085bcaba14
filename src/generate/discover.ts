/**
 * Finds resources nobody has asked for: reads robots.txt and the sitemaps it names (or /sitemap.xml), the syndication feeds that pages name, and what fresh
 * pages and style sheets refer to, and offers the site's own ones to the frontier. Whatever it meets instead (no file, a login
 * page, noise, loops) is a logged reason and no more. Every fetch is paid from the generator's budget by `pay`.
 */
import { decodeBody, headerReader, resourceTarget, type HeaderList } from '../http/index.ts';
import type { Clock, Log, ResourceKey } from '../kernel/index.ts';
import { NamedFeeds } from './discover-feeds.ts';
import type { FetchAnswer, Fetcher } from './fetch.ts';
import type { DiscoverySource, Frontier } from './frontier.ts';
import { referencesOfCss, referencesOfHtml } from './links.ts';
import { allowAll, allowNothing, parseRobots, robotsByStatus, robotsBytesMax, type Robots } from './robots.ts';
import type { Site } from './site.ts';
import { readSitemap, sitemapBytesMax, sitemapUrlsMax } from './sitemap.ts';
import { readSyndication, syndicationBytesMax, type SyndicationEntry } from './syndication.ts';

/** Sitemap files read in one round, indexes included, and how deep indexes nest. */
const sitemapFilesMax = 200;
const sitemapDepthMax = 2;
/** A coded document is read up to this size. */
const documentBytesMax = 16 * 1024 * 1024;
/** RFC 9309 §2.3.1.2. */
const redirectsMax = 5;
/** Pages, sitemaps and feeds remembered as read before: what they name later is new. Beyond, the longest not read is forgotten. */
export const readBeforeMax = 20_000;

export interface DiscovererParts {
  readonly fetcher: Fetcher;
  /** Runs one fetch within the budget; waits for its turn. Undefined when there will be none (shutting down, origin unwell). */
  readonly pay: (fetch: () => ReturnType<Fetcher>) => Promise<Awaited<ReturnType<Fetcher>> | undefined>;
  readonly frontier: Frontier;
  readonly clock: Clock;
  readonly log: Log;
}

interface Named {
  readonly url: string;
  readonly source: DiscoverySource;
  readonly priority?: number;
  readonly parent?: ResourceKey;
  readonly changedMs?: number | undefined;
  /** Where it is named has been read before. */
  readonly later: boolean;
}

export interface DiscoveryOutcome {
  /** Whether robots.txt and every sitemap could be read, so that the next round can wait longer. */
  readonly complete: boolean;
  readonly sitemaps: number;
  readonly urls: number;
}

export class Discoverer {
  readonly #parts: DiscovererParts;
  #site: Site;
  #userAgent: string;
  #robots: Robots = allowNothing;
  readonly #feeds = new NamedFeeds();
  readonly #readBefore = new Set<string>();

  constructor(parts: DiscovererParts, site: Site, userAgent: string) {
    this.#parts = parts;
    this.#site = site;
    this.#userAgent = userAgent;
  }

  configure(site: Site, userAgent: string): void {
    this.#site = site;
    this.#userAgent = userAgent;
  }

  /** Whether robots.txt lets us fetch this unasked. */
  allows(resource: ResourceKey): boolean {
    return this.#robots.allows(resourceTarget(resource).target);
  }

  /** One round over robots.txt and all sitemaps. */
  async readSite(): Promise<DiscoveryOutcome> {
    if (!(await this.#readRobots())) return { complete: false, sitemaps: 0, urls: 0 };
    const declared = this.#robots.sitemaps.length > 0;
    const queue = (declared ? this.#robots.sitemaps : [`${this.#site.originUrl}/sitemap.xml`]).map((url) => ({ url, depth: 0 }));
    const seen = new Set<string>();
    let complete = true;
    let urls = 0;
    for (let next = queue.shift(); next && seen.size < sitemapFilesMax; next = queue.shift()) {
      const path = pathIn(next.url);
      if (path === undefined || seen.has(path)) continue;
      seen.add(path);
      const read = await this.#readOne(path, declared || next.depth > 0);
      if (!read) complete = false;
      else if (read.kind === 'urls') urls += this.#offerEntries(read.entries, this.#again(path));
      else if (next.depth < sitemapDepthMax) for (const url of read.sitemaps) queue.push({ url, depth: next.depth + 1 });
    }
    if (queue.length > 0) this.#parts.log.warn('sitemaps-cut', { filesMax: sitemapFilesMax });
    return { complete, sitemaps: seen.size, urls };
  }

  /** One round over the syndication feeds that pages have named; gives how many pages these announce. */
  async readFeeds(): Promise<number> {
    let announced = 0;
    for (const path of this.#feeds.paths()) {
      if (!this.#robots.allows(path)) continue;
      const result = await this.#get(path, syndicationBytesMax, this.#feeds.conditions(path));
      if (result && result !== 'too-large' && result.status === 304) continue;
      const read = this.#syndicated(result, path);
      if (typeof read === 'string' || !result || result === 'too-large') {
        this.#feeds.failed(path);
        this.#parts.log.warn('syndication-unreadable', { path, why: read });
        continue;
      }
      this.#feeds.wasRead(path, result.headers);
      const later = this.#again(path);
      for (const { url, changedMs } of read) if (this.#offer({ url, source: 'feed', changedMs, later }) !== undefined) announced++;
    }
    return announced;
  }

  /** Offers what a document refers to, and gives the site's own assets among it. Anything but HTML and CSS refers to nothing. */
  readDocument(resource: ResourceKey, headers: HeaderList, body: Uint8Array, withLinks: boolean): readonly ResourceKey[] {
    const fields = headerReader(headers);
    const type = (fields.get('content-type') ?? '').toLowerCase();
    const html = type.startsWith('text/html') || type.startsWith('application/xhtml');
    const plain = html || type.startsWith('text/css') ? decodeBody(body, fields.get('content-encoding'), documentBytesMax) : undefined;
    if (!plain) return [];
    const text = new TextDecoder().decode(plain);
    const url = this.#site.urlOf(resource);
    const { assets, links, feeds } = html ? referencesOfHtml(text, url) : referencesOfCss(text, url);
    const later = this.#again(resource);
    const own = assets.flatMap((asset) => this.#offer({ url: asset, source: 'asset', parent: resource, later }) ?? []);
    if (withLinks) for (const link of links) this.#offer({ url: link, source: 'link', parent: resource, later });
    for (const feed of feeds) {
      const path = this.#site.resourceOf(feed) === undefined ? undefined : pathIn(feed);
      if (path !== undefined) this.#feeds.name(path);
    }
    return own;
  }

  /** The entries, or why there are none. */
  #syndicated(result: FetchAnswer | 'too-large' | undefined, path: string): readonly SyndicationEntry[] | string {
    if (!result) return 'no-answer';
    if (result === 'too-large') return result;
    if (result.status !== 200) return `status ${result.status}`;
    const read = readSyndication(plainBody(result), this.#site.originUrl + path);
    return read.kind === 'entries' ? read.entries : read.problem;
  }

  async #readRobots(): Promise<boolean> {
    const result = await this.#get('/robots.txt', robotsBytesMax);
    if (!result) return false;
    if (result === 'too-large') {
      // RFC 9309 §2.5 wants the first 500 KiB parsed; nobody has such a file, and guessing what it allows is worse.
      this.#parts.log.warn('robots-too-large', { bytesMax: robotsBytesMax });
      return false;
    }
    const byStatus = robotsByStatus(result.status);
    const html = (contentTypeOf(result) ?? '').startsWith('text/html');
    if (html) this.#parts.log.warn('robots-unreadable', { why: 'it is an HTML page' });
    this.#robots = byStatus ?? (html ? allowAll : parseRobots(new TextDecoder().decode(result.body), `${this.#site.originUrl}/robots.txt`, this.#userAgent));
    return byStatus !== allowNothing;
  }

  async #readOne(path: string, declared: boolean): Promise<Exclude<ReturnType<typeof readSitemap>, { kind: 'problem' }> | undefined> {
    const { log } = this.#parts;
    const result = await this.#get(path, sitemapBytesMax);
    if (!result || result === 'too-large') {
      if (result) log.warn('sitemap-unreadable', { path, why: 'too-large' });
      return undefined;
    }
    if (result.status !== 200) {
      if (declared || result.status !== 404) log.warn('sitemap-unreadable', { path, why: `status ${result.status}` });
      return result.status === 404 || result.status === 410 ? { kind: 'urls', entries: [], cut: false } : undefined;
    }
    const sitemap = readSitemap(result.body);
    if (sitemap.kind === 'problem' && typeof this.#syndicated(result, path) !== 'string') {
      // The protocol allows a syndication feed in a sitemap's place.
      this.#feeds.name(path);
      return { kind: 'urls', entries: [], cut: false };
    }
    if (sitemap.kind === 'problem') {
      log.warn('sitemap-unreadable', { path, why: sitemap.problem });
      return undefined;
    }
    if (sitemap.cut) log.warn('sitemap-cut', { path, urlsMax: sitemapUrlsMax });
    return sitemap;
  }

  /** Follows redirects within the site, by path: `/sitemap.xml` often lives elsewhere. */
  async #get(path: string, bytesMax: number, headers: HeaderList = []): Promise<FetchAnswer | 'too-large' | undefined> {
    let at = path;
    for (let hops = 0; hops <= redirectsMax; hops++) {
      const target = at;
      const result = await this.#parts.pay(() => this.#parts.fetcher({ path: target, headers, bytesMax }));
      if (!result) return undefined;
      if (result.kind === 'failed') {
        if (result.failure === 'too-large') return 'too-large';
        this.#parts.log.warn('discovery-fetch-failed', { path, why: result.failure });
        return undefined;
      }
      const next = redirectOf(result, this.#site, at);
      if (next === undefined) return result;
      at = next;
    }
    this.#parts.log.warn('discovery-fetch-failed', { path, why: 'too many redirects' });
    return undefined;
  }

  #offerEntries(entries: readonly { readonly url: string; readonly changedMs: number | undefined; readonly priority: number }[], later: boolean): number {
    const first = entries[0];
    if (first) this.#site.learnHost(first.url);
    let offered = 0;
    for (const entry of entries) if (this.#offer({ ...entry, source: 'sitemap', later }) !== undefined) offered++;
    return offered;
  }

  /** The resource it names, where it is the site's and may have copies. */
  #offer({ url, source, priority = 0.5, parent, changedMs, later }: Named): ResourceKey | undefined {
    const resource = this.#site.resourceOf(url);
    if (resource === undefined || resource === parent || this.#site.route(resource).policy === 'never') return undefined;
    const nowMs = this.#parts.clock.nowMs();
    this.#parts.frontier.offer({ resource, source, priority, parent, changedMs, bornMs: later ? nowMs : undefined }, nowMs);
    return resource;
  }

  /** Whether this list or page has been read before; from now on it has. */
  #again(name: string): boolean {
    const before = this.#readBefore.delete(name);
    this.#readBefore.add(name);
    if (this.#readBefore.size > readBeforeMax) for (const oldest of this.#readBefore) {
      this.#readBefore.delete(oldest);
      break;
    }
    return before;
  }
}

/** Sitemaps are read from the origin whatever host their URL names. */
function pathIn(url: string): string | undefined {
  const parsed = URL.parse(url);
  return parsed ? parsed.pathname + parsed.search : undefined;
}

/** Where a redirect within the site leads; undefined for any other answer, and for one that leads elsewhere. */
function redirectOf(answer: FetchAnswer, site: Site, path: string): string | undefined {
  if (answer.status < 300 || answer.status >= 400) return undefined;
  const location = answer.headers.find(([name]) => name === 'location')?.[1];
  const url = location === undefined ? null : URL.parse(location, site.originUrl + path);
  return url && site.owns(url) ? url.pathname + url.search : undefined;
}

/** Decoded where it came coded; what can't be decoded is no feed. */
function plainBody({ body, headers }: FetchAnswer): Uint8Array {
  return decodeBody(body, headers.find(([name]) => name === 'content-encoding')?.[1] ?? null, syndicationBytesMax) ?? new Uint8Array(0);
}

function contentTypeOf(answer: FetchAnswer): string | undefined {
  return answer.headers.find(([name]) => name === 'content-type')?.[1];
}

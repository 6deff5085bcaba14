/**
 * Resources nobody has asked for yet, and why they are worth a copy: part of a page, announced in a syndication feed, listed in a sitemap, linked from a page.
 * Bounded for each source: at the bound the one that was found again longest ago gives way if that is hours ago, else further ones are refused and counted.
 * A resource is kept once, under its best source.
 */
import type { ResourceKey } from '../kernel/index.ts';

export type DiscoverySource = 'asset' | 'feed' | 'sitemap' | 'link';

const assetsKeptMax = 20_000;
const announcedKeptMax = 10_000;
const listedKeptMax = 50_000;
const linkedKeptMax = 20_000;
/** Candidates kept for each source. */
export const frontierMax: Readonly<Record<DiscoverySource, number>> = { asset: assetsKeptMax, feed: announcedKeptMax, sitemap: listedKeptMax, link: linkedKeptMax };
/** What has not been found again for so long gives way to something new. */
const staleMs = 6 * 3_600_000;

const rank: Readonly<Record<DiscoverySource, number>> = { asset: 0, feed: 1, sitemap: 2, link: 3 };

export interface Discovery {
  readonly resource: ResourceKey;
  readonly source: DiscoverySource;
  /** 0 to 1: the sitemap's own priority; 0.5 for others. */
  readonly priority: number;
  /** The page that refers to it: an asset is as much in demand as its page. */
  readonly parent: ResourceKey | undefined;
  /** When the site says that it was published or last changed. */
  readonly changedMs: number | undefined;
  /** When it came up in a list or page that had been read before without it. */
  readonly bornMs?: number | undefined;
}

export class Frontier {
  readonly #found = new Map<ResourceKey, Discovery>();
  /** When each was found last; the longest ago is first. */
  readonly #offeredMs: Readonly<Record<DiscoverySource, Map<ResourceKey, number>>> = { asset: new Map(), feed: new Map(), sitemap: new Map(), link: new Map() };
  #refused = 0;

  get size(): number {
    return this.#found.size;
  }

  get counts(): Readonly<Record<DiscoverySource, number>> {
    const { asset, feed, sitemap, link } = this.#offeredMs;
    return { asset: asset.size, feed: feed.size, sitemap: sitemap.size, link: link.size };
  }

  /** Resources that had no room. */
  get refused(): number {
    return this.#refused;
  }

  offer(discovery: Discovery, nowMs = 0): void {
    const { resource, source } = discovery;
    const before = this.#found.get(resource);
    const closer = before === undefined || rank[source] < rank[before.source];
    const into = closer ? source : before.source;
    if (before?.source !== into && !this.#hasRoom(into, nowMs)) {
      this.#refused += before ? 0 : 1;
      return;
    }
    if (before) this.#offeredMs[before.source].delete(resource);
    this.#offeredMs[into].set(resource, nowMs);
    this.#found.set(resource, before ? merged(before, discovery, into) : discovery);
  }

  get(resource: ResourceKey): Discovery | undefined {
    return this.#found.get(resource);
  }

  all(): Iterable<Discovery> {
    return this.#found.values();
  }

  /** Forgets what leads nowhere; it may be offered again. */
  forget(resource: ResourceKey): void {
    const before = this.#found.get(resource);
    if (!before) return;
    this.#offeredMs[before.source].delete(resource);
    this.#found.delete(resource);
  }

  #hasRoom(source: DiscoverySource, nowMs: number): boolean {
    if (this.#offeredMs[source].size < frontierMax[source]) return true;
    for (const [oldest, offeredMs] of this.#offeredMs[source]) {
      if (nowMs - offeredMs < staleMs) return false;
      this.forget(oldest);
      return true;
    }
    return false;
  }
}

/** A better or an equal source has the word on priority; a page that links to what is listed anyway is remembered. */
function merged(before: Discovery, discovery: Discovery, source: DiscoverySource): Discovery {
  const { priority } = rank[discovery.source] <= rank[before.source] ? discovery : before;
  return {
    resource: before.resource, source, priority, parent: before.parent ?? discovery.parent,
    changedMs: latest(before.changedMs, discovery.changedMs), bornMs: before.bornMs, // known before, it is not new
  };
}

function latest(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : Math.max(a, b);
}

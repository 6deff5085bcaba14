/**
 * Resources nobody has asked for yet, and why they are worth a copy: listed in a sitemap, part of a page, linked from one.
 * Bounded for each source; at the bound further ones are refused and counted. A resource is kept once, under its best source.
 */
import type { ResourceKey } from '../kernel/index.ts';

export type DiscoverySource = 'asset' | 'sitemap' | 'link';

/** Candidates kept for each source. */
export const frontierMax: Readonly<Record<DiscoverySource, number>> = { asset: 20_000, sitemap: 50_000, link: 20_000 };

const rank: Readonly<Record<DiscoverySource, number>> = { asset: 0, sitemap: 1, link: 2 };

export interface Discovery {
  readonly resource: ResourceKey;
  readonly source: DiscoverySource;
  /** 0 to 1: the sitemap's own priority; 0.5 for others. */
  readonly priority: number;
  /** The page that refers to it: an asset is as much in demand as its page. */
  readonly parent: ResourceKey | undefined;
  /** When the site says that it last changed. */
  readonly changedMs: number | undefined;
}

export class Frontier {
  readonly #found = new Map<ResourceKey, Discovery>();
  readonly #counts: Record<DiscoverySource, number> = { asset: 0, sitemap: 0, link: 0 };
  #refused = 0;

  get size(): number {
    return this.#found.size;
  }

  get counts(): Readonly<Record<DiscoverySource, number>> {
    return this.#counts;
  }

  /** Resources that had no room. */
  get refused(): number {
    return this.#refused;
  }

  offer(discovery: Discovery): void {
    const before = this.#found.get(discovery.resource);
    if (before) {
      this.#better(before, discovery);
      return;
    }
    if (this.#counts[discovery.source] >= frontierMax[discovery.source]) {
      this.#refused++;
      return;
    }
    this.#counts[discovery.source]++;
    this.#found.set(discovery.resource, discovery);
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
    this.#counts[before.source]--;
    this.#found.delete(resource);
  }

  #better(before: Discovery, discovery: Discovery): void {
    const closer = rank[discovery.source] < rank[before.source];
    if (!closer && discovery.source !== before.source) return;
    if (closer) {
      if (this.#counts[discovery.source] >= frontierMax[discovery.source]) return;
      this.#counts[before.source]--;
      this.#counts[discovery.source]++;
    }
    this.#found.set(discovery.resource, { ...discovery, changedMs: discovery.changedMs ?? before.changedMs, parent: before.parent ?? discovery.parent });
  }
}

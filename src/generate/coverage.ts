/**
 * The number that counts: had the origin failed now, what part of the next quarter of an hour's requests would find a
 * copy of their own variation, and how many of these a fresh one. Pure.
 */
import type { Outlook } from './candidates.ts';
import type { Holdings } from './holdings.ts';
import { isSettled } from './settled.ts';
import type { Site } from './site.ts';

export interface Coverage {
  /** Expected requests a minute that were looked at. */
  readonly demandPerMinute: number;
  /** Part of it whose copy is no older than `freshness.target`, or will not change by its own headers; undefined without demand. */
  readonly fresh: number | undefined;
  /** Part of it that has a copy of any age. */
  readonly any: number | undefined;
}

export function coverageOf(outlook: Outlook, site: Site, holdings: Holdings, targetMs: number, nowMs: number, resourcesMax: number): Coverage {
  let demand = 0;
  let fresh = 0;
  let any = 0;
  for (const { resource, perMinute } of outlook.rates(nowMs, resourcesMax, 'next')) {
    demand += perMinute;
    if (holdings.of(resource).length === 0) continue;
    for (const { variation, share } of site.variations(resource, outlook.variationShares(nowMs, resource))) {
      let newestMs = Number.NEGATIVE_INFINITY;
      let settled = false;
      for (const copy of holdings.variation(resource, variation)) {
        newestMs = Math.max(newestMs, copy.responseTimeMs);
        settled ||= nowMs - copy.responseTimeMs > targetMs && isSettled(copy, nowMs);
      }
      if (newestMs === Number.NEGATIVE_INFINITY) continue;
      any += perMinute * share;
      if (settled || nowMs - newestMs <= targetMs) fresh += perMinute * share;
    }
  }
  return { demandPerMinute: demand, fresh: part(fresh, demand), any: part(any, demand) };
}

/** Shares add up to 1 but for rounding. */
function part(covered: number, demand: number): number | undefined {
  return demand > 0 ? Math.min(1, covered / demand) : undefined;
}

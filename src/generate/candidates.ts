/**
 * What could be fetched, as the planner wants it: people's demand first (forecast rate × share of the variation), then what
 * was discovered, at what such things have been seen to be asked for. What passing answers see to is left to them. Works on its given parts
 * only; a few milliseconds for thousands of resources.
 */
import type { ResourceKey, VariationKey } from '../kernel/index.ts';
import { shadowId, type ShadowRecord } from '../catalog/shadow-record.ts';
import { sectionOf, type Changes } from './changes.ts';
import type { FirstAsked } from './first-asked.ts';
import type { Discovery, Frontier } from './frontier.ts';
import type { Holdings } from './holdings.ts';
import type { Ledger } from './ledger.ts';
import type { PlanCandidate } from './plan/index.ts';
import { isSettled } from './settled.ts';
import type { Site, VariationShare } from './site.ts';

/** `next`: what is expected of the quarter of an hour from now. `copies`: what copies are made for that serve an outage whenever it comes, without what passes within minutes. */
export type RateUse = 'next' | 'copies';

/** What the generator asks of forecasting. */
export interface Outlook {
  /** Expected requests a minute of each live resource, highest first. */
  rates(nowMs: number, limit: number, use: RateUse): readonly { readonly resource: ResourceKey; readonly perMinute: number }[];
  variationShares(nowMs: number, resource: ResourceKey): readonly VariationShare[];
  /** What is known of things nobody has asked for yet; without it all count as the constants below say. */
  readonly unasked?: UnaskedOutlook | undefined;
}

export interface UnaskedOutlook {
  /** Expected requests a minute of a discovery that nobody has asked for so far. `parentPerMinute`: of the page that refers to it; `usual`: what it would count as were nothing known. */
  perMinute(discovery: Discovery, parentPerMinute: number | undefined, usual: number, nowMs: number): number;
}

/** Resources of demand planned for; what is beyond is asked for less than what is found below. */
export const demandedMax = 50_000;
/**
 * Requests a minute a discovered resource counts as before it is seen what becomes of such: less than anything people were seen to ask for lately.
 * A sitemap, and a feed of new pages, is the owner's own list of what matters; a link is somebody's aside.
 */
const pseudoDemand = { asset: 1e-3, feed: 5e-4, sitemap: 5e-4, link: 1e-5 } as const;
/** A refresh that makes up for a wrong copy (invalidated) goes before everything. */
const invalidatedWeight = 1e6;
/** "It has changed", as a rate that is all but certain over the copy's age. */
const certainChanges = 10;

export interface CandidateParts {
  readonly outlook: Outlook;
  readonly frontier: Frontier;
  readonly holdings: Holdings;
  readonly ledger: Ledger;
  readonly changes: Changes;
  readonly site: Site;
  /** Whether robots.txt lets what nobody asked for be fetched. */
  readonly allows: (resource: ResourceKey) => boolean;
  /** Whether it is to stay as it is. */
  readonly held: (resource: ResourceKey) => boolean;
  /** Resources whose copies were wrong and are to be made anew. */
  readonly invalidated: ReadonlySet<ResourceKey>;
  /** Whether a copy was asked for before it was declared wrong. */
  readonly outdates: (copy: ShadowRecord) => boolean;
  /** Resources whose answers passing requests are known to renew. */
  readonly captured: ReadonlySet<ResourceKey>;
  readonly firstAsked: FirstAsked;
  /** `freshness.target`. */
  readonly targetMs: number;
  /** What a request for one of a section costs the origin beside a usual one; 1 for all where it is not given. */
  readonly effort?: ((section: string) => number) | undefined;
  /** A failure is expected: an outage is as good as there. */
  readonly surge: boolean;
  /** Targets being fetched right now. */
  readonly inFlight: { has(id: string): boolean };
}

export interface Candidates {
  readonly list: PlanCandidate[];
  /** Demand a minute by resource, discovered ones included. */
  readonly demand: ReadonlyMap<ResourceKey, number>;
  /** What is no candidate, by why. */
  readonly left: Readonly<Record<LeftOut, number>>;
}

/** `robots`: discovered, but robots.txt forbids it; `awaiting-capture`: the passing answer may still leave the first copy; `fresh`: there is a young one. */
export type LeftOut = 'robots' | 'awaiting-capture' | 'fresh';

export function collectCandidates(parts: CandidateParts, nowMs: number): Candidates {
  const found: Found = { list: [], left: { 'robots': 0, 'awaiting-capture': 0, 'fresh': 0 } };
  const demand = new Map<ResourceKey, number>();
  for (const { resource, perMinute } of parts.outlook.rates(nowMs, demandedMax, parts.surge ? 'next' : 'copies')) {
    if (parts.site.route(resource).policy === 'never' || parts.held(resource)) continue;
    demand.set(resource, perMinute);
    // A copy of one variation shows that answers may be kept; those nobody has asked for yet would not pass by.
    const hadItsTime = parts.firstAsked.hadItsTime(resource, nowMs) || parts.holdings.of(resource).length > 0;
    addVariations(parts, found, { resource, perMinute, hadItsTime }, nowMs);
  }
  for (const discovery of parts.frontier.all()) {
    const { resource } = discovery;
    if (demand.has(resource) || parts.held(resource)) continue;
    if (!parts.allows(resource)) {
      found.left.robots++;
      continue;
    }
    const perMinute = unaskedDemand(discovery, demand, parts.outlook.unasked, nowMs);
    demand.set(resource, perMinute);
    addVariations(parts, found, { resource, perMinute, hadItsTime: true }, nowMs);
  }
  return { ...found, demand };
}

interface Found {
  readonly list: PlanCandidate[];
  readonly left: Record<LeftOut, number>;
}

interface Wanted {
  readonly resource: ResourceKey;
  readonly perMinute: number;
  /** Whether a first copy need not wait for passing answers. */
  readonly hadItsTime: boolean;
}

/** An asset is in demand as its page is: whoever asks for the page asks for it. */
function unaskedDemand(discovery: Discovery, demand: ReadonlyMap<ResourceKey, number>, unasked: UnaskedOutlook | undefined, nowMs: number): number {
  const { source, parent, priority } = discovery;
  const ofParent = parent === undefined ? undefined : demand.get(parent);
  const usual = pseudoDemand[source] * (0.5 + priority);
  const own = unasked?.perMinute(discovery, ofParent, usual, nowMs) ?? usual;
  return source === 'asset' ? Math.max(own, ofParent ?? 0) : own;
}

function addVariations(parts: CandidateParts, found: Found, wanted: Wanted, nowMs: number): void {
  const { resource, perMinute } = wanted;
  const weight = parts.invalidated.has(resource) ? invalidatedWeight : 1;
  const rate = parts.changes.rate(resource);
  const passes = parts.captured.has(resource);
  const changedMs = parts.frontier.get(resource)?.changedMs;
  const effort = parts.effort?.(sectionOf(resource)) ?? 1;
  for (const { variation, share } of parts.site.variations(resource, parts.outlook.variationShares(nowMs, resource))) {
    const id = targetId(resource, variation);
    if (parts.inFlight.has(id)) continue;
    const held = parts.holdings.variation(resource, variation);
    const copies = toRenew(held, parts.targetMs, nowMs, parts.outdates);
    if (copies.length === 0 && (held.length > 0 || !wanted.hadItsTime)) {
      found.left[held.length > 0 ? 'fresh' : 'awaiting-capture']++;
      continue;
    }
    let oldestMs = Number.POSITIVE_INFINITY;
    for (const copy of copies) oldestMs = Math.min(oldestMs, copy.responseTimeMs);
    const ageMs = copies.length === 0 ? undefined : Math.max(0, nowMs - oldestMs);
    const saidChanged = ageMs !== undefined && changedMs !== undefined && changedMs > oldestMs && changedMs <= nowMs;
    if (weight === 1 && !saidChanged && copies.length > 0 && copies.every((copy) => isSettled(copy, nowMs))) {
      found.left.fresh++;
      continue;
    }
    found.list.push({
      resource, variation, weight, cost: Math.max(1, copies.length), effort,
      demandPerMinute: perMinute * share,
      changesPerMinute: saidChanged ? Math.max(rate, certainChanges / Math.max(1 / 60, ageMs / 60_000)) : rate,
      ...(saidChanged || weight > 1 ? { saidChanged: true } : {}),
      copyAgeMs: ageMs,
      notBeforeMs: parts.ledger.get(id)?.notBeforeMs ?? 0,
      passivePerMinute: passes ? perMinute * share : 0,
    });
  }
}

/** The copies the origin may be asked to renew: not those a passing answer left within the freshness target, unless they were declared wrong since. */
export function toRenew(copies: readonly ShadowRecord[], targetMs: number, nowMs: number, outdates: (copy: ShadowRecord) => boolean): readonly ShadowRecord[] {
  const young = (copy: ShadowRecord): boolean => copy.madeBy === 'capture' && nowMs - copy.responseTimeMs < targetMs && !outdates(copy);
  return copies.some(young) ? copies.filter((copy) => !young(copy)) : copies;
}

/** What backing off and being in flight are about: a variation, whatever further headers its copies vary on. */
export function targetId(resource: ResourceKey, variation: VariationKey): string {
  return shadowId({ resource, variation, vary: [] });
}

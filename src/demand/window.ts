/**
 * Demand as it crosses from edges to the brain: for one edge and one span of time, how often each (resource, variation)
 * was asked for in each region. Counts are of people's GET and HEAD requests; crawlers, prefetches and Foreshadow's own fetches are
 * counted apart and never mixed in.
 */
import type { RegionName, ResourceKey, VariationKey } from '../kernel/index.ts';

export type DemandKind = 'person' | 'crawler' | 'prefetch' | 'generated';

export interface DemandCount {
  readonly resource: ResourceKey;
  readonly variation: VariationKey;
  readonly region: RegionName;
  /** People's requests in the span. */
  readonly count: number;
}

/** Visitors who asked for one resource and some minutes later for another: a link followed, a package's dependency. */
export interface DemandStep {
  readonly from: ResourceKey;
  readonly to: ResourceKey;
  /** From the minute in which the one was asked for to the minute of the other, 1 to `journeyMin`. */
  readonly lagMin: number;
  /** Steps; a visitor who comes from several resources at once is shared between them. */
  readonly count: number;
}

/** A visitor who goes through a list in its order (`sweep-order.ts`): what was asked for lately, of which the next is likely to come next. */
export interface DemandSweep {
  /** Where it stood some moves ago, and where it stands. */
  readonly from: ResourceKey;
  readonly to: ResourceKey;
  /** Resources asked for on the way, and the seconds this took. */
  readonly asked: number;
  readonly seconds: number;
  readonly region: RegionName;
}

/** What visitors' ways tell, without the visitors. */
export interface DemandJourneys {
  readonly steps: readonly DemandStep[];
  /** Once a minute. */
  readonly sweeps: readonly DemandSweep[];
}

/** What was counted in a span, by resource. */
export interface CountedWindow {
  /** Start and end of the span, epoch ms; a window belongs to the minute its start is in. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly counts: readonly DemandCount[];
  /** Requests of each kind in the span, whether or not their key was kept. */
  readonly totals: Readonly<Record<DemandKind, number>>;
  /** People's requests whose key had no room: counted in `totals`, absent from `counts`. */
  readonly overflow: number;
}

export interface DemandWindow extends CountedWindow, DemandJourneys {
  /** Requests of visitors who go through more resources than people do; counted like people's, but their steps are not told. */
  readonly suspect: number;
}

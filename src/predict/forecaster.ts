/**
 * What every prediction engine is to the rest of Foreshadow: it is told what was asked for, minute by minute, and says
 * what will be. Implementations are deterministic for equal inputs, and causal: a forecast at time t depends only on what was observed before t.
 */
import type { RegionName, ResourceKey, VariationKey } from '../kernel/index.ts';
import type { DemandCount, DemandJourneys } from '../demand/window.ts';
import type { Work, WorkDone } from './work.ts';

/** Horizons of every forecast, minutes. */
export const horizonsMin = [5, 10, 15, 30] as const;
export type HorizonMin = (typeof horizonsMin)[number];

/** The region of site-wide lines. */
export const everywhere = '*' as RegionName; // the one constructor of the wildcard

export interface Forecast {
  readonly resource: ResourceKey;
  readonly region: RegionName;
  readonly horizonMin: HorizonMin;
  /** Expected count of requests in the horizon. */
  readonly mean: number;
  /** P(at least one request in the horizon). */
  readonly p: number;
  readonly q50: number;
  readonly q90: number;
  readonly q99: number;
}

/** The expected rate of one resource everywhere: what planning needs for every key, without the distribution. */
export interface DemandRate {
  readonly resource: ResourceKey;
  /** Expected requests a minute over the next 15 minutes, all regions together. */
  readonly perMinute: number;
  /** Epoch ms of the last request seen. */
  readonly lastSeenMs: number;
}

/**
 * What rates are wanted for. `next`: everything known of the 15 minutes from now, as if an outage began now. `copies`: to plan copies that are to serve an outage whenever it comes;
 * without the stages whose word is of the next minutes only, for what was just asked for leads to requests that renew copies themselves as they pass.
 */
export type RateUse = 'next' | 'copies';

/** Expected requests of the whole site (`region` `*`) or of a region, from all resources together. */
export interface Total {
  readonly region: RegionName;
  readonly horizonMin: HorizonMin;
  readonly mean: number;
  /** Nine in ten outcomes lie from `q05` to `q95`. */
  readonly q05: number;
  readonly q95: number;
}

/** A total, class or resource that is watched as a time series, and which model tells its path. */
export interface SeriesSummary {
  readonly name: string;
  readonly model: string;
  /** What each model was worth on the series' own past when it was last chosen; lower is better. Empty before. */
  readonly losses: readonly { readonly model: string; readonly loss: number }[];
  /** End of the history that was fitted, epoch ms; 0 before the first fit. */
  readonly fittedMs: number;
}

/** A resource asked for clearly more than usual, for now. */
export interface Emerging {
  readonly resource: ResourceKey;
  /** `birth`: it was first asked for at most an hour before that began. */
  readonly why: 'burst' | 'birth';
  readonly sinceMs: number;
  /** Expected requests a minute over the next 15 minutes, and as they usually are. */
  readonly perMinute: number;
  readonly usualPerMinute: number;
  /** P(the present rate is at least twice the usual one). */
  readonly certainty: number;
  readonly course: 'growing' | 'steady' | 'decaying';
  /** Where the burst comes from, largest share first, at most five. */
  readonly regions: readonly { readonly region: RegionName; readonly share: number }[];
  /** The resource from which most visitors came, with at least this share of their steps. */
  readonly from?: { readonly resource: ResourceKey; readonly share: number };
}

export interface Forecaster {
  /** Takes the counts of one whole minute that starts at `minuteMs`, and what visitors' journeys told in it. Minutes come in order; empty minutes may be left out. */
  observe(minuteMs: number, counts: readonly DemandCount[], journeys?: DemandJourneys): void;
  /** Heavy work that is due as of `nowMs`, to be done elsewhere; each piece is handed out once. What comes of it is told by `adopt`, or never. */
  work(nowMs: number): readonly Work[];
  adopt(done: WorkDone): void;
  /** Rates of all live keys as of `nowMs`, highest first, at most `limit`. */
  rates(nowMs: number, limit: number, use: RateUse): DemandRate[];
  /** The full distribution for one key, at every horizon; undefined for a key never seen. */
  forecast(nowMs: number, resource: ResourceKey, region: RegionName): readonly Forecast[] | undefined;
  /** Keys seen since `sinceMs` with P(≥1 in 30 min) ≥ `pMin`, each with all horizons, per region and for `*`. */
  forecasts(nowMs: number, sinceMs: number, pMin: number): Iterable<Forecast>;
  /** Of the site and its largest regions, at every horizon. Empty before two hours of demand. */
  totals(nowMs: number): Total[];
  /** Bursts and births that are on as of the last minute observed, most expected requests first. */
  emerging(limit: number): Emerging[];
  /** Share of each variation among the requests of a resource, everywhere or from one region, shrunk towards its route class's and the site's; sums to 1. Most probable first. */
  variationShares(nowMs: number, resource: ResourceKey, region?: RegionName): readonly { readonly variation: VariationKey; readonly share: number }[];
  /** Live keys and the bytes their state takes, roughly. */
  size(): { readonly keys: number; readonly bytes: number };
}

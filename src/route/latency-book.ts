/**
 * What latency is usual, for each route group and for the site, and what follows: when a shadow answers in the origin's
 * place (the rescue delay), what counts as slow and what as too slow to be of use. Learned slowly (half-life 10 minutes)
 * and only from good answers of an origin that is well, so that a brownout does not teach that 3 s is normal.
 * What is asked for every request is a read of a typed array; `refresh` recomputes it a few times a second.
 */
import { LogHistogram } from './log-histogram.ts';
import type { OriginState } from './types.ts';

/** Before anything is known. */
export const unknownRescueMs = 1000;
const rescueMinMs = 30;
const rescueMaxMs = 200;
const rescueMarginMs = 10;
/** A route whose usual p95 is from here on would be rescued in the middle of its ordinary answers by a delay of 200 ms. */
const slowRouteMs = 160;
/** Answers a group needs before its own numbers count. */
const knownWeight = 50;
const fadeEveryMs = 60_000;
const fadeFactor = 0.5 ** (1 / 10);
/** A quiet group keeps what it knows: it fades only while it has more than this. */
const fadeAbove = 500;
/** Without a configured limit, an origin that answers within this is never too slow: people wait for the rescue delay at most. */
const tolerableMinMs = 500;
/** Useful answers of an origin that is not well teach this much, so that a lasting change is accepted in the end. */
const strainedWeight = 0.1;
const recoveringWeight = 0.05;

/** How much a useful answer teaches in this state. */
export function learningWeight(state: OriginState, isUsualKnown: boolean): number {
  switch (state) {
    case 'healthy': return 1;
    case 'strained': return strainedWeight;
    case 'recovering': return isUsualKnown ? recoveringWeight : 1;
    case 'failing': case 'down': return 0;
  }
}

export class LatencyBook {
  readonly #site = new LogHistogram();
  readonly #groups: readonly LogHistogram[];
  readonly #rescueMs: Float64Array;
  readonly #slowMs: Float64Array;
  readonly #tolerableMs: Float64Array;
  readonly #fixedRescueMs: number | undefined;
  readonly #limitP95Ms: number | undefined;
  /** 1 where a group has learned since its numbers were computed. */
  readonly #changed: Uint8Array;
  #fadedMs: number;

  constructor(
    options: { groups: number; rescueAfterMs: number | 'auto'; latencyP95Ms: number | undefined },
    nowMs: number,
  ) {
    this.#groups = Array.from({ length: options.groups }, () => new LogHistogram());
    this.#fixedRescueMs = options.rescueAfterMs === 'auto' ? undefined : options.rescueAfterMs;
    this.#limitP95Ms = options.latencyP95Ms;
    this.#changed = new Uint8Array(options.groups);
    this.#rescueMs = new Float64Array(options.groups);
    this.#slowMs = new Float64Array(options.groups);
    this.#tolerableMs = new Float64Array(options.groups);
    this.#fadedMs = nowMs;
    this.refresh(nowMs);
  }

  /** A good answer of an origin that is well (`weight` 1) or nearly so (less). */
  learn(group: number, latencyMs: number, weight: number): void {
    this.#site.add(latencyMs, weight);
    this.#groups[group]?.add(latencyMs, weight);
    this.#changed[group] = 1; // a typed array ignores what is outside it
  }

  /** What is usual for the site from now on; routes that were faster than that start anew from it. */
  relearn(latencies: LogHistogram): void {
    this.#site.clear();
    this.#site.merge(latencies);
    if (this.#site.total < knownWeight) this.#site.fade((knownWeight + 1) / this.#site.total); // few, but all there is
    const p95Ms = this.#site.quantile(0.95) ?? 0;
    for (const [i, group] of this.#groups.entries()) {
      if ((group.quantile(0.95) ?? 0) > p95Ms) continue;
      group.clear();
      this.#changed[i] = 1;
    }
    this.#deriveAll();
  }

  /** How long the origin has before a shadow answers. */
  rescueDelayMs(group: number): number {
    return this.#rescueMs[group] ?? unknownRescueMs;
  }

  /** An answer above this is slower than the limit the 95th percentile has, configured or learned. */
  slowMs(group: number): number {
    return this.#slowMs[group] ?? Number.POSITIVE_INFINITY;
  }

  /** An answer above this is as bad as none. */
  tolerableMs(group: number): number {
    return this.#tolerableMs[group] ?? Number.POSITIVE_INFINITY;
  }

  /** Whether a group has numbers of its own. */
  knows(group: number): boolean {
    return (this.#groups[group]?.total ?? 0) >= knownWeight;
  }

  /** The site's usual 95th percentile; undefined until known. */
  usualP95Ms(): number | undefined {
    return this.#site.total >= knownWeight ? this.#site.quantile(0.95) : undefined;
  }

  /** Brings the derived numbers up to date and lets old observations fade. A few times a second is enough. */
  refresh(nowMs: number): void {
    if (nowMs - this.#fadedMs >= fadeEveryMs) {
      this.#fadedMs = nowMs;
      if (this.#site.total > fadeAbove) this.#site.fade(fadeFactor);
      for (const group of this.#groups) if (group.total > fadeAbove) group.fade(fadeFactor);
    }
    this.#deriveAll();
  }

  #deriveAll(): void {
    const site = this.#derive(this.#site);
    for (let i = 0; i < this.#groups.length; i++) {
      const own = this.#groups[i];
      const isKnown = own !== undefined && this.knows(i);
      if (isKnown && this.#changed[i] === 0) continue;
      const { rescueMs, slowMs, tolerableMs } = isKnown ? this.#derive(own) : site;
      this.#rescueMs[i] = rescueMs;
      this.#slowMs[i] = slowMs;
      this.#tolerableMs[i] = tolerableMs;
      this.#changed[i] = 0;
    }
  }

  #derive(source: LogHistogram): { rescueMs: number; slowMs: number; tolerableMs: number } {
    const isKnown = source.total >= knownWeight;
    const p95Ms = isKnown ? source.quantile(0.95) : undefined;
    return {
      rescueMs: this.#fixedRescueMs ?? rescueDelay(p95Ms, isKnown ? source.quantile(0.99) : undefined),
      slowMs: slowAbove(p95Ms, this.#limitP95Ms),
      tolerableMs: tolerableUpTo(p95Ms, this.#limitP95Ms),
    };
  }
}

function rescueDelay(p95Ms: number | undefined, p99Ms: number | undefined): number {
  if (p95Ms === undefined || p99Ms === undefined) return unknownRescueMs;
  if (p95Ms >= slowRouteMs) return p95Ms + rescueMaxMs;
  return Math.min(rescueMaxMs, Math.max(rescueMinMs, p99Ms * 2 + rescueMarginMs));
}

/** A route that is slower than the configured limit on its good days is measured against itself. */
function slowAbove(p95Ms: number | undefined, limitMs: number | undefined): number {
  if (p95Ms === undefined) return limitMs ?? Number.POSITIVE_INFINITY;
  const learnedMs = Math.max(p95Ms * 4, p95Ms + 100);
  return limitMs === undefined ? learnedMs : Math.max(limitMs, p95Ms * 1.5);
}

function tolerableUpTo(p95Ms: number | undefined, limitMs: number | undefined): number {
  if (p95Ms === undefined) return limitMs === undefined ? Number.POSITIVE_INFINITY : limitMs * 2;
  return Math.max(limitMs === undefined ? tolerableMinMs : limitMs, p95Ms * 4);
}

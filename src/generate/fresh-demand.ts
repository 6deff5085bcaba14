/**
 * Demand between edges and forecaster. Windows of about a second are gathered into whole minutes, which the forecaster is told when they
 * are over; what the current minute has brought so far is already in the outlook, so that a page asked for a moment ago
 * is planned for within seconds. Bounded: keys beyond the limit count in the totals only.
 */
import type { DemandCount, DemandJourneys, DemandKind, DemandStep, DemandSweep, DemandWindow } from '../demand/window.ts';
import type { Clock, ResourceKey, VariationKey } from '../kernel/index.ts';
import type { Outlook, RateUse, UnaskedOutlook } from './candidates.ts';
import type { VariationShare } from './site.ts';

/** What is asked of a prediction engine here. */
export interface MinuteForecaster extends Outlook {
  observe(minuteMs: number, counts: readonly DemandCount[], journeys?: DemandJourneys): void;
}

/** What learns from what becomes of discoveries: it is told all minutes too. */
export interface NewcomerForecaster extends UnaskedOutlook {
  observe(minuteMs: number, counts: readonly DemandCount[]): void;
}

/** Edges send a window about a second after it ended; a minute is closed when its last ones must have come. */
const graceMs = 3000;
const minuteMs = 60_000;
/** Different steps of one minute; further ones are not told. */
export const minuteStepsMax = 100_000;
/** Sweeps of one minute; further ones are not told. */
export const minuteSweepsMax = 256;

/** What a minute has brought so far. */
interface Minute {
  readonly counts: Map<string, DemandCount>;
  readonly steps: Map<string, DemandStep>;
  readonly sweeps: DemandSweep[];
}

interface Recent {
  count: number;
  readonly variations: Map<VariationKey, number>;
}

export class FreshDemand implements Outlook {
  readonly #forecaster: MinuteForecaster;
  readonly #clock: Clock;
  readonly #keysMax: number;
  readonly unasked: NewcomerForecaster | undefined;
  readonly #minutes = new Map<number, Minute>();
  /** Of all minutes that are not closed yet. */
  readonly #recent = new Map<ResourceKey, Recent>();
  readonly #totals: Record<DemandKind, number> = { person: 0, crawler: 0, prefetch: 0, generated: 0 };
  #overflow = 0;
  #suspect = 0;
  #closedMs = 0;

  constructor(forecaster: MinuteForecaster, clock: Clock, keysMax: number, unasked?: NewcomerForecaster) {
    this.#forecaster = forecaster;
    this.#clock = clock;
    this.#keysMax = keysMax;
    this.unasked = unasked;
  }

  get totals(): Readonly<Record<DemandKind, number>> & { readonly overflow: number; readonly suspect: number } {
    return { ...this.#totals, overflow: this.#overflow, suspect: this.#suspect };
  }

  add(window: DemandWindow): void {
    this.#totals.person += window.totals.person;
    this.#totals.crawler += window.totals.crawler;
    this.#totals.prefetch += window.totals.prefetch;
    this.#totals.generated += window.totals.generated;
    this.#overflow += window.overflow;
    this.#suspect += window.suspect;
    // A window that comes after its minute was closed counts in the oldest that is open: minutes are told in order.
    const start = Math.max(Math.floor(window.fromMs / minuteMs) * minuteMs, this.#closedMs);
    const minute = this.#minutes.get(start) ?? { counts: new Map<string, DemandCount>(), steps: new Map<string, DemandStep>(), sweeps: [] };
    this.#minutes.set(start, minute);
    for (const count of window.counts) this.#count(minute.counts, count);
    for (const step of window.steps) addStep(minute.steps, step);
    minute.sweeps.push(...window.sweeps.slice(0, minuteSweepsMax - minute.sweeps.length));
  }

  /** Tells the forecaster the minutes that are over; true when there were any. */
  closeMinutes(): boolean {
    const openMs = Math.floor((this.#clock.nowMs() - graceMs) / minuteMs) * minuteMs;
    const due = [...this.#minutes.keys()].filter((start) => start < openMs).sort((a, b) => a - b);
    for (const start of due) {
      const minute = this.#minutes.get(start);
      if (minute) {
        const list = [...minute.counts.values()];
        this.#forecaster.observe(start, list, { steps: [...minute.steps.values()], sweeps: minute.sweeps });
        this.unasked?.observe(start, list);
      }
      this.#minutes.delete(start);
    }
    this.#closedMs = Math.max(this.#closedMs, openMs);
    if (due.length === 0) return false;
    this.#recent.clear();
    for (const { counts } of this.#minutes.values()) for (const count of counts.values()) this.#note(count);
    return true;
  }

  /** The forecast, but no less than what the current minute has already brought. */
  rates(nowMs: number, limit: number, use: RateUse): { readonly resource: ResourceKey; readonly perMinute: number }[] {
    const rates = new Map<ResourceKey, number>();
    for (const { resource, perMinute } of this.#forecaster.rates(nowMs, limit, use)) rates.set(resource, perMinute);
    for (const [resource, { count }] of this.#recent) rates.set(resource, Math.max(rates.get(resource) ?? 0, count));
    return [...rates].map(([resource, perMinute]) => ({ resource, perMinute })).sort((a, b) => b.perMinute - a.perMinute).slice(0, limit);
  }

  variationShares(nowMs: number, resource: ResourceKey): readonly VariationShare[] {
    const shares = this.#forecaster.variationShares(nowMs, resource);
    const recent = this.#recent.get(resource);
    if (!recent) return shares;
    // The forecaster's word counts as much as one recent request: it is shrunk towards the site's, which a new page need not follow.
    const merged = new Map<VariationKey, number>(shares.map(({ variation, share }) => [variation, share]));
    for (const [variation, count] of recent.variations) merged.set(variation, (merged.get(variation) ?? 0) + count);
    const sum = recent.count + 1;
    return [...merged].map(([variation, share]) => ({ variation, share: share / sum })).sort((a, b) => b.share - a.share);
  }

  #count(counts: Map<string, DemandCount>, count: DemandCount): void {
    const id = `${count.resource}\n${count.variation}\n${count.region}`;
    const before = counts.get(id);
    if (!before && counts.size >= this.#keysMax) {
      this.#overflow += count.count;
      return;
    }
    counts.set(id, before ? { ...before, count: before.count + count.count } : count);
    this.#note(count);
  }

  #note({ resource, variation, count }: DemandCount): void {
    const recent = this.#recent.get(resource) ?? { count: 0, variations: new Map<VariationKey, number>() };
    this.#recent.set(resource, recent);
    recent.count += count;
    recent.variations.set(variation, (recent.variations.get(variation) ?? 0) + count);
  }
}

/** Equal steps of several windows and edges become one. */
function addStep(steps: Map<string, DemandStep>, step: DemandStep): void {
  const id = `${step.from}\n${step.to}\n${step.lagMin}`;
  const before = steps.get(id);
  if (before) steps.set(id, { ...before, count: before.count + step.count });
  else if (steps.size < minuteStepsMax) steps.set(id, step);
}

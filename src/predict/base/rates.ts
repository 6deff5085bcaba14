/**
 * Reads rates from the state as of one moment. A reader computes what depends on the moment alone once, and then costs a
 * few multiplications a key, because it is used for every key.
 */
import { exposures } from '../state/decayed-counts.ts';
import type { DecayedCounts } from '../state/decayed-counts.ts';
import { blendRate, mixtureRate } from './rate-blend.ts';
import { ageMin } from '../state/state.ts';
import type { EngineState } from '../state/state.ts';

/** Requests a minute of resources, everywhere, as of `nowMs`. Uncorrected. */
export class RateReader {
  readonly #state: EngineState;
  readonly #factors: readonly number[];
  readonly #exposure: readonly number[];

  constructor(state: EngineState, nowMs: number) {
    this.#state = state;
    this.#factors = state.byResource.factors(nowMs);
    this.#exposure = exposures(ageMin(state, nowMs));
  }

  rate(index: number): number {
    return this.#blend(index, (c0, c1, c2, c3, exposure) => this.#state.blend.rate(c0, c1, c2, c3, exposure));
  }

  /** The rate by the blend of this shape. */
  rateBy(shape: number, index: number): number {
    return this.#blend(index, (c0, c1, c2, c3, exposure) => blendRate(shape, c0, c1, c2, c3, exposure));
  }

  /** The rates of all keys, by index. */
  all(): Float64Array {
    const rates = new Float64Array(this.#state.resources.span);
    this.#state.blend.ratesInto(rates, this.#state.byResource.columns, this.#factors, this.#exposure);
    return rates;
  }

  #blend(index: number, blend: (c0: number, c1: number, c2: number, c3: number, exposure: readonly number[]) => number): number {
    const { columns } = this.#state.byResource;
    const factors = this.#factors;
    const count = (scale: number): number => (columns[scale]?.[index] ?? 0) * (factors[scale] ?? 0);
    return blend(count(0), count(1), count(2), count(3), this.#exposure);
  }
}

/**
 * How a resource's rate divides over regions: its own decayed counts, each region's scaled by how busy the region is now
 * against its day, and some requests (`prior-choice.ts`) divided as the whole site's are now.
 */
export class RegionShares {
  readonly #state: EngineState;
  readonly #prior: number;
  readonly #factor: number;
  readonly #siteNow: readonly number[];
  readonly #busyness: readonly number[];

  /** `prior`: by how many requests a resource's own division is held towards the site's. */
  constructor(state: EngineState, nowMs: number, prior = state.regionPrior.strength) {
    this.#state = state;
    this.#prior = prior;
    this.#factor = state.regionsOf.factor(nowMs);
    const exposure = exposures(ageMin(state, nowMs));
    this.#siteNow = divide(state.byRegion, state.regions.span, state.byRegion.factors(nowMs), exposure, mixtureRate);
    const day = divide(state.byRegion, state.regions.span, state.byRegion.factors(nowMs), exposure, (_c0, _c1, _c2, c3, [, , , e3 = 1]) => c3 / e3);
    this.#busyness = this.#siteNow.map((now, region) => now / Math.max(1e-12, day[region] ?? 0));
  }

  /** Of a resource's requests, the part from a region, 0 to 1. */
  share(index: number, region: number): number {
    const slot = this.#state.regionsOf.find(index, region);
    const own = slot >= 0 ? this.#own(slot) : 0;
    return (own + this.#prior * (this.#siteNow[region] ?? 0)) / this.total(index);
  }

  /** Unnormalised share of a pair; divide by the resource's `total`. */
  ofSlot(slot: number): number {
    return this.#own(slot) + this.#prior * (this.#siteNow[this.#state.regionsOf.facetAt(slot)] ?? 0);
  }

  total(index: number): number {
    const pairs = this.#state.regionsOf;
    let total = this.#prior;
    for (let slot = pairs.first(index); slot >= 0; slot = pairs.after(slot)) total += this.#own(slot);
    return total;
  }

  #own(slot: number): number {
    const pairs = this.#state.regionsOf;
    return pairs.weightAt(slot) * this.#factor * (this.#busyness[pairs.facetAt(slot)] ?? 1);
  }
}

/** Each facet's part of the whole site's rate, by index. */
export function divide(
  counts: DecayedCounts, span: number, factors: readonly number[], exposure: readonly number[],
  rate: (c0: number, c1: number, c2: number, c3: number, exposure: readonly number[]) => number,
): number[] {
  const [f0 = 0, f1 = 0, f2 = 0, f3 = 0] = factors;
  const [c0, c1, c2, c3] = counts.columns;
  const rates: number[] = [];
  let sum = 0;
  for (let i = 0; i < span; i++) {
    const own = rate((c0?.[i] ?? 0) * f0, (c1?.[i] ?? 0) * f1, (c2?.[i] ?? 0) * f2, (c3?.[i] ?? 0) * f3, exposure);
    rates.push(own);
    sum += own;
  }
  return sum > 0 ? rates.map((own) => own / sum) : rates;
}

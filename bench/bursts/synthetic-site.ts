/**
 * A made-up site whose true rates are known: pages of Zipf popularity, a day's rhythm, regions, and visitors who sometimes ask for a page several times within a minute
 * (lumps: without them every small burst would be a certain one). Surges are added on top. Seeded.
 */
import type { DemandCount } from '../../src/demand/index.ts';
import { everywhere } from '../../src/predict/index.ts';
import { seededRandom } from '../../src/kernel/index.ts';
import type { Random, RegionName, ResourceKey, VariationKey } from '../../src/kernel/index.ts';

// The brands' parsers would take these as they are.
const regionNames = ['eu', 'us', 'asia', 'africa', 'south', 'pacific'] as RegionName[];
const regionWeights = [0.4, 0.3, 0.15, 0.08, 0.05, 0.02];
const whole = '' as VariationKey;
/** Beside the pages of Zipf popularity, so many of each of these. */
const rarePages = 100;
const rarePerDay = [1, 10, 100];

export interface SiteOptions {
  readonly seed: number;
  readonly pages: number;
  readonly perMinute: number;
  /** Part of the visits that are lumps, and their mean size. */
  readonly lumpPart: number;
  readonly lumpSize: number;
  /** Strength of the day's rhythm, 0 to 1. */
  readonly rhythm: number;
}

/** Requests a minute that come on top of a page's usual ones. */
export interface Surge {
  readonly page: number;
  readonly startMin: number;
  readonly lengthMin: number;
  readonly peak: number;
  readonly shape: 'abrupt' | 'ramp' | 'decay';
  /** All from one region, or as the site's visitors are. */
  readonly oneRegion: boolean;
}

export class SyntheticSite {
  readonly #options: SiteOptions;
  readonly #random: Random;
  /** Usual visits a minute of each page, on average over a day. */
  readonly usual: Float64Array;
  readonly surges: Surge[] = [];

  constructor(options: SiteOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.usual = Float64Array.from({ length: options.pages }, (_, page) => (page + 1) ** -0.9);
    const sum = this.usual.reduce((a, b) => a + b, 0);
    const popular = this.usual.map((weight) => (weight * options.perMinute) / sum);
    this.usual = Float64Array.from([...popular, ...rarePerDay.flatMap((perDay) => Array.from({ length: rarePages }, () => perDay / 1440))]);
  }

  /** Pages beyond the usual ones are new: nobody has asked for them before their surge. */
  keyOf(page: number): ResourceKey {
    return `https://site.example/${page < this.usual.length ? 'page' : 'new'}/${page}` as ResourceKey; // as a parser of addresses would leave it
  }

  /** True requests a minute of a page. */
  rate(page: number, minute: number): number {
    let rate = (this.usual[page] ?? 0) * this.#day(minute) * this.#perVisit();
    for (const surge of this.surges) if (surge.page === page) rate += surgeRate(surge, minute);
    return rate;
  }

  minute(minute: number): DemandCount[] {
    const counts = new Map<number, number>();
    const { lumpPart, lumpSize } = this.#options;
    const add = (page: number, region: number, count: number): void => {
      const pair = page * regionNames.length + region;
      counts.set(pair, (counts.get(pair) ?? 0) + count);
    };
    const day = this.#day(minute);
    for (let page = 0; page < this.usual.length; page++) {
      for (let visits = this.#random.poisson((this.usual[page] ?? 0) * day); visits > 0; visits--) {
        let size = 1;
        if (this.#random.next() < lumpPart) while (this.#random.next() < 1 - 1 / lumpSize) size++;
        add(page, this.#region(), size);
      }
    }
    for (const surge of this.surges) {
      if (minute < surge.startMin) continue;
      for (let visits = this.#random.poisson(surgeRate(surge, minute)); visits > 0; visits--) add(surge.page, surge.oneRegion ? surge.page % regionNames.length : this.#region(), 1);
    }
    return Array.from(counts, ([pair, count]) => ({
      resource: this.keyOf(Math.floor(pair / regionNames.length)), variation: whole, region: regionNames[pair % regionNames.length] ?? everywhere, count,
    }));
  }

  #perVisit(): number {
    return 1 + this.#options.lumpPart * (this.#options.lumpSize - 1);
  }

  #day(minute: number): number {
    return 1 + this.#options.rhythm * Math.sin((2 * Math.PI * minute) / 1440);
  }

  #region(): number {
    let left = this.#random.next();
    for (let region = 0; region < regionWeights.length; region++) {
      left -= regionWeights[region] ?? 0;
      if (left < 0) return region;
    }
    return 0;
  }
}

/** `decay`: an exponential whose time constant is half of the length. */
function surgeRate({ startMin, lengthMin, peak, shape }: Surge, minute: number): number {
  const age = minute - startMin;
  if (age < 0) return 0;
  if (shape === 'decay') return age < 4 * lengthMin ? peak * Math.exp((-2 * age) / lengthMin) : 0;
  if (age >= lengthMin) return 0;
  return shape === 'abrupt' ? peak : peak * Math.min(1, (3 * (age + 1)) / lengthMin);
}

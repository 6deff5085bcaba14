/**
 * Demand of a site of many pages, made from a seed: minutes of counts over keys of 40 characters, every key asked for once first, then busy keys far more often than
 * others. Strings are made anew for each minute, as a brain reads them from the bus.
 */
import type { DemandCount } from '../../src/demand/index.ts';
import { seededRandom } from '../../src/kernel/index.ts';
import type { RegionName, ResourceKey, VariationKey } from '../../src/kernel/index.ts';

const regions = Array.from({ length: 12 }, (_, i) => `region-${i}` as RegionName);
const variations = ['device=mobile,language=de', 'device=mobile,language=en', 'device=desktop,language=de', 'device=desktop,language=en'].map((text) => text as VariationKey);

export interface BusySiteOptions {
  readonly keys: number;
  readonly countsPerMinute: number;
  /** Part of the keys that are asked for from two regions, in turn. */
  readonly twoRegions: number;
  readonly seed: number;
}

export class BusySite {
  readonly #options: BusySiteOptions;
  readonly #random: ReturnType<typeof seededRandom>;
  #minute = 0;

  constructor(options: BusySiteOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
  }

  /** Minutes until every key has been asked for, from every region it is asked for from. */
  get minutesToFill(): number {
    return 2 * Math.ceil(this.#options.keys / this.#options.countsPerMinute);
  }

  /** Counts of the next minute. */
  next(): DemandCount[] {
    const { keys, countsPerMinute } = this.#options;
    const minute = this.#minute++;
    const rows: string[][] = [];
    for (let i = 0; i < countsPerMinute; i++) {
      const filling = minute < this.minutesToFill;
      // A cube makes the busiest thousandth of the keys a tenth of the demand.
      const key = filling ? (minute * countsPerMinute + i) % keys : Math.floor(keys * this.#random.next() ** 3);
      const round = filling ? Math.floor((minute * countsPerMinute + i) / keys) : i;
      rows.push([keyName(key), regions[this.#regionOf(key, round)] ?? '', variations[key % variations.length] ?? '']);
    }
    // Through JSON: strings of their own, whose hashes nobody has computed yet.
    const read = JSON.parse(JSON.stringify(rows)) as [ResourceKey, RegionName, VariationKey][]; // what was just written
    return read.map(([resource, region, variation], i) => ({ resource, region, variation, count: 1 + (i % 3) }));
  }

  /** Counts of so many keys that were never asked for. */
  births(count: number): DemandCount[] {
    const from = this.#options.keys + this.#minute++ * count;
    return Array.from({ length: count }, (_, i) => ({ resource: keyName(from + i), region: regions[i % regions.length] ?? ('' as RegionName), variation: '' as VariationKey, count: 1 }));
  }

  #regionOf(key: number, round: number): number {
    const own = key % regions.length;
    const isShared = (key * 0.618_033_988_75) % 1 < this.#options.twoRegions;
    return isShared && round % 2 === 1 ? (own + 1) % regions.length : own;
  }
}

/** 40 characters. */
function keyName(key: number): ResourceKey {
  return `/catalog/section-${String(key % 89).padStart(2, '0')}/item-${String(key).padStart(9, '0')}.html` as ResourceKey; // as `resourceKey` would make it
}

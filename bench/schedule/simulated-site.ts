/**
 * A site for schedules to be tried on: pages whose request rates and change rates are wide apart and drift, as random walks of their logarithms,
 * from a seed. Schedules can't influence it, so that all of them meet the same site. A step is a minute.
 */
import { seededRandom, type Random } from '../../src/kernel/index.ts';

export interface SiteFacts {
  readonly pages: number;
  readonly seed: number;
  /** People's requests a minute, all pages together, at the start. */
  readonly requestsPerMinute: number;
  /** Zipf's exponent of how they spread over pages. */
  readonly zipf: number;
  /** Change rates begin log-uniform between these, a minute; drifting they stay there. */
  readonly changes: readonly [min: number, max: number];
  /** Of all pages, those that never change. */
  readonly still: number;
  /** Standard deviation of ln(rate) that a day's drift adds. */
  readonly drift: number;
}

/** How often rates drift; between, they stand. */
const driftEveryMinutes = 10;

export class SimulatedSite {
  /** Requests a minute now. */
  readonly demand: Float64Array;
  /** Changes a minute now. */
  readonly changeRate: Float64Array;
  /** Expected changes since the start: what harmonic penalties are computed from, without the noise of counting. */
  readonly hazard: Float64Array;
  /** Changes that happened. */
  readonly changes: Int32Array;
  readonly #facts: SiteFacts;
  readonly #random: Random;
  readonly #nextAt: Float64Array;
  #minute = 0;

  constructor(facts: SiteFacts) {
    this.#facts = facts;
    this.#random = seededRandom(facts.seed);
    const { pages, zipf, requestsPerMinute, changes: [min, max], still } = facts;
    this.demand = Float64Array.from({ length: pages }, (_, rank) => (rank + 1) ** -zipf);
    // Which page is popular has nothing to do with how often it changes: the rates below are drawn page by page.
    const sum = this.demand.reduce((total, weight) => total + weight, 0);
    for (let page = 0; page < pages; page++) this.demand[page] = ((this.demand[page] ?? 0) * requestsPerMinute) / sum;
    this.changeRate = Float64Array.from({ length: pages }, () => {
      const rate = min * (max / min) ** this.#random.next();
      return this.#random.next() < still ? 0 : rate;
    });
    this.hazard = new Float64Array(pages);
    this.changes = new Int32Array(pages);
    this.#nextAt = Float64Array.from({ length: pages }, () => this.#random.exponential(1));
  }

  /** Lets a minute pass. */
  step(): void {
    const { pages } = this.#facts;
    for (let page = 0; page < pages; page++) {
      const hazard = (this.hazard[page] ?? 0) + (this.changeRate[page] ?? 0);
      this.hazard[page] = hazard;
      while (hazard >= (this.#nextAt[page] ?? Infinity)) {
        this.changes[page] = (this.changes[page] ?? 0) + 1;
        this.#nextAt[page] = (this.#nextAt[page] ?? 0) + this.#random.exponential(1);
      }
    }
    if (++this.#minute % driftEveryMinutes === 0 && this.#facts.drift > 0) this.#drift();
  }

  #drift(): void {
    const { pages, drift, changes: [min, max] } = this.#facts;
    const scale = drift * Math.sqrt(driftEveryMinutes / 1440);
    for (let page = 0; page < pages; page++) {
      this.demand[page] = (this.demand[page] ?? 0) * Math.exp(scale * normal(this.#random) - scale ** 2 / 2);
      const rate = this.changeRate[page] ?? 0;
      if (rate > 0) this.changeRate[page] = reflected(rate * Math.exp(scale * normal(this.#random)), min, max);
    }
  }
}

/** A step beyond an end leads back in. */
function reflected(rate: number, min: number, max: number): number {
  if (rate > max) return (max * max) / rate;
  return rate < min ? (min * min) / rate : rate;
}

/** Box and Muller's. */
function normal(random: Random): number {
  return Math.sqrt(2 * random.exponential(1)) * Math.cos(2 * Math.PI * random.next());
}

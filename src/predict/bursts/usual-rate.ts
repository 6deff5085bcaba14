/**
 * What a key is usually asked for, the last ten minutes left out: the yardstick of a burst. From the decayed counts, each scale less what
 * the shortest one has, shrunk to the next longer one and that to the average key of the site.
 */
import { siteExposures } from '../base/rates.ts';
import type { EngineState } from '../state/state.ts';

/** Shapes of the gamma priors: of a key never seen, and of one scale around the next longer. */
const newcomer = 0.3;
const cascade = 2;
/** However long a key is known, its rate varies by 1/√this. */
const shapeMax = 8;

export class UsualRate {
  readonly #state: EngineState;
  readonly #factors: readonly number[];
  readonly #exposure: readonly number[];
  readonly #averageKey: number;
  /** Requests a minute of all keys at present. */
  readonly pace: number;
  /** Shape of the gamma distribution in which the rate of the last call is known. */
  shape = newcomer;
  /** Minutes that `recentOf` has effectively seen. */
  readonly recentMin: number;

  constructor(state: EngineState, nowMs: number) {
    this.#state = state;
    this.#factors = state.byResource.factors(nowMs);
    this.#exposure = siteExposures(state, nowMs);
    const paceDay = (state.pace.columns[3]?.[0] ?? 0) * (state.pace.factors(nowMs)[3] ?? 0);
    this.pace = Math.max(1e-6, paceDay / Math.max(1e-6, this.#exposure[3] ?? 1));
    this.#averageKey = this.pace / Math.max(100, state.resources.size);
    this.recentMin = this.#exposure[0] ?? 1;
  }

  /** Requests a minute. */
  of(index: number): number {
    const recent = this.recentOf(index);
    const day = this.#older(3, index, recent);
    let rate = (newcomer + day) / (newcomer / this.#averageKey + this.#span(3));
    rate = (cascade + this.#older(2, index, recent)) / (cascade / rate + this.#span(2));
    rate = (cascade + this.#older(1, index, recent)) / (cascade / rate + this.#span(1));
    this.shape = Math.min(shapeMax, newcomer + day);
    return rate;
  }

  /** Requests of the last ten minutes, decayed. */
  recentOf(index: number): number {
    return (this.#state.byResource.columns[0]?.[index] ?? 0) * (this.#factors[0] ?? 0);
  }

  #older(scale: number, index: number, recent: number): number {
    return Math.max(0, (this.#state.byResource.columns[scale]?.[index] ?? 0) * (this.#factors[scale] ?? 0) - recent);
  }

  #span(scale: number): number {
    return Math.max(0, (this.#exposure[scale] ?? 0) - this.recentMin);
  }
}

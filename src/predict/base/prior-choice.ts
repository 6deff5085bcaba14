/**
 * How a resource's own history in a region is read: by how many requests it is held towards the site's, and how far it follows how busy the region is
 * now. What has predicted best so far, scored by Poisson log-likelihood on what came after, like the blends, but for the whole site at once.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';

export interface RegionPrior {
  /** Requests that are divided as the whole site's are now. */
  readonly strength: number;
  /**
   * Power to which a region's busyness (its part of the site's requests now, over its part in the day) counts for a resource's own history there. 1 would be right were
   * all that a region's visitors do in proportion; but a country's busy hour is often one visitor with many pages, and the root is better then.
   */
  readonly busyness: number;
}

/** What competes. */
export const regionPriors: readonly RegionPrior[] = [0.5, 1].flatMap((busyness) => [2, 8, 32].map((strength) => ({ strength, busyness })));
/** Until something is known. */
const first = 1;

export class PriorChoice {
  readonly #scores = new Float64Array(regionPriors.length);
  #trusted = first;

  get trusted(): RegionPrior {
    return regionPriors[this.#trusted] ?? { strength: 8, busyness: 0.5 };
  }

  /** Takes what came of rows' predictions in so many minutes: a column each, in the order of `regionPriors`. */
  score(ratesPerMinute: readonly Float64Array[], minutes: number, counts: Float64Array): void {
    for (let i = 0; i < regionPriors.length; i++) {
      const rates = ratesPerMinute[i];
      let score = this.#scores[i] ?? 0;
      for (let row = 0; rates && row < counts.length; row++) {
        const mean = (rates[row] ?? 0) * minutes;
        const count = counts[row] ?? 0;
        if (mean > 0) score += (count > 0 ? count * Math.log(mean) : 0) - mean;
      }
      this.#scores[i] = score;
    }
  }

  /** Lets older evidence fade by `keep` (0 to 1), then trusts the best. */
  settle(keep: number): void {
    let best = this.#trusted;
    for (let i = 0; i < regionPriors.length; i++) {
      this.#scores[i] = (this.#scores[i] ?? 0) * keep;
      if ((this.#scores[i] ?? 0) > (this.#scores[best] ?? 0)) best = i;
    }
    this.#trusted = best;
  }

  write(writer: ByteWriter): void {
    writer.uint(this.#trusted);
    for (const score of this.#scores) writer.double(score);
  }

  read(reader: ByteReader): void {
    this.#trusted = Math.min(reader.uint(), regionPriors.length - 1);
    for (let i = 0; i < regionPriors.length; i++) {
      const score = reader.double();
      this.#scores[i] = Number.isFinite(score) ? score : 0;
    }
  }
}

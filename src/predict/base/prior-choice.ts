/**
 * How strongly a region's own history of a resource is held towards the site's: by as many requests as have predicted best
 * so far. Scored by Poisson log-likelihood on what came after, like the blends, but for the whole site at once.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';

/** Strengths that compete, in requests. */
export const regionPriors = [2, 8, 32] as const;
/** Until something is known. */
const first = 1;

export class PriorChoice {
  readonly #scores = new Float64Array(regionPriors.length);
  #trusted = first;

  get strength(): number {
    return regionPriors[this.#trusted] ?? regionPriors[first];
  }

  /** Takes what came of each strength's prediction, in the order of `regionPriors`. */
  score(means: readonly number[], count: number): void {
    for (let i = 0; i < regionPriors.length; i++) {
      const mean = means[i] ?? 0;
      if (mean > 0) this.#scores[i] = (this.#scores[i] ?? 0) + count * Math.log(mean) - mean;
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

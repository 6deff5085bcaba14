/**
 * Since when each resource has been asked for, as planning sees it. What visitors ask for usually gets its first copy for free, from the
 * answer that passes by; and where that answer could not be kept, the origin has said no already. So the generator lets a
 * while pass before it fetches a first copy itself. Bounded: the longest known goes first, and then counts as new.
 */
import type { ResourceKey } from '../kernel/index.ts';

/** As many as are planned for twice over (`demandedMax`). */
const rememberedMax = 100_000;

export class FirstAsked {
  readonly #sinceMs = new Map<ResourceKey, number>();
  readonly #waitMs: number;
  readonly #max: number;

  constructor(waitMs: number, max = rememberedMax) {
    this.#waitMs = waitMs;
    this.#max = max;
  }

  /** Notes that the resource is asked for; whether that has been so for long enough that a passing answer would have left a copy. */
  hadItsTime(resource: ResourceKey, nowMs: number): boolean {
    const sinceMs = this.#sinceMs.get(resource);
    // A clock that was put back must not make anything wait longer.
    if (sinceMs !== undefined) return Math.abs(nowMs - sinceMs) >= this.#waitMs;
    this.#sinceMs.set(resource, nowMs);
    if (this.#sinceMs.size > this.#max) {
      const oldest = this.#sinceMs.keys().next();
      if (!oldest.done) this.#sinceMs.delete(oldest.value);
    }
    return this.#waitMs <= 0;
  }
}

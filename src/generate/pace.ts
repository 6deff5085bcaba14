/** How often the generator's steps come round, and how long it lets others do the work. Constants of the product; tests run faster. */
export interface Pace {
  readonly planMs: number;
  /** New, changed and removed copies are published at most this often. */
  readonly publishMs: number;
  /** Copies that were only renewed wait for others this long: nobody is served anything else because of them. */
  readonly renewalsMs: number;
  readonly evictMs: number;
  /** From a resource's first request on, passing answers have this long to leave its first copy. */
  readonly passiveFirstMs: number;
}

export const usualPace: Pace = { planMs: 1000, publishMs: 1000, renewalsMs: 10_000, evictMs: 5000, passiveFirstMs: 10_000 };

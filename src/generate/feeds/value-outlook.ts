/** What the generator asks of forecasting about feeds' values: the brain passes an object that can say it. Without one, nothing is prepared before it comes. */

export interface ValueOutlook {
  /** The value at this place of a feed is this one, since `atMs`. Places with the same `siblings` are of one kind: the prices of all products. */
  observe(feed: string, pointer: string, atMs: number, value: unknown, siblings: string): void;
  /** How probable it is that the value changes within the horizon, and what it may become, most probable first. Undefined for what was never observed. */
  next(feed: string, pointer: string, nowMs: number, horizonMin: number): { readonly changes: number; readonly next: readonly { readonly value: unknown; readonly probability: number }[] } | undefined;
}

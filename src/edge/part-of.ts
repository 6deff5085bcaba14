/** What a request for a fragment knows of the page it is for (Edge Side Includes). */
export interface PartOf {
  /** 1 for what the visitor's own page includes. */
  readonly depth: number;
  /** Requests for fragments that the visitor's request may still cause. */
  readonly budget: { left: number };
  /** On the monotonic clock. */
  readonly untilMs: number;
  /** Host and target of the pages it is in: none of them can be in it. */
  readonly ancestors: readonly string[];
}

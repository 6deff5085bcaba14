/** Holds requests to a whole number in any second (or, below one a second, to one in so many): what a token bucket alone lets through at its edges. */
export class RecentStarts {
  readonly #atMs: number[] = [];

  /** Notes a start, unless it would be one too many. */
  add(nowMs: number, perSecond: number): boolean {
    const most = Math.max(1, Math.floor(perSecond));
    const spanMs = (1000 * most) / perSecond;
    while (this.#atMs.length > 0 && (this.#atMs[0] ?? 0) <= nowMs - Math.max(1000, spanMs)) this.#atMs.shift();
    const oldest = this.#atMs.at(-most);
    if (oldest !== undefined && oldest > nowMs - Math.max(spanMs, most > 1 ? 1000 : 0)) return false;
    this.#atMs.push(nowMs);
    return true;
  }
}

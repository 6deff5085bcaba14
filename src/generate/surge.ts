/**
 * When the budget may be widened because a failure is expected: for a minute in ten at most, however often it is asked for. Plain state over
 * given times of a clock that never goes back.
 */

const surgeMsMax = 60_000;
const surgeEveryMs = 600_000;
/** From this expectation of failure on nobody need ask. */
const expectedMin = 0.5;

export class Surge {
  #askedUntilMs = Number.NEGATIVE_INFINITY;
  #expectedUntilMs = Number.NEGATIVE_INFINITY;
  #going = false;
  /** Spans of surging within the last ten minutes, [from, to): the last may go on. */
  readonly #spans: { readonly fromMs: number; toMs: number }[] = [];

  /** An operator's wish, until then. */
  ask(untilMs: number): void {
    this.#askedUntilMs = untilMs;
  }

  /** A forecast: how probable a failure is; holds until then. */
  expect(probability: number | undefined, untilMs: number): void {
    this.#expectedUntilMs = (probability ?? 0) >= expectedMin ? untilMs : Number.NEGATIVE_INFINITY;
  }

  /** Whether it surges now; time spent so counts. Call often: time between two calls that both say yes is counted whole. */
  isOn(nowMs: number): boolean {
    while (this.#spans[0] && this.#spans[0].toMs <= nowMs - surgeEveryMs) this.#spans.shift();
    const last = this.#spans.at(-1);
    if (nowMs >= Math.max(this.#askedUntilMs, this.#expectedUntilMs)) {
      this.#going = false;
      return false;
    }
    if (last && this.#going) last.toMs = nowMs;
    if (this.#spentMs(nowMs) >= surgeMsMax) {
      this.#going = false;
      return false;
    }
    if (!this.#going) this.#spans.push({ fromMs: nowMs, toMs: nowMs });
    this.#going = true;
    return true;
  }

  #spentMs(nowMs: number): number {
    return this.#spans.reduce((sum, { fromMs, toMs }) => sum + toMs - Math.max(fromMs, nowMs - surgeEveryMs), 0);
  }
}

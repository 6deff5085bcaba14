/**
 * How much traffic shadows take from an origin that answers, but slower or with more errors than its limits: the share by
 * which the limit is exceeded (twice the limit: half). It rises at once, holds between 80 % and 100 % of the limit and falls
 * slowly below, so that taking load off does not put it back on the next second.
 */
import type { RecentWindow } from './recent-window.ts';

const sustainedSeconds = 4; // a pause of a second or two is no strain
const errorAnswersMin = 50;
const latencyAnswersMin = 20;
const calmBelow = 0.8;
const fallStep = 0.025;
/** The rest keeps telling how the origin does. */
const shareMax = 0.95;

export class StrainControl {
  readonly #errorLimit: number;
  #share = 0;
  #overSeconds = 0;
  #because = '';

  constructor(errorLimit: number) {
    this.#errorLimit = errorLimit;
  }

  get share(): number {
    return this.#share;
  }

  get because(): string {
    return this.#because;
  }

  reset(): void {
    this.#share = 0;
    this.#overSeconds = 0;
  }

  /** Once a second. */
  evaluate(window: RecentWindow, nowMs: number): void {
    const errors = this.#errorExcess(window, nowMs);
    const slowness = slownessOf(window, nowMs);
    const excess = Math.max(errors, slowness);
    this.#overSeconds = excess > 1 ? this.#overSeconds + 1 : 0;
    if (excess > 1 && (this.#share > 0 || this.#overSeconds >= sustainedSeconds)) {
      this.#share = Math.min(shareMax, Math.max(this.#share, 1 - 1 / excess));
      this.#because = errors > slowness ? 'more errors than the limit' : 'slower than the limit';
    } else if (excess < calmBelow) {
      this.#share = Math.max(0, this.#share - fallStep);
    }
  }

  /** Error rate ÷ limit; 0 where the excess may be chance (4 standard deviations: once in a day of seconds). */
  #errorExcess(window: RecentWindow, nowMs: number): number {
    const { answers, bad } = window.summary(nowMs, 10);
    if (answers < errorAnswersMin) return 0;
    const limit = this.#errorLimit;
    const chance = this.#share > 0 ? 0 : 4 * Math.sqrt(answers * limit * (1 - limit));
    return bad > answers * limit + chance ? bad / answers / limit : Math.min(1, bad / answers / limit);
  }
}

function slownessOf(window: RecentWindow, nowMs: number): number {
  const now = window.summary(nowMs, 2);
  if (now.answers >= latencyAnswersMin) return now.slowness;
  const longer = window.summary(nowMs, 10);
  return longer.answers >= latencyAnswersMin ? longer.slowness : 0;
}

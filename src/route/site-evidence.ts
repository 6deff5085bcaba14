/** What speaks against the origin as a whole while it is trusted: one suspicion over all groups that are not broken by themselves. */
import type { RecentWindow } from './recent-window.ts';
import { Suspicion, suspicionThreshold, type EvidenceWeights } from './suspicion.ts';
import type { OriginAttempt } from './types.ts';

/** Late answers prove an outage when nothing useful has come for this long; a pause for garbage collection is shorter. */
const silenceMs = 400;
/** While traffic returns, a false alarm at the error limit may come once in ten minutes; while well, once a day. */
const recoveringPart = 600 / 86_400;

export class SiteEvidence {
  readonly #weights: EvidenceWeights;
  readonly #suspicion: Suspicion;
  #threshold: number;
  #generateBadGroup = -2;

  constructor(weights: EvidenceWeights) {
    this.#weights = weights;
    this.#suspicion = new Suspicion(weights);
    this.#threshold = suspicionThreshold(weights, 0);
  }

  /** When the first of the bad answers that count now came. */
  get sinceMs(): number | undefined {
    return this.#suspicion.sinceMs;
  }

  /** Whether there is enough to ask the probe without waiting for its turn. */
  get worthAsking(): boolean {
    return this.#suspicion.worthAsking(this.#threshold);
  }

  good(attempt: OriginAttempt): void {
    if (attempt.afterLate === true) this.#suspicion.lateButUseful(attempt.atMs);
    else this.#suspicion.good(attempt.atMs);
  }

  /** True when errors are now beyond chance. */
  bad(nowMs: number): boolean {
    this.#suspicion.bad(nowMs, this.#threshold);
    return this.#suspicion.faults >= this.#threshold;
  }

  /** True when the silence is now beyond chance. */
  late(nowMs: number): boolean {
    this.#suspicion.late(nowMs, this.#threshold);
    return this.isSilent(nowMs);
  }

  isSilent(nowMs: number): boolean {
    return this.#suspicion.silent(nowMs, this.#threshold, silenceMs);
  }

  /** Our own fetches: errors count, but one URL or route that always fails is not the site. True when beyond chance. */
  generated(attempt: OriginAttempt): boolean {
    if (attempt.outcome === 'ok') this.#suspicion.good(attempt.atMs);
    else if (attempt.route !== this.#generateBadGroup) {
      this.#generateBadGroup = attempt.route;
      return this.bad(attempt.atMs);
    }
    return false;
  }

  reset(): void {
    this.#suspicion.reset();
  }

  /** More traffic asks for more proof. */
  adapt(window: RecentWindow, nowMs: number, isWell: boolean): void {
    const perSecond = window.answersPerSecond(nowMs);
    this.#threshold = suspicionThreshold(this.#weights, isWell ? perSecond : perSecond * recoveringPart);
  }
}

/**
 * Giving traffic back to an origin that has recovered: a share that starts at `firstStep` and doubles, no faster than
 * `fastestMs` for the whole way. Each step is held until enough answers show the returned share to be as good as usual; where
 * hardly anybody comes good probes stand in for them, and without those time does. A step that is clearly worse is taken back
 * once it shows. Pure state; its owner feeds it answers, probes and time.
 */
export interface RampOptions {
  readonly firstStep: number;
  readonly fastestMs: number;
}

/** How a probe was answered during a return; it counts for its step only if it was sent in it. */
export interface RampProbe {
  readonly sentMs: number;
  readonly isGood: boolean;
}

export type RampChange = 'held' | 'grown' | 'taken-back' | 'given-up' | 'done';

const enoughAnswers = 20;
/** Without enough answers a step lasts this many times as long, or as long as ever if they can't be had in that time and probes are good. */
const quietFactor = 3;
/** Part of the answers of a step that may be bad beyond the error limit, or slow, before it is held, and before it is taken back. */
const slowHeld = 0.15;
const slowTakenBack = 0.3;
const takenBackMax = 2;

export class ReturnRamp {
  readonly #options: RampOptions;
  readonly #errorLimit: number;
  readonly #stepMs: number;
  #returned = 0;
  #stepSinceMs = 0;
  #answers = 0;
  #bad = 0;
  #slow = 0;
  #goodProbes = 0;
  #badProbes = 0;
  #takenBack = 0;

  constructor(options: RampOptions, errorLimit: number) {
    this.#options = options;
    this.#errorLimit = errorLimit;
    this.#stepMs = options.fastestMs / Math.max(1, Math.ceil(Math.log2(1 / options.firstStep)));
  }

  /** Fraction of clients on the origin's side. */
  get returned(): number {
    return this.#returned;
  }

  start(nowMs: number): void {
    this.#takenBack = 0;
    this.#step(this.#options.firstStep, nowMs);
  }

  stop(): void {
    this.#returned = 0;
  }

  answered(outcome: 'good' | 'slow' | 'bad'): void {
    this.#answers++;
    if (outcome === 'bad') this.#bad++;
    else if (outcome === 'slow') this.#slow++;
  }

  probed(probe: RampProbe): void {
    if (probe.sentMs < this.#stepSinceMs) return;
    if (probe.isGood) this.#goodProbes++;
    else this.#badProbes++;
  }

  /** What the present step was answered says nothing any more. */
  resample(nowMs: number): void {
    this.#step(this.#returned, nowMs);
  }

  /**
   * What time and the answers so far allow; an origin without room for what it has been given back gets no more.
   * `given-up`: regressed too often, the whole return must start again.
   */
  advance(nowMs: number, crowded: boolean): RampChange {
    const heldMs = nowMs - this.#stepSinceMs;
    const enough = this.#answers >= enoughAnswers;
    const struggling = this.#bad + this.#slow;
    if (enough && struggling > this.#answers * slowTakenBack) return this.#takeBack(nowMs);
    if (heldMs < this.#stepMs || crowded) return 'held';
    if (!enough && heldMs < this.#stepMs * quietFactor && !this.#probesStandIn(heldMs)) return 'held';
    const allowedBad = Math.max(1, this.#errorLimit * this.#answers);
    if (enough && (this.#bad > allowedBad || struggling > this.#answers * slowHeld)) {
      // Neither good nor clearly bad: look again at a new sample of the same step.
      if (heldMs >= this.#stepMs * quietFactor) this.#step(this.#returned, nowMs);
      return 'held';
    }
    if (this.#returned >= 1) return 'done';
    this.#step(Math.min(1, this.#returned * 2), nowMs);
    return 'grown';
  }

  /** Nothing but good signs, and too few requests for the answers that are wanted, however long the step lasted. */
  #probesStandIn(heldMs: number): boolean {
    const isQuiet = this.#answers * this.#stepMs * quietFactor < enoughAnswers * heldMs;
    return isQuiet && this.#goodProbes > 0 && this.#badProbes + this.#bad + this.#slow === 0;
  }

  #takeBack(nowMs: number): RampChange {
    this.#takenBack++;
    if (this.#takenBack > takenBackMax) return 'given-up';
    this.#step(Math.max(this.#options.firstStep, this.#returned / 2), nowMs);
    return 'taken-back';
  }

  #step(returned: number, nowMs: number): void {
    this.#returned = returned;
    this.#stepSinceMs = nowMs;
    this.#answers = 0;
    this.#bad = 0;
    this.#slow = 0;
    this.#goodProbes = 0;
    this.#badProbes = 0;
  }
}

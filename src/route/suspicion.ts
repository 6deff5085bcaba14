/**
 * Sequential tests (Wald 1945; CUSUM, Page 1954) that tell "as good as its error limit allows" from "half of the answers
 * are bad" with as few answers as that takes. A bad answer raises the score by ln(½ ÷ limit), a good one lowers it by
 * ln((1 − limit) ÷ ½). Crossing ln(n) by chance takes n answers at the limit on average, so the threshold is what is asked for
 * in a day, and more where it takes next to no time: 3 bad in a row at 0.01 requests/s, 5 at 1/s, 11 at 300/s, 16 at
 * 30,000/s. Steady errors below the limit stay unnoticed; a rate between the limit and about a fifth is left to strain.
 */
const badRate = 0.5;
const daySeconds = 86_400;
const surplus = 1.4;
/** Old evidence counts half after this. */
const halfLifeMs = 120_000;
const badInARowMin = 3;

export interface EvidenceWeights {
  /** Added for a bad answer. */
  readonly bad: number;
  /** Taken for a good one. */
  readonly good: number;
}

export function evidenceWeights(errorLimit: number): EvidenceWeights {
  const limit = Math.min(0.3, Math.max(0.005, errorLimit));
  return { bad: Math.log(badRate / limit), good: Math.log((1 - limit) / badRate) };
}

/** What a score must reach at this many answers a second. */
export function suspicionThreshold(weights: EvidenceWeights, answersPerSecond: number): number {
  const onceADay = Math.log(Math.max(1, answersPerSecond * daySeconds));
  return Math.max(badInARowMin * weights.bad - 1e-9, onceADay + surplus * Math.log(Math.max(1, answersPerSecond)));
}

/** Errors and late answers of one group, or of the site. Late ones are apart: a pause of the origin makes many at once. */
export class Suspicion {
  readonly #weights: EvidenceWeights;
  #faults = 0;
  #lates = 0;
  #updatedMs = 0;
  /** When the present run of evidence began; undefined while there is none. */
  #faultSinceMs: number | undefined;
  #lateSinceMs: number | undefined;
  #answeredMs = Number.NEGATIVE_INFINITY;

  constructor(weights: EvidenceWeights) {
    this.#weights = weights;
  }

  get faults(): number {
    return this.#faults;
  }

  /** When the first of the bad answers that count now came; undefined while none counts. */
  get sinceMs(): number | undefined {
    if (this.#faultSinceMs === undefined) return this.#lateSinceMs;
    return this.#lateSinceMs === undefined ? this.#faultSinceMs : Math.min(this.#faultSinceMs, this.#lateSinceMs);
  }

  bad(nowMs: number, most: number): void {
    this.#age(nowMs);
    this.#faultSinceMs ??= nowMs;
    this.#faults = Math.min(most + this.#weights.bad, this.#faults + this.#weights.bad);
  }

  good(nowMs: number): void {
    this.#answeredMs = nowMs;
    if (this.#faults === 0 && this.#lates === 0) return;
    this.#age(nowMs);
    this.#lowerFaults(this.#weights.good);
    this.#lowerLates(this.#weights.good);
  }

  late(nowMs: number, most: number): void {
    this.#age(nowMs);
    this.#lateSinceMs ??= nowMs;
    this.#lates = Math.min(most + this.#weights.bad, this.#lates + this.#weights.bad);
  }

  /** A late answer came after all, soon enough to be of use: it was not bad. */
  lateButUseful(nowMs: number): void {
    this.#answeredMs = nowMs;
    this.#lowerLates(this.#weights.bad + this.#weights.good);
  }

  /** Takes away what other evidence has explained. */
  forgive(faults: number): void {
    this.#lowerFaults(faults);
  }

  reset(): void {
    this.#lowerFaults(this.#faults);
    this.#lowerLates(this.#lates);
  }

  /** Errors beyond chance, or late answers beyond chance with nothing useful for `silenceMs`. */
  proven(nowMs: number, threshold: number, silenceMs: number): boolean {
    return this.#faults >= threshold || this.silent(nowMs, threshold, silenceMs);
  }

  silent(nowMs: number, threshold: number, silenceMs: number): boolean {
    return this.#lateSinceMs !== undefined && this.#lates >= threshold
      && nowMs - Math.max(this.#answeredMs, this.#lateSinceMs) >= silenceMs;
  }

  /** Whether there is enough evidence to ask the origin's probe without waiting for its turn. */
  worthAsking(threshold: number): boolean {
    return this.#faults >= threshold / 2 || this.#lates >= threshold / 2;
  }

  #age(nowMs: number): void {
    const pastMs = nowMs - this.#updatedMs;
    this.#updatedMs = nowMs;
    if (pastMs <= 0 || (this.#faults === 0 && this.#lates === 0)) return;
    const factor = 0.5 ** (pastMs / halfLifeMs);
    this.#faults *= factor;
    this.#lates *= factor;
    if (this.#faults < 0.1) this.#lowerFaults(this.#faults);
    if (this.#lates < 0.1) this.#lowerLates(this.#lates);
  }

  #lowerFaults(by: number): void {
    this.#faults = Math.max(0, this.#faults - by);
    if (this.#faults === 0) this.#faultSinceMs = undefined;
  }

  #lowerLates(by: number): void {
    this.#lates = Math.max(0, this.#lates - by);
    if (this.#lates === 0) this.#lateSinceMs = undefined;
  }
}

/** Trials of an origin that is not trusted: when one is due, how many are under way. Two at most, so that none pile up at one that hangs. */
const underWayMax = 2;
/** A trial nobody has reported on by then is taken for lost. */
const forgottenMs = 120_000;

export class Trials {
  #takenMs = Number.NEGATIVE_INFINITY;
  #underWay = 0;

  /** When the last one was taken. */
  get takenMs(): number {
    return this.#takenMs;
  }

  get isUnderWay(): boolean {
    return this.#underWay > 0;
  }

  isDue(nowMs: number, sinceMs: number, everyMs: number): boolean {
    return this.#underWay < underWayMax && nowMs - Math.max(this.#takenMs, sinceMs) >= everyMs;
  }

  take(nowMs: number): void {
    this.#takenMs = nowMs;
    this.#underWay++;
  }

  ended(): void {
    if (this.#underWay > 0) this.#underWay--;
  }

  /** Those under way no longer matter, or have been lost. */
  forget(nowMs: number, all: boolean): void {
    if (all || nowMs - this.#takenMs > forgottenMs) this.#underWay = 0;
  }
}

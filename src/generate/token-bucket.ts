/** Requests that may begin: so many a second, and few at once after a pause. Plain state over given times. */
export class TokenBucket {
  #tokens: number;

  constructor(tokens: number) {
    this.#tokens = tokens;
  }

  get tokens(): number {
    return this.#tokens;
  }

  get isEmpty(): boolean {
    return this.#tokens < 1;
  }

  refill(ratePerSecond: number, seconds: number): void {
    this.#tokens = Math.min(burst(ratePerSecond), this.#tokens + ratePerSecond * seconds);
  }

  /** Takes one, or what there is of it. */
  take(): void {
    this.#tokens = Math.max(0, this.#tokens - 1);
  }

  /** No more than a rate lets gather. */
  bound(ratePerSecond: number): void {
    this.#tokens = Math.min(this.#tokens, burst(ratePerSecond));
  }
}

/** A twentieth of a second's worth more than one: enough to be woken late, too little to be a thump. */
export function burst(ratePerSecond: number): number {
  return ratePerSecond > 0 ? 1 + ratePerSecond / 20 : 0;
}

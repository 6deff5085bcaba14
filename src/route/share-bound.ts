/**
 * Which requests a partial share is made of. A client's position decides first, so that a visitor stays on one side and a
 * growing share only brings visitors over. But positions need not be many: behind one NAT, load balancer or load generator
 * all traffic may have one, and one step of the share would move all of it. So the rate decides second: each request that
 * could go either way earns the origin the share's part of a request, and the origin gets none that is not earned. And where hardly
 * any position is below the share, so that what is earned stays unused, others are let in out of turn, since a share can
 * only grow on samples. Fixed memory; owns no state of the origin.
 */
const positions = 4_294_967_296;
/** Earned at any rate, so that a small site's visitors keep their side, and chance (sd 10 % of a 1 % share of 10,000 clients) does too. */
const tricklePerSecond = 1;
/** What may be saved up: with 20 % to spare, chance uses up so much once in 10,000 requests (e^(−0.4 × 24)); or a second's worth, for pages come in bursts. */
const savedMin = 24;
const savedSeconds = 1;
const savedAtStart = 8;
/** Unused beyond chance: with half the share taken for granted, traffic of many clients gets here by chance once in 10,000 (e^(−1.6 × 6)). */
const missingMin = 6;
const missingMax = 12;
const secondMs = 1000;

export class ShareBound {
  #saved = savedAtStart;
  #missing = 0;
  #outOfTurn = false;
  #refilledMs: number;
  #secondMs: number;
  #earned = 0;
  #earnedPerSecond = 0;

  constructor(nowMs: number) {
    this.#refilledMs = nowMs;
    this.#secondMs = nowMs;
  }

  /** A new share begins: little is saved up for it. */
  restart(): void {
    this.#saved = Math.min(this.#saved, savedAtStart);
    this.#missing = 0;
    this.#outOfTurn = false;
  }

  /** Whether this request is the origin's, whose share is `share`; `margin` is how many times that the rate may be. To be asked once for each request. */
  admit(position: number, share: number, margin: number, nowMs: number): boolean {
    this.#earn(share * margin, nowMs);
    const isOwn = position < share * positions;
    this.#missing = Math.min(missingMax, Math.max(0, this.#missing + share / 2 - (isOwn ? 1 : 0)));
    if (this.#missing === 0) this.#outOfTurn = false;
    else if (!this.#outOfTurn && this.#missing >= missingMin) {
      this.#outOfTurn = true;
      this.#saved = Math.min(this.#saved, 1); // samples, not a burst
    }
    if (isOwn ? this.#saved < 1 : !this.#outOfTurn || this.#saved < 2) return false;
    this.#saved--;
    return true;
  }

  #earn(part: number, nowMs: number): void {
    if (nowMs - this.#secondMs >= secondMs) {
      this.#earnedPerSecond = (this.#earned * secondMs) / (nowMs - this.#secondMs);
      this.#secondMs = nowMs;
      this.#earned = 0;
    }
    this.#earned += part;
    const trickle = ((nowMs - this.#refilledMs) / secondMs) * tricklePerSecond;
    this.#refilledMs = nowMs;
    this.#saved = Math.min(Math.max(savedMin, this.#earnedPerSecond * savedSeconds), this.#saved + part + trickle);
  }
}

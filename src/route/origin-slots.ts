/**
 * How many requests may be at the origin at once. While it is well: as many as come, up to a generous multiple of what it
 * was seen to carry, above which requests with a copy take the copy. While it is not: what it carried when it was well, for
 * requests that only it can answer; and for those given back to it a window that starts at 2 and grows by successes, never
 * beyond what it carried before (AIMD: Chiu and Jain 1989), so that one that can serve 12 at once is not asked for 13.
 * Only where that does not do for the traffic there is, the ceiling rises slowly.
 */
import { LogHistogram } from './log-histogram.ts';

const startWindow = 2;
const backOff = 0.7;
/** One decrease for one episode: attempts under way at its time fail with it. */
const backOffEveryMs = 500;
/** A late answer now and then is ordinary; more than this part of them is not. */
const latePart = 0.1;
const lateSmoothing = 0.05;
const knownWeight = 200;
const fadeEveryMs = 60_000;
const fadeFactor = 0.5 ** (1 / 30);
const uncoveredMin = 8;
const uncoveredUnknown = 16;
/** A slow origin is allowed more at once than it carried when it was fast: requests stay longer, writes above all must pass. */
const failingFactor = 4;
const returnedMin = 4;
/** Where this part of what is given back finds no room, the way back waits, and the ceiling rises if the origin does not struggle. */
const crowdedPart = 0.1;
const crowdedMin = 5;
const crowdedPeriodMs = 5000;
const ceilingGrowth = 1.1;
const ceilingFactorMax = 20;
/** After a return the window stays this long, so that the end of the way back is no cliff. */
const convalescenceMs = 300_000;
const healthyFactor = 10;
const healthyMin = 256;

export class OriginSlots {
  readonly #usual = new LogHistogram();
  #inFlight = 0;
  /** Of these, the ones a shadow has answered meanwhile: nobody waits for them. */
  #abandoned = 0;
  #window = startWindow;
  #backedOffMs = Number.NEGATIVE_INFINITY;
  #fadedMs: number;
  #periodMs: number;
  #lateRate = 0;
  #convalescentUntilMs = Number.NEGATIVE_INFINITY;
  #convalescent = false;
  #admitted = 0;
  #turnedAway = 0;
  #crowded = false;
  /** What a window full of successes adds: more where answers take longer than they did, so that it grows as fast in time. */
  #growth = 1;
  #ceilingFactor = 1;
  /** 99th percentile of requests in flight while the origin was well; undefined until known. */
  #carried: number | undefined;

  constructor(nowMs: number) {
    this.#fadedMs = nowMs;
    this.#periodMs = nowMs;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** Whether requests that are given back find no room, more than now and then. */
  get crowded(): boolean {
    return this.#crowded;
  }

  begin(): void {
    this.#inFlight++;
    this.#admitted++;
  }

  end(afterLate: boolean): void {
    if (this.#inFlight > 0) this.#inFlight--;
    if (afterLate && this.#abandoned > 0) this.#abandoned--;
  }

  /** A new return begins. */
  restart(): void {
    this.#window = startWindow;
    this.#ceilingFactor = 1;
    this.#lateRate = 0;
    this.#convalescent = false;
    this.#crowded = false;
  }

  /** The whole share has returned. */
  returned(nowMs: number): void {
    this.#convalescentUntilMs = nowMs + convalescenceMs;
    this.#convalescent = true;
    this.#growth = 1;
  }

  /** Answers have come to take so many times as long: so many times as many are under way for the same work (Little 1961). */
  stretch(factor: number): void {
    this.#usual.stretch(factor);
    this.#growth = factor;
  }

  /** A request that was given back found no room. */
  turnedAway(): void {
    this.#turnedAway++;
  }

  /**
   * A good and timely answer, called before its `end`. The window grows only while it is what holds requests back. What an
   * origin carries is learned here, not where requests begin: those of an origin that hangs pile up and are carried by nobody.
   */
  succeeded(isHealthy: boolean): void {
    if (isHealthy && !this.#convalescent) this.#usual.add(this.#inFlight);
    this.#lateRate *= 1 - lateSmoothing;
    if (this.#inFlight < Math.floor(this.#window) - 1) return;
    const ceiling = this.#carried === undefined ? Number.POSITIVE_INFINITY : Math.max(returnedMin, Math.round(this.#carried * this.#ceilingFactor));
    this.#window = Math.min(ceiling, this.#window + Math.min(1, this.#growth / this.#window));
  }

  /** A shadow has answered; the attempt goes on. */
  wasLate(nowMs: number): void {
    this.#abandoned++;
    this.#lateRate += (1 - this.#lateRate) * lateSmoothing;
    if (this.#lateRate > latePart) this.failed(nowMs);
  }

  failed(nowMs: number): void {
    if (nowMs - this.#backedOffMs < backOffEveryMs) return;
    this.#backedOffMs = nowMs;
    this.#ceilingFactor = 1;
    this.#window = Math.max(startWindow, this.#window * backOff);
  }

  /** Room for a request that a copy can answer as well, while requests are being given back. */
  get freeForReturned(): boolean {
    return this.#inFlight < Math.floor(this.#window);
  }

  /** Room for a request that only the origin can answer, while it is not well. Half is kept for writes: a read is easily repeated. What piled up at the onset does not bar them. */
  freeForUncovered(isFailing: boolean, isRead: boolean): boolean {
    const carried = this.#carried === undefined ? uncoveredUnknown : Math.max(uncoveredMin, Math.round(this.#carried));
    const cap = isFailing ? carried * failingFactor : carried;
    return this.#inFlight - this.#abandoned < (isRead ? cap / 2 : cap);
  }

  /** Room for a request that a copy can answer as well, while the origin is well. */
  get freeWhileWell(): boolean {
    if (this.#convalescent) return this.freeForReturned;
    return this.#carried === undefined || this.#inFlight < Math.max(healthyMin, this.#carried * healthyFactor);
  }

  /** Brings what is known up to date; a few times a second is enough. */
  refresh(nowMs: number): void {
    if (nowMs - this.#fadedMs >= fadeEveryMs) {
      this.#fadedMs = nowMs;
      if (this.#usual.total > knownWeight * 5) this.#usual.fade(fadeFactor);
    }
    if (this.#convalescent && nowMs >= this.#convalescentUntilMs) this.#convalescent = false;
    if (nowMs - this.#periodMs >= crowdedPeriodMs) this.#endPeriod(nowMs);
    this.#carried = this.#usual.total >= knownWeight ? this.#usual.quantile(0.99) : undefined;
  }
  #endPeriod(nowMs: number): void {
    this.#crowded = this.#turnedAway >= crowdedMin && this.#turnedAway > (this.#admitted + this.#turnedAway) * crowdedPart;
    if (this.#crowded && nowMs - this.#backedOffMs > crowdedPeriodMs) {
      this.#ceilingFactor = Math.min(ceilingFactorMax, this.#ceilingFactor * ceilingGrowth);
    }
    this.#periodMs = nowMs;
    this.#admitted = 0;
    this.#turnedAway = 0;
  }
}

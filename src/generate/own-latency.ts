/**
 * What the generator's own requests tell of how busy the origin is. Each latency is taken relative to the shortest of its section of the site
 * (`/products/…`), so that slow and quick pages can be told together. In a queue with room some requests always meet no wait; the mean over the
 * shortest, beyond what it is when nobody waits, is the *wait*: 0 for an idle origin, 1 where requests wait as long as they take to serve.
 * Requests that are slow, or still under way for too long, several in a row, are a *strain*. Plain state over given times.
 */

const sectionsMax = 1000;
/** The shortest is followed as about the lower tenth: half of the way down, in small steps up. As logarithms. */
const shorterPart = 0.5;
const shorterMax = 0.18;
const longerStep = 0.005;
/** Waits shorter than this are jitter: of timers and networks, and, where answers take no longer than a turn of a busy machine, of its scheduler. */
const jitterMs = 2;
const quickMs = 4;
const quickJitterMs = 8;
/** Both ends of a request can come so much later; the worst of the last seconds counts, fading with each look. */
const lagFactor = 2;
const lagKept = 0.9;
/** Weight of a new answer in what is going on now, and in what is usual. */
const currentWeight = 0.1;
const usualWeight = 0.02;
/** Answers before anything is said. */
const knownAnswers = 20;
/** The mean of requests that meet no wait is at most this, beside the shortest: more is a queue that was there when we came. */
const unevenMax = 2.2;
/** An origin never busier than it was is taken to forget that within hours. */
const leastRises = 1.0005;
/** Slow: twice the usual and 50 ms on top; jitter of fast origins is no strain. */
const slowFactor = 2;
const slowMarginMs = 50;
/** Slow ones in a row, answered or under way, that are a strain. */
const slowMax = 3;

interface Section {
  shortestMs: number;
  meanMs: number;
}

export class OwnLatency {
  readonly #sections = new Map<string, Section>();
  /** When each request under way was sent, on the clock that never goes back; the oldest first. */
  readonly #started: number[] = [];
  #current = 1;
  #usual = 1;
  #least = Number.POSITIVE_INFINITY;
  #meanMs = 0;
  #shortestMs = 0;
  #answers = 0;
  #slowInRow = 0;
  #lagMs = 0;

  /** How late a timer of this process came: its own requests seem to take longer by as much, which is no doing of the origin's. */
  late(ms: number): void {
    this.#lagMs = Math.max(ms, this.#lagMs * lagKept);
  }

  started(atMs: number): void {
    this.#started.push(atMs);
  }

  /** An answer, or with `latencyMs` undefined an end that says nothing of latency. */
  ended(atMs: number, section: string, latencyMs: number | undefined): void {
    this.#forgetStart(latencyMs === undefined ? Number.NEGATIVE_INFINITY : atMs - latencyMs);
    if (latencyMs === undefined) return;
    const known = this.#section(section, Math.max(0.1, latencyMs));
    // What may be our own lateness is taken off, but no answer comes to be the shortest by that.
    const ms = Math.max(0.1, Math.min(latencyMs, Math.max(known.shortestMs, latencyMs - lagFactor * this.#lagMs)));
    const relative = ms / known.shortestMs;
    const slow = this.#answers >= knownAnswers && ms > known.shortestMs * this.#usual * slowFactor + slowMarginMs;
    this.#slowInRow = slow ? this.#slowInRow + 1 : 0;
    this.#answers++;
    // The first answers are averaged; later ones have their weight. What is slow teaches what is usual only in the long run.
    const weight = Math.max(1 / this.#answers, usualWeight);
    this.#usual += (slow ? usualWeight : weight) * (relative - this.#usual);
    this.#current += Math.max(1 / this.#answers, currentWeight) * (relative - this.#current);
    this.#meanMs += weight * (ms - this.#meanMs);
    this.#shortestMs += weight * (known.shortestMs - this.#shortestMs);
    if (this.#answers >= knownAnswers) this.#least = Math.min(this.#least * leastRises, this.#current);
    known.shortestMs *= Math.exp(relative < 1 ? Math.max(-shorterMax, shorterPart * Math.log(relative)) : Math.min(longerStep, Math.log(relative)));
    known.meanMs += weight * (ms - known.meanMs);
  }

  /**
   * Time waited over time served; 0 while nothing is known. People's 95th percentile bounds it: they ask the same origin, from a process that
   * does not step back for others as this one does.
   */
  wait(peopleP95Ms: number | undefined): number {
    if (this.#answers < knownAnswers) return 0;
    const own = this.#current / Math.min(unevenMax, Math.max(1, this.#least)) - 1;
    const wait = peopleP95Ms === undefined ? own : Math.min(own, peopleP95Ms / this.#shortestMs - 1);
    return Math.max(0, wait - (this.#meanMs < quickMs ? quickJitterMs : jitterMs) / this.#shortestMs);
  }

  /** The same in milliseconds. */
  waitMs(peopleP95Ms: number | undefined): number {
    return this.wait(peopleP95Ms) * this.#shortestMs;
  }

  get isKnown(): boolean {
    return this.#answers >= knownAnswers;
  }

  /** Whether several requests in a row were slow, those under way for too long included. */
  isStrained(nowMs: number): boolean {
    if (this.#answers < knownAnswers) return false;
    const overdueMs = this.#shortestMs * this.#usual * slowFactor + slowMarginMs + lagFactor * this.#lagMs;
    let slow = this.#slowInRow;
    for (const startedMs of this.#started) if (nowMs - startedMs > overdueMs) slow++;
    return slow >= slowMax;
  }

  /** After a rest: one more slow answer is a strain again. */
  rested(): void {
    this.#slowInRow = Math.min(this.#slowInRow, slowMax - 1);
  }

  /** What a request for one of this section costs the origin beside a usual one, ¼ to 4: its time there. */
  effort(section: string): number {
    const known = this.#sections.get(section);
    return known && this.isKnown ? Math.min(4, Math.max(0.25, known.meanMs / this.#meanMs)) : 1;
  }

  #section(name: string, ms: number): Section {
    const known = this.#sections.get(name) ?? { shortestMs: ms, meanMs: ms };
    this.#sections.delete(name);
    this.#sections.set(name, known);
    if (this.#sections.size > sectionsMax) {
      const oldest = this.#sections.keys().next();
      if (!oldest.done) this.#sections.delete(oldest.value);
    }
    return known;
  }

  /** The one that began closest to then. */
  #forgetStart(startedMs: number): void {
    let at = 0;
    for (let other = 1; other < this.#started.length; other++) {
      if (Math.abs((this.#started[other] ?? 0) - startedMs) < Math.abs((this.#started[at] ?? 0) - startedMs)) at = other;
    }
    this.#started.splice(at, 1);
  }
}

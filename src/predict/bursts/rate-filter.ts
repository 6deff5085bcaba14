/**
 * The present rate of a key as a hidden level: Kleinberg's automaton of burst states (2002), run forwards as a Bayesian filter. State 0 is the usual rate, the
 * others stand half-octaves apart above it. From minute to minute a level stays, drifts to its neighbours (growth, decay), jumps anywhere (a link was posted)
 * or falls back (it is over). The count of a minute is negative binomial around the level, for crowds are lumpy.
 */
export const stateCount = 40;
/** Levels start at least here, requests a minute: below it a burst and nothing look the same from one minute to the next. */
const leastLevel = 0.05;
const drifts = 0.1;
const jumps = 0.02;
const ends = 0.02;
const stays = 1 - drifts - jumps - ends;
/** Of a minute's count around its level: a spread of ±35 %, and of Poisson. */
const shape = 8;
/** From here on a level is a burst: twice the usual rate, and a request in two minutes. */
const burstFactor = 2;
const burstLeast = 0.5;
const powers: readonly number[] = Array.from({ length: stateCount }, (_, state) => Math.SQRT2 ** state);

export class RateFilter {
  /** `stateCount` probabilities for each place. */
  readonly states: Float32Array;
  readonly #next = new Float64Array(stateCount);
  /** Levels of the states, their logarithms, and those with `shape` added, as of the last step. Rare keys share all but the first. */
  readonly #levels = new Float64Array(stateCount);
  readonly #logs = new Float64Array(stateCount);
  readonly #logsShifted = new Float64Array(stateCount);
  #foot = 0;
  /** P(the rate is a multiple of the usual one), of the place that `step` was called for last. */
  burst = 0;

  constructor(places: number) {
    this.states = new Float32Array(places * stateCount);
  }

  /** Certain that the key has its usual rate. */
  settle(place: number): void {
    const at = place * stateCount;
    this.states.fill(0, at, at + stateCount);
    this.states[at] = 1;
  }

  /** A minute with so many requests goes by. Returns the expected level, requests a minute. */
  step(place: number, count: number, usual: number): number {
    const at = place * stateCount;
    const { states } = this;
    const next = this.#next;
    const levels = this.#levels;
    this.#lay(usual);
    let highest = -Infinity;
    for (let state = 0; state < stateCount; state++) {
      // log NB(count | level), without what all states have in common.
      const log = count * (this.#logs[state] ?? 0) - (count + shape) * (this.#logsShifted[state] ?? 0);
      next[state] = log;
      if (log > highest) highest = log;
    }
    let sum = 0;
    for (let state = 0; state < stateCount; state++) {
      const below = state > 0 ? states[at + state - 1] ?? 0 : 0;
      const above = state < stateCount - 1 ? states[at + state + 1] ?? 0 : 0;
      const prior = stays * (states[at + state] ?? 0) + (drifts / 2) * (below + above) + jumps / stateCount + (state === 0 ? ends : 0);
      const weight = prior * Math.exp((next[state] ?? 0) - highest);
      next[state] = weight;
      sum += weight;
    }
    let expected = 0;
    this.burst = 0;
    const burstFrom = Math.max(burstFactor * usual, burstLeast);
    for (let state = 0; state < stateCount; state++) {
      const probability = (next[state] ?? 0) / sum;
      const level = levels[state] ?? 0;
      states[at + state] = probability;
      expected += probability * level;
      if (state > 0 && level >= burstFrom) this.burst += probability;
    }
    return expected;
  }

  #lay(usual: number): void {
    const foot = usual > leastLevel ? usual : leastLevel;
    if (foot !== this.#foot) {
      this.#foot = foot;
      for (let state = 1; state < stateCount; state++) this.#set(state, foot * (powers[state] ?? 1));
    }
    this.#set(0, usual);
  }

  #set(state: number, level: number): void {
    this.#levels[state] = level;
    this.#logs[state] = Math.log(level);
    this.#logsShifted[state] = Math.log(level + shape);
  }
}

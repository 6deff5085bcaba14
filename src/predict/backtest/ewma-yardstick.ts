/**
 * The yardstick forecasts are held to: exponentially weighted rates of one, six and twenty-four hours for every resource and every pair of
 * (region, resource), each shrunk by a gamma prior whose mean and shape are the moments of what was asked for in the last day (Gamma-Poisson,
 * empirical Bayes: Robbins 1956, Casella 1985). P(≥1) is that of the negative binomial posterior predictive. Told only what has happened.
 *
 * Rows are numbered as they are first seen. Memory: 40 bytes a row and the index.
 */
const minuteMs = 60_000;
const activeMin = 1440;

/** Time constants, minutes. */
export const yardstickTausMin = [60, 360, 1440] as const;
export const yardstickNames = ['EWMA 1 h', 'EWMA 6 h', 'EWMA 24 h'] as const;

const shapeLeast = 0.02;
const shapeMost = 10;

interface Prior {
  /** Requests a minute. */
  readonly mean: number;
  readonly shape: number;
  /** Minutes that the rate stands for: the prior's and those seen. */
  readonly pseudoMin: number;
}

export class EwmaYardstick {
  /** Decayed count of each row as of its last minute, one column a time constant. */
  readonly #counts = yardstickTausMin.map(() => new Float64Array(1024));
  #lastMin = new Int32Array(1024);
  #rows = 0;
  #beganMin = -1;
  #nowMin = 0;
  /** e^(−Δ/τ) for each number of minutes that can pass for an active row. */
  readonly #kept = yardstickTausMin.map((tau) => Float64Array.from({ length: activeMin + 1 }, (_, minutes) => Math.exp(-minutes / tau)));
  #priors: readonly Prior[] = [];

  get rows(): number {
    return this.#rows;
  }

  /** A new row's number. */
  add(): number {
    const row = this.#rows++;
    if (row >= this.#lastMin.length) {
      const capacity = this.#lastMin.length * 2;
      this.#counts.forEach((column, scale) => { this.#counts[scale] = wider(column, new Float64Array(capacity)); });
      this.#lastMin = wider(this.#lastMin, new Int32Array(capacity));
    }
    return row;
  }

  /** Counts requests of a row in the minute that starts at `startMs`. Minutes come in order. */
  count(row: number, requests: number, startMs: number): void {
    const minute = startMs / minuteMs;
    if (this.#beganMin < 0) this.#beganMin = minute;
    const passed = minute - (this.#lastMin[row] ?? 0);
    for (let scale = 0; scale < yardstickTausMin.length; scale++) {
      const column = this.#counts[scale];
      if (column) column[row] = (column[row] ?? 0) * this.#decay(scale, passed) + requests;
    }
    this.#lastMin[row] = minute;
  }

  /** Fits the priors to the rows asked for in the last day. Called before `chance`, with the same time. */
  fit(nowMs: number): void {
    this.#nowMin = nowMs / minuteMs;
    const age = Math.max(1, this.#nowMin - this.#beganMin);
    this.#priors = yardstickTausMin.map((tau, scale) => {
      const column = this.#counts[scale];
      let [active, sum, squares] = [0, 0, 0];
      for (let row = 0; row < this.#rows; row++) {
        const passed = this.#nowMin - (this.#lastMin[row] ?? 0);
        if (passed > activeMin) continue;
        const count = (column?.[row] ?? 0) * this.#decay(scale, passed);
        active++;
        sum += count;
        squares += count * count;
      }
      if (!(sum > 0)) return { mean: 1e-6, shape: 1, pseudoMin: 1e6 + exposureOf(tau, age) };
      const exposure = exposureOf(tau, age);
      const mean = sum / active;
      // A decayed count of a Poisson process of rate λ has mean λτ(1 − e^(−age/τ)) and variance λ(τ/2)(1 − e^(−2 age/τ)); what is more is the rates' own.
      const excess = squares / active - mean * mean - (mean / exposure) * exposureOf(tau / 2, age);
      const shape = excess > 0 ? (mean * mean) / excess : shapeMost;
      const held = Math.min(shapeMost, Math.max(shapeLeast, shape));
      return { mean: mean / exposure, shape: held, pseudoMin: (held * exposure) / mean + exposure };
    });
  }

  /** −log P(none in `minutes`) by one of the time constants. */
  surpriseOfNone(row: number, scale: number, minutes: number): number {
    const prior = this.#priors[scale];
    if (!prior) return 0;
    const count = (this.#counts[scale]?.[row] ?? 0) * this.#decay(scale, this.#nowMin - (this.#lastMin[row] ?? 0));
    return (prior.shape + count) * Math.log1p(minutes / prior.pseudoMin);
  }

  #decay(scale: number, minutes: number): number {
    return minutes <= activeMin ? this.#kept[scale]?.[minutes] ?? 1 : Math.exp(-minutes / (yardstickTausMin[scale] ?? 1));
  }
}

/** Minutes that a decayed count has effectively seen. */
function exposureOf(tau: number, ageMin: number): number {
  return tau * -Math.expm1(-ageMin / tau);
}

function wider<Column extends Float64Array | Int32Array>(column: Column, into: Column): Column {
  into.set(column);
  return into;
}

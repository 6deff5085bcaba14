/**
 * What the load generator saw, one row a request, as columns: half a million requests stay small and sort fast.
 * Written by the generator's process as one JSON file, read by the suites.
 */

export interface Samples {
  /** Wall clock of the scheduled time, epoch ms. */
  readonly scheduledMs: number[];
  readonly latencyMs: number[];
  /** Index into `outcomes`. */
  readonly outcome: number[];
  /** Index into `routes`: who answered and why, as the answer's own headers say. */
  readonly route: number[];
  readonly outcomes: string[];
  readonly routes: string[];
  readonly retries: number;
}

export class SampleRecorder {
  readonly #samples = { scheduledMs: [] as number[], latencyMs: [] as number[], outcome: [] as number[], route: [] as number[] };
  readonly #outcomes = new Map<string, number>();
  readonly #routes = new Map<string, number>();

  record(scheduledMs: number, latencyMs: number, outcome: string, route: string): void {
    this.#samples.scheduledMs.push(Math.round(scheduledMs * 10) / 10);
    this.#samples.latencyMs.push(Math.round(latencyMs * 1000) / 1000);
    this.#samples.outcome.push(indexOf(this.#outcomes, outcome));
    this.#samples.route.push(indexOf(this.#routes, route));
  }

  samples(retries: number): Samples {
    return { ...this.#samples, outcomes: [...this.#outcomes.keys()], routes: [...this.#routes.keys()], retries };
  }
}

function indexOf(names: Map<string, number>, name: string): number {
  const known = names.get(name);
  if (known !== undefined) return known;
  names.set(name, names.size);
  return names.size - 1;
}

export interface Summary {
  readonly requests: number;
  /** Answers by outcome; 'right' is the only good one. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly routes: Readonly<Record<string, number>>;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Sums up the requests scheduled in [fromMs, toMs). */
export function summarise(samples: Samples, fromMs: number, toMs: number): Summary {
  const latencies: number[] = [];
  const outcomes: Record<string, number> = {};
  const routes: Record<string, number> = {};
  samples.scheduledMs.forEach((scheduledMs, row) => {
    if (scheduledMs < fromMs || scheduledMs >= toMs) return;
    latencies.push(samples.latencyMs[row] ?? 0);
    count(outcomes, samples.outcomes[samples.outcome[row] ?? -1] ?? '?');
    count(routes, samples.routes[samples.route[row] ?? -1] ?? '?');
  });
  const sorted = Float64Array.from(latencies).sort();
  return {
    requests: sorted.length,
    outcomes,
    routes,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    maxMs: quantile(sorted, 1),
  };
}

function count(into: Record<string, number>, name: string): void {
  into[name] = (into[name] ?? 0) + 1;
}

/** The smallest value that at least `q` of the sorted values do not exceed (nearest rank); 0 of none. */
export function quantile(sorted: Float64Array, q: number): number {
  return sorted[Math.max(0, Math.ceil(q * sorted.length) - 1)] ?? 0;
}

export function median(values: readonly number[]): number {
  const sorted = Float64Array.from(values).sort();
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
}

/**
 * What the demo's visitors got, by region: who answered, what failed, how long it took. Pure but for the times it is given;
 * the screen and the final verdict read it.
 */
export const sources = ['origin', 'shadow', 'rescue', 'none'] as const;
export type Source = (typeof sources)[number];

export interface Visit {
  readonly region: string;
  readonly atMs: number;
  readonly source: Source;
  /** `failed`: a page that could have had a shadow did not come whole. `refused`: private or writing, honestly turned away. */
  readonly outcome: 'right' | 'wrong' | 'failed' | 'refused';
  /** What was wrong, as a sentence. */
  readonly wrong?: string | undefined;
  readonly latencyMs: number;
  /** Whether a shadow may answer it. Carts and accounts wait for the shop however slow it is, so they don't count in the latency. */
  readonly shadowable: boolean;
}

export interface RegionTally {
  readonly region: string;
  readonly visits: number;
  readonly bySource: Readonly<Record<Source, number>>;
  readonly wrong: number;
  readonly failed: number;
  readonly refused: number;
  /** Over the last seconds only. */
  readonly recent: { readonly perSecond: number; readonly bySource: Readonly<Record<Source, number>>; readonly p99Ms: number };
}

/** What counts as recent. */
const recentMs = 5000;

interface Counts { visits: number; bySource: Record<Source, number>; wrong: number; failed: number; refused: number }

export class Tally {
  readonly #totals = new Map<string, Counts>();
  #recent: Visit[] = [];
  #lastWrong: string | undefined;

  constructor(regions: readonly string[]) {
    for (const region of regions) this.#totals.set(region, { visits: 0, bySource: noSources(), wrong: 0, failed: 0, refused: 0 });
  }

  /** What was last wrong anywhere, as a sentence. */
  get lastWrong(): string | undefined { return this.#lastWrong; }

  add(visit: Visit): void {
    const totals = this.#totals.get(visit.region);
    if (totals === undefined) return;
    totals.visits++;
    totals.bySource[visit.source]++;
    if (visit.outcome !== 'right') totals[visit.outcome]++;
    this.#lastWrong = visit.wrong ?? this.#lastWrong;
    this.#recent.push(visit);
  }

  regions(nowMs: number): RegionTally[] {
    this.#recent = this.#recent.filter(({ atMs }) => atMs > nowMs - recentMs);
    return [...this.#totals].map(([region, totals]) => {
      const visits = this.#recent.filter((visit) => visit.region === region);
      const bySource = noSources();
      for (const { source } of visits) bySource[source]++;
      const latencies = visits.filter(({ shadowable }) => shadowable).map(({ latencyMs }) => latencyMs).toSorted((a, b) => a - b);
      return {
        region, ...totals, bySource: { ...totals.bySource },
        recent: {
          perSecond: visits.length / (recentMs / 1000),
          bySource,
          p99Ms: latencies[Math.max(0, Math.ceil(0.99 * latencies.length) - 1)] ?? 0,
        },
      };
    });
  }
}

function noSources(): Record<Source, number> {
  return { origin: 0, shadow: 0, rescue: 0, none: 0 };
}

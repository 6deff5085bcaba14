/** Counters of one edge process: answers by region, source and reason; attempts at the origin. Read out once a second. */
import type { AttemptKind, AttemptOutcome } from '../route/index.ts';
import type { AnswerRecord } from './pipeline.ts';

export interface RegionTally {
  readonly answers: Readonly<Record<string, number>>;
  readonly failed: number;
}

interface Counts {
  readonly answers: Map<string, Map<string, number>>;
  failed: number;
}

export class Tally {
  readonly #regions = new Map<string, Counts>();
  readonly #attempts = new Map<string, number>();

  answer({ entrance, source, reason, status }: AnswerRecord): void {
    let counts = this.#regions.get(entrance.region);
    if (!counts) this.#regions.set(entrance.region, counts = { answers: new Map<string, Map<string, number>>(), failed: 0 });
    let reasons = counts.answers.get(source);
    if (!reasons) counts.answers.set(source, reasons = new Map<string, number>());
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    if (source === 'none' && status >= 500) counts.failed++;
  }

  attempt(kind: AttemptKind, outcome: AttemptOutcome): void {
    const key = `${kind} ${outcome}`;
    this.#attempts.set(key, (this.#attempts.get(key) ?? 0) + 1);
  }

  region(region: string): RegionTally {
    const counts = this.#regions.get(region);
    const answers: Record<string, number> = {};
    for (const [source, reasons] of counts?.answers ?? []) for (const [reason, count] of reasons) answers[`${source} ${reason}`] = count;
    return { answers, failed: counts?.failed ?? 0 };
  }

  /** `kind outcome` → attempts. */
  get attempts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#attempts);
  }
}

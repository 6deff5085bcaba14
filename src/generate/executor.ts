/**
 * Carries out a plan's jobs within the budget, in the plan's order: each as soon as the budget lets it, unless something else has done it meanwhile. A new
 * plan's jobs replace what is left of the old ones; giving up ends what is under way. What to do is the plan's, how fast is the budget's.
 */
import { shadowId } from '../catalog/shadow-record.ts';
import type { Budget } from './budget.ts';
import { targetId, toRenew } from './candidates.ts';
import { sectionOf } from './changes.ts';
import type { Fetcher } from './fetch.ts';
import { makeCopy, type Job, type OriginWord } from './make-copy.ts';
import type { Schedule } from './schedule.ts';
import type { Workshop } from './workshop.ts';

const pumpEveryMs = 20;

export interface ExecutorParts {
  readonly shop: Workshop;
  readonly budget: Budget;
  readonly schedule: Schedule;
  readonly fetcher: Fetcher;
}

export class Executor {
  readonly #parts: ExecutorParts;
  readonly #inFlight = new Map<string, number>();
  #stop = new AbortController();
  #queue: readonly Job[] = [];
  #next = 0;
  #planNumber = 0;
  #pumping = false;

  constructor(parts: ExecutorParts) {
    this.#parts = parts;
  }

  /** Targets being fetched right now. */
  get inFlight(): { has(id: string): boolean } {
    return this.#inFlight;
  }

  get queued(): number {
    return this.#queue.length - this.#next;
  }

  /** Jobs of a plan, in place of what is left. False for a plan that is not newer than the one before: nothing of it is done. */
  take(plan: number, jobs: readonly Job[]): boolean {
    if (plan <= this.#planNumber) return false;
    this.#planNumber = plan;
    this.#queue = jobs;
    this.#next = 0;
    this.#pump();
    return true;
  }

  /** Beside the plan, if the budget lets it now. */
  doNow(job: Job): void {
    const { budget, schedule } = this.#parts;
    if (!this.#inFlight.has(targetId(job.resource, job.variation)) && budget.tryTake(job.kind)) schedule.track(() => this.#run(job));
  }

  clear(): void {
    this.#queue = [];
    this.#next = 0;
  }

  /** Ends what is under way, too. */
  giveUp(): void {
    this.clear();
    this.#stop.abort();
    this.#stop = new AbortController();
  }

  #pump(): void {
    const { shop, budget, schedule } = this.#parts;
    if (shop.publisher.resting) this.clear();
    while (this.#next < this.#queue.length) {
      const job = this.#queue[this.#next];
      if (job && this.#stillToDo(job)) {
        if (!budget.tryTake(job.kind)) break;
        schedule.track(() => this.#run(job));
      }
      this.#next++;
    }
    if (this.#pumping || this.#next >= this.#queue.length || schedule.signal.aborted) return;
    this.#pumping = true;
    schedule.after(pumpEveryMs, () => {
      this.#pumping = false;
      this.#pump();
    });
  }

  /** Whether no passing answer has done a job since it was planned. */
  #stillToDo({ resource, variation, varied, kind }: Job): boolean {
    const { holdings, config, clock, invalidations } = this.#parts.shop;
    if (kind !== 'refresh') return holdings.variation(resource, variation).length === 0;
    const copy = holdings.get(shadowId({ resource, variation, vary: varied }), resource);
    return copy !== undefined && toRenew([copy], config.freshness.targetMs, clock.nowMs(), invalidations.outdated).length > 0;
  }

  async #run(job: Job): Promise<void> {
    const { shop, fetcher, budget } = this.#parts;
    const id = targetId(job.resource, job.variation);
    this.#inFlight.set(id, (this.#inFlight.get(id) ?? 0) + 1);
    let word: OriginWord;
    try {
      word = await makeCopy(shop, fetcher, job, this.#stop.signal);
    } finally {
      budget.finish(word, sectionOf(job.resource));
      const others = (this.#inFlight.get(id) ?? 1) - 1;
      if (others > 0) this.#inFlight.set(id, others);
      else this.#inFlight.delete(id);
    }
    this.#pump();
  }
}

/**
 * The engine's heavy work in trace time. Work that is due at the end of a minute is begun at once, elsewhere (`DoWork`), and adopted at the end of the
 * minute `adoptAfterMs` later, which waits for it: so what comes out does not depend on how fast the machine is. Work that is lost is counted, and
 * the engine goes on without it.
 */
import type { Work, WorkDone } from '../work.ts';

/** Does a piece of work, here or in another thread; rejects when it is lost. */
export type DoWork = (work: Work) => Promise<WorkDone>;

/** What asks for work and takes its outcome. */
export interface Worked {
  work(nowMs: number): readonly Work[];
  adopt(done: WorkDone): void;
}

/** Trace time between asking and adopting: real training takes less, and a play of 200 trace minutes a second has some time to go on beside it. */
const adoptAfterMs = 30 * 60_000;

interface Pending {
  readonly dueMs: number;
  /** Never rejects. */
  readonly outcome: Promise<WorkDone | undefined>;
}

export class WorkSchedule {
  readonly #doWork: DoWork;
  readonly #pending: Pending[] = [];
  #begun = 0;
  #lost = 0;

  constructor(doWork: DoWork) {
    this.#doWork = doWork;
  }

  /** Pieces of work that were begun, and of these the lost ones. */
  get counts(): { readonly begun: number; readonly lost: number } {
    return { begun: this.#begun, lost: this.#lost };
  }

  /** Adopts what is due at `nowMs`, in the order in which it was begun, then begins what is asked for. */
  async turn(nowMs: number, engine: Worked): Promise<void> {
    for (let next = this.#pending[0]; next && next.dueMs <= nowMs; next = this.#pending[0]) {
      this.#pending.shift();
      const done = await next.outcome;
      if (done) engine.adopt(done);
      else this.#lost++;
    }
    for (const work of engine.work(nowMs)) {
      this.#begun++;
      this.#pending.push({ dueMs: nowMs + adoptAfterMs, outcome: this.#doWork(work).catch(() => undefined) });
    }
  }

  /** Waits for what is still under way; nothing of it is adopted. */
  async end(): Promise<void> {
    await Promise.all(this.#pending.splice(0).map(({ outcome }) => outcome));
  }
}

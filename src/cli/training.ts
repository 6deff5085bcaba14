/**
 * The forecaster's heavy work in the brain: asked for once a minute, done in a thread of its own, adopted when it is done. Nothing waits for it; work
 * that is lost is said so and asked for again in its time.
 */
import { messageOf, type Clock, type Log } from '../kernel/index.ts';
import type { DemandEngine } from '../predict/index.ts';
import { ModelWorker } from './model-worker.ts';

export class Training implements AsyncDisposable {
  readonly #forecaster: Pick<DemandEngine, 'work' | 'adopt'>;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #worker: ModelWorker;
  #done = 0;
  #lost = 0;
  #lastMs: number | undefined;
  #closing = false;

  constructor(forecaster: Pick<DemandEngine, 'work' | 'adopt'>, clock: Clock, log: Log) {
    this.#forecaster = forecaster;
    this.#clock = clock;
    this.#log = log;
    this.#worker = new ModelWorker({ clock });
  }

  /** Pieces of work done and lost, and what the last one took. */
  get counts(): { readonly done: number; readonly lost: number; readonly lastMs: number | undefined } {
    return { done: this.#done, lost: this.#lost, lastMs: this.#lastMs };
  }

  /** Sets off what is due. Resolves when it has come back or is lost; nobody needs to wait. */
  async run(): Promise<void> {
    await Promise.all(this.#forecaster.work(this.#clock.nowMs()).map(async (work) => {
      const startedMs = this.#clock.monotonicMs();
      try {
        this.#forecaster.adopt(await this.#worker.run(work));
        this.#done++;
        this.#lastMs = this.#clock.monotonicMs() - startedMs;
        this.#log.debug('model-trained', { kind: work.kind, ms: Math.round(this.#lastMs) });
      } catch (error) {
        if (this.#closing) return;
        this.#lost++;
        this.#log.warn('model-work-lost', { kind: work.kind, problem: messageOf(error) });
      }
    }));
  }

  close(): Promise<void> {
    this.#closing = true;
    return this.#worker.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

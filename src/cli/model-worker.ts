/**
 * A second thread for the engine's heavy work, so that training delays neither forecasts nor the play of a trace. One piece of work at a time, in order.
 * When the thread dies, or a piece takes longer than `workMsMax`, the work under way is lost (`work-lost`) and the next piece gets a new thread: the engine
 * lives without it and asks again in time.
 */
import { Worker } from 'node:worker_threads';
import { ForeshadowError, messageOf } from '../kernel/index.ts';
import type { Clock } from '../kernel/index.ts';
import type { Work, WorkDone } from '../predict/index.ts';
import type { ModelAnswer, ModelTask } from './model-thread.ts';

/** Training takes 30 s at most on the largest site; ten minutes are a thread that hangs. */
export const workMsMax = 600_000;

export interface ModelWorkerOptions {
  /** For the limit on one piece of work; none, no limit (in a backtest, where nobody waits and every run must be like the other). */
  readonly clock?: Clock;
  /** What the thread runs. */
  readonly entry?: URL;
}

interface Waiting {
  readonly resolve: (done: WorkDone) => void;
  readonly reject: (error: ForeshadowError) => void;
}

export class ModelWorker implements AsyncDisposable {
  readonly #clock: Clock | undefined;
  readonly #entry: URL;
  #worker: Worker | undefined;
  readonly #waiting = new Map<number, Waiting>();
  /** Pieces go one by one, so that the limit is on each. */
  #last: Promise<unknown> = Promise.resolve();
  #serial = 0;
  #closed = false;

  constructor(options: ModelWorkerOptions = {}) {
    this.#clock = options.clock;
    this.#entry = options.entry ?? new URL('./model-thread.ts', import.meta.url);
  }

  /** Does the work in the thread. Rejects with `work-lost` when the thread dies or hangs, the work fails, or this is closed. */
  run(work: Work): Promise<WorkDone> {
    const result = this.#last.then(() => this.#run(work));
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Ends the thread; work under way is lost. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#end('the process is ending');
    await this.#last;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #run(work: Work): Promise<WorkDone> {
    if (this.#closed) return Promise.reject(lost('the process is ending'));
    const worker = this.#worker ??= this.#start();
    const id = ++this.#serial;
    return new Promise<WorkDone>((resolve, reject) => {
      const cancel = this.#clock?.after(workMsMax, () => { void this.#end(`it took longer than ${workMsMax / 60_000} minutes`); });
      this.#waiting.set(id, {
        resolve: (done) => { cancel?.(); resolve(done); },
        reject: (error) => { cancel?.(); reject(error); },
      });
      const task: ModelTask = { id, work };
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread of this process has no origin
      worker.postMessage(task);
    });
  }

  #start(): Worker {
    const worker = new Worker(this.#entry);
    worker.on('message', (answer: ModelAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('done' in answer) waiting?.resolve(answer.done);
      else waiting?.reject(lost(answer.problem));
    });
    const died = (why: string): void => {
      if (this.#worker !== worker) return;
      this.#worker = undefined;
      this.#loseAll(why);
    };
    worker.on('error', (error) => { died(messageOf(error)); });
    worker.on('exit', (code) => { died(`its thread ended with ${code}`); });
    return worker;
  }

  async #end(why: string): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    this.#loseAll(why);
    await worker?.terminate();
  }

  #loseAll(why: string): void {
    for (const { reject } of this.#waiting.values()) reject(lost(why));
    this.#waiting.clear();
  }
}

function lost(why: string): ForeshadowError {
  return new ForeshadowError('work-lost', { source: 'internal', message: `training was lost: ${why}`, hint: 'it is begun again in time; if it goes on, please report it', retry: true });
}

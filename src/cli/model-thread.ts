/** The thread in which the engine's models are trained (`ModelWorker`): takes work, sends back what came of it, or why nothing did. */
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../kernel/index.ts';
import { doWork } from '../predict/index.ts';
import type { Work, WorkDone } from '../predict/index.ts';

export interface ModelTask {
  readonly id: number;
  readonly work: Work;
}

export type ModelAnswer = { readonly id: number; readonly done: WorkDone } | { readonly id: number; readonly problem: string };

const port = parentPort;
port?.on('message', ({ id, work }: ModelTask) => {
  void (async () => {
    let answer: ModelAnswer;
    try {
      answer = { id, done: await doWork(work) };
    } catch (thrown) {
      answer = { id, problem: messageOf(thrown) };
    }
    port.postMessage(answer);
  })();
});

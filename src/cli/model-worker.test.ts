import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ManualClock } from '../kernel/index.ts';
import type { Work } from '../predict/index.ts';
import { ModelWorker, workMsMax } from './model-worker.ts';

let folder = '';
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'foreshadow-worker-')); });
afterAll(() => { rmSync(folder, { recursive: true }); });

function entry(name: string, source: string): URL {
  const path = join(folder, name);
  writeFileSync(path, source);
  return pathToFileURL(path);
}

const work = (endMs: number): Work => ({ kind: 'series', endMs, series: [], holidays: [] });

test('work is done in the thread, in order', async () => {
  const worker = new ModelWorker();
  try {
    const done = await Promise.all([worker.run(work(1)), worker.run(work(2))]);
    expect(done.map(({ kind, endMs }) => [kind, endMs])).toEqual([['series', 1], ['series', 2]]);
  } finally {
    await worker.close();
  }
});

test('a thread that dies loses the work under way, and the next piece gets a new thread', async () => {
  const worker = new ModelWorker({ entry: entry('dies.ts', `
    import { parentPort } from 'node:worker_threads';
    parentPort.on('message', ({ id, work }) => { if (work.endMs === 13) process.exit(3); else parentPort.postMessage({ id, done: { kind: 'series', endMs: work.endMs } }); });`) });
  try {
    expect(await worker.run(work(1))).toMatchObject({ endMs: 1 });
    const outcomes = await Promise.allSettled([worker.run(work(13)), worker.run(work(2))]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(outcomes[0]).toMatchObject({ reason: { code: 'work-lost' } });
  } finally {
    await worker.close();
  }
});

test('work that fails is lost, and its thread goes on', async () => {
  const worker = new ModelWorker({ entry: entry('fails.ts', `
    import { parentPort } from 'node:worker_threads';
    let n = 0;
    parentPort.on('message', ({ id }) => { n++; parentPort.postMessage(n === 1 ? { id, problem: 'no' } : { id, done: { kind: 'series', endMs: n } }); });`) });
  try {
    expect(worker.run(work(1))).rejects.toMatchObject({ code: 'work-lost', message: 'training was lost: no' });
    expect(await worker.run(work(1))).toMatchObject({ endMs: 2 });
  } finally {
    await worker.close();
  }
});

test('a thread that hangs is ended at the limit', async () => {
  const clock = new ManualClock();
  const worker = new ModelWorker({ clock, entry: entry('hangs.ts', 'import { parentPort } from \'node:worker_threads\'; parentPort.on(\'message\', () => undefined);') });
  try {
    const outcome = worker.run(work(1)).catch((thrown: unknown) => thrown);
    await Promise.resolve();
    await Promise.resolve();
    clock.advance(workMsMax);
    expect(await outcome).toMatchObject({ code: 'work-lost', retry: true });
  } finally {
    await worker.close();
  }
});

test('after closing there is no work, and what was under way is lost', async () => {
  const worker = new ModelWorker({ entry: entry('waits.ts', 'import { parentPort } from \'node:worker_threads\'; parentPort.on(\'message\', () => undefined);') });
  const outcome = worker.run(work(1)).catch((thrown: unknown) => thrown);
  await Promise.resolve();
  await worker.close();
  expect(await outcome).toMatchObject({ code: 'work-lost' });
  expect(worker.run(work(2))).rejects.toMatchObject({ code: 'work-lost' });
});

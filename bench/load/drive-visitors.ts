/** Visitors as a process of their own: an open loop of requests, each answer judged, what was seen written down when done or when the input ends. */
import { writeFileSync } from 'node:fs';
import { seededRandom, type Random } from '../../src/kernel/index.ts';
import { runOpenLoop } from './open-loop.ts';
import { SampleRecorder } from './samples.ts';
import { VisitorPool, type Exchange } from './visitor-pool.ts';

export interface Errand {
  readonly request: Buffer;
  /** What the answer was worth, and by which way it came. */
  judge(exchange: Exchange): { readonly outcome: string; readonly route: string };
}

export interface Visitors {
  readonly port: number;
  readonly ratePerSecond: number;
  readonly seconds: number;
  readonly seed: number;
  /** Who waits longer has gone elsewhere. */
  readonly patienceMs: number;
  readonly out: string;
  /** What each visitor wants, drawn from a generator of its own. */
  readonly errands: (random: Random) => () => Errand;
}

/** Ends the process when all is written. */
export async function driveVisitors({ port, ratePerSecond, seconds, seed, patienceMs, out, errands }: Visitors): Promise<never> {
  const next = errands(seededRandom(seed));
  const pool = new VisitorPool({ hostname: '127.0.0.1', port }, patienceMs);
  const recorder = new SampleRecorder();
  const stop = { requested: false };
  process.stdin.on('end', () => { stop.requested = true; });
  process.stdin.resume();
  await runOpenLoop({
    ratePerSecond, durationMs: seconds * 1000, random: seededRandom(seed + 1),
    start(scheduledMs) {
      const errand = next();
      pool.send(errand.request, (exchange) => {
        const { outcome, route } = errand.judge(exchange);
        recorder.record(performance.timeOrigin + scheduledMs, performance.now() - scheduledMs, outcome, route);
      });
    },
  }, stop);
  const lastMs = performance.now() + patienceMs;
  while (pool.busy > 0 && performance.now() < lastMs) await new Promise<void>((resolve) => { setTimeout(resolve, 20); });
  pool.close();
  writeFileSync(out, JSON.stringify(recorder.samples(pool.retries)));
  process.exit(0);
}

/**
 * The visitors of the `live` suite, a process of their own: `visitors.ts PORT RATE SECONDS SEED KIND OUT`, open loop, each for any of the 10,000
 * variations. They judge every answer, and write what they saw to OUT when done, or when their input ends.
 */
import { writeFileSync } from 'node:fs';
import { seededRandom } from '../../src/kernel/index.ts';
import { runOpenLoop } from '../load/open-loop.ts';
import { SampleRecorder } from '../load/samples.ts';
import { VisitorPool } from '../load/visitor-pool.ts';
import { kinds, priceShown, requestBytes, variations } from './page.ts';

const patienceMs = 10_000;

async function main(args: readonly string[]): Promise<void> {
  const [port = 0, rate = 200, seconds = 60, seed = 1] = args.slice(0, 4).map(Number);
  const kind = kinds.find((known) => known === args[4]);
  const out = args[5];
  if (kind === undefined || out === undefined) throw new Error('visitors.ts PORT RATE SECONDS SEED KIND OUT');
  const random = seededRandom(seed);
  const pool = new VisitorPool({ hostname: '127.0.0.1', port }, patienceMs);
  const recorder = new SampleRecorder();
  const stop = { requested: false };
  process.stdin.on('end', () => { stop.requested = true; });
  process.stdin.resume();
  await runOpenLoop({
    ratePerSecond: rate, durationMs: seconds * 1000, random: seededRandom(seed + 1),
    start(scheduledMs) {
      const variation = random.below(variations);
      pool.send(requestBytes(variation, port), (exchange) => {
        const outcome = !exchange.ok ? exchange.failure : exchange.answer.status !== 200 ? `status ${exchange.answer.status}` : priceShown(kind, variation, exchange.answer.body) === 'wrong' ? 'wrong' : 'right';
        recorder.record(performance.timeOrigin + scheduledMs, performance.now() - scheduledMs, outcome, 'any');
      });
    },
  }, stop);
  const lastMs = performance.now() + patienceMs;
  while (pool.busy > 0 && performance.now() < lastMs) await new Promise<void>((resolve) => { setTimeout(resolve, 20); });
  pool.close();
  writeFileSync(out, JSON.stringify(recorder.samples(pool.retries)));
  process.exit(0);
}

if (import.meta.main) await main(process.argv.slice(2));

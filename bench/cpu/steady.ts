/**
 * Open-loop load at a steady rate, a process of its own: `steady.ts PORT RATE SECONDS OUT PATH…`. Writes latencies from
 * the scheduled time, and how late the generator itself was.
 */
import { writeFileSync } from 'node:fs';
import { seededRandom } from '../../src/kernel/index.ts';
import { browserRequest } from '../load/browser.ts';
import { runOpenLoop } from '../load/open-loop.ts';
import { quantile } from '../load/samples.ts';
import { VisitorPool } from '../load/visitor-pool.ts';

const warmUpShare = 0.2;
/** As many as a busy proxy in front would keep open. */
const connectionsMax = 128;

async function main(args: readonly string[]): Promise<void> {
  const [port = 0, rate = 1000, seconds = 5] = args.slice(0, 3).map(Number);
  const [out = '', ...paths] = args.slice(3);
  const pool = new VisitorPool({ hostname: '127.0.0.1', port }, 10_000, connectionsMax);
  const requests = paths.map((path) => browserRequest(path, `127.0.0.1:${port}`));
  const latencies: number[] = [];
  const lateness: number[] = [];
  let failed = 0;
  let at = 0;
  const beganMs = performance.now();
  await runOpenLoop({
    ratePerSecond: rate, durationMs: seconds * 1000, random: seededRandom(42),
    start(scheduledMs) {
      const counts = scheduledMs - beganMs > seconds * 1000 * warmUpShare;
      if (counts) lateness.push(performance.now() - scheduledMs);
      const request = requests[at++ % requests.length];
      if (request === undefined) return;
      pool.send(request, (exchange) => {
        if (!exchange.ok || exchange.answer.status !== 200) failed++;
        if (counts) latencies.push(performance.now() - scheduledMs);
      });
    },
  });
  const lastMs = performance.now() + 5000;
  while (pool.busy > 0 && performance.now() < lastMs) await new Promise<void>((resolve) => { setTimeout(resolve, 10); });
  const sorted = Float64Array.from(latencies).sort();
  const late = Float64Array.from(lateness).sort();
  writeFileSync(out, JSON.stringify({
    requests: sorted.length, failed: failed + pool.busy,
    p50Ms: quantile(sorted, 0.5), p99Ms: quantile(sorted, 0.99), maxMs: quantile(sorted, 1), generatorLateP99Ms: quantile(late, 0.99),
  }));
  process.exit(0);
}

if (import.meta.main) await main(process.argv.slice(2));

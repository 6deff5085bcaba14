/**
 * The visitors of the outage benchmark, a process of their own: `visitors.ts PORT RATE SECONDS SEED PAGES OUT`. They judge every
 * answer (status, whole body, right page, right variation) and write what they saw to OUT when done, or when their input ends.
 */
import { writeFileSync } from 'node:fs';
import { seededRandom } from '../../src/kernel/index.ts';
import { fieldOf } from '../load/answer-reader.ts';
import { runOpenLoop } from '../load/open-loop.ts';
import { SampleRecorder } from '../load/samples.ts';
import { VisitorPool } from '../load/visitor-pool.ts';
import type { Exchange } from '../load/visitor-pool.ts';
import { createVisitSampler, judge, pagesMax, requestBytes } from './site.ts';
import type { Visit } from './site.ts';

/** Longer than any server here waits for an origin; whoever waits longer has gone elsewhere. */
const patienceMs = 30_000;

function outcomeOf(visit: Visit, exchange: Exchange): string {
  if (!exchange.ok) return exchange.failure;
  const { status, body } = exchange.answer;
  return status === 200 ? judge(visit, body) : `status ${status}`;
}

function routeOf(exchange: Exchange): string {
  if (!exchange.ok) return 'none';
  const told = /^source=([\w-]+); *reason=([\w-]+)/.exec(fieldOf(exchange.answer.head, 'foreshadow').replace(/, */g, '; '));
  return told ? `${told[1]} ${told[2]}` : 'untold';
}

async function main(args: readonly string[]): Promise<void> {
  const [port = 0, rate = 300, seconds = 60, seed = 1, pages = pagesMax] = args.slice(0, 5).map(Number);
  const out = args[5];
  if (out === undefined) throw new Error('visitors.ts PORT RATE SECONDS SEED PAGES OUT');
  const random = seededRandom(seed);
  const arrivals = seededRandom(seed + 1);
  const nextVisit = createVisitSampler(random, pages);
  const pool = new VisitorPool({ hostname: '127.0.0.1', port }, patienceMs);
  const recorder = new SampleRecorder();
  const stop = { requested: false };
  process.stdin.on('end', () => { stop.requested = true; });
  process.stdin.resume();

  await runOpenLoop({
    ratePerSecond: rate,
    durationMs: seconds * 1000,
    random: arrivals,
    start(scheduledMs) {
      const visit = nextVisit();
      pool.send(requestBytes(visit), (exchange) => {
        recorder.record(performance.timeOrigin + scheduledMs, performance.now() - scheduledMs, outcomeOf(visit, exchange), routeOf(exchange));
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

/**
 * The visitors of the outage benchmark, a process of their own: `visitors.ts PORT RATE SECONDS SEED PAGES OUT`. They judge every
 * answer (status, whole body, right page, right variation) and write what they saw to OUT when done, or when their input ends.
 */
import { fieldOf } from '../load/answer-reader.ts';
import { driveVisitors } from '../load/drive-visitors.ts';
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
  const [port = 0, ratePerSecond = 300, seconds = 60, seed = 1, pages = pagesMax] = args.slice(0, 5).map(Number);
  const out = args[5];
  if (out === undefined) throw new Error('visitors.ts PORT RATE SECONDS SEED PAGES OUT');
  await driveVisitors({
    port, ratePerSecond, seconds, seed, patienceMs, out,
    errands(random) {
      const nextVisit = createVisitSampler(random, pages);
      return () => {
        const visit = nextVisit();
        return { request: requestBytes(visit), judge: (exchange) => ({ outcome: outcomeOf(visit, exchange), route: routeOf(exchange) }) };
      };
    },
  });
}

if (import.meta.main) await main(process.argv.slice(2));

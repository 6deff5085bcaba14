/**
 * The visitors of the `live` suite, a process of their own: `visitors.ts PORT RATE SECONDS SEED KIND OUT`, open loop, each for any of the 10,000
 * variations. They judge every answer, and write what they saw to OUT when done, or when their input ends.
 */
import { driveVisitors } from '../load/drive-visitors.ts';
import { kinds, priceShown, requestBytes, variations } from './page.ts';

const patienceMs = 10_000;

async function main(args: readonly string[]): Promise<void> {
  const [port = 0, ratePerSecond = 200, seconds = 60, seed = 1] = args.slice(0, 4).map(Number);
  const kind = kinds.find((known) => known === args[4]);
  const out = args[5];
  if (kind === undefined || out === undefined) throw new Error('visitors.ts PORT RATE SECONDS SEED KIND OUT');
  await driveVisitors({
    port, ratePerSecond, seconds, seed, patienceMs, out,
    errands: (random) => () => {
      const variation = random.below(variations);
      return {
        request: requestBytes(variation, port),
        judge(exchange) {
          const outcome = !exchange.ok ? exchange.failure : exchange.answer.status !== 200 ? `status ${exchange.answer.status}` : priceShown(kind, variation, exchange.answer.body) === 'wrong' ? 'wrong' : 'right';
          return { outcome, route: 'any' };
        },
      };
    },
  });
}

if (import.meta.main) await main(process.argv.slice(2));

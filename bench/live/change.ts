/**
 * One change of the price, seen from outside: from the moment the feed has answered with the new one, variations are asked all the time, in samples that
 * grow as long as none shows the old price; at the end, if wanted, each of the 10,000 once. The last old answer says how long it took.
 */
import type { Random } from '../../src/kernel/index.ts';
import { VisitorPool } from '../load/visitor-pool.ts';
import { until } from '../machine/program.ts';
import { priceShown, requestBytes, variations } from './page.ts';
import type { Kind } from './page.ts';

export interface Change {
  /** From the feed's answer to the end of the last answer with the old price, and to that of the first with the new one. */
  readonly lastOldMs: number;
  readonly firstNewMs: number;
  readonly asked: number;
  readonly wrong: number;
  /** When the feed answered, epoch ms. */
  readonly toldMs: number;
  /** Of the 10,000 asked at the end, those that showed anything but the new price. */
  readonly notNew: number | undefined;
}

export interface ChangeOptions {
  readonly kind: Kind;
  readonly port: number;
  readonly feedPort: number;
  readonly random: Random;
  readonly price: number;
  readonly askAll: boolean;
}

const firstSample = 100;
const lastSample = 1600;
const deadlineMs = 30_000;
/** The sampler is one visitor among others, who asks a few hundred times a second; the last pass is as fast as it goes. */
const pauseMs = 2;
const atOnce = 16;

export async function watchChange(options: ChangeOptions): Promise<Change> {
  const { port, feedPort, random, price } = options;
  await fetch(`http://127.0.0.1:${feedPort}/price?is=${price}`, { method: 'POST' });
  let toldMs = 0;
  const asker = new Asker(options);
  await until('the feed to be asked', async () => (toldMs = Number(await (await fetch(`http://127.0.0.1:${feedPort}/told?price=${price}`)).text())) > 0, deadlineMs, 2);
  for (let sample = firstSample; sample <= lastSample; sample *= 2) {
    const oldBefore = asker.old;
    for (let at = 0; at < sample; at++) {
      await asker.ask(random.below(variations));
      await new Promise<void>((resolve) => { setTimeout(resolve, pauseMs); });
    }
    if (asker.old > oldBefore || asker.firstNewMs === 0) sample = firstSample / 2;
    if (nowMs() - toldMs > deadlineMs) throw new Error(`the price is not on every page after ${deadlineMs} ms (port ${port})`);
  }
  const before = asker.wrong + asker.old;
  if (options.askAll) await asker.askAll();
  asker.close();
  return {
    lastOldMs: Math.max(0, asker.lastOldMs - toldMs), firstNewMs: asker.firstNewMs - toldMs, asked: asker.asked, wrong: asker.wrong, toldMs,
    notNew: options.askAll ? asker.wrong + asker.old - before : undefined,
  };
}

class Asker {
  readonly #options: ChangeOptions;
  readonly #pool: VisitorPool;
  asked = 0;
  old = 0;
  wrong = 0;
  lastOldMs = 0;
  firstNewMs = 0;

  constructor(options: ChangeOptions) {
    this.#options = options;
    this.#pool = new VisitorPool({ hostname: '127.0.0.1', port: options.port }, 10_000);
  }

  ask(variation: number): Promise<void> {
    const { kind, port, price } = this.#options;
    return new Promise((resolve) => {
      this.#pool.send(requestBytes(variation, port), (exchange) => {
        const shown = exchange.ok && exchange.answer.status === 200 ? priceShown(kind, variation, exchange.answer.body) : 'wrong';
        this.asked++;
        if (shown === 'wrong') this.wrong++;
        else if (shown === price) this.firstNewMs ||= nowMs();
        else {
          this.old++;
          this.lastOldMs = nowMs();
        }
        resolve();
      });
    });
  }

  async askAll(): Promise<void> {
    let next = 0;
    const reader = async (): Promise<void> => { while (next < variations) await this.ask(next++); };
    await Promise.all(Array.from({ length: atOnce }, reader));
  }

  close(): void { this.#pool.close(); }
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

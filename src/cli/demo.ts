/**
 * `foreshadow demo`, what `npm start` runs: the example shop as origin, `foreshadow up` before it in three regions,
 * visitors on their way, and a live table of who gets what from where. Keys break the shop and bring it back.
 * `--origin URL` protects that site instead (it hands over to `up`). Without a terminal it prints a line every five seconds,
 * and `--for` ends it: exit 0 if nothing failed and nothing was wrong, else 1. It leaves no process behind.
 */
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { freshSeed, messageOf, parseDuration, seededRandom } from '../kernel/index.ts';
import type { Clock } from '../kernel/index.ts';
import { introduction, keysLine, line, table, verdict } from './demo-screen.ts';
import type { DemoState } from './demo-screen.ts';
import { DemoShop } from './demo-shop.ts';
import { DemoSite, planDemo } from './demo-site.ts';
import { Tally } from './demo-tally.ts';
import { Visitors } from './demo-visitors.ts';
import type { ShopLore } from './demo-visitors.ts';
import type { CliIo } from './io.ts';

export interface DemoIo extends CliIo {
  readonly clock: Clock;
  /** Each key pressed while a person is at the terminal; returns what gives the keyboard back. */
  onKey(press: (key: string) => void): () => void;
  /** Called when the process is asked to end (SIGINT, SIGTERM); returns what stops listening. */
  onStop(stop: () => void): () => void;
}

const usage = 'usage: foreshadow demo [--for 60s] [--kill-after 20s] [--back-after 40s] [--rate 40] [--seed N] [--any-ports] [--data DIR] | --origin URL [up\'s options]';
const home = resolve(import.meta.dir, '../..');

interface DemoOptions {
  readonly forMs: number | undefined;
  readonly killAfterMs: number | undefined;
  readonly backAfterMs: number | undefined;
  readonly ratePerSecond: number;
  readonly seed: number;
  readonly anyPorts: boolean;
  readonly folder: string;
}

/** `up` is what `--origin` hands over to, with all its arguments. */
export async function runDemo(args: readonly string[], io: DemoIo, up: (args: readonly string[]) => Promise<number>): Promise<number> {
  if (args.some((word) => word === '--origin' || word.startsWith('--origin='))) return up(args);
  if (args.includes('--help')) {
    io.out(`${usage}\n`);
    return 0;
  }
  const options = readOptions(args);
  if (typeof options === 'string') {
    io.err(`foreshadow demo: ${options}\n`);
    return 2;
  }
  try {
    return await play(options, io);
  } catch (thrown) {
    io.err(`foreshadow demo: ${messageOf(thrown)}\n`);
    return 1;
  }
}

function readOptions(args: readonly string[]): DemoOptions | string {
  let values;
  try {
    values = parseArgs({
      args: [...args],
      options: {
        for: { type: 'string' }, 'kill-after': { type: 'string' }, 'back-after': { type: 'string' }, rate: { type: 'string', default: '40' },
        seed: { type: 'string' }, 'any-ports': { type: 'boolean', default: false }, data: { type: 'string' }, replay: { type: 'string' },
      },
    }).values;
  } catch (thrown) {
    return `${messageOf(thrown)}; ${usage}`;
  }
  if (values.replay !== undefined) return '--replay is not available yet; npm run bench -- replay --log F plays a log through Foreshadow';
  const times: (number | undefined)[] = [];
  for (const text of [values.for, values['kill-after'], values['back-after']]) {
    const ms = text === undefined ? undefined : parseDuration(text);
    if (text !== undefined && ms === undefined) return `${text} is no duration; write it like 20s`;
    times.push(ms);
  }
  const ratePerSecond = Number(values.rate);
  if (!(ratePerSecond > 0 && ratePerSecond <= 1000)) return `--rate ${values.rate}: expected visits a second, above 0 and at most 1000`;
  const seed = values.seed === undefined ? freshSeed() : Number(values.seed);
  if (!Number.isInteger(seed)) return `--seed ${values.seed}: expected a whole number`;
  const [forMs, killAfterMs, backAfterMs] = times;
  return { forMs, killAfterMs, backAfterMs, ratePerSecond, seed, anyPorts: values['any-ports'], folder: resolve(values.data ?? join('.foreshadow', 'demo')) };
}

async function play(options: DemoOptions, io: DemoIo): Promise<number> {
  const plan = await planDemo(join(home, 'examples/shop/foreshadow.yaml'), options.folder, options.anyPorts);
  const shop = new DemoShop({ folder: join(home, 'examples/shop'), port: plan.shopPort, feedsPort: plan.feedsPort, logFile: join(options.folder, 'shop.log') });
  let site: DemoSite | undefined;
  let visitors: Visitors | undefined;
  // From here on there is something to clean up, so an early end must come through here too.
  const wish = new EndWish(io);
  try {
    const lore = await shopLore();
    const running = site = new DemoSite({ clock: io.clock, main: join(home, 'src/main.ts'), plan, dataDir: join(options.folder, 'data'), logFile: join(options.folder, 'up.log') });
    await site.ready(20_000, wish);
    if (wish.given) return 0;
    io.out(introduction(plan, io.isTty));
    const tally = new Tally(plan.regions.map(({ name }) => name));
    visitors = new Visitors({
      regions: plan.regions, ratePerSecond: options.ratePerSecond, random: seededRandom(options.seed), clock: io.clock,
      lore, live: () => running.live, seen: (visit) => { tally.add(visit); },
    });
    await show(options, io, { shop, site, tally, wish });
    const regions = tally.regions(io.clock.nowMs());
    io.out(`${verdict(regions, tally.lastWrong)} (seed ${options.seed})\n`);
    if (!site.running) throw new Error(`foreshadow up ended by itself; see ${join(options.folder, 'up.log')}`);
    return regions.every(({ failed, wrong }) => failed === 0 && wrong === 0) ? 0 : 1;
  } finally {
    wish.close();
    visitors?.stop();
    await site?.stop(5000);
    await shop.stop();
  }
}

/** What the example's own files know of it; they are no part of the program, and are loaded when it is played. */
async function shopLore(): Promise<ShopLore> {
  const [market, judge]: unknown[] = await Promise.all(['market.ts', 'judge.ts'].map((file): Promise<unknown> => import(join(home, 'examples/shop', file))));
  return { ...market as Pick<ShopLore, 'tastes'>, ...judge as Pick<ShopLore, 'whatIsWrong'> }; // the example's own exports, which its tests hold to this shape
}

/** Draws until somebody wants to end it; does what keys and times ask for. */
async function show(options: DemoOptions, io: DemoIo, { shop, site, tally, wish }: { readonly shop: DemoShop; readonly site: DemoSite; readonly tally: Tally; readonly wish: EndWish }): Promise<void> {
  const startedMs = io.clock.monotonicMs();
  const screen = new Screen(io);
  let seen: DemoState['seen'];
  const draw = (): void => {
    screen.draw({ regions: tally.regions(io.clock.nowMs()), elapsedMs: io.clock.monotonicMs() - startedMs, shop: shop.state, seen, lastWrong: tally.lastWrong });
  };
  await new Promise<void>((resolve) => {
    const act = (work: void | Promise<void>): void => { void Promise.resolve(work).then(draw); };
    const keys: Readonly<Record<string, () => void>> = {
      k: () => { act(shop.kill()); },
      h: () => { act(shop.hang()); },
      s: () => { act(shop.trouble('slow')); },
      e: () => { act(shop.trouble('failing')); },
      r: () => { act(shop.restore()); },
      f: () => { act(shop.toggleFeeds()); },
      q: end,
      '\u0003': end,
    };
    const releases = [wish.whenGiven(end), io.onKey((key) => { keys[key]?.(); })];
    if (options.forMs !== undefined) releases.push(io.clock.after(options.forMs, end));
    if (options.killAfterMs !== undefined) releases.push(io.clock.after(options.killAfterMs, () => { act(shop.kill()); }));
    if (options.backAfterMs !== undefined) releases.push(io.clock.after(options.backAfterMs, () => { act(shop.restore()); }));
    const ticker = setInterval(() => {
      if (!site.running) { end(); return; }
      void site.seen().then((latest) => { seen = latest; draw(); });
    }, 1000);
    function end(): void {
      clearInterval(ticker);
      for (const release of releases) release();
      draw();
      resolve();
    }
  });
}

/** Whether somebody has asked the process to end, from the first moment on. */
class EndWish {
  readonly #release: () => void;
  #given = false;
  #act: (() => void) | undefined;

  constructor(io: DemoIo) {
    this.#release = io.onStop(() => {
      this.#given = true;
      this.#act?.();
    });
  }

  get given(): boolean { return this.#given; }

  /** Calls `act` when it is given; returns what forgets it. */
  whenGiven(act: () => void): () => void {
    this.#act = act;
    return () => { this.#act = undefined; };
  }

  close(): void { this.#release(); }
}

/** On a terminal the table is drawn over itself; elsewhere every fifth drawing becomes a line. */
class Screen {
  readonly #io: DemoIo;
  #linesDrawn = 0;
  #nextLineMs = 5000;

  constructor(io: DemoIo) {
    this.#io = io;
  }

  draw(state: DemoState): void {
    if (!this.#io.isTty) {
      if (state.elapsedMs < this.#nextLineMs) return;
      this.#nextLineMs += 5000;
      this.#io.out(`${line(state)}\n`);
      return;
    }
    const text = `${table(state)}\n${keysLine}\n`;
    const back = this.#linesDrawn > 0 ? `\u001b[${this.#linesDrawn}A\u001b[J` : '';
    this.#linesDrawn = text.split('\n').length - 1;
    this.#io.out(back + text);
  }
}

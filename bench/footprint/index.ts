/**
 * 100,000 shadows of 8 KiB: memory of the process tree after random reads over all of them, and the time from a start
 * (after a kill, with the origin down) to the first one served. Required: at most 400 MB, at most 2 s.
 * nginx runs beside us for comparison; Varnish's copies do not outlive it.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../../src/kernel/index.ts';
import { browserRequest } from '../load/browser.ts';
import { VisitorPool } from '../load/visitor-pool.ts';
import { Program, accepts, freePort, processTree, residentBytes, until } from '../machine/program.ts';
import type { Peer } from '../peers/peer.ts';
import { ms, percent } from '../report.ts';
import type { Suite, SuiteContext } from '../suite.ts';
import { isItem } from './item.ts';

const atOnce = 32;

interface Footprint {
  readonly peer: string;
  readonly items: number;
  readonly fillSeconds: number;
  readonly publishSeconds: number;
  readonly diskBytes: number;
  readonly filled: { readonly all: number; readonly own: number };
  readonly firstServedMs: number;
  readonly answered: number;
  readonly afterReads: { readonly all: number; readonly own: number };
  /** The same, process by process, the one that was started first. */
  readonly afterReadsByProcess: readonly { readonly all: number; readonly own: number }[];
}

export const footprint: Suite = {
  name: 'footprint',
  about: '100,000 shadows of 8 KiB: memory, and start with the origin down',
  async run(context) {
    const items = context.quick ? 10_000 : 100_000;
    const results: Footprint[] = [];
    for (const peer of context.peers.filter(({ name }) => name !== 'varnish')) results.push(await measure(context, peer, items));
    const ours = results.find(({ peer }) => peer === 'foreshadow');
    const missed: string[] = [];
    if (ours && ours.afterReads.all > 400e6) missed.push(`resident memory ${megabytes(ours.afterReads.all)} (at most 400 MB)`);
    if (ours && ours.firstServedMs > 2000) missed.push(`first shadow ${ms(ours.firstServedMs)} after start (at most 2 s)`);
    if (ours && ours.answered < items) missed.push(`${items - ours.answered} of ${items} shadows were not answered after the restart`);
    return {
      numbers: results,
      missed,
      tables: [{
        title: `${items} shadows of 8 KiB, restarted with the origin down`,
        columns: ['server', 'first served', 'answered', 'RSS, all read', 'own', 'RSS, filled', 'own', 'disk', 'filled in', 'published in'],
        rows: results.map((one) => [one.peer, ms(one.firstServedMs), percent(one.answered, items), megabytes(one.afterReads.all), megabytes(one.afterReads.own),
          megabytes(one.filled.all), megabytes(one.filled.own), megabytes(one.diskBytes), `${one.fillSeconds.toFixed(0)} s`, `${one.publishSeconds.toFixed(0)} s`]),
      }],
    };
  },
};

async function measure(context: SuiteContext, peer: Peer, items: number): Promise<Footprint> {
  const originPort = await freePort();
  const port = await freePort();
  const folder = join(context.folder, peer.name);
  const origin = Program.start({ command: [process.execPath, join(import.meta.dir, 'origin.ts'), String(originPort)], logFile: join(context.folder, 'origin.log') });
  await until('the origin to listen', () => accepts(originPort));
  const setup = { folder, port, originPort, variations: false };
  let server = await peer.start(setup);
  try {
    const fillSeconds = await seconds(async () => {
      const got = await readAll(port, Array.from({ length: items }, (_, item) => item));
      if (got < items) throw new Error(`${peer.name} passed on only ${got} of ${items} items`);
    });
    context.say(`footprint: ${peer.name} filled in ${fillSeconds.toFixed(0)} s`);
    const publishSeconds = await seconds(async () => { await peer.published?.(setup, items, 900_000); });
    await readAll(port, shuffled(items, 1));
    const filled = residentBytes(processTree(server.pid));
    await origin.kill();
    await server.kill();
    const startedMs = performance.now();
    server = await peer.start(setup);
    await until('the first shadow', async () => await readAll(port, [items >> 1]) === 1, 120_000, 5);
    const firstServedMs = performance.now() - startedMs;
    const answered = await readAll(port, shuffled(items, 2));
    await readAll(port, shuffled(items, 3));
    return {
      peer: peer.name, items, fillSeconds, publishSeconds, filled, firstServedMs, answered,
      diskBytes: folderBytes(folder), afterReads: residentBytes(processTree(server.pid)),
      afterReadsByProcess: processTree(server.pid).map((pid) => residentBytes([pid])),
    };
  } finally {
    await server.stop();
    await origin.stop();
  }
}

async function seconds(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return (performance.now() - startedMs) / 1000;
}

/** Asks for these items, some at a time; how many came whole and right. */
async function readAll(port: number, items: readonly number[]): Promise<number> {
  const pool = new VisitorPool({ hostname: '127.0.0.1', port }, 30_000);
  let right = 0;
  let next = 0;
  const reader = async (): Promise<void> => {
    for (let item = items[next++]; item !== undefined; item = items[next++]) {
      const wanted = item;
      await new Promise<void>((resolve) => {
        pool.send(browserRequest(`/items/${wanted}`, `127.0.0.1:${port}`), (exchange) => {
          if (exchange.ok && exchange.answer.status === 200 && isItem(wanted, exchange.answer.body)) right++;
          resolve();
        });
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, reader));
  pool.close();
  return right;
}

function folderBytes(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || entry.name.endsWith('.log')) continue;
    try {
      bytes += statSync(join(entry.parentPath, entry.name)).blocks * 512;
    } catch { /* a temporary file that has gone */ }
  }
  return bytes;
}

function shuffled(count: number, seed: number): number[] {
  const random = seededRandom(seed);
  const list = Array.from({ length: count }, (_, at) => at);
  for (let at = count - 1; at > 0; at--) {
    const other = random.below(at + 1);
    [list[at], list[other]] = [list[other] ?? at, list[at] ?? other];
  }
  return list;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

/**
 * A real log (`--log FILE`, common or combined format) played through the server in the order and rhythm it was written,
 * many times faster; the origin is killed half way through and comes back after three quarters. Required of Foreshadow:
 * whatever anybody had asked for before the kill is answered, rightly.
 */
import { join } from 'node:path';
import { seededRandom } from '../../src/kernel/index.ts';
import { browserRequest } from '../load/browser.ts';
import { VisitorPool } from '../load/visitor-pool.ts';
import { Program, accepts, freePort, until } from '../machine/program.ts';
import type { Peer } from '../peers/peer.ts';
import { percent } from '../report.ts';
import type { Suite, SuiteContext } from '../suite.ts';
import { readLog } from './log.ts';
import type { LoggedRequest } from './log.ts';
import { pageBody } from './page.ts';

type Phase = 'before' | 'outage' | 'after';
interface PhaseCount { asked: number; answered: number; failedSeen: number; failedNeverSeen: number; wrong: number; readonly firstFailures: string[] }
interface Replay { readonly peer: string; readonly phases: Readonly<Record<Phase, PhaseCount>> }

export const replay: Suite = {
  name: 'replay',
  about: 'a real log through the server, the origin killed half way (--log FILE [--speed 720] [--hours 24])',
  async run(context) {
    const file = context.options['log'];
    if (file === undefined) {
      context.say('replay: left out; it needs a log: --log FILE');
      return undefined;
    }
    const log = readLog(file);
    const hours = Number(context.options['hours'] ?? 24);
    const speed = Number(context.options['speed'] ?? (context.quick ? 2160 : 720));
    const beganMs = log.requests[0]?.atMs ?? 0;
    const requests = log.requests.filter(({ atMs }) => atMs < beganMs + hours * 3_600_000);
    context.say(`replay: ${requests.length} requests of ${new Set(requests.map(({ url }) => url)).size} URLs, ${speed} times faster; ${log.odd} odd lines, ${log.otherMethodsOrFailures} not replayable`);
    const results: Replay[] = [];
    for (const peer of context.peers) results.push(await play(context, peer, requests, speed));
    const missed = results.filter(({ peer }) => peer === 'foreshadow').flatMap(({ phases }) => Object.entries(phases).flatMap(([phase, { failedSeen, wrong, firstFailures }]) =>
      failedSeen + wrong > 0 ? [`${phase}: ${failedSeen} failed that had been seen before, ${wrong} wrong (${firstFailures.join(', ')})`] : []));
    return {
      numbers: { file, speed, odd: log.odd, otherMethodsOrFailures: log.otherMethodsOrFailures, results },
      missed,
      tables: [{
        title: 'Replay of a real log, the origin killed half way',
        columns: ['server, phase', 'asked', 'answered', 'failed, seen before', 'failed, never seen', 'wrong'],
        rows: results.flatMap(({ peer, phases }) => Object.entries(phases).map(([phase, count]) =>
          [`${peer}, ${phase}`, String(count.asked), percent(count.answered, count.asked), String(count.failedSeen), String(count.failedNeverSeen), String(count.wrong)])),
      }],
    };
  },
};

async function play(context: SuiteContext, peer: Peer, requests: readonly LoggedRequest[], speed: number): Promise<Replay> {
  const originPort = await freePort();
  const port = await freePort();
  const startOrigin = async (): Promise<Program> => {
    const origin = Program.start({ command: [process.execPath, join(import.meta.dir, 'origin.ts'), String(originPort)], logFile: join(context.folder, 'origin.log') });
    await until('the origin to listen', () => accepts(originPort));
    return origin;
  };
  let origin = await startOrigin();
  const server = await peer.start({ folder: join(context.folder, peer.name), port, originPort, variations: false });
  const phases = { before: noCount(), outage: noCount(), after: noCount() };
  const pool = new VisitorPool({ hostname: '127.0.0.1', port }, 30_000);
  const seen = new Set<string>();
  const jitter = seededRandom(9);
  const firstMs = requests[0]?.atMs ?? 0;
  const lastMs = requests.at(-1)?.atMs ?? 0;
  let phase: Phase = 'before';
  const startedMs = performance.now();
  for (const { atMs, url } of requests) {
    const wanted: Phase = atMs < (firstMs + lastMs) / 2 ? 'before' : atMs < firstMs + (lastMs - firstMs) * 0.75 ? 'outage' : 'after';
    if (wanted !== phase) {
      await until('open requests to end', () => pool.busy === 0);
      if (wanted === 'outage') await origin.kill();
      else origin = await startOrigin();
      phase = wanted;
    }
    // The log has whole seconds; within one, requests come at any moment.
    const dueMs = startedMs + (atMs + jitter.next() * 1000 - firstMs) / speed;
    while (performance.now() < dueMs) await new Promise((resolve) => { setTimeout(resolve, Math.max(0, dueMs - performance.now())); });
    ask(pool, port, url, phases[phase], seen);
  }
  await until('the last answers', () => pool.busy === 0, 35_000);
  pool.close();
  await server.stop();
  await origin.stop();
  return { peer: peer.name, phases };
}

function ask(pool: VisitorPool, port: number, url: string, count: PhaseCount, seen: Set<string>): void {
  const known = seen.has(url);
  count.asked++;
  pool.send(browserRequest(url, `127.0.0.1:${port}`), (exchange) => {
    if (exchange.ok && exchange.answer.status === 200) {
      if (Buffer.from(exchange.answer.body).toString('latin1') !== pageBody(url)) { count.wrong++; count.firstFailures.push(url); return; }
      seen.add(url);
      count.answered++;
      return;
    }
    if (known) count.failedSeen++;
    else count.failedNeverSeen++;
    if (known && count.firstFailures.length < 5) count.firstFailures.push(`${url} ${exchange.ok ? exchange.answer.status : exchange.failure}`);
  });
}

function noCount(): PhaseCount {
  return { asked: 0, answered: 0, failedSeen: 0, failedNeverSeen: 0, wrong: 0, firstFailures: [] };
}

/**
 * One server through one fault: fresh start, warm-up, fault, then an origin that can serve only 12 requests at a time.
 * The visitors run through it all without knowing; what they saw is cut into phases by the clock afterwards.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { summarise } from '../load/samples.ts';
import type { Samples, Summary } from '../load/samples.ts';
import { Program, accepts, freePort, until } from '../machine/program.ts';
import type { Peer, PeerSetup } from '../peers/peer.ts';
import type { Mode, OriginCounts } from './origin-counts.ts';

export interface OutageTimes { readonly warmUpMs: number; readonly faultMs: number; readonly returnMs: number }
export interface OutagePhase { readonly visitors: Summary; readonly origin: OriginCounts }
export interface OutageRun {
  readonly peer: string;
  readonly fault: Mode;
  readonly warmUp: OutagePhase;
  readonly outage: OutagePhase;
  readonly recovery: OutagePhase;
  readonly retries: number;
}

export interface OutageOptions {
  readonly peer: Peer;
  readonly fault: Mode;
  readonly times: OutageTimes;
  readonly folder: string;
  readonly ratePerSecond: number;
  readonly seed: number;
  readonly pages: number;
  /** Called when the warm-up's time is over, to wait for more before the fault begins. */
  readonly warm?: (setup: PeerSetup) => Promise<void>;
}

export async function runOutage(options: OutageOptions): Promise<OutageRun> {
  const { folder, times } = options;
  mkdirSync(folder, { recursive: true });
  const originPort = await freePort();
  const controlPort = await freePort();
  const port = await freePort();
  await using started = new Started();
  started.add(Program.start({ command: [process.execPath, join(import.meta.dir, 'origin.ts'), String(originPort), String(controlPort), String(options.pages)], logFile: join(folder, 'origin.log') }));
  await until('the origin to listen', async () => await accepts(originPort) && await accepts(controlPort));
  const setMode = async (mode: Mode): Promise<OriginCounts> => {
    // The benchmark's own origin answers with what `OriginCounts` says.
    return await (await fetch(`http://127.0.0.1:${controlPort}/?mode=${mode}`, { method: 'POST' })).json() as OriginCounts;
  };
  const setup: PeerSetup = { folder: join(folder, 'server'), port, originPort, variations: true };
  started.add(await options.peer.start(setup));
  await setMode('ok');
  const out = join(folder, 'samples.json');
  const allMs = times.warmUpMs + times.faultMs + times.returnMs;
  const visitors = started.add(Program.start({
    command: [process.execPath, join(import.meta.dir, 'visitors.ts'), String(port), String(options.ratePerSecond), String(allMs / 1000 + 60), String(options.seed), String(options.pages), out],
    logFile: join(folder, 'visitors.log'),
  }));
  const marksMs = [Date.now()];
  const counts: OriginCounts[] = [];
  const enter = async (lastedMs: number, mode: Mode, more?: OutageOptions['warm']): Promise<void> => {
    await new Promise((resolve) => { setTimeout(resolve, lastedMs); });
    await more?.(setup);
    counts.push(await setMode(mode));
    marksMs.push(Date.now());
  };
  await enter(times.warmUpMs, options.fault, options.warm);
  await enter(times.faultMs, 'capacity');
  await enter(times.returnMs, 'capacity');
  visitors.endInput();
  await visitors.exited;
  const samples = readSamples(out, visitors);
  const phase = (at: number): OutagePhase => {
    const origin = counts[at];
    if (origin === undefined) throw new Error('a phase without counts');
    return { visitors: summarise(samples, marksMs[at] ?? 0, marksMs[at + 1] ?? 0), origin };
  };
  return { peer: options.peer.name, fault: options.fault, warmUp: phase(0), outage: phase(1), recovery: phase(2), retries: samples.retries };
}

function readSamples(file: string, visitors: Program): Samples {
  try {
    // Written by our own visitors.ts, just now.
    return JSON.parse(readFileSync(file, 'utf8')) as Samples;
  } catch (error) {
    throw new Error(`the visitors left no samples:\n${visitors.logTail()}`, { cause: error });
  }
}

/** Everything that was started, ended in reverse order whatever happens. */
class Started implements AsyncDisposable {
  readonly #programs: Program[] = [];

  add(program: Program): Program {
    this.#programs.push(program);
    return program;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs.reverse()) await program.stop();
  }
}

/** Failed: not a whole 200 of the right page; a wrong variation is counted apart. */
export function failedOf(summary: Summary): number {
  return summary.requests - (summary.outcomes['right'] ?? 0) - wrongVariationsOf(summary);
}

export function wrongVariationsOf(summary: Summary): number {
  return summary.outcomes['wrong-variation'] ?? 0;
}

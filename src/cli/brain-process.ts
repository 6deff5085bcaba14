/**
 * `foreshadow brain --managed`: the process around the brain. Waits for the configuration on the channel, runs until it is told to stop
 * or the parent is gone, and ends with 0; with 1 where the brain can't start. On its own (`--config F`) a brain needs a bus
 * between machines, which is not there yet.
 */
import { parseArgs } from 'node:util';
import { parentEnd, type BrainToEdge, type BusEnd, type EdgeToBrain, type ParentPort } from '../bus/index.ts';
import type { Config } from '../config/index.ts';
import { createLog, messageOf, systemClock } from '../kernel/index.ts';
import { startBrain, stepBack, type Brain } from './brain.ts';
import type { CliIo } from './io.ts';

const usage = 'usage: foreshadow brain --config F';

export interface BrainHost {
  readonly port: ParentPort;
  /** Aborted by SIGTERM and SIGINT. */
  readonly stop: AbortSignal;
  readonly version: string;
}

export async function runBrain(args: readonly string[], io: CliIo, host: BrainHost): Promise<number> {
  let managed;
  try {
    ({ managed } = parseArgs({ args: [...args], options: { managed: { type: 'boolean', default: false }, config: { type: 'string' } } }).values);
  } catch (thrown) {
    io.err(`foreshadow brain: ${messageOf(thrown)}; ${usage}\n`);
    return 2;
  }
  const parent = managed ? connect(host.port) : undefined;
  if (!parent) {
    io.err('foreshadow brain: a brain of its own is not available yet: it needs a bus between machines; run "foreshadow up"\n');
    return 2;
  }
  return run(parent, io, host);
}

interface Parent {
  readonly bus: BusEnd<BrainToEdge, EdgeToBrain>;
  readonly firstConfig: Promise<Config>;
  onReload(apply: (config: Config) => void): void;
}

function connect(port: ParentPort): Parent | undefined {
  let resolve: (config: Config) => void = () => undefined;
  let apply: ((config: Config) => void) | undefined;
  let newest: Config | undefined;
  let first = true;
  const firstConfig = new Promise<Config>((done) => { resolve = done; });
  const bus = parentEnd<BrainToEdge, EdgeToBrain>(port, (received) => {
    const config = received as Config; // resolved and checked by the parent, which is the same program
    if (first) resolve(config);
    else if (apply) apply(config);
    else newest = config;
    first = false;
  });
  return bus && {
    bus, firstConfig,
    onReload(take) {
      apply = take;
      if (newest) take(newest);
      newest = undefined;
    },
  };
}

async function run(parent: Parent, io: CliIo, host: BrainHost): Promise<number> {
  const ended = new Promise<'ended'>((resolve) => {
    const end = (): void => { resolve('ended'); };
    if (host.stop.aborted) end();
    host.stop.addEventListener('abort', end, { once: true });
    parent.bus.onLost(end);
  });
  const config = await Promise.race([parent.firstConfig, ended]);
  if (config === 'ended') return 0;
  const log = createLog({ clock: systemClock, level: config.log.level, write: (line) => { io.err(`${line}\n`); } }, { role: 'brain' });
  stepBack(log);
  let brain: Brain;
  try {
    brain = await startBrain({ config, bus: parent.bus, clock: systemClock, log, version: host.version });
  } catch (error) {
    io.err(`foreshadow brain: ${messageOf(error)}\n`);
    return 1;
  }
  parent.onReload((newer) => {
    try {
      brain.apply(newer);
    } catch (error) {
      log.error('config-not-applied', { problem: messageOf(error) });
    }
  });
  await ended;
  await brain.close();
  return 0;
}

/**
 * `foreshadow up`: everything on this machine. This process is the edge: it answers visitors and nothing else. The brain is a
 * child process; when it dies it is started again, and no request notices. SIGTERM and SIGINT drain, SIGHUP reloads the configuration.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startManaged, type BrainToEdge, type EdgeToBrain, type ManagedProcess } from '../bus/index.ts';
import { catalogDirs, CatalogReader } from '../catalog/index.ts';
import { diffForReload, formatProblems, type Config, type LoadResult } from '../config/index.ts';
import { Edge, type EdgeOutbox } from '../edge/index.ts';
import { createLog, messageOf, sleep, systemClock, type Log } from '../kernel/index.ts';
import { openLocalStore, openVolumesFollower } from '../store/index.ts';
import { loadConfigFile } from './config-file.ts';
import type { CliIo } from './io.ts';

export interface UpIo extends CliIo {
  /** Each returns what stops listening. */
  onStop(stop: () => void): () => void;
  onReload(reload: () => void): () => void;
  /** The command that runs this program again, as another role. */
  readonly self: readonly string[];
}

export const usage = 'usage: foreshadow up [--config F] [--origin URL] [--listen H:P] [--admin H:P] [--data DIR]';
/** The brain is started again after this, doubling up to the maximum while it keeps dying young. */
const restartMs = 250;
const restartMaxMs = 30_000;
const youngMs = 10_000;
const stopBrainWithinMs = 5_000;

export async function runUp(args: readonly string[], io: UpIo): Promise<number> {
  const load = readOptions(args, io);
  if (typeof load === 'string') {
    io.err(`foreshadow up: ${load}; ${usage}\n`);
    return 2;
  }
  const loaded = load.again();
  if (!loaded.ok) {
    io.err(`${formatProblems(loaded.problems, load.file)}\n`);
    return 1;
  }
  const log = createLog({ clock: systemClock, level: loaded.config.log.level, write: (line) => { io.err(`${line}\n`); } });
  try {
    return await run(loaded.config, load, io, log);
  } catch (thrown) {
    io.err(`foreshadow up: ${messageOf(thrown)}\n`);
    return 1;
  }
}

interface Loading {
  readonly file: string | undefined;
  readonly again: () => LoadResult;
}

function readOptions(args: readonly string[], io: CliIo): Loading | string {
  try {
    const text = { type: 'string' } as const;
    const { config: file, ...overrides } = parseArgs({
      args: [...args], options: { config: text, origin: text, listen: text, admin: text, data: text },
    }).values;
    if (file === undefined && overrides.origin === undefined) return 'needs --origin URL or --config F';
    return { file, again: () => loadConfigFile({ file, overrides, env: io.env }) };
  } catch (thrown) {
    return messageOf(thrown);
  }
}

async function run(config: Config, load: Loading, io: UpIo, log: Log): Promise<number> {
  mkdirSync(config.dataDir, { recursive: true, mode: 0o700 });
  const local = openLocalStore({
    path: join(config.dataDir, 'edge'), clock: systemClock, log,
    limits: { storageBytes: config.budgets.storageBytes, variantsPerVariation: config.limits.variantsPerVariation },
  });
  const { volumePaths } = config.store;
  const bodies = openVolumesFollower({ paths: volumePaths, clock: systemClock, log, has: (digest) => local.hasBody(digest) });
  const catalog = new CatalogReader({ dirs: catalogDirs(volumePaths), log });
  const brain = new BrainKeeper(config, io, log);
  const edge = await Edge.open({ config, local, catalog, bodies, outbox: brain.outbox, log });
  brain.start((message) => {
    if (message.type === 'feeds') edge.heard(message.heard);
    else void edge.pull();
  });
  io.out(announcement(config, edge));

  let current = config;
  const stopReloading = io.onReload(() => {
    void reload(load, current, edge, log).then((next) => {
      if (!next) return;
      current = next;
      brain.configure(next);
    });
  });
  await new Promise<void>((resolve) => { io.onStop(resolve); });
  log.info('stopping', { drain: current.timeouts.drainMs });
  stopReloading();
  await edge.close();
  await brain.stop();
  await local.close();
  return 0;
}

/** All or nothing: a configuration with any problem, or that needs a restart, changes nothing. */
async function reload(load: Loading, current: Config, edge: Edge, log: Log): Promise<Config | undefined> {
  const loaded = load.again();
  if (!loaded.ok) {
    log.error('reload-refused', { problems: formatProblems(loaded.problems, load.file), hint: 'the configuration in force stays' });
    return undefined;
  }
  const { needsRestart } = diffForReload(current, loaded.config);
  if (needsRestart.length > 0) {
    log.error('reload-refused', { needsRestart, hint: 'these take effect with a restart only; the configuration in force stays' });
    return undefined;
  }
  try {
    await edge.reload(loaded.config);
  } catch (thrown) {
    log.error('reload-refused', { problem: messageOf(thrown), hint: 'the configuration in force stays' });
    return undefined;
  }
  log.info('reloaded', { file: load.file });
  return loaded.config;
}

function announcement(config: Config, edge: Edge): string {
  const scheme = (region: string): string => (config.regions.find(({ name }) => name === region)?.tls ? 'https' : 'http');
  const lines = edge.addresses.map(({ region, address }) => `  ${region.padEnd(12)} ${scheme(region)}://${address}`);
  const { hostname, port } = config.admin.listen;
  return `Foreshadow protects ${config.origin.url}\n${lines.join('\n')}\n  ${'status'.padEnd(12)} http://${hostname}:${port}/   (or: foreshadow status)\n`;
}

/** Keeps a brain process running, and carries what the edge learns to whichever lives. */
class BrainKeeper {
  readonly #io: UpIo;
  readonly #log: Log;
  #config: Config;
  #process: ManagedProcess<EdgeToBrain, BrainToEdge> | undefined;
  #stopping = false;
  #keeping: Promise<void> = Promise.resolve();

  constructor(config: Config, io: UpIo, log: Log) {
    this.#config = config;
    this.#io = io;
    this.#log = log;
  }

  get outbox(): EdgeOutbox {
    const send = (message: EdgeToBrain): void => { this.#process?.bus.send(message); };
    return {
      demand: (window) => { send({ type: 'demand', window }); },
      captured: (records) => { send({ type: 'captured', records }); },
      invalidated: (resources) => { send({ type: 'invalidated', resources }); },
      refused: (refusals) => { send({ type: 'refused', refusals }); },
      missing: (records) => { send({ type: 'missing', records }); },
      origin: (report) => { send({ type: 'origin', report }); },
      stats: (stats) => { send({ type: 'stats', stats }); },
    };
  }

  start(told: (message: BrainToEdge) => void): void {
    this.#keeping = this.#keep(told);
  }

  configure(config: Config): void {
    this.#config = config;
    this.#process?.configure(config);
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#process;
    if (!child) return;
    child.kill('SIGTERM');
    await Promise.race([child.exited, sleep(systemClock, stopBrainWithinMs)]);
    child.kill('SIGKILL');
    await this.#keeping;
  }

  async #keep(told: (message: BrainToEdge) => void): Promise<void> {
    let waitMs = restartMs;
    while (!this.#stopping) {
      const startedMs = systemClock.monotonicMs();
      const child = startManaged<EdgeToBrain, BrainToEdge>({
        command: [...this.#io.self, 'brain', '--managed'], env: this.#io.env, config: this.#config, log: this.#log,
      });
      this.#process = child;
      child.bus.onMessage(told);
      const code = await child.exited;
      this.#process = undefined;
      if (this.#stopping) return;
      if (systemClock.monotonicMs() - startedMs > youngMs) waitMs = restartMs;
      this.#log.error('brain-lost', { code, restartInMs: waitMs, hint: 'edges go on serving; it is being started again' });
      await Bun.sleep(waitMs);
      waitMs = Math.min(restartMaxMs, waitMs * 2);
    }
  }
}

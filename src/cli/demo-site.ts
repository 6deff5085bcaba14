/**
 * Foreshadow itself inside the demo: `foreshadow up` as a child process with the example's configuration, on the example's
 * ports or, where one is taken, on free ones. Seen only from outside, through what every user of it sees.
 */
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { ForeshadowError } from '../kernel/index.ts';
import type { Clock } from '../kernel/index.ts';
import type { DemoPlaces, Seen } from './demo-screen.ts';

export interface DemoPlan extends DemoPlaces {
  readonly configFile: string;
  readonly shopPort: number;
  readonly feedsPort: number;
}

const feedsPort = 3001;
/** Feeds that have been well for so long fill what visitors see. */
const liveAfterMs = 5000;

/** Writes the demo's configuration into its folder: the example's, with other ports where one is taken (or all, `anyPorts`). */
export async function planDemo(example: string, folder: string, anyPorts: boolean): Promise<DemoPlan> {
  mkdirSync(folder, { recursive: true });
  let text = readFileSync(example, 'utf8');
  const ports = new Map<number, number>();
  for (const [, found] of text.matchAll(/127\.0\.0\.1:(\d+)/g)) ports.set(Number(found), 0);
  ports.set(feedsPort, 0);
  for (const port of ports.keys()) ports.set(port, anyPorts || !(await isFree(port)) ? await freePort() : port);
  text = text.replaceAll(/127\.0\.0\.1:(\d+)/g, (_, found: string) => `127.0.0.1:${ports.get(Number(found)) ?? found}`);
  // The copy lies elsewhere than the files it names.
  text = text.replaceAll(/(templateFile: )([\w./-]+)/g, (_, key: string, file: string) => `${key}${JSON.stringify(join(dirname(example), file))}`);
  const configFile = join(folder, 'foreshadow.yaml');
  writeFileSync(configFile, text);
  const regions = [...text.matchAll(/name: ([\w-]+),.*listen: ([\d.:]+)/g)].map(([, name = '', at = '']) => ({ name, url: `http://${at}` }));
  const shop = /url: (http:\/\/[\d.:]+)/.exec(text)?.[1] ?? '';
  const admin = /admin: .*listen: ([\d.:]+)/.exec(text)?.[1] ?? '';
  return { configFile, regions, shop, admin: `http://${admin}`, shopPort: Number(new URL(shop).port), feedsPort: ports.get(feedsPort) ?? feedsPort };
}

export class DemoSite {
  readonly #child: Bun.Subprocess<'ignore', number, number>;
  readonly #logFile: string;
  readonly #admin: string;
  readonly #clock: Clock;
  /** Since when all feeds have been seen well, on the monotonic clock. */
  #feedsWellSinceMs: number | undefined;

  constructor(options: { readonly clock: Clock; readonly main: string; readonly plan: DemoPlan; readonly dataDir: string; readonly logFile: string }) {
    this.#logFile = options.logFile;
    this.#admin = options.plan.admin;
    this.#clock = options.clock;
    const log = openSync(options.logFile, 'w');
    try {
      this.#child = Bun.spawn([process.execPath, options.main, 'up', '--config', options.plan.configFile, '--data', options.dataDir], { stdin: 'ignore', stdout: log, stderr: log });
    } finally {
      closeSync(log);
    }
  }

  /** Resolves when it answers, or nobody wants it any more; fails with its own words if it ends instead. */
  async ready(deadlineMs: number, wish: { readonly given: boolean }): Promise<void> {
    const endMs = performance.now() + deadlineMs;
    while (performance.now() < endMs) {
      if (wish.given) return;
      if (!this.running) break;
      const answer = await fetch(`${this.#admin}/livez`, { signal: AbortSignal.timeout(1000) }).catch(() => undefined);
      if (answer?.ok) return;
      await Bun.sleep(50);
    }
    const last = readFileSync(this.#logFile, 'utf8').trimEnd().split('\n').slice(-3).join('\n');
    throw new ForeshadowError('api-failed', { source: 'internal', message: `foreshadow up did not start:\n${last}`, hint: `see ${this.#logFile}` });
  }

  get running(): boolean { return this.#child.exitCode === null && this.#child.signalCode === null; }

  /** Whether everything live on the pages should be as the feeds say. */
  get live(): boolean { return this.#feedsWellSinceMs !== undefined && this.#clock.monotonicMs() - this.#feedsWellSinceMs >= liveAfterMs; }

  /** How Foreshadow sees the origin, its feeds and what it has prepared, from its public status; undefined when it can't be had. */
  async seen(): Promise<Seen | undefined> {
    try {
      const status: unknown = await (await fetch(`${this.#admin}/api/v1/status`, { signal: AbortSignal.timeout(1000) })).json();
      const view = field(field(status, 'origin'), 'view');
      const state = field(view, 'state');
      const share = field(view, 'share');
      const shadows = field(field(status, 'catalog'), 'records');
      const feeds = feedsOf(field(field(status, 'generator'), 'feeds'));
      this.#feedsWellSinceMs = feeds.all > 0 && feeds.well === feeds.all ? this.#feedsWellSinceMs ?? this.#clock.monotonicMs() : undefined;
      return typeof state === 'string' && typeof share === 'number' && typeof shadows === 'number' ? { state, share, shadows, feeds } : undefined;
    } catch {
      this.#feedsWellSinceMs = undefined;
      return undefined;
    }
  }

  async stop(graceMs: number): Promise<void> {
    this.#child.kill('SIGTERM');
    await Promise.race([this.#child.exited, Bun.sleep(graceMs)]);
    this.#child.kill('SIGKILL');
    await this.#child.exited;
  }
}

function feedsOf(list: unknown): Seen['feeds'] {
  const feeds: readonly unknown[] = Array.isArray(list) ? list : [];
  const sick = feeds.filter((feed) => field(feed, 'state') !== 'ok');
  const error = field(sick[0], 'error');
  return {
    all: feeds.length, well: feeds.length - sick.length,
    sick: sick[0] === undefined ? undefined : `${String(field(sick[0], 'name'))}: ${typeof error === 'string' ? error : 'never heard'}`,
  };
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? new Map(Object.entries(value)).get(name) : undefined;
}

async function listens(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => { resolve(undefined); });
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => { resolve(typeof address === 'object' && address !== null ? address.port : undefined); });
    });
  });
}

async function isFree(port: number): Promise<boolean> {
  return await listens(port) !== undefined;
}

async function freePort(): Promise<number> {
  const port = await listens(0);
  if (port === undefined) throw new ForeshadowError('listen-failed', { source: 'internal', message: 'no free port on 127.0.0.1' });
  return port;
}

/**
 * A feed's own server on a free port, of raw bytes, and a hub on a clock that the test moves. What a test starts here `strike` ends. The server says
 * what it was asked; tests see what readers of the hub see.
 */
import net from 'node:net';
import { until } from '../../bench/machine/program.ts';
import type { FeedKey } from '../../src/compose/types.ts';
import type { DimensionConfig, FeedConfig } from '../../src/config/index.ts';
import { FeedHub, type FeedHubOptions, type FeedState } from '../../src/generate/feeds/index.ts';
import { ManualClock, createLog, seededRandom } from '../../src/kernel/index.ts';

type CleanUp = () => Promise<void> | void;

const cleanUps: CleanUp[] = [];

export function onStrike(cleanUp: CleanUp): void {
  cleanUps.push(cleanUp);
}

/** For `afterEach`. */
export async function strike(): Promise<void> {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
}

/** What is written on the socket for a request. */
export type Act = (socket: net.Socket, request: string) => void;

export interface FeedServer {
  readonly url: string;
  /** Heads of requests, as they came. */
  readonly requests: string[];
  /** What happens next; may be changed at any time. */
  act: Act;
  readonly open: () => number;
  /** Ends the connections there are. */
  readonly cut: () => void;
  readonly close: () => Promise<void>;
}

export async function serveFeed(act: Act): Promise<FeedServer> {
  const sockets = new Set<net.Socket>();
  const requests: string[] = [];
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    let head = '';
    socket.on('data', (data) => {
      head += data.toString('latin1');
      for (let end = head.indexOf('\r\n\r\n'); end >= 0; end = head.indexOf('\r\n\r\n')) {
        const request = head.slice(0, end);
        head = head.slice(end + 4);
        requests.push(request);
        feedServer.act(socket, request);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cut = (): void => { for (const socket of sockets) socket.destroy(); };
  const close = async (): Promise<void> => {
    cut();
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  onStrike(close);
  const feedServer: FeedServer = { url: `http://127.0.0.1:${address.port}`, requests, act, open: () => sockets.size, cut, close };
  return feedServer;
}

/** A whole answer. */
export function answer(body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}, status = '200 OK'): Act {
  const bytes = Buffer.from(body);
  const fields = Object.entries({ 'Content-Length': String(bytes.length), ...headers }).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return (socket) => {
    socket.write(`HTTP/1.1 ${status}\r\n${fields}\r\n`);
    socket.write(bytes);
  };
}

export const json = (value: unknown, headers: Readonly<Record<string, string>> = {}): Act => answer(JSON.stringify(value), headers);

export function pollFeed(url: string, over: Partial<FeedConfig> & { readonly everyMs?: number } = {}): FeedConfig {
  const { everyMs = 1000, ...rest } = over;
  return { name: 'prices', source: { kind: 'poll', url, everyMs }, dimensions: [], maxAgeMs: 60_000, headers: {}, schema: undefined, ...rest };
}

export function dimension(name: string, values: readonly string[]): DimensionConfig {
  return { name, from: { kind: 'cookie', name }, values, fallback: values[0] ?? '', exact: true, obtain: {}, match: 'value' };
}

export const key = (text: string): FeedKey => text as FeedKey; // as `feedKey` would make it

/** Says which timers are running: an answer's head has come when the one that waits for it is gone. */
export class WatchedClock extends ManualClock {
  readonly #delaysMs = new Map<symbol, number>();

  get running(): number {
    return this.#delaysMs.size;
  }

  isRunning(delayMs: number): boolean {
    return [...this.#delaysMs.values()].includes(delayMs);
  }

  override after(delayMs: number, run: () => void): () => void {
    const timer = Symbol('timer');
    this.#delaysMs.set(timer, delayMs);
    const cancel = super.after(delayMs, () => {
      this.#delaysMs.delete(timer);
      run();
    });
    return () => {
      this.#delaysMs.delete(timer);
      cancel();
    };
  }
}

export interface Stage {
  readonly hub: FeedHub;
  readonly clock: WatchedClock;
  readonly lines: string[];
  readonly changed: FeedKey[];
  readonly state: (name?: string) => FeedState;
  /** Waits for the attempt under way, then moves the clock until just after the next begins, and waits for that one. Only where attempts end by themselves. */
  readonly again: (name?: string) => Promise<FeedState>;
  /** Waits until the attempt under way has ended. */
  readonly settled: (name?: string) => Promise<FeedState>;
}

export function stage(feeds: readonly FeedConfig[], over: Partial<FeedHubOptions> = {}, startMs?: number): Stage {
  const clock = new WatchedClock(startMs);
  const lines: string[] = [];
  const changed: FeedKey[] = [];
  const hub = new FeedHub({
    feeds, dimensions: [], clock, random: seededRandom(1), userAgent: 'Foreshadow/test',
    log: createLog({ clock, level: 'debug', write: (line) => { lines.push(line); } }),
    changed: (changedKey) => { changed.push(changedKey); }, ...over,
  });
  onStrike(() => hub.close());
  const state = (name = feeds[0]?.name ?? ''): FeedState => {
    const found = hub.states().find((one) => one.key === name);
    if (!found) throw new Error(`no feed ${name}`);
    return found;
  };
  const settled = async (name?: string): Promise<FeedState> => {
    await until('the end of the attempt', () => state(name).polls > 0 && state(name).nextAttemptMs !== undefined, 5000, 2);
    return state(name);
  };
  const again = async (name?: string): Promise<FeedState> => {
    const { nextAttemptMs = 0, polls } = await settled(name);
    clock.advance(Math.max(0, nextAttemptMs - clock.nowMs()) + 1);
    await until('the next attempt', () => state(name).polls > polls, 5000, 2);
    return settled(name);
  };
  return { hub, clock, lines, changed, state, again, settled };
}

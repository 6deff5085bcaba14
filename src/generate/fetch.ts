/**
 * Gets one thing from the origin for the generator. Talks to the configured origin and nobody else: redirects are answers,
 * never followed. Every request says what it is (`Foreshadow-Purpose: generate`). An answer comes back whole or not at all:
 * short bodies, broken chunks, stalls and bodies beyond the limit are failures with a name.
 * The runtime reports a reset in the middle of a body that has neither length nor chunks as its end; such answers are
 * marked `framed: false`, and admission wants further proof that they are whole.
 */
import type { Config } from '../config/types.ts';
import type { HeaderList } from '../http/headers.ts';
import type { Clock } from '../kernel/index.ts';

/** Longest whole fetch; a page that takes longer is no shadow worth having. */
const wholeFetchMs = 60_000;

export interface FetchRequest {
  /** Path and query, as the origin is to see it. */
  readonly path: string;
  /** The visitor's Host where the site has several; else the config decides. */
  readonly host?: string | undefined;
  /** Request headers that obtain the variation, lower-case names. */
  readonly headers: HeaderList;
  readonly bytesMax: number;
  readonly signal?: AbortSignal | undefined;
}

export interface FetchAnswer {
  readonly kind: 'answer';
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  /** False where neither Content-Length nor chunks tell where the body ends. */
  readonly framed: boolean;
  /** What was sent, the purpose and the User-Agent included. */
  readonly requestHeaders: HeaderList;
  readonly requestTimeMs: number;
  readonly responseTimeMs: number;
  /** From sending to the whole body. */
  readonly latencyMs: number;
}

export type FetchFailure = 'refused' | 'timeout' | 'cut' | 'too-large' | 'aborted';

export interface FetchFailed {
  readonly kind: 'failed';
  readonly failure: FetchFailure;
  readonly message: string;
  readonly latencyMs: number;
}

export type FetchResult = FetchAnswer | FetchFailed;
export type Fetcher = (request: FetchRequest) => Promise<FetchResult>;

export type FetcherConfig = Pick<Config, 'origin' | 'hosts' | 'timeouts' | 'generate'>;

export function createFetcher(config: FetcherConfig, clock: Clock): Fetcher {
  return async (request) => {
    const requestHeaders = headersOf(request, config);
    const startedMs = clock.monotonicMs();
    const requestTimeMs = clock.nowMs();
    const stop = new AbortController();
    const abort = (): void => { stop.abort('aborted' satisfies FetchFailure); };
    if (request.signal?.aborted) abort();
    request.signal?.addEventListener('abort', abort, { once: true });
    const watch = watchdog(clock, stop, config.timeouts.connectMs + config.timeouts.firstByteMs);
    try {
      const answer = await fetch(config.origin.url + request.path, {
        headers: requestHeaders.map(([name, value]): [string, string] => [name, value]),
        redirect: 'manual', decompress: false, signal: stop.signal,
      });
      const responseTimeMs = clock.nowMs();
      const body = await readWhole(answer, request.bytesMax, () => { watch.restart(config.timeouts.idleMs); });
      const latencyMs = clock.monotonicMs() - startedMs;
      if (!body) {
        stop.abort();
        return { kind: 'failed', failure: 'too-large', message: `more than ${request.bytesMax} bytes`, latencyMs };
      }
      const framed = answer.headers.has('content-length') || answer.headers.has('transfer-encoding') || bodiless(answer.status);
      return { kind: 'answer', status: answer.status, headers: [...answer.headers], body, framed, requestHeaders, requestTimeMs, responseTimeMs, latencyMs };
    } catch (error) {
      return { ...failureOf(error, stop.signal), latencyMs: clock.monotonicMs() - startedMs };
    } finally {
      watch.cancel();
      request.signal?.removeEventListener('abort', abort);
    }
  };
}

const bodiless = (status: number): boolean => status === 204 || status === 304;

/** The variation's headers win over the configured User-Agent; nothing wins over purpose and identity encoding. */
function headersOf(request: FetchRequest, config: FetcherConfig): HeaderList {
  const list: [string, string][] = [['foreshadow-purpose', 'generate'], ['accept-encoding', 'identity']];
  const names = new Set(['foreshadow-purpose', 'accept-encoding', 'host']);
  const host = request.host ?? (config.origin.host === 'preserve' ? config.hosts[0] : undefined);
  if (host !== undefined && config.origin.host === 'preserve') list.push(['host', host]);
  const asked = new Set(request.headers.map(([name]) => name));
  if (!asked.has('user-agent')) list.push(['user-agent', config.generate.userAgent]);
  if (!asked.has('accept')) list.push(['accept', '*/*']);
  for (const [name, value] of request.headers) if (!names.has(name)) list.push([name, value]);
  return list;
}

interface Watchdog {
  restart(ms: number): void;
  cancel(): void;
}

/** Ends the fetch when nothing came for so long, or when the whole takes too long. */
function watchdog(clock: Clock, stop: AbortController, firstMs: number): Watchdog {
  const expire = (): void => { stop.abort('timeout' satisfies FetchFailure); };
  const cancelWhole = clock.after(wholeFetchMs, expire);
  let cancelIdle = clock.after(firstMs, expire);
  return {
    restart(ms) {
      cancelIdle();
      cancelIdle = clock.after(ms, expire);
    },
    cancel() {
      cancelIdle();
      cancelWhole();
    },
  };
}

async function readWhole(answer: Response, bytesMax: number, progress: () => void): Promise<Uint8Array | undefined> {
  progress();
  if (Number(answer.headers.get('content-length') ?? 0) > bytesMax) return undefined;
  if (!answer.body) return new Uint8Array(0);
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const stream: AsyncIterable<Uint8Array> = answer.body;
  for await (const chunk of stream) {
    progress();
    bytes += chunk.length;
    if (bytes > bytesMax) return undefined;
    chunks.push(chunk);
  }
  if (chunks.length === 1 && chunks[0]) return chunks[0];
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

function failureOf(error: unknown, signal: AbortSignal): Omit<FetchFailed, 'latencyMs'> {
  if (signal.aborted) {
    const failure = signal.reason === 'timeout' ? 'timeout' : 'aborted';
    return { kind: 'failed', failure, message: failure === 'timeout' ? 'no answer in time' : 'given up' };
  }
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const refused = code === 'ECONNREFUSED' || code === 'ConnectionRefused' || code === 'FailedToOpenSocket' || code === 'ENOTFOUND' || code.startsWith('EAI_');
  return { kind: 'failed', failure: refused ? 'refused' : 'cut', message: code || String(error) };
}

/**
 * Asks the origin, and says in one closed vocabulary what came of it. Small bodies are read whole before anything is
 * passed on, so that a body that breaks off can still be rescued; large ones and event streams are passed through.
 * It never follows redirects, never decompresses, and talks to the configured origin only.
 */
import type { ProxyError } from '../http/index.ts';
import { messageOf } from '../kernel/index.ts';
import { probeConnection } from './connection-check.ts';

export interface OriginQuestion {
  /** Path and query. */
  readonly target: string;
  readonly method: string;
  /** Complete: Host, Via, forwarding fields, no hop-by-hop fields. */
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
  /** Bodies up to this size are read whole; 0 passes everything through. */
  readonly wholeBytesMax: number;
  /** The visitor's own signal, where nobody else waits for this answer: cheaper than one that can be aborted from here. */
  readonly tie?: AbortSignal | undefined;
}

interface Answered {
  readonly status: number;
  readonly headers: Headers;
  /** Epoch ms: when the question was sent, and when the head of the answer had come. */
  readonly requestTimeMs: number;
  readonly responseTimeMs: number;
  /** To the whole answer; to its first byte for a stream. */
  readonly latencyMs: number;
}

export type OriginResult =
  | (Answered & { readonly kind: 'whole'; readonly body: Uint8Array | null })
  | (Answered & { readonly kind: 'stream'; readonly body: ReadableStream<Uint8Array> })
  | {
    readonly kind: 'failed';
    readonly outcome: 'refused' | 'timeout' | 'cut' | 'aborted';
    readonly error: ProxyError;
    readonly details: string;
    readonly latencyMs: number;
  };

export interface OriginExchange {
  abort(): void;
}

export interface OriginClientOptions {
  /** `http://host:port`, no trailing slash. */
  readonly url: string;
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
}

/** How often deadlines are looked at; they are that much coarse. */
const sweepEveryMs = 100;
/** A body of unknown length that is not complete this long after its head is passed through as it comes. */
const gatherMs = 100;

interface Waiting {
  readonly startedMs: number;
  readonly requestTimeMs: number;
  /** Absent for a tied exchange; one that is too late is then given up here, and left to the runtime's idle time-out. */
  readonly controller: AbortController | undefined;
  readonly tie: AbortSignal | undefined;
  /** Told once what came of it. */
  readonly done: (result: OriginResult) => void;
  verdict: 'timeout' | 'refused' | 'aborted' | undefined;
  headCame: boolean;
  over: boolean;
}

export class OriginClient {
  readonly #options: OriginClientOptions;
  readonly #waiting = new Set<Waiting>();
  readonly #sweep: ReturnType<typeof setInterval>;
  #checking = false;
  /** When a connection was last known to come about, monotonic ms. */
  #connectedMs = Number.NEGATIVE_INFINITY;
  #retired = false;

  constructor(options: OriginClientOptions) {
    this.#options = options;
    this.#sweep = setInterval(() => { this.#lookAtDeadlines(); }, sweepEveryMs);
    this.#sweep.unref();
  }

  get inFlight(): number {
    return this.#waiting.size;
  }

  /**
   * Asks, and tells `done` once, later, what came of it. Callbacks, because a chain of promises here would
   * only leave more to be collected.
   */
  ask(question: OriginQuestion, done: (result: OriginResult) => void): OriginExchange {
    const { tie } = question;
    const controller = tie ? undefined : new AbortController();
    const waiting: Waiting = {
      startedMs: performance.now(), requestTimeMs: Date.now(), controller, tie, done, verdict: undefined, headCame: false, over: false,
    };
    this.#waiting.add(waiting);
    const failed = (thrown: unknown): void => { this.#finish(waiting, failure(thrown, waiting)); };
    try {
      fetch(this.#options.url + question.target, {
        method: question.method, headers: question.headers, body: question.body,
        redirect: 'manual', decompress: false, timeout: this.#options.idleMs, signal: controller?.signal ?? tie ?? null,
      }).then((answer) => { this.#headCame(answer, question, waiting, failed); }, failed);
    } catch (thrown) {
      queueMicrotask(() => { failed(thrown); });
    }
    return { abort: () => { this.#end(waiting, 'aborted'); } };
  }

  /** Closes as soon as the exchanges under way are over. */
  retire(): void {
    this.#retired = true;
    if (this.#waiting.size === 0) this.close();
  }

  close(): void {
    clearInterval(this.#sweep);
    for (const waiting of this.#waiting) this.#end(waiting, 'aborted');
  }

  #headCame(answer: Response, question: OriginQuestion, waiting: Waiting, failed: (thrown: unknown) => void): void {
    if (waiting.over) {
      // It was given up: what comes now is thrown away.
      answer.body?.cancel().catch(() => undefined);
      return;
    }
    waiting.headCame = true;
    this.#connectedMs = performance.now();
    const { status, headers } = answer;
    const { requestTimeMs } = waiting;
    const responseTimeMs = Date.now();
    const give = (body: Uint8Array | null | ReadableStream<Uint8Array>): void => {
      const latencyMs = performance.now() - waiting.startedMs;
      this.#finish(waiting, body instanceof ReadableStream
        ? { kind: 'stream', status, headers, requestTimeMs, responseTimeMs, body, latencyMs }
        : { kind: 'whole', status, headers, requestTimeMs, responseTimeMs, body, latencyMs });
    };
    const body = readBody(answer, question, waiting);
    if (body instanceof Promise) body.then(give, failed);
    else give(body);
  }

  #finish(waiting: Waiting, result: OriginResult): void {
    if (waiting.over) return;
    waiting.over = true;
    this.#waiting.delete(waiting);
    if (this.#retired && this.#waiting.size === 0) this.close();
    waiting.done(result);
  }

  #lookAtDeadlines(): void {
    if (this.#waiting.size === 0) return;
    const nowMs = performance.now();
    let suspicious = false;
    for (const waiting of this.#waiting) {
      if (waiting.headCame) continue;
      const waitedMs = nowMs - waiting.startedMs;
      if (waitedMs >= this.#options.firstByteMs) this.#end(waiting, 'timeout');
      else if (waitedMs >= this.#options.connectMs && waiting.startedMs > this.#connectedMs) suspicious = true;
    }
    if (suspicious && !this.#checking) void this.#checkConnection(nowMs);
  }

  /**
   * The runtime doesn't tell whether a request waits for a connection or for an answer. So when requests have waited
   * longer than the connect time-out, a connection is made on the side: if that fails too, they fail now.
   */
  async #checkConnection(startedMs: number): Promise<void> {
    this.#checking = true;
    const connects = await probeConnection(this.#options.url, this.#options.connectMs);
    this.#checking = false;
    if (connects) {
      this.#connectedMs = Math.max(this.#connectedMs, performance.now());
      return;
    }
    for (const waiting of this.#waiting) if (!waiting.headCame && waiting.startedMs <= startedMs) this.#end(waiting, 'refused');
  }

  #end(waiting: Waiting, verdict: 'timeout' | 'refused' | 'aborted'): void {
    if (waiting.verdict !== undefined) return;
    waiting.verdict = verdict;
    if (waiting.controller) waiting.controller.abort();
    else if (!waiting.headCame) this.#finish(waiting, failure(new Error('given up'), waiting));
  }
}

/** A body that is at hand or of no use to us is given at once; `body` is read last, because reading it makes a stream. */
function readBody(
  answer: Response, question: OriginQuestion, waiting: Waiting,
): Promise<Uint8Array | ReadableStream<Uint8Array>> | ReadableStream<Uint8Array> | null {
  const { status, headers } = answer;
  if (question.method === 'HEAD' || status === 204 || status === 304) return null;
  const length = headers.get('content-length');
  if (length !== null && Number(length) <= question.wholeBytesMax && question.wholeBytesMax > 0) return answer.bytes();
  const { body } = answer;
  if (body === null || length !== null || question.wholeBytesMax === 0 || headers.get('content-type')?.startsWith('text/event-stream')) return body;
  return gather(body, question.wholeBytesMax, waiting);
}

/** Reads a body of unknown length whole, unless it grows too large or takes too long: then what there is, and the rest as it comes. */
async function gather(body: ReadableStream<Uint8Array>, bytesMax: number, waiting: Waiting): Promise<Uint8Array | ReadableStream<Uint8Array>> {
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  let expired = false;
  let expire = (): void => undefined;
  const deadline = new Promise<'expired'>((resolve) => { expire = () => { expired = true; resolve('expired'); }; });
  const timer = setTimeout(() => { expire(); }, gatherMs);
  try {
    for (;;) {
      const next = reader.read();
      const first = await Promise.race([next, deadline]);
      if (first === 'expired') return passOn(chunks, reader, next, waiting);
      if (first.done) return concatenate(chunks, bytes);
      chunks.push(first.value);
      bytes += first.value.byteLength;
      if (bytes > bytesMax || expired) return passOn(chunks, reader, undefined, waiting);
    }
  } finally {
    clearTimeout(timer);
  }
}

/** What this needs of a stream's reader; the runtime's own type and the standard one differ beyond it. */
interface ChunkReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
}
type Read = ReturnType<ChunkReader['read']>;

function passOn(chunks: readonly Uint8Array[], reader: ChunkReader, pending: Read | undefined, waiting: Waiting): ReadableStream<Uint8Array> {
  let underWay = pending;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
    },
    async pull(controller) {
      try {
        const read = await (underWay ?? reader.read());
        underWay = undefined;
        if (read.value) controller.enqueue(read.value);
        if (read.done) controller.close();
      } catch {
        // The body broke off, and so does the visitor's. Of an error that is thrown the runtime prints the stack into the log.
        controller.error(undefined);
      }
    },
    cancel() {
      waiting.controller?.abort();
    },
  });
}

function concatenate(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const [only] = chunks;
  if (chunks.length === 1 && only) return only;
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

function failure(thrown: unknown, waiting: Waiting): OriginResult {
  const latencyMs = performance.now() - waiting.startedMs;
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  const base = { kind: 'failed', latencyMs, details: code || messageOf(thrown).slice(0, 100) } as const;
  if (waiting.verdict === 'aborted' || waiting.tie?.aborted) return { ...base, outcome: 'aborted', error: 'proxy_internal_error', details: 'client left' };
  if (waiting.verdict === 'refused') return { ...base, outcome: 'refused', error: 'connection_timeout' };
  if (waiting.verdict === 'timeout' || (thrown instanceof Error && thrown.name === 'TimeoutError')) {
    return { ...base, outcome: 'timeout', error: waiting.headCame ? 'connection_read_timeout' : 'http_response_timeout' };
  }
  if (/^(?:ECONNREFUSED|ConnectionRefused)$/.test(code)) return { ...base, outcome: 'refused', error: 'connection_refused' };
  if (/NOTFOUND|EAI_|DNS/i.test(code)) return { ...base, outcome: 'refused', error: 'dns_error' };
  if (/CERT|TLS|SSL|SELF_SIGNED|ISSUER|LEAF/i.test(code)) return { ...base, outcome: 'refused', error: 'tls_certificate_error' };
  if (/UNREACH|FailedToOpenSocket|ETIMEDOUT|ENETDOWN/i.test(code)) return { ...base, outcome: 'refused', error: 'destination_unavailable' };
  if (/HTTPResponse|HTTP|Header/i.test(code)) return { ...base, outcome: 'cut', error: 'http_protocol_error' };
  return { ...base, outcome: 'cut', error: waiting.headCame ? 'http_response_incomplete' : 'connection_terminated' };
}

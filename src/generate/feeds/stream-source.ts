/**
 * A feed of server-sent events (WHATWG HTML, "Server-sent events"): each event's data is a whole document. A value is as old as its event; whatever
 * the stream says later (a comment will do) confirms it, as long as nothing can have been missed between. A stream that says nothing is opened anew,
 * with Last-Event-ID. Named events count too, except those that are named as heartbeats.
 */
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import type { Random } from '../../kernel/index.ts';
import { documentBytesMax, type Refused } from './document.ts';
import type { FeedInstance, FeedSource } from './instance.ts';
import { failureWaitMaxMs, failureWaitMs, jittered, silenceMs } from './pace.ts';
import { restPerWork } from './poll-source.ts';
import { openStream, type EventStream } from './request.ts';

/** Values come this far apart at least: 20 a second; of those in between, the newest counts. */
const valueEveryMs = 50;
const retryMs = 1000;
const retryMinMs = 100;
const eventIdCharactersMax = 1024;
const heartbeats: ReadonlySet<string> = new Set(['ping', 'heartbeat', 'keepalive', 'keep-alive']);

export interface StreamParts {
  readonly instance: FeedInstance;
  readonly random: Random;
  readonly userAgent: string;
}

/** One connection. */
interface Connection {
  /** Something whole was said, an event or a comment. */
  spoke: boolean;
  /** What is said here is about the value there is: it came here, or the server was told which the last one was. */
  current: boolean;
  /** Why it was ended from here. */
  ended: Refused | undefined;
}

export class StreamSource implements FeedSource {
  readonly #parts: StreamParts;
  #failures = 0;
  #retryMs = retryMs;
  #lastEventId = '';
  /** The newest event that has not been looked at, and the time before which none is. */
  #waiting: { readonly data: string; readonly arrivedMs: number } | undefined;
  #notBeforeMs = -Infinity;
  /** The last document was refused: what the source holds is not the value there is. */
  #lastRefused = false;

  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  async attempt(signal: AbortSignal): Promise<number> {
    const { instance } = this.#parts;
    const { clock, address } = instance.parts;
    const stream = await openStream({ url: address.address, headers: this.#headers(), clock, signal });
    if (stream.kind === 'given-up') return 0;
    if (stream.kind === 'refused') {
      instance.refuse(stream);
      return this.#failed();
    }
    const connection: Connection = { spoke: false, current: instance.kept !== undefined && this.#lastEventId !== '', ended: undefined };
    const problem = await this.#follow(stream, connection, signal);
    if (problem === 'given-up') return 0;
    if (connection.spoke && (problem === undefined || problem.reason === 'cut' || problem.reason === 'silent')) {
      // Streams end; the next attempt tells whether anything is wrong.
      if (problem?.reason === 'silent') instance.count('silent');
      this.#failures = 0;
      return this.#retryMs * (1 + this.#parts.random.next() / 10);
    }
    instance.refuse(problem ?? { kind: 'refused', reason: 'cut', message: 'the stream ended before it said anything' });
    return this.#failed();
  }

  async #follow(stream: EventStream, connection: Connection, signal: AbortSignal): Promise<Refused | 'given-up' | undefined> {
    const { clock, feed } = this.#parts.instance.parts;
    const end = (reason: Refused): void => {
      connection.ended ??= reason;
      stream.close();
    };
    const silentMs = silenceMs(feed.maxAgeMs);
    const silent = (): void => { end({ kind: 'refused', reason: 'silent', message: `the stream said nothing for ${silentMs / 1000} s` }); };
    let cancelSilence = clock.after(silentMs, silent);
    let cancelTake: (() => void) | undefined;
    const takeWaiting = (): void => {
      cancelTake = undefined;
      this.#takeWaiting();
    };
    const spoke = (): void => {
      connection.spoke = true;
      cancelSilence();
      cancelSilence = clock.after(silentMs, silent);
    };
    const lines = lineFeeds();
    const parser = createParser({
      maxBufferSize: documentBytesMax,
      onRetry: (ms) => { this.#retryMs = Math.min(Math.max(ms, retryMinMs), failureWaitMaxMs); },
      onComment: () => {
        spoke();
        this.#confirm(connection);
      },
      onEvent: (event) => {
        spoke();
        if (!this.#queue(event, connection)) return;
        const waitMs = this.#notBeforeMs - clock.monotonicMs();
        if (waitMs <= 0) this.#takeWaiting();
        else cancelTake ??= clock.after(waitMs, takeWaiting);
      },
      onError: (error) => {
        if (error.type === 'max-buffer-size-exceeded') end({ kind: 'refused', reason: 'too-large', message: `an event has more than ${documentBytesMax} characters` });
      },
    });
    try {
      for await (const chunk of stream.chunks) {
        if (connection.ended) break;
        parser.feed(lines(chunk));
      }
    } catch (error) {
      if (!connection.ended) {
        const why = stream.whyOf(error);
        if (why.kind === 'refused') connection.ended = why;
      }
    } finally {
      cancelSilence();
      cancelTake?.();
      stream.close();
    }
    if (signal.aborted) return 'given-up';
    this.#takeWaiting();
    return connection.ended;
  }

  /** Keeps the event as the newest; false where it is only a sign of life. */
  #queue({ data, event, id }: EventSourceMessage, connection: Connection): boolean {
    const { instance } = this.#parts;
    if (id !== undefined && id.length <= eventIdCharactersMax) this.#lastEventId = id;
    if (data === '' || (event !== undefined && heartbeats.has(event))) {
      this.#confirm(connection);
      return false;
    }
    if (this.#waiting) instance.count('too-often');
    this.#waiting = { data, arrivedMs: instance.parts.clock.nowMs() };
    connection.current = true;
    return true;
  }

  #takeWaiting(): void {
    const { instance } = this.#parts;
    const { clock } = instance.parts;
    const waiting = this.#waiting;
    if (!waiting) return;
    this.#waiting = undefined;
    const startMs = clock.monotonicMs();
    this.#lastRefused = !instance.take(new TextEncoder().encode(waiting.data), waiting.arrivedMs);
    const endMs = clock.monotonicMs();
    this.#notBeforeMs = startMs + Math.max(valueEveryMs, restPerWork * (endMs - startMs));
  }

  /** Unless a newer value waits, or the last one was refused: then the one there is has been replaced. */
  #confirm(connection: Connection): void {
    const { instance } = this.#parts;
    if (connection.current && !this.#waiting && !this.#lastRefused) instance.confirm(instance.parts.clock.nowMs());
  }

  #failed(): number {
    const { instance, random } = this.#parts;
    const { kept, parts: { clock, feed } } = instance;
    this.#failures++;
    return jittered(failureWaitMs({
      failures: this.#failures, everyMs: this.#retryMs, maxAgeMs: feed.maxAgeMs, heardAgoMs: kept && clock.nowMs() - kept.heardMs, retryAfterMs: undefined,
    }), random.next());
  }

  #headers(): Record<string, string> {
    const { instance: { parts: { feed } }, userAgent } = this.#parts;
    // A header value is bytes to the runtime; the standard wants UTF-8 there.
    const id = Buffer.from(this.#lastEventId, 'utf8').toString('latin1');
    return { 'accept': 'text/event-stream', 'cache-control': 'no-store', 'user-agent': userAgent, ...feed.headers, ...id !== '' && { 'last-event-id': id } };
  }
}

/** Decodes chunks and turns CRLF and CR into LF at once: the parser would keep a CR at the end of a chunk until the next one comes. */
function lineFeeds(): (chunk: Uint8Array) => string {
  const decoder = new TextDecoder();
  let afterCr = false;
  return (chunk) => {
    const decoded = decoder.decode(chunk, { stream: true });
    if (decoded === '') return '';
    const text = afterCr && decoded.startsWith('\n') ? decoded.slice(1) : decoded;
    afterCr = decoded.endsWith('\r');
    return text.replaceAll(/\r\n?/g, '\n');
  };
}

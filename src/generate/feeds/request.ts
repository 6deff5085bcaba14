/**
 * HTTP to a feed's own host and nobody else: redirects are answers, no cookie is kept, and what the feed's headers hold never appears in a
 * message. Whatever comes is bounded in bytes, also after decoding, and in time. Never throws for what the other side does.
 */
import { promisify } from 'node:util';
import { brotliDecompress, gunzip, zstdDecompress } from 'node:zlib';
import type { Clock } from '../../kernel/index.ts';
import { documentBytesMax, type Refused } from './document.ts';

/** Until the answer's head has come. */
const firstByteMs = 5_000;
/** Until a whole document has come. */
const wholeMs = 10_000;

export interface Asked {
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The hub is closing, or the feed is not wanted any more. */
export interface GivenUp {
  readonly kind: 'given-up';
}

export interface RefusedAnswer extends Refused {
  /** As the answer has it, if there was one. */
  readonly retryAfter?: string | undefined;
}

export interface Answer {
  readonly kind: 'answer';
  readonly status: 200 | 304;
  readonly headers: Headers;
  /** Whole and decoded; empty for 304. */
  readonly body: Uint8Array;
}

const decoders: Readonly<Record<string, (bytes: Uint8Array) => Promise<Uint8Array>>> = {
  'gzip': (bytes) => promisify(gunzip)(bytes, { maxOutputLength: documentBytesMax }),
  'x-gzip': (bytes) => promisify(gunzip)(bytes, { maxOutputLength: documentBytesMax }),
  'br': (bytes) => promisify(brotliDecompress)(bytes, { maxOutputLength: documentBytesMax }),
  'zstd': (bytes) => promisify(zstdDecompress)(bytes, { maxOutputLength: documentBytesMax }),
};

export async function askDocument({ url, headers, clock, signal }: Asked): Promise<Answer | RefusedAnswer | GivenUp> {
  const ending = endingOf(signal);
  const cancelWhole = clock.after(wholeMs, () => { ending.expire(`the answer was not whole within ${wholeMs / 1000} s`); });
  try {
    const head = await ask(url, { ...headers, 'accept-encoding': 'gzip, br, zstd' }, clock, ending);
    if (head.kind !== 'head') return head;
    const { answer } = head;
    const refusal = answer.status === 304 ? undefined : statusRefusal(answer);
    if (refusal) return refusal;
    const body = answer.status === 304 ? new Uint8Array(0) : await readBody(answer);
    if (!body) return { kind: 'refused', reason: 'too-large', message: `the answer has more than ${documentBytesMax} bytes` };
    const decoded = await decode(body, answer.headers.get('content-encoding'));
    return decoded instanceof Uint8Array ? { kind: 'answer', status: answer.status === 304 ? 304 : 200, headers: answer.headers, body: decoded } : decoded;
  } catch (error) {
    return ending.whyOf(error);
  } finally {
    cancelWhole();
    ending.close();
  }
}

export interface EventStream {
  readonly kind: 'stream';
  /** Ends, or throws, when the stream does; call `close` in any case. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** What to say of an error that `chunks` threw. */
  whyOf(error: unknown): Refused | GivenUp;
  /** Ends the stream, for a reason that is no fault of it. */
  close(): void;
}

export async function openStream({ url, headers, clock, signal }: Asked): Promise<EventStream | RefusedAnswer | GivenUp> {
  const ending = endingOf(signal);
  let opened: EventStream | undefined;
  try {
    const head = await ask(url, { ...headers, 'accept-encoding': 'identity' }, clock, ending);
    if (head.kind !== 'head') return head;
    const { answer } = head;
    const refusal = statusRefusal(answer);
    if (refusal) return refusal;
    const [type = ''] = (answer.headers.get('content-type') ?? '').split(';', 1);
    if (type.trim().toLowerCase() !== 'text/event-stream') return { kind: 'refused', reason: 'type', message: 'the answer is not of type text/event-stream' };
    const coding = answer.headers.get('content-encoding')?.trim().toLowerCase() ?? 'identity';
    if (coding !== 'identity' || !answer.body) return { kind: 'refused', reason: 'coding', message: 'the stream is compressed although it was asked for as it is' };
    opened = { kind: 'stream', chunks: answer.body, whyOf: (error) => ending.whyOf(error), close: () => { ending.close(); } };
    return opened;
  } catch (error) {
    return ending.whyOf(error);
  } finally {
    if (!opened) ending.close();
  }
}

interface Ending {
  readonly signal: AbortSignal;
  expire(message: string): void;
  whyOf(error: unknown): Refused | GivenUp;
  /** Ends what is still under way, and lets go of the outer signal. */
  close(): void;
}

function endingOf(outer: AbortSignal): Ending {
  const stop = new AbortController();
  let expired: string | undefined;
  const leave = (): void => { stop.abort(); };
  if (outer.aborted) leave();
  outer.addEventListener('abort', leave, { once: true });
  return {
    signal: stop.signal,
    expire(message) {
      expired ??= message;
      stop.abort();
    },
    whyOf(error) {
      if (expired !== undefined) return { kind: 'refused', reason: 'timeout', message: expired };
      if (outer.aborted) return { kind: 'given-up' };
      return troubleOf(error);
    },
    close() {
      outer.removeEventListener('abort', leave);
      stop.abort();
    },
  };
}

type Head = { readonly kind: 'head'; readonly answer: Response } | Refused | GivenUp;

async function ask(url: string, headers: Readonly<Record<string, string>>, clock: Clock, ending: Ending): Promise<Head> {
  const cancel = clock.after(firstByteMs, () => { ending.expire(`no answer began within ${firstByteMs / 1000} s`); });
  try {
    return { kind: 'head', answer: await fetch(url, { headers: { ...headers }, redirect: 'manual', decompress: false, signal: ending.signal }) };
  } catch (error) {
    return ending.whyOf(error);
  } finally {
    cancel();
  }
}

function statusRefusal(answer: Response): RefusedAnswer | undefined {
  const { status } = answer;
  if (status === 200) return undefined;
  if (status >= 300 && status < 400 && answer.headers.has('location')) return { kind: 'refused', reason: 'redirect', message: `the answer is a redirect (${status}); name the address it leads to` };
  return { kind: 'refused', reason: 'status', message: `the answer has status ${status}`, retryAfter: answer.headers.get('retry-after') ?? undefined };
}

async function readBody(answer: Response): Promise<Uint8Array | undefined> {
  if (Number(answer.headers.get('content-length') ?? 0) > documentBytesMax) return undefined;
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const body: AsyncIterable<Uint8Array> | null = answer.body;
  if (!body) return new Uint8Array(0);
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > documentBytesMax) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function decode(body: Uint8Array, codingField: string | null): Promise<Uint8Array | Refused> {
  const coding = codingField?.trim().toLowerCase() ?? '';
  if (coding === '' || coding === 'identity' || body.length === 0) return body;
  const decoder = decoders[coding];
  if (!decoder) return { kind: 'refused', reason: 'coding', message: 'the answer has a content coding that was not asked for' };
  try {
    return await decoder(body);
  } catch (error) {
    const bomb = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';
    return bomb ? { kind: 'refused', reason: 'too-large', message: `the decoded answer has more than ${documentBytesMax} bytes` }
      : { kind: 'refused', reason: 'coding', message: `the answer is not valid ${coding}` };
  }
}

/** The runtime's own words may hold the URL: only its code is told. */
function troubleOf(error: unknown): Refused {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  const unreachable = code === 'ECONNREFUSED' || code === 'ConnectionRefused' || code === 'FailedToOpenSocket' || code === 'ENOTFOUND' || code.startsWith('EAI_') || /CERT|SSL|TLS|SIGN/i.test(code);
  const told = /^[A-Za-z_]{1,64}$/.test(code) ? ` (${code})` : '';
  return unreachable ? { kind: 'refused', reason: 'unreachable', message: `the host can not be connected to${told}` } : { kind: 'refused', reason: 'cut', message: `the answer ended before it was whole${told}` };
}

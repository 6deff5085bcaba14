/**
 * HTTP/1.1 byte by byte, for tests that must see exactly what is on the wire: an origin that writes what the test says, and a
 * client that shows what came, header lines in their order and spelling, framing and how it ended.
 */
import { connect, createServer, type Socket } from 'node:net';
import { onStrike } from './stage.ts';

export type HeaderLines = readonly (readonly [name: string, value: string])[];

export interface Message {
  /** The first line. */
  readonly start: string;
  /** Names in lower case. */
  readonly headers: HeaderLines;
  readonly body: Buffer;
}

export interface Asked extends Message {
  readonly method: string;
  readonly target: string;
}

export interface Answer extends Message {
  readonly status: number;
  readonly framing: 'length' | 'chunked' | 'none' | 'close';
  /** Whether everything the framing promised came. */
  readonly whole: boolean;
}

/** All values of one name, in order. */
export function values(message: Pick<Message, 'headers'>, name: string): string[] {
  return message.headers.filter(([key]) => key === name).map(([, value]) => value);
}

export function value(message: Pick<Message, 'headers'>, name: string): string | undefined {
  return values(message, name)[0];
}

interface Head {
  readonly start: string;
  readonly headers: HeaderLines;
  readonly bytes: number;
}

function readHead(buffer: Buffer): Head | undefined {
  const end = buffer.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [start = '', ...lines] = buffer.subarray(0, end).toString('latin1').split('\r\n');
  const headers = lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()] as const);
  return { start, headers, bytes: end + 4 };
}

/** Takes the chunks there are; `used` bytes belong to them. */
function readChunks(buffer: Buffer): { readonly body: Buffer; readonly done: boolean; readonly used: number } {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const eol = buffer.indexOf('\r\n', at);
    if (eol < 0) break;
    const size = Number.parseInt(buffer.subarray(at, eol).toString('latin1'), 16);
    const end = eol + 2 + size + 2;
    if (buffer.length < end) break;
    if (size === 0) return { body: Buffer.concat(chunks), done: true, used: end };
    chunks.push(buffer.subarray(eol + 2, eol + 2 + size));
    at = end;
  }
  return { body: Buffer.concat(chunks), done: false, used: at };
}

/** What an origin does with a request that has come whole. */
export type Handler = (asked: Asked, socket: Socket) => void;

export interface Origin {
  readonly url: string;
  /** Requests so far, probes left out. */
  readonly asked: Asked[];
  /** Connections that are open. */
  readonly sockets: ReadonlySet<Socket>;
  /** Takes no more connections and drops those there are. */
  readonly stop: () => void;
}

/** An origin of which the handler writes every byte. Probes are answered by it too but not listed. */
export async function origin(handle: Handler): Promise<Origin> {
  const sockets = new Set<Socket>();
  const asked: Asked[] = [];
  const server = createServer((socket) => {
    sockets.add(socket);
    let pending = Buffer.alloc(0);
    socket.on('close', () => { sockets.delete(socket); });
    socket.on('error', () => { socket.destroy(); });
    socket.on('data', (data: Buffer) => {
      pending = Buffer.concat([pending, data]);
      for (let request = readRequest(pending); request; request = readRequest(pending)) {
        pending = pending.subarray(request.used);
        if (value(request.asked, 'foreshadow-purpose') === 'probe') {
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n');
          continue;
        }
        asked.push(request.asked);
        handle(request.asked, socket);
      }
    });
  });
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve); });
  const stop = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  onStrike(stop);
  const address = server.address();
  return { url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`, asked, sockets, stop };
}

function readRequest(buffer: Buffer): { readonly asked: Asked; readonly used: number } | undefined {
  const head = readHead(buffer);
  if (!head) return undefined;
  const [method = '', target = ''] = head.start.split(' ');
  const rest = buffer.subarray(head.bytes);
  const asked = { start: head.start, headers: head.headers, method, target };
  if (value(head, 'transfer-encoding') !== undefined) {
    const chunks = readChunks(rest);
    return chunks.done ? { asked: { ...asked, body: chunks.body }, used: head.bytes + chunks.used } : undefined;
  }
  const length = Number(value(head, 'content-length') ?? 0);
  return rest.length < length ? undefined : { asked: { ...asked, body: rest.subarray(0, length) }, used: head.bytes + length };
}

/** An answer with its Content-Length, as bytes. `fields` are header lines. */
export function reply(body: string | Uint8Array, fields: readonly string[] = [], status = '200 OK'): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\n${fields.map((field) => `${field}\r\n`).join('')}Content-Length: ${bytes.length}\r\n\r\n`), bytes]);
}

export const cached = 'Cache-Control: max-age=60';

/** One connection of a client. */
export class Session {
  readonly #host: string;
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #closed = false;
  #changed = (): void => undefined;

  private constructor(socket: Socket, host: string) {
    this.socket = socket;
    this.#host = host;
    const ended = (): void => {
      this.#closed = true;
      this.#changed();
    };
    socket.on('error', ended);
    socket.on('close', ended);
    socket.on('data', (data: Buffer) => {
      this.#received = Buffer.concat([this.#received, data]);
      this.#changed();
    });
  }

  static async open(url: string): Promise<Session> {
    const { hostname, port, host } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port) });
    onStrike(() => { socket.destroy(); });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new Session(socket, host);
  }

  /** Everything that has come since the last whole answer. */
  get received(): Buffer {
    return this.#received;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Sends the head of a request, and its body if there is one. `lines` are header lines; Host is added where they name none. */
  send(request: string, lines: readonly string[] = [], body?: string | Uint8Array): void {
    const named = lines.some((line) => /^host:/i.test(line)) ? lines : [`Host: ${this.#host}`, ...lines];
    const length = body === undefined || lines.some((line) => /^(?:content-length|transfer-encoding):/i.test(line)) ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
    const version = / HTTP\/\d\.\d$/.test(request) ? '' : ' HTTP/1.1';
    this.socket.write(`${request}${version}\r\n${[...named, ...length].map((line) => `${line}\r\n`).join('')}\r\n`);
    if (body !== undefined) this.socket.write(body);
  }

  /** The answer to the request sent last, as far as it came before the connection ended. */
  async answer(head = false): Promise<Answer> {
    for (;;) {
      const read = readAnswer(this.#received, head, this.#closed);
      if (read) {
        this.#received = Buffer.alloc(0);
        return read;
      }
      if (this.#closed) throw new Error(`the connection ended before an answer: ${this.#received.toString('latin1').slice(0, 200)}`);
      await new Promise<void>((resolve) => { this.#changed = resolve; });
    }
  }

  async ask(request: string, lines: readonly string[] = [], body?: string | Uint8Array): Promise<Answer> {
    this.send(request, lines, body);
    return this.answer(request.startsWith('HEAD '));
  }
}

/** Sends a request on a connection of its own and gives the answer as it came. */
export async function ask(url: string, request: string, lines: readonly string[] = [], body?: string | Uint8Array): Promise<Answer> {
  const session = await Session.open(url);
  try {
    return await session.ask(request, lines, body);
  } finally {
    session.socket.destroy();
  }
}

/** Undefined while more can come. */
function readAnswer(received: Buffer, head: boolean, closed: boolean): Answer | undefined {
  const read = readHead(received);
  if (!read) return undefined;
  const status = Number(read.start.split(' ')[1]);
  const rest = received.subarray(read.bytes);
  const about = { start: read.start, headers: read.headers, status };
  if (status < 200 && status !== 101) return readAnswer(rest, head, closed);
  if (head || status === 101 || status === 204 || status === 304) return { ...about, framing: 'none', body: rest, whole: true };
  if (value(read, 'transfer-encoding') === 'chunked') {
    const { body, done } = readChunks(rest);
    return done || closed ? { ...about, framing: 'chunked', body, whole: done } : undefined;
  }
  const length = value(read, 'content-length');
  if (length !== undefined) {
    const whole = rest.length >= Number(length);
    return whole || closed ? { ...about, framing: 'length', body: rest, whole } : undefined;
  }
  return closed ? { ...about, framing: 'close', body: rest, whole: true } : undefined;
}

/** What the Foreshadow field says of an answer: `source reason`. */
export function verdict(answer: Pick<Message, 'headers'>): string {
  const match = /^source=([a-z]+); reason=([a-z0-9-]+)/.exec(value(answer, 'foreshadow') ?? '');
  return `${match?.[1] ?? '?'} ${match?.[2] ?? '?'}`;
}

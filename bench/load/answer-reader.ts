/**
 * Reads HTTP/1.1 answers from bytes as they come, for the load generator: strict about where an answer ends, because a
 * body that stops short is a failed request and must never pass for a whole one. Pure: bytes in, answers out.
 * It speaks what servers send to a GET: Content-Length, chunked, or until close; no trailers, no upgrades.
 */

export interface Answer {
  readonly status: number;
  /** The status line and fields as sent, without the empty line. */
  readonly head: string;
  readonly body: Uint8Array;
  /** Whether the connection can carry another request. */
  readonly reusable: boolean;
}

type Framing = { readonly kind: 'length'; readonly bytes: number } | { readonly kind: 'chunked' } | { readonly kind: 'close' };

export class AnswerReader {
  #pending: Buffer = Buffer.alloc(0);
  #head: string | undefined;
  #framing: Framing = { kind: 'close' };
  #chunks: Buffer[] = [];
  #chunkBytesLeft = -1;

  /** Whether any byte of the answer under way has come. */
  get started(): boolean {
    return this.#head !== undefined || this.#pending.length > 0;
  }

  /** Takes bytes; the answer once it is whole, 'malformed' when it can't be read, undefined while more is needed. */
  push(bytes: Buffer): Answer | 'malformed' | undefined {
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    for (;;) {
      if (this.#head === undefined) {
        const end = this.#pending.indexOf('\r\n\r\n');
        if (end < 0) return this.#pending.length > 65_536 ? 'malformed' : undefined;
        const head = this.#pending.toString('latin1', 0, end);
        this.#pending = this.#pending.subarray(end + 4);
        if (!/^HTTP\/1\.[01] \d{3}/.test(head)) return 'malformed';
        if (head.startsWith('1', 9)) continue;
        this.#head = head;
        this.#framing = framingOf(head);
      }
      const framing = this.#framing;
      if (framing.kind === 'length') {
        if (this.#pending.length < framing.bytes) return undefined;
        return this.#finish(this.#head, this.#take(framing.bytes), true);
      }
      if (framing.kind === 'close') return undefined;
      const step = this.#readChunk();
      if (step === 'more') return undefined;
      if (step === 'malformed') return 'malformed';
      if (step === 'end') return this.#finish(this.#head, Buffer.concat(this.#chunks), true);
    }
  }

  /** The server closed: the answer if it was one that ends so, undefined if it was cut. */
  end(): Answer | undefined {
    if (this.#head === undefined || this.#framing.kind !== 'close') return undefined;
    const answer = this.#finish(this.#head, this.#take(this.#pending.length), false);
    return answer === 'malformed' ? undefined : answer;
  }

  #take(count: number): Buffer {
    const taken = this.#pending.subarray(0, count);
    this.#pending = this.#pending.subarray(count);
    return taken;
  }

  #readChunk(): 'more' | 'again' | 'end' | 'malformed' {
    if (this.#chunkBytesLeft < 0) {
      const end = this.#pending.indexOf('\r\n');
      if (end < 0) return this.#pending.length > 64 ? 'malformed' : 'more';
      const size = /^([0-9a-fA-F]+)(?:;.*)?$/.exec(this.#pending.toString('latin1', 0, end))?.[1];
      if (size === undefined) return 'malformed';
      this.#pending = this.#pending.subarray(end + 2);
      this.#chunkBytesLeft = Number.parseInt(size, 16);
    }
    if (this.#pending.length < this.#chunkBytesLeft + 2) return 'more';
    const last = this.#chunkBytesLeft === 0;
    this.#chunks.push(this.#take(this.#chunkBytesLeft));
    if (this.#take(2).toString('latin1') !== '\r\n') return 'malformed';
    this.#chunkBytesLeft = -1;
    return last ? 'end' : 'again';
  }

  #finish(head: string, body: Uint8Array, framed: boolean): Answer | 'malformed' {
    const answer = {
      status: Number(head.slice(9, 12)),
      head,
      body,
      reusable: framed && head.startsWith('HTTP/1.1') && !/\r\nconnection: *close/i.test(head),
    };
    // Bytes after the end belong to no request of ours: the answer was longer than it said.
    if (this.#pending.length > 0) return 'malformed';
    this.#head = undefined;
    this.#chunks = [];
    return answer;
  }
}

function framingOf(head: string): Framing {
  const status = Number(head.slice(9, 12));
  if (status === 204 || status === 304) return { kind: 'length', bytes: 0 };
  if (/\r\ntransfer-encoding: *chunked/i.test(head)) return { kind: 'chunked' };
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  return length === undefined ? { kind: 'close' } : { kind: 'length', bytes: Number(length) };
}

/** The value of one field of an answer's head; the empty string when absent. */
export function fieldOf(head: string, name: string): string {
  const at = head.toLowerCase().indexOf(`\r\n${name}:`);
  if (at < 0) return '';
  const end = head.indexOf('\r\n', at + 2);
  return head.slice(at + name.length + 3, end < 0 ? undefined : end).trim();
}

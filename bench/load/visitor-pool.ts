/**
 * Keep-alive connections to one server, as many as are needed at once: an open-loop generator must never make a request
 * wait for another one's answer. A reused connection that turns out to be closed before any byte of the answer came is
 * replaced once, as browsers do for requests that are safe to repeat (RFC 9112 §9.3.1); everything else that goes wrong is reported.
 */
import { AnswerReader } from './answer-reader.ts';
import type { Answer } from './answer-reader.ts';

export type Exchange =
  | { readonly ok: true; readonly answer: Answer }
  | { readonly ok: false; readonly failure: 'connect' | 'closed' | 'cut' | 'malformed' | 'timeout' };

type Done = (exchange: Exchange) => void;

interface Task {
  readonly bytes: Buffer;
  readonly done: Done;
  retried: boolean;
}

interface Line {
  socket: Bun.Socket | undefined;
  reader: AnswerReader;
  task: Task | undefined;
  deadlineMs: number;
  unsent: Buffer | undefined;
  used: boolean;
  closed: boolean;
}

export class VisitorPool {
  readonly #target: { readonly hostname: string; readonly port: number };
  readonly #timeoutMs: number;
  readonly #connectionsMax: number;
  readonly #waiting: Task[] = [];
  readonly #sweeper: ReturnType<typeof setInterval>;
  readonly #idle: Line[] = [];
  readonly #lines = new Set<Line>();
  #busy = 0;
  #retries = 0;

  /** Beyond `connectionsMax`, requests wait in line (their latency counts on). */
  constructor(target: { readonly hostname: string; readonly port: number }, timeoutMs: number, connectionsMax = 15_000) {
    this.#target = target;
    this.#timeoutMs = timeoutMs;
    this.#connectionsMax = connectionsMax;
    // One timer for all: a timer for each request would be a tenth of the generator's work.
    this.#sweeper = setInterval(() => { this.#sweep(); }, 100);
  }

  get busy(): number { return this.#busy; }
  get retries(): number { return this.#retries; }

  /** Sends one request (its whole bytes) and calls back exactly once. */
  send(bytes: Buffer, done: Done): void {
    this.#busy++;
    this.#start({ bytes, retried: false, done: (exchange) => { this.#busy--; done(exchange); } });
  }

  close(): void {
    clearInterval(this.#sweeper);
    for (const line of this.#lines) line.socket?.terminate();
  }

  #start(task: Task): void {
    for (let line = task.retried ? undefined : this.#idle.pop(); line !== undefined; line = this.#idle.pop()) {
      if (line.closed || line.socket === undefined) continue;
      this.#assign(line, task);
      this.#write(line, task.bytes);
      return;
    }
    if (this.#lines.size < this.#connectionsMax) this.#connect(task);
    else this.#waiting.push(task);
  }

  #assign(line: Line, task: Task): void {
    line.task = task;
    line.deadlineMs = performance.now() + this.#timeoutMs;
  }

  #sweep(): void {
    const nowMs = performance.now();
    for (const line of this.#lines) {
      if (line.task === undefined || line.deadlineMs > nowMs) continue;
      this.#finish(line, { ok: false, failure: 'timeout' });
      line.socket?.terminate();
    }
  }

  #write(line: Line, bytes: Buffer): void {
    const sent = line.socket?.write(bytes) ?? 0;
    line.unsent = sent >= 0 && sent < bytes.length ? bytes.subarray(sent) : undefined;
  }

  #connect(task: Task): void {
    const line: Line = { socket: undefined, reader: new AnswerReader(), task: undefined, deadlineMs: 0, unsent: undefined, used: false, closed: false };
    this.#lines.add(line);
    this.#assign(line, task);
    const failed = (): void => { this.#lines.delete(line); line.closed = true; this.#finish(line, { ok: false, failure: 'connect' }); };
    Bun.connect({
      ...this.#target,
      socket: {
        open: (socket) => { line.socket = socket; socket.setNoDelay(true); this.#write(line, task.bytes); },
        data: (_, bytes) => { this.#receive(line, bytes); },
        drain: () => { if (line.unsent !== undefined) this.#write(line, line.unsent); },
        close: () => { this.#closed(line); },
        error: () => { this.#closed(line); },
        connectError: failed,
      },
    }).catch(failed);
  }

  #receive(line: Line, bytes: Buffer): void {
    if (line.task === undefined) { line.socket?.terminate(); return; }
    const answer = line.reader.push(bytes);
    if (answer === undefined) return;
    if (answer === 'malformed') {
      this.#finish(line, { ok: false, failure: 'malformed' });
      line.socket?.terminate();
      return;
    }
    line.used = true;
    const done = this.#finish(line, { ok: true, answer });
    if (answer.reusable) this.#idle.push(line);
    else line.socket?.end();
    done();
    const next = this.#waiting.shift();
    if (next !== undefined) this.#start(next);
  }

  #closed(line: Line): void {
    if (line.closed) return;
    line.closed = true;
    this.#lines.delete(line);
    const task = line.task;
    if (task === undefined) return;
    const started = line.reader.started;
    const answer = line.reader.end();
    if (answer !== undefined) { this.#finish(line, { ok: true, answer })(); return; }
    if (line.used && !started && !task.retried) {
      line.task = undefined;
      task.retried = true;
      this.#retries++;
      this.#start(task);
      return;
    }
    this.#finish(line, { ok: false, failure: started ? 'cut' : 'closed' })();
  }

  /** Takes the task off its line; failures are reported at once, answers when the returned function is called (after the line is idle again). */
  #finish(line: Line, exchange: Exchange): () => void {
    const task = line.task;
    if (task === undefined) return () => undefined;
    line.task = undefined;
    if (exchange.ok) return () => { task.done(exchange); };
    task.done(exchange);
    return () => undefined;
  }
}

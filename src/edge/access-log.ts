/**
 * The access log: one JSON object a line with what was asked, who answered and why. Lines are gathered and written a few
 * times a second; when the disk can't keep up they are dropped and counted, never waited for. Query strings and addresses
 * are personal data: the file is only readable by its owner.
 */
import { appendFile, chmod } from 'node:fs/promises';
import { messageOf, type Log } from '../kernel/index.ts';
import type { AnswerRecord } from './pipeline.ts';

const flushEveryMs = 250;
/** Lines that wait to be written; more are dropped. */
const pendingMax = 50_000;

export class AccessLog {
  readonly #path: string;
  readonly #log: Log;
  readonly #timer: ReturnType<typeof setInterval>;
  #pending: string[] = [];
  #writing: Promise<void> = Promise.resolve();
  #busy = false;
  #dropped = 0;

  /** `path` is a file, or `stdout`. */
  constructor(path: string, log: Log) {
    this.#path = path;
    this.#log = log;
    this.#timer = setInterval(() => { this.#flush(); }, flushEveryMs);
    this.#timer.unref();
  }

  write({ visit, request, entrance, source, reason, status }: AnswerRecord, nowMs: number): void {
    if (this.#pending.length >= pendingMax) {
      this.#dropped++;
      return;
    }
    this.#pending.push(JSON.stringify({
      time: new Date(nowMs).toISOString(), region: entrance.region, client: visit?.client, method: request.method,
      host: visit?.host, target: visit?.target.slice(0, 2_000), status, source, reason,
      ...(visit && visit.variation !== '' && { variation: visit.variation }),
      ms: visit ? Math.round((performance.now() - visit.startedMs) * 10) / 10 : undefined,
      userAgent: request.headers.get('user-agent')?.slice(0, 300), referer: request.headers.get('referer')?.slice(0, 300),
    }));
  }

  get dropped(): number {
    return this.#dropped;
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing;
    this.#flush();
    await this.#writing;
  }

  #flush(): void {
    if (this.#busy || this.#pending.length === 0) return;
    const text = `${this.#pending.join('\n')}\n`;
    this.#pending = [];
    this.#busy = true;
    this.#writing = this.#append(text).catch((error: unknown) => {
      this.#dropped += text.split('\n').length - 1;
      this.#log.warn('access-log-failed', { path: this.#path, problem: messageOf(error), hint: 'check the disk and the permissions of log.access' });
    }).finally(() => { this.#busy = false; });
  }

  async #append(text: string): Promise<void> {
    if (this.#path === 'stdout') {
      await Bun.write(Bun.stdout, text);
      return;
    }
    await appendFile(this.#path, text, { mode: 0o600 });
    await chmod(this.#path, 0o600);
  }
}

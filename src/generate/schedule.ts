/** Repeated and delayed work that ends together: nothing begins after `close`, and `close` waits for what had begun. */
import { messageOf, type Clock, type Log } from '../kernel/index.ts';

export class Schedule {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<void>>();
  readonly #timers = new Set<() => void>();

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Aborted when closing begins. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** Runs `step` after `firstMs`, and again `everyMs()` after each time it ended. A step that throws is logged, and comes again. */
  every(step: () => void | Promise<void>, everyMs: () => number, firstMs = 0): void {
    this.after(firstMs, async () => {
      try {
        await step();
      } catch (error) {
        this.#log.error('step-failed', { problem: messageOf(error) });
      }
      this.every(step, everyMs, everyMs());
    });
  }

  after(delayMs: number, run: () => void | Promise<void>): void {
    if (this.signal.aborted) return;
    const cancel = this.#clock.after(delayMs, () => {
      this.#timers.delete(cancel);
      this.track(run);
    });
    this.#timers.add(cancel);
  }

  /** Runs now, and keeps `close` waiting until it ended. What it throws is logged. */
  track(run: () => void | Promise<void>): void {
    const settled = (async () => {
      try {
        await run();
      } catch (error) {
        this.#log.error('step-failed', { problem: messageOf(error) });
      }
    })().finally(() => { this.#running.delete(settled); });
    this.#running.add(settled);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    for (const cancel of this.#timers) cancel();
    this.#timers.clear();
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}

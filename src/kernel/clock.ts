/**
 * Time as an argument. Everything that asks what time it is, or waits, takes a `Clock`; only `main.ts` and tests make one.
 * `systemClock` is the real one; `ManualClock` stands still until it is told to move, and then fires timers in order.
 */
export interface Clock {
  /** Wall time in milliseconds since the Unix epoch. May jump. Use it for ages, dates and anything shown. */
  nowMs(): number;
  /** Milliseconds from an arbitrary start, never going back. Use it for durations and deadlines. */
  monotonicMs(): number;
  /** Calls `run` once after `delayMs`. The timer does not keep the process alive. Returns what cancels it. */
  after(delayMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    timer.unref();
    return () => {
      clearTimeout(timer);
    };
  },
};

interface ManualTimer {
  readonly atMs: number;
  readonly order: number;
  readonly run: () => void;
}

/** A clock for tests and simulations: `advance` moves it and fires what falls due, oldest first. */
export class ManualClock implements Clock {
  readonly #startMs: number;
  #elapsedMs = 0;
  #timers: ManualTimer[] = [];
  #order = 0;

  constructor(startMs = 1_700_000_000_000) {
    this.#startMs = startMs;
  }

  nowMs(): number {
    return this.#startMs + this.#elapsedMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { atMs: this.#elapsedMs + Math.max(0, delayMs), order: this.#order++, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** Moves time on by `ms`, firing timers that fall due in the order of their times. */
  advance(ms: number): void {
    const endMs = this.#elapsedMs + ms;
    for (;;) {
      let next: ManualTimer | undefined;
      for (const timer of this.#timers) {
        if (timer.atMs > endMs) continue;
        if (!next || timer.atMs < next.atMs || (timer.atMs === next.atMs && timer.order < next.order)) next = timer;
      }
      if (!next) break;
      const due = next;
      this.#timers = this.#timers.filter((other) => other !== due);
      this.#elapsedMs = Math.max(this.#elapsedMs, due.atMs);
      due.run();
    }
    this.#elapsedMs = endMs;
  }
}

/** Resolves after `delayMs` on the given clock, or at once when `signal` is aborted. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const cancel = clock.after(delayMs, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** How far a backtest has come, for a person who watches: trace time, speed, per cent and time left, on one line of the terminal. */
import { formatDuration } from '../kernel/index.ts';
import type { Clock } from '../kernel/index.ts';

/** The line is written again after so much time. */
const everyMs = 500;

/** What is known of the reading, which is ahead of the playing. */
export interface Reading {
  readonly bytes: number;
  readonly toMs: number;
}

export class BacktestProgress {
  readonly #clock: Clock;
  readonly #bytesTotal: number;
  readonly #write: (line: string) => void;
  readonly #beganMs: number;
  #firstMs: number | undefined;
  #writtenMs = -Infinity;

  constructor(clock: Clock, bytesTotal: number, write: (line: string) => void) {
    this.#clock = clock;
    this.#bytesTotal = bytesTotal;
    this.#write = write;
    this.#beganMs = clock.monotonicMs();
  }

  /** Takes the minute of the trace that has been played. */
  played(minuteMs: number, reading: Reading): void {
    this.#firstMs ??= minuteMs;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#writtenMs < everyMs) return;
    this.#writtenMs = nowMs;
    const takenMs = Math.max(1, nowMs - this.#beganMs);
    const playedMs = minuteMs - this.#firstMs;
    // The part of the bytes that were read, and of the time they span the part that has been played.
    const part = Math.min(1, (playedMs / Math.max(60_000, reading.toMs - this.#firstMs)) * (reading.bytes / Math.max(1, this.#bytesTotal)));
    const leftMs = part > 0.01 ? (takenMs * (1 - part)) / part : undefined;
    this.#write(`played to ${new Date(minuteMs).toISOString().slice(0, 16).replace('T', ' ')}, ${formatDuration(Math.round(((playedMs / takenMs) * 1000) / 60_000) * 60_000)} a second, ${Math.floor(part * 100)} %`
      + (leftMs === undefined ? '' : `, ${formatDuration(Math.max(1, Math.round(leftMs / 1000)) * 1000)} left`));
  }
}

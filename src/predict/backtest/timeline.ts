/**
 * A stretch of the trace around the minute being played: some minutes back for counting, some ahead for scoring outages and
 * for the planners that are allowed to know the future. What plays the product's own part is never given this object.
 */
import type { TraceMinute } from './hour-bucket.ts';
import { isDemand } from './hour-bucket.ts';

const minuteMs = 60_000;

export class Timeline {
  readonly #source: AsyncGenerator<TraceMinute>;
  readonly #minutes = new Map<number, TraceMinute>();
  readonly #behind: number;
  readonly #ahead: number;
  #ended = false;
  #lastMinute = -Infinity;
  #pending: TraceMinute | undefined;
  #dropped = -Infinity;

  /** Keeps `behind` minutes before and `ahead` minutes after the one being played. */
  constructor(source: AsyncGenerator<TraceMinute>, behind: number, ahead: number) {
    this.#source = source;
    this.#behind = behind;
    this.#ahead = ahead;
  }

  /** The number (minutes since the epoch) of the next minute at or after `minute` that has requests; undefined at the end. */
  async nextFrom(minute: number): Promise<number | undefined> {
    await this.#fill(minute + this.#ahead);
    let next: number | undefined;
    for (const number of this.#minutes.keys()) if (number >= minute && (next === undefined || number < next)) next = number;
    if (next !== undefined) return next;
    const pending = await this.#peek();
    return pending && Math.floor(pending.minuteMs / minuteMs);
  }

  /** Makes `minute` the one being played: after this, everything within reach of it can be read. */
  async moveTo(minute: number): Promise<void> {
    await this.#fill(minute + this.#ahead);
    const keepFrom = minute - this.#behind;
    if (minute - this.#dropped > this.#minutes.size + this.#behind + this.#ahead + 1) {
      for (const number of this.#minutes.keys()) if (number < keepFrom) this.#minutes.delete(number);
    } else {
      for (let number = this.#dropped; number < keepFrom; number++) this.#minutes.delete(number);
    }
    this.#dropped = keepFrom;
  }

  at(minute: number): TraceMinute | undefined {
    return this.#minutes.get(minute);
  }

  /** Whether the trace goes on to the end of this minute, as far as is known. */
  reaches(minute: number): boolean {
    return !this.#ended || this.#pending !== undefined || minute <= this.#lastMinute;
  }

  async #fill(untilMinute: number): Promise<void> {
    while (this.#lastMinute < untilMinute) {
      const pending = await this.#peek();
      if (!pending) return;
      const number = Math.floor(pending.minuteMs / minuteMs);
      if (number > untilMinute) return;
      this.#minutes.set(number, pending);
      this.#lastMinute = number;
      this.#pending = undefined;
    }
  }

  /** The next minute of the source, not yet taken. */
  async #peek(): Promise<TraceMinute | undefined> {
    if (!this.#pending && !this.#ended) {
      const next = await this.#source.next();
      if (next.done) this.#ended = true;
      else this.#pending = next.value;
    }
    return this.#pending;
  }
}

/** Demand per resource in a window of minutes that slides with the play: `from` to `to` relative to the minute being played. */
export class SlidingCounts {
  counts = new Float64Array(0);
  readonly #from: number;
  readonly #to: number;
  #at: number | undefined;

  constructor(from: number, to: number) {
    this.#from = from;
    this.#to = to;
  }

  moveTo(minute: number, timeline: Timeline, keys: number): void {
    if (this.counts.length < keys) {
      const wider = new Float64Array(Math.max(keys, this.counts.length * 2));
      wider.set(this.counts);
      this.counts = wider;
    }
    if (this.#at !== undefined && minute - this.#at === 1) {
      this.#add(timeline.at(minute - 1 + this.#from), -1);
      this.#add(timeline.at(minute + this.#to), 1);
    } else {
      this.counts.fill(0);
      for (let offset = this.#from; offset <= this.#to; offset++) this.#add(timeline.at(minute + offset), 1);
    }
    this.#at = minute;
  }

  #add(minute: TraceMinute | undefined, sign: number): void {
    if (!minute) return;
    for (let i = 0; i < minute.resource.length; i++) {
      if (((minute.flags[i] ?? 0) & isDemand) === 0) continue;
      const key = minute.resource[i] ?? 0;
      this.counts[key] = (this.counts[key] ?? 0) + sign;
    }
  }
}

/**
 * The last ten seconds of people's requests at the origin, in ten slots of a second: how many, how many bad, how fast, and
 * how their latency compares with its limit. For reports and for seeing strain. Fixed memory.
 */
import { LogHistogram } from './log-histogram.ts';

const slotMs = 1000;
const slotCount = 10;
/** The ratio of a latency to its limit is kept as hundredths, which the histogram's range suits. */
const ratioScale = 100;

class Slot {
  second = -1;
  answers = 0;
  bad = 0;
  readonly latency = new LogHistogram();
  readonly ratio = new LogHistogram();

  restart(second: number): void {
    this.second = second;
    this.answers = 0;
    this.bad = 0;
    this.latency.clear();
    this.ratio.clear();
  }
}

export interface WindowSummary {
  /** Good and bad together; clients that left are not counted. */
  readonly answers: number;
  readonly bad: number;
  /** 95th percentile of latency ÷ limit over good answers; 0 while there are none. */
  readonly slowness: number;
}

export class RecentWindow {
  readonly #slots: readonly Slot[] = Array.from({ length: slotCount }, () => new Slot());
  readonly #scratch = new LogHistogram();

  /** `latencyMs` is undefined where it says nothing (writes). */
  good(nowMs: number, latencyMs: number | undefined, slowMs: number): void {
    const slot = this.#slot(nowMs);
    slot.answers++;
    if (latencyMs === undefined) return;
    slot.latency.add(latencyMs);
    if (slowMs < Number.POSITIVE_INFINITY) slot.ratio.add((latencyMs / slowMs) * ratioScale);
  }

  bad(nowMs: number): void {
    const slot = this.#slot(nowMs);
    slot.answers++;
    slot.bad++;
  }

  /** Over the last `seconds` whole or begun seconds. */
  summary(nowMs: number, seconds: number): WindowSummary {
    let answers = 0;
    let bad = 0;
    this.#scratch.clear();
    const second = Math.floor(nowMs / slotMs);
    for (const slot of this.#slots) {
      if (slot.second <= second - seconds || slot.second > second) continue;
      answers += slot.answers;
      bad += slot.bad;
      this.#scratch.merge(slot.ratio);
    }
    return { answers, bad, slowness: (this.#scratch.quantile(0.95) ?? 0) / ratioScale };
  }

  latencyP95Ms(nowMs: number): number | undefined {
    this.#scratch.clear();
    const second = Math.floor(nowMs / slotMs);
    for (const slot of this.#slots) if (slot.second > second - slotCount && slot.second <= second) this.#scratch.merge(slot.latency);
    return this.#scratch.quantile(0.95);
  }

  answersPerSecond(nowMs: number): number {
    let answers = 0;
    const second = Math.floor(nowMs / slotMs);
    for (const slot of this.#slots) if (slot.second > second - slotCount && slot.second <= second) answers += slot.answers;
    return answers / (slotCount - 1 + (nowMs % slotMs) / slotMs); // the present second has only begun
  }

  #slot(nowMs: number): Slot {
    const second = Math.floor(nowMs / slotMs);
    const slot = this.#slots[second % slotCount];
    if (!slot) throw new Error('broken invariant: a window slot exists for every second');
    if (slot.second !== second) slot.restart(second);
    return slot;
  }
}

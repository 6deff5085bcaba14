/**
 * Exponentially decayed counts of many keys at several time scales, as typed-array columns indexed by a small number.
 * Forward decay (Cormode et al. 2009): a request at time t adds e^((t−L)/τ) for a landmark L, so nothing has to be touched
 * as time passes; reading multiplies by e^(−(now−L)/τ). Landmarks move before the exponent grows out of range.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';

/** Time constants of the scales, minutes: minutes-old news, the last hour, the part of the day, the day. */
const scalesMin = [10, 60, 360, 1440] as const;
const minuteMs = 60_000;
/** e^20 stays far inside a double; at the shortest scale landmarks move every 200 minutes. */
const exponentMax = 20;

export class DecayedCounts {
  /** One column a scale, in units of requests at the landmark. Read them with `factors`. */
  readonly columns: Float64Array[] = scalesMin.map(() => new Float64Array(0));
  /** Epoch ms of each key's last request; 0 for none. */
  lastSeenMs = new Float64Array(0);
  /** All requests of each key. */
  totals = new Float64Array(0);
  readonly #landmarksMs: number[] = scalesMin.map(() => 0);

  get capacity(): number {
    return this.totals.length;
  }

  /** Makes room for indexes below `capacity`; what is there stays. */
  grow(capacity: number): void {
    this.columns.forEach((column, scale) => { this.columns[scale] = widened(column, capacity); });
    this.lastSeenMs = widened(this.lastSeenMs, capacity);
    this.totals = widened(this.totals, capacity);
  }

  /** Moves the landmarks if need be; called before adding at `nowMs`. */
  advance(nowMs: number): void {
    for (let scale = 0; scale < scalesMin.length; scale++) {
      const tau = (scalesMin[scale] ?? 1) * minuteMs;
      const landmark = this.#landmarksMs[scale] ?? 0;
      if (nowMs - landmark <= exponentMax * tau) continue;
      const factor = Math.exp(-(nowMs - landmark) / tau);
      const column = this.columns[scale];
      if (column) for (let i = 0; i < column.length; i++) column[i] = (column[i] ?? 0) * factor;
      this.#landmarksMs[scale] = nowMs;
    }
  }

  /** What a request at `atMs` adds to each column. */
  weights(atMs: number): number[] {
    return scalesMin.map((tau, scale) => Math.exp((atMs - (this.#landmarksMs[scale] ?? 0)) / (tau * minuteMs)));
  }

  /** What turns each column into decayed counts as of `nowMs`. */
  factors(nowMs: number): number[] {
    return this.weights(nowMs).map((weight) => 1 / weight);
  }

  add(index: number, count: number, atMs: number, weights: readonly number[]): void {
    for (let scale = 0; scale < scalesMin.length; scale++) {
      const column = this.columns[scale];
      if (column) column[index] = (column[index] ?? 0) + count * (weights[scale] ?? 0);
    }
    this.totals[index] = (this.totals[index] ?? 0) + count;
    if (atMs > (this.lastSeenMs[index] ?? 0)) this.lastSeenMs[index] = atMs;
  }

  clear(index: number): void {
    for (const column of this.columns) column[index] = 0;
    this.totals[index] = 0;
    this.lastSeenMs[index] = 0;
  }

  /** Writes the state of these keys, in this order. */
  write(writer: ByteWriter, indexes: readonly number[]): void {
    for (const landmark of this.#landmarksMs) writer.double(landmark);
    for (const index of indexes) {
      for (const column of this.columns) writer.double(column[index] ?? 0);
      writer.double(this.lastSeenMs[index] ?? 0);
      writer.double(this.totals[index] ?? 0);
    }
  }

  /** Reads the state of keys 0 to `length` − 1. Numbers that can't be counts become 0. */
  read(reader: ByteReader, length: number): void {
    for (let scale = 0; scale < scalesMin.length; scale++) this.#landmarksMs[scale] = sane(reader.double());
    for (let index = 0; index < length; index++) {
      for (const column of this.columns) column[index] = sane(reader.double());
      this.lastSeenMs[index] = sane(reader.double());
      this.totals[index] = sane(reader.double());
    }
  }
}

/** Minutes that a scale has effectively seen, `ageMin` after counting began: τ(1 − e^(−age/τ)). Count / exposure = rate. */
export function exposures(ageMin: number): number[] {
  return scalesMin.map((tau) => tau * -Math.expm1(-Math.max(1, ageMin) / tau));
}

function widened(column: Float64Array, capacity: number): Float64Array<ArrayBuffer> {
  const wider = new Float64Array(capacity);
  wider.set(column);
  return wider;
}

function sane(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}

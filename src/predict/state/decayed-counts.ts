/**
 * Exponentially decayed counts of many keys at several time scales, as typed-array columns indexed by a small number.
 * Forward decay (Cormode et al. 2009): a request at time t adds e^((t−L)/τ) for a landmark L, so nothing has to be touched
 * as time passes; reading multiplies by e^(−(now−L)/τ). Landmarks move before the exponent grows out of range.
 *
 * 28 bytes a key: single precision (24 bits; within 1e-4 of exact sums over months, tested), the minutes of the first and the last request (`minute-marks.ts`), and
 * totals as whole numbers modulo 2³², whose differences are exact.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { bytesOf, fade, heal, widened, widenedFloats } from './columns.ts';
import { MinuteMarks } from './minute-marks.ts';

/** Time constants of the scales, minutes: minutes-old news, the last hour, the part of the day, the day, the week. */
export const scalesMin = [10, 60, 360, 1440, 10_080] as const;
/** The scales of an hour and of a day, as indexes into the columns. */
export const hourScale = 1;
export const dayScale = 3;
const minuteMs = 60_000;
/** e^20 times any count stays far inside single precision; at the shortest scale landmarks move every 200 minutes. */
const exponentMax = 20;

export class DecayedCounts {
  /** One column a scale, in units of requests at the landmark. Read them with `factors`. */
  readonly columns: Float32Array[] = scalesMin.map(() => new Float32Array(0));
  /** All requests of each key, modulo 2³². */
  totals = new Uint32Array(0);
  readonly #lastSeen = new MinuteMarks();
  readonly #firstSeen = new MinuteMarks();
  readonly #landmarksMs: number[] = scalesMin.map(() => 0);

  get capacity(): number {
    return this.totals.length;
  }

  get bytes(): number {
    return this.capacity * (4 * scalesMin.length + 8);
  }

  /** Epoch ms of the minute of a key's last request; 0 for none. */
  lastSeenAt(index: number): number {
    return this.#lastSeen.at(index);
  }

  /** Epoch ms of the minute of the first request that is known of a key, of one that is older than a month at least a month ago; 0 for none. */
  firstSeenAt(index: number): number {
    return this.#firstSeen.at(index);
  }

  /** Makes room for indexes below `capacity`; what is there stays. */
  grow(capacity: number): void {
    this.columns.forEach((column, scale) => { this.columns[scale] = widenedFloats(column, capacity); });
    this.totals = widened(this.totals, capacity);
    this.#lastSeen.grow(capacity);
    this.#firstSeen.grow(capacity);
  }

  /** Moves the landmarks if need be; called before adding at `nowMs`. */
  advance(nowMs: number): void {
    for (let scale = 0; scale < scalesMin.length; scale++) {
      const tau = (scalesMin[scale] ?? 1) * minuteMs;
      const landmark = this.#landmarksMs[scale] ?? 0;
      if (nowMs - landmark <= exponentMax * tau) continue;
      const column = this.columns[scale];
      if (column) fade(column, Math.exp(-(nowMs - landmark) / tau));
      this.#landmarksMs[scale] = nowMs;
    }
  }

  landmarkMs(scale: number): number {
    return this.#landmarksMs[scale] ?? 0;
  }

  /** What a request at `atMs` adds to each column. */
  weights(atMs: number): number[] {
    return scalesMin.map((tau, scale) => Math.exp((atMs - (this.#landmarksMs[scale] ?? 0)) / (tau * minuteMs)));
  }

  /** What turns each column into decayed counts as of `nowMs`. */
  factors(nowMs: number): number[] {
    return this.weights(nowMs).map((weight) => 1 / weight);
  }

  /** The same of one scale. */
  factor(scale: number, nowMs: number): number {
    return Math.exp(((this.#landmarksMs[scale] ?? 0) - nowMs) / ((scalesMin[scale] ?? 1) * minuteMs));
  }

  /** Counts a minute: `counts[i]` requests of the key `indexes[i]`. Column by column, so that the processor waits for memory once for many keys. */
  add(indexes: Int32Array, counts: Float64Array, atMs: number): void {
    const weights = this.weights(atMs);
    for (let scale = 0; scale < scalesMin.length; scale++) {
      const column = this.columns[scale];
      const weight = weights[scale] ?? 0;
      if (column) for (let i = 0; i < indexes.length; i++) column[indexes[i] ?? 0] = (column[indexes[i] ?? 0] ?? 0) + (counts[i] ?? 0) * weight;
    }
    const { totals } = this;
    for (let i = 0; i < indexes.length; i++) totals[indexes[i] ?? 0] = (totals[indexes[i] ?? 0] ?? 0) + (counts[i] ?? 0);
    this.#lastSeen.raiseAll(indexes, atMs);
    this.#firstSeen.beginAll(indexes, atMs);
  }

  /** Whether anything has been counted for the key. */
  has(index: number): boolean {
    return this.#firstSeen.has(index);
  }

  clear(index: number): void {
    for (const column of this.columns) column[index] = 0;
    this.totals[index] = 0;
    this.#lastSeen.clear(index);
    this.#firstSeen.clear(index);
  }

  /** As if `ms` had not passed: what was counted is that much younger. */
  skip(ms: number): void {
    for (let scale = 0; scale < scalesMin.length; scale++) this.#landmarksMs[scale] = (this.#landmarksMs[scale] ?? 0) + ms;
    this.#lastSeen.skip(ms);
    this.#firstSeen.skip(ms);
  }

  /** Writes the keys below `span`. */
  write(writer: ByteWriter, span: number): void {
    for (const landmark of this.#landmarksMs) writer.double(landmark);
    for (const column of [...this.columns, this.totals]) writer.view(bytesOf(column.subarray(0, span)));
    for (const marks of [this.#lastSeen, this.#firstSeen]) marks.write(writer, span);
  }

  /** Reads the keys below `span`; there is room. Numbers that can't be counts become 0. */
  read(reader: ByteReader, span: number): void {
    for (let scale = 0; scale < scalesMin.length; scale++) {
      const landmark = reader.double();
      this.#landmarksMs[scale] = Number.isFinite(landmark) && landmark > 0 ? landmark : 0;
    }
    for (const column of [...this.columns, this.totals]) bytesOf(column.subarray(0, span)).set(reader.raw(4 * span));
    for (const marks of [this.#lastSeen, this.#firstSeen]) marks.read(reader, span);
    for (const column of this.columns) heal(column);
  }
}

/** Minutes that a scale has effectively seen, `ageMin` after counting began: τ(1 − e^(−age/τ)). Count / exposure = rate. */
export function exposures(ageMin: number): number[] {
  return scalesMin.map((tau) => tau * -Math.expm1(-Math.max(1, ageMin) / tau));
}

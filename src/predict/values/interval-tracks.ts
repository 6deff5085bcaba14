/**
 * Intervals for numbers: how far a value is from now at each horizon, in units of its own mean move, as three quantiles that follow the outcomes. Each of them
 * is moved up by a little when the value came out above, down when below, in the ratio that makes it right in the long run whatever the values do (quantile
 * tracking; Angelopoulos, Candès & Tibshirani 2023, "Conformal PID control"). A new place begins where its siblings are. Forecasts that wait for their outcome
 * are made four times a horizon. Pure.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';

/** The quantiles of an interval. */
const quantiles = [0.05, 0.5, 0.95] as const;
/** Mean moves from now at first: those of a Laplace distribution. */
const firstMoves = [-2.3, 0, 2.3] as const;
const step = 0.15;
const siblingsStep = 0.03;
/** Forecasts of one horizon that wait at one time. */
const waitingMax = 4;
/** Mean moves: newer outcomes count at least this much, and siblings' are worth as many outcomes. */
const moveFade = 0.05;
const siblingsWeight = 3;
/** After a long silence not every forecast that would have been made is played through: all had the same outcome. */
const caughtUpMax = 16;
const fields = 5;
/** A value that stays the same more often than this over a horizon is within its own interval. */
const stayedMin = 0.1;

export interface Interval {
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

/** What siblings have in common at each horizon. */
export class SiblingMoves {
  readonly moves: Float64Array;
  /** Mean move, mean absolute value, and how many outcomes these are of. */
  readonly size: Float64Array;
  readonly level: Float64Array;
  readonly outcomes: Float64Array;
  /** Whether no sibling was ever zero or below: then a move is a part of the value. */
  positive = true;

  constructor(horizons: number) {
    this.moves = new Float64Array(horizons * quantiles.length);
    for (let i = 0; i < this.moves.length; i++) this.moves[i] = firstMoves[i % quantiles.length] ?? 0;
    this.size = new Float64Array(horizons);
    this.level = new Float64Array(horizons);
    this.outcomes = new Float64Array(horizons);
  }

  /** The move that is usual for a value of this size. */
  usual(horizon: number, value: number): number {
    const level = this.level[horizon] ?? 0;
    return (this.size[horizon] ?? 0) * (this.positive && level > 0 ? Math.abs(value) / level : 1);
  }

  learn(horizon: number, value: number, move: number): void {
    const outcomes = (this.outcomes[horizon] ?? 0) + 1;
    const part = Math.max(moveFade / 5, 1 / outcomes);
    this.outcomes[horizon] = outcomes;
    this.size[horizon] = (this.size[horizon] ?? 0) * (1 - part) + Math.abs(move) * part;
    this.level[horizon] = (this.level[horizon] ?? 0) * (1 - part) + Math.abs(value) * part;
    if (value <= 0) this.positive = false;
  }

  write(writer: ByteWriter): void {
    for (const column of [this.moves, this.size, this.level, this.outcomes]) writeColumn(writer, column);
    writer.uint(this.positive ? 1 : 0);
  }

  read(reader: ByteReader): void {
    for (const column of [this.moves, this.size, this.level, this.outcomes]) readColumn(reader, column);
    this.positive = reader.uint() === 1;
  }
}

export class IntervalTracks {
  readonly #horizonsMin: readonly number[];
  readonly #moves: Float64Array;
  readonly #size: Float64Array;
  readonly #outcomes: Float64Array;
  /** How often the value was the same in the end: then it belongs to the interval, whatever moves were seen. */
  readonly #stayed: Float64Array;
  /** For each horizon as many forecasts as may wait: when due, from which value, the three values said. */
  readonly #waiting: Float64Array;
  readonly #nextMs: Float64Array;

  constructor(horizonsMin: readonly number[]) {
    this.#horizonsMin = horizonsMin;
    this.#moves = new Float64Array(horizonsMin.length * quantiles.length);
    this.#size = new Float64Array(horizonsMin.length);
    this.#outcomes = new Float64Array(horizonsMin.length);
    this.#stayed = new Float64Array(horizonsMin.length).fill(1);
    this.#waiting = new Float64Array(horizonsMin.length * waitingMax * fields);
    this.#nextMs = new Float64Array(horizonsMin.length);
  }

  /** The value has been `value` up to now: outcomes that have come due are taken, and forecasts made that would have been. */
  advance(nowMs: number, value: number, sinceMs: number, siblings: SiblingMoves): void {
    for (let horizon = 0; horizon < this.#horizonsMin.length; horizon++) {
      const everyMs = ((this.#horizonsMin[horizon] ?? 0) * 60_000) / waitingMax;
      this.#settle(horizon, nowMs, value, siblings);
      let atMs = Math.max(this.#nextMs[horizon] ?? 0, sinceMs);
      if (nowMs - atMs > caughtUpMax * everyMs) atMs = nowMs - caughtUpMax * everyMs;
      for (; atMs <= nowMs; atMs += everyMs) {
        this.#settle(horizon, atMs, value, siblings);
        this.#say(horizon, atMs, value, siblings);
      }
      this.#nextMs[horizon] = atMs;
      this.#settle(horizon, nowMs, value, siblings);
    }
  }

  /** Undefined before anything is known, of this place or its siblings. */
  interval(horizon: number, value: number, siblings: SiblingMoves): Interval | undefined {
    if ((this.#outcomes[horizon] ?? 0) === 0 && (siblings.outcomes[horizon] ?? 0) === 0) return undefined;
    const unit = this.#unit(horizon, value, siblings);
    const [low = value, middle = value, high = value] = quantiles.map((_, i) => value + unit * this.#move(horizon, i, siblings));
    const stayed = this.#stayed[horizon] ?? 1;
    const at = stayed >= 0.5 ? value : middle;
    const least = stayed > stayedMin ? Math.min(at, value) : at;
    const most = stayed > stayedMin ? Math.max(at, value) : at;
    return { low: Math.min(low, least), middle: at, high: Math.max(high, most) };
  }

  write(writer: ByteWriter): void {
    for (const column of [this.#moves, this.#size, this.#outcomes, this.#stayed, this.#waiting, this.#nextMs]) writeColumn(writer, column);
  }

  read(reader: ByteReader): void {
    for (const column of [this.#moves, this.#size, this.#outcomes, this.#stayed, this.#waiting, this.#nextMs]) readColumn(reader, column);
  }

  #say(horizon: number, atMs: number, value: number, siblings: SiblingMoves): void {
    const said = this.interval(horizon, value, siblings);
    for (let slot = 0; slot < waitingMax; slot++) {
      const at = (horizon * waitingMax + slot) * fields;
      if ((this.#waiting[at] ?? 0) !== 0) continue;
      this.#waiting.set([atMs + (this.#horizonsMin[horizon] ?? 0) * 60_000, value, said?.low ?? value, said?.middle ?? value, said?.high ?? value], at);
      return;
    }
  }

  #settle(horizon: number, nowMs: number, value: number, siblings: SiblingMoves): void {
    for (let slot = 0; slot < waitingMax; slot++) {
      const at = (horizon * waitingMax + slot) * fields;
      const dueMs = this.#waiting[at] ?? 0;
      if (dueMs === 0 || dueMs > nowMs) continue;
      this.#waiting[at] = 0;
      this.#learn(horizon, value, at, siblings);
    }
  }

  #learn(horizon: number, value: number, at: number, siblings: SiblingMoves): void {
    const from = this.#waiting[at + 1] ?? 0;
    const outcomes = (this.#outcomes[horizon] ?? 0) + 1;
    for (let i = 0; i < quantiles.length; i++) {
      const index = horizon * quantiles.length + i;
      if (outcomes === 1) this.#moves[index] = siblings.moves[index] ?? 0;
      const said = this.#waiting[at + 2 + i] ?? 0;
      const wanted = quantiles[i] ?? 0;
      // Right on the quantile is neither above nor below: a value that stays is no error on any side.
      const error = value > said ? wanted : value < said ? wanted - 1 : 0;
      this.#moves[index] = (this.#moves[index] ?? 0) + step * error;
      siblings.moves[index] = (siblings.moves[index] ?? 0) + siblingsStep * error;
    }
    const part = Math.max(moveFade, 1 / outcomes);
    this.#outcomes[horizon] = outcomes;
    this.#size[horizon] = (this.#size[horizon] ?? 0) * (1 - part) + Math.abs(value - from) * part;
    this.#stayed[horizon] = (this.#stayed[horizon] ?? 1) * (1 - moveFade) + (value === from ? moveFade : 0);
    siblings.learn(horizon, value, value - from);
  }

  #move(horizon: number, quantile: number, siblings: SiblingMoves): number {
    const index = horizon * quantiles.length + quantile;
    return ((this.#outcomes[horizon] ?? 0) === 0 ? siblings.moves[index] : this.#moves[index]) ?? 0;
  }

  #unit(horizon: number, value: number, siblings: SiblingMoves): number {
    const outcomes = Math.min(this.#outcomes[horizon] ?? 0, 1 / moveFade);
    const others = (siblings.outcomes[horizon] ?? 0) > 0 ? siblingsWeight : 0;
    return outcomes + others === 0 ? 0 : (outcomes * (this.#size[horizon] ?? 0) + others * siblings.usual(horizon, value)) / (outcomes + others);
  }
}

function writeColumn(writer: ByteWriter, column: Float64Array): void {
  for (const value of column) writer.double(value);
}

function readColumn(reader: ByteReader, column: Float64Array): void {
  for (let i = 0; i < column.length; i++) column[i] = reader.double();
}

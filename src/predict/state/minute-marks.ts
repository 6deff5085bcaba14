/**
 * When something last, or first, happened to each of many keys, to the minute, in two bytes each. Marks count minutes from a base, which follows the present in steps of
 * eleven days: what lies further back than `keptMin`, 34 days, may be told as that long ago and no longer. Nobody asks more of it: requests of that age have decayed in all
 * counts, and the age of a page of a month and that of one of a year mean the same. A mark of 0 is none.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { bytesOf, widenedShorts } from './columns.ts';

const minuteMs = 60_000;
const markMax = 0xffff;
/** Minutes back that are told exactly, whenever the base moved last. */
export const keptMin = 49_152;

export class MinuteMarks {
  #marks = new Uint16Array(0);
  /** The minute of mark 0, from the epoch. */
  #baseMin = 0;

  get length(): number {
    return this.#marks.length;
  }

  grow(capacity: number): void {
    this.#marks = widenedShorts(this.#marks, capacity);
  }

  /** Epoch ms of the minute marked; 0 for none. */
  at(index: number): number {
    const mark = this.#marks[index] ?? 0;
    return mark === 0 ? 0 : (this.#baseMin + mark) * minuteMs;
  }

  has(index: number): boolean {
    return (this.#marks[index] ?? 0) > 0;
  }

  /** The mark of a time, for `raise`, good until it is asked for another. Moves the base if need be. */
  markOf(atMs: number): number {
    const minute = Math.floor(atMs / minuteMs);
    if (minute - this.#baseMin > markMax) this.#move(minute - keptMin);
    return Math.max(1, minute - this.#baseMin);
  }

  /** Marks the minute, unless a later one is marked. */
  raise(index: number, mark: number): void {
    if (mark > (this.#marks[index] ?? 0)) this.#marks[index] = mark;
  }

  /** The same of many. */
  raiseAll(indexes: Int32Array, atMs: number): void {
    const mark = this.markOf(atMs);
    const marks = this.#marks;
    for (let i = 0; i < indexes.length; i++) if (mark > (marks[indexes[i] ?? 0] ?? 0)) marks[indexes[i] ?? 0] = mark;
  }

  /** Marks the minute where none is marked. */
  beginAll(indexes: Int32Array, atMs: number): void {
    const mark = this.markOf(atMs);
    const marks = this.#marks;
    for (let i = 0; i < indexes.length; i++) if (marks[indexes[i] ?? 0] === 0) marks[indexes[i] ?? 0] = mark;
  }

  clear(index: number): void {
    this.#marks[index] = 0;
  }

  /** As if `ms` had not passed, to the minute. */
  skip(ms: number): void {
    this.#baseMin += Math.round(ms / minuteMs);
  }

  /** Writes those below `span`. */
  write(writer: ByteWriter, span: number): void {
    writer.uint(this.#baseMin);
    writer.view(bytesOf(this.#marks.subarray(0, span)));
  }

  /** Reads those below `span`; there is room. */
  read(reader: ByteReader, span: number): void {
    this.#baseMin = reader.uint();
    bytesOf(this.#marks.subarray(0, span)).set(reader.raw(2 * span));
  }

  #move(baseMin: number): void {
    const by = baseMin - this.#baseMin;
    const marks = this.#marks;
    for (let i = 0; i < marks.length; i++) {
      const mark = marks[i] ?? 0;
      if (mark > 0) marks[i] = Math.max(1, mark - by);
    }
    this.#baseMin = baseMin;
  }
}

/**
 * Requests of the last half hour for keys that lead somewhere, by minute and region. A minute with more entries than there is room for is thinned out evenly, and
 * those that stay count for the others.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { journeyMin } from '../../demand/index.ts';
import type { KeyNumbers } from '../stage.ts';

export const recentMax = 32_768;
const minuteMs = 60_000;

export interface RecentMinute {
  readonly startMs: number;
  readonly keys: Int32Array;
  readonly regions: Int32Array;
  readonly counts: Float64Array;
}

export class RecentDemand {
  #minutes: RecentMinute[] = [];

  get bytes(): number {
    return this.#minutes.reduce((sum, { keys }) => sum + keys.length * 16, 0);
  }

  /** Minutes that are not over for longer than a journey, oldest first. */
  asOf(nowMs: number): readonly RecentMinute[] {
    return this.#minutes.filter(({ startMs }) => startMs >= nowMs - journeyMin * minuteMs);
  }

  add(startMs: number, keys: Int32Array, regions: Int32Array, counts: Float64Array, leads: (key: number) => boolean): void {
    const rows = new Int32Array(keys.length);
    let found = 0;
    for (let i = 0; i < keys.length; i++) if (leads(keys[i] ?? 0)) rows[found++] = i;
    const stride = Math.max(1, Math.ceil(found / recentMax));
    const kept = Math.ceil(found / stride);
    const scale = found / Math.max(1, kept);
    const minute = { startMs, keys: new Int32Array(kept), regions: new Int32Array(kept), counts: new Float64Array(kept) };
    for (let i = 0; i < kept; i++) {
      const row = rows[i * stride] ?? 0;
      minute.keys[i] = keys[row] ?? 0;
      minute.regions[i] = regions[row] ?? 0;
      minute.counts[i] = (counts[row] ?? 0) * scale;
    }
    this.#minutes = this.#minutes.filter((one) => one.startMs > startMs - journeyMin * minuteMs);
    this.#minutes.push(minute);
  }

  /** What is known of these keys is another key's no more. */
  forget(gone: ReadonlySet<number>): void {
    for (const { keys } of this.#minutes) for (let i = 0; i < keys.length; i++) if (gone.has(keys[i] ?? -1)) keys[i] = -1;
  }

  write(writer: ByteWriter, numbers: KeyNumbers): void {
    writer.uint(this.#minutes.length);
    for (const { startMs, keys, regions, counts } of this.#minutes) {
      writer.double(startMs);
      writer.uint(keys.length);
      for (let i = 0; i < keys.length; i++) {
        writer.uint((numbers.get(keys[i] ?? -1) ?? -1) + 1);
        writer.uint(regions[i] ?? 0);
        writer.double(counts[i] ?? 0);
      }
    }
  }

  read(reader: ByteReader): void {
    const length = reader.length(9);
    for (let minute = 0; minute < length; minute++) {
      const startMs = reader.double();
      const entries = reader.length(10);
      const keys = new Int32Array(entries);
      const regions = new Int32Array(entries);
      const counts = new Float64Array(entries);
      for (let i = 0; i < entries; i++) {
        keys[i] = reader.uint() - 1;
        regions[i] = reader.uint();
        const count = reader.double();
        counts[i] = Number.isFinite(count) && count > 0 ? count : 0;
      }
      this.#minutes.push({ startMs, keys, regions, counts });
    }
  }
}

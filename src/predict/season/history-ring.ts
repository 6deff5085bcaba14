/** What came of each series in the last 15 days, in bins of 5 minutes; −1 where nothing is known. A slot's bins take room (17 kB) once it is held. */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { slotCount } from './slots.ts';

export const binMin = 5;
export const binsKept = (15 * 1440) / binMin;

export class HistoryRing {
  readonly #bins: (Float32Array | undefined)[] = Array.from({ length: slotCount }, () => undefined);
  /** The number of the last bin that was closed, by the clock; −1 before. */
  last = -1;

  get bytes(): number {
    return this.#bins.reduce((sum, bins) => sum + (bins?.byteLength ?? 0), 0);
  }

  clear(slot: number): void {
    this.#bins[slot] = undefined;
  }

  /** Opens the bin after the last, as unknown. */
  open(bin: number): void {
    if (this.last >= 0 && bin - this.last > binsKept) for (const bins of this.#bins) bins?.fill(-1);
    const from = Math.max(this.last + 1, bin - binsKept);
    for (let at = this.last < 0 ? bin : from; at <= bin; at++) for (const bins of this.#bins) if (bins) bins[at % binsKept] = -1;
    this.last = bin;
  }

  set(slot: number, count: number): void {
    let bins = this.#bins[slot];
    if (!bins) {
      bins = new Float32Array(binsKept).fill(-1);
      this.#bins[slot] = bins;
    }
    bins[this.last % binsKept] = count;
  }

  /** −1 where nothing is known. */
  at(slot: number, bin: number): number {
    if (bin > this.last || bin <= this.last - binsKept || bin < 0) return -1;
    return this.#bins[slot]?.[bin % binsKept] ?? -1;
  }

  /** Sums of `width` bins each up to the bin before `endBin`, from the first that is known on; NaN where a bin of it is missing. */
  sums(slot: number, endBin: number, width: number): Float64Array {
    const sums: number[] = [];
    let known = 0;
    for (let from = endBin - width; from > this.last - binsKept && from >= 0; from -= width) {
      let sum = 0;
      for (let bin = from; bin < from + width; bin++) {
        const count = this.at(slot, bin);
        sum = count < 0 ? NaN : sum + count;
      }
      sums.push(sum);
      if (!Number.isNaN(sum)) known = sums.length;
    }
    return Float64Array.from(sums.slice(0, known).reverse());
  }

  write(writer: ByteWriter, slots: readonly number[]): void {
    writer.double(this.last);
    for (const slot of slots) {
      const bins = this.#bins[slot] ?? new Float32Array(0);
      writer.uint(bins.length);
      writer.raw(new Uint8Array(bins.buffer, bins.byteOffset, bins.byteLength));
    }
  }

  read(reader: ByteReader, slots: readonly number[]): void {
    const last = reader.double();
    this.last = Number.isSafeInteger(last) ? last : -1;
    for (const slot of slots) {
      const length = reader.length(4);
      const bytes = reader.raw(length * 4);
      if (length !== binsKept) continue;
      const bins = new Float32Array(bytes.slice().buffer);
      for (let i = 0; i < bins.length; i++) if (!((bins[i] ?? -1) >= 0 && (bins[i] ?? -1) < Infinity)) bins[i] = -1;
      this.#bins[slot] = bins;
    }
  }
}

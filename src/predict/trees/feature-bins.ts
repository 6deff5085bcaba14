/**
 * Values of features as small whole numbers. A float's sign and magnitude are turned into a whole number of the same order (its *key*, one bit of the mantissa
 * dropped so that the difference of two keys fits 32 bits), a feature's cuts are keys, and a value's bin is the number of cuts at or below it. So
 * infinities are the ends of the order, −0 is 0, and finding a bin is arithmetic without branches. NaN has
 * a bin that is given.
 */
import type { Random } from '../../kernel/index.ts';

/** The bin of what is missing. Bins of values are below it. */
export const missingBin = 255;
/** Cuts are padded with this to a power of two less one: above the key of +Infinity. */
export const keyMax = 2 ** 30;
/** Rows whose values cuts are chosen from; of more, a random sample. */
const quantileRows = 50_000;

/** The bits of each value of a column. */
export function bitsOf(column: Float32Array): Int32Array {
  return new Int32Array(column.buffer, column.byteOffset, column.length);
}

function keyOf(bits: number): number {
  const magnitude = (bits & 0x7fffffff) >>> 1;
  return bits < 0 ? -magnitude : magnitude;
}

const isMissing = (bits: number): boolean => (bits & 0x7fffffff) > 0x7f800000;

/** At most `binsMax` − 1 ascending keys that divide a feature's values into about equally frequent bins; between all values where they are few. */
export function chooseCuts(column: Float32Array, binsMax: number, random: Random): Int32Array {
  const bits = bitsOf(column);
  const sampled = bits.length > quantileRows;
  const keys = new Int32Array(sampled ? quantileRows : bits.length);
  let length = 0;
  for (let i = 0; i < keys.length; i++) {
    const value = bits[sampled ? random.below(bits.length) : i] ?? 0;
    if (!isMissing(value)) keys[length++] = keyOf(value);
  }
  const sorted = keys.subarray(0, length).sort();
  const cuts: number[] = [];
  const distinct = countDistinct(sorted);
  let rest = length;
  let inBin = 0;
  for (let i = 1; i < length; i++) {
    inBin++;
    const [before = 0, here = 0] = [sorted[i - 1], sorted[i]];
    if (before === here || cuts.length === binsMax - 1) continue;
    if (distinct > binsMax && inBin < rest / (binsMax - cuts.length)) continue;
    cuts.push(between(before, here));
    rest -= inBin;
    inBin = 0;
  }
  return Int32Array.from(cuts);
}

function countDistinct(sorted: Int32Array): number {
  let distinct = sorted.length > 0 ? 1 : 0;
  for (let i = 1; i < sorted.length; i++) if (sorted[i] !== sorted[i - 1]) distinct++;
  return distinct;
}

/** The key of the number half way between those of two keys; above the first, at most the second. */
function between(low: number, high: number): number {
  const number = new Float32Array(1);
  const bits = bitsOf(number);
  const valueOf = (key: number): number => {
    bits[0] = key < 0 ? ((-key * 2) | 0x80000000) : key * 2;
    return number[0] ?? 0;
  };
  number[0] = (valueOf(low) + valueOf(high)) / 2;
  const middle = isMissing(bits[0] ?? 0) ? high : keyOf(bits[0] ?? 0);
  return middle > low && middle <= high ? middle : high;
}

/** Cuts padded to the length that `findBins` wants. */
export function padCuts(cuts: Int32Array): Int32Array {
  let length = 1;
  while (length < cuts.length + 1) length *= 2;
  const padded = new Int32Array(length - 1).fill(keyMax);
  padded.set(cuts);
  return padded;
}

/** The bins of `length` values from `from` on, into `bins` from `at` on; `missing` is the bin of NaN. A binary search whose steps are arithmetic. */
export function findBins(bits: Int32Array, from: number, length: number, padded: Int32Array, missing: number, bins: Uint8Array, at: number): void {
  const firstStep = (padded.length + 1) >>> 1;
  for (let i = 0; i < length; i++) {
    const value = bits[from + i] ?? 0;
    const size = value & 0x7fffffff;
    const sign = value >> 31;
    const key = ((size >>> 1) ^ sign) - sign;
    let bin = 0;
    for (let step = firstStep; step > 0; step >>>= 1) bin += step & (((padded[bin + step - 1] ?? 0) - key - 1) >> 31);
    const isMissing = (0x7f800000 - size) >> 31;
    bins[at + i] = (bin & ~isMissing) | (missing & isMissing);
  }
}

/** The bin of every whole number from 0 to 254, and of a missing value, 255. */
export function binsOfCodes(padded: Int32Array, missing: number): Uint8Array {
  const values = Float32Array.from({ length: 256 }, (_, code) => (code === 255 ? Number.NaN : code));
  const bins = new Uint8Array(256);
  findBins(bitsOf(values), 0, 256, padded, missing, bins, 0);
  return bins;
}

/** What a table has for `length` codes from `from` on, into `bins` from `at` on. */
export function lookUp(table: Uint8Array, codes: Uint8Array, from: number, length: number, bins: Uint8Array, at: number): void {
  for (let i = 0; i < length; i++) bins[at + i] = table[codes[from + i] ?? 0] ?? 0;
}

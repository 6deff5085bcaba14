/**
 * A minute's entries in the order of their keys. Whoever goes through them then goes through columns of a million keys from one end to the other, which processors are
 * quicker with than with jumps (all of a minute's counting: a sixth); and entries of one key lie together, so that they are added up once for all.
 */

/** Bits of a key that are sorted by at a time. */
const digitBits = 11;
const digits = 1 << digitBits;

/** Each key once, ascending. */
export interface KeySums {
  readonly keys: Int32Array;
  readonly counts: Float64Array;
  /** Where each key's entries begin, and behind the last of them where they end. */
  readonly firsts: Int32Array;
}

/** Numbers of entries by ascending key, those of equal keys in the order they have (radix sort). `keys`: from 0 to `span`. */
export function orderByKey(keys: Int32Array, span: number): Int32Array<ArrayBuffer> {
  const { length } = keys;
  let order = new Int32Array(length);
  let other = new Int32Array(length);
  for (let i = 0; i < length; i++) order[i] = i;
  const starts = new Int32Array(digits);
  for (let shift = 0; shift < 31 && span >> shift > 0; shift += digitBits) {
    starts.fill(0);
    for (let i = 0; i < length; i++) {
      const digit = ((keys[i] ?? 0) >> shift) & (digits - 1);
      starts[digit] = (starts[digit] ?? 0) + 1;
    }
    let from = 0;
    for (let digit = 0; digit < digits; digit++) {
      const count = starts[digit] ?? 0;
      starts[digit] = from;
      from += count;
    }
    for (let i = 0; i < length; i++) {
      const entry = order[i] ?? 0;
      const digit = ((keys[entry] ?? 0) >> shift) & (digits - 1);
      const to = starts[digit] ?? 0;
      starts[digit] = to + 1;
      other[to] = entry;
    }
    [order, other] = [other, order];
  }
  return order;
}

/** Adds up entries that are ordered by key. */
export function sumByKey(keys: Int32Array, counts: Float64Array): KeySums {
  const each = new Int32Array(keys.length);
  const sums = new Float64Array(keys.length);
  const firsts = new Int32Array(keys.length + 1);
  let length = 0;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] ?? 0;
    if (length === 0 || each[length - 1] !== key) {
      each[length] = key;
      firsts[length++] = i;
    }
    sums[length - 1] = (sums[length - 1] ?? 0) + (counts[i] ?? 0);
  }
  firsts[length] = keys.length;
  return { keys: each.subarray(0, length), counts: sums.subarray(0, length), firsts: firsts.subarray(0, length + 1) };
}

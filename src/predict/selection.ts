/**
 * The indexes of the `limit` largest positive scores among the first `span`, largest first; equal scores by index. A heap of
 * `limit` entries whose root is the least of them, in typed arrays: most scores are turned away by one comparison.
 */
export function largest(scores: Float64Array | Float32Array, span: number, limit: number): Int32Array {
  const heap = heapOf(scores, span, limit);
  // A heap sort, for a comparison by a function costs four times as much.
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sink(heap, scores, at, heap.length);
  for (let last = heap.length - 1; last > 0; last--) {
    const least = heap[0] ?? 0;
    heap[0] = heap[last] ?? 0;
    heap[last] = least;
    sink(heap, scores, 0, last);
  }
  return heap;
}

/** The same in any order. */
function heapOf(scores: Float64Array | Float32Array, span: number, limit: number): Int32Array {
  const heap = new Int32Array(Math.max(0, Math.min(limit, span)));
  let length = 0;
  let least = 0;
  for (let index = 0; index < span && heap.length > 0; index++) {
    const score = scores[index] ?? 0;
    if (!(score > 0)) continue;
    if (length < heap.length) {
      heap[length++] = index;
      // Filled up first, put in order once.
      if (length < heap.length) continue;
      for (let at = (length >> 1) - 1; at >= 0; at--) sink(heap, scores, at, length);
    } else if (score > least) {
      heap[0] = index;
      sink(heap, scores, 0, length);
    } else {
      continue;
    }
    least = scores[heap[0] ?? 0] ?? 0;
  }
  return heap.subarray(0, length);
}

/** Lets the entry at `at` go down among the first `length` until no child ranks below it. Of equal scores the higher index ranks below. */
function sink(heap: Int32Array, scores: Float64Array | Float32Array, from: number, length: number): void {
  const index = heap[from] ?? 0;
  const score = scores[index] ?? 0;
  let at = from;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= length) break;
    let least = heap[child] ?? 0;
    let leastScore = scores[least] ?? 0;
    if (child + 1 < length) {
      const other = heap[child + 1] ?? -1;
      const otherScore = scores[other] ?? 0;
      if (otherScore < leastScore || (otherScore === leastScore && other > least)) {
        child++;
        least = other;
        leastScore = otherScore;
      }
    }
    if (leastScore > score || (leastScore === score && least < index)) break;
    heap[at] = least;
    at = child;
  }
  heap[at] = index;
}

/**
 * The same in any order, for many of many: 3,600 of 27,000 take 50 µs, by a heap and in order 800. Bits of floats that are not negative are ordered as the floats are, so that counting their upper
 * halves finds all but the last few.
 */
export function largestOfMany(scores: Float32Array, limit: number): Int32Array {
  const bits = new Int32Array(scores.buffer, scores.byteOffset, scores.length);
  const halves = new Uint32Array(0x8000);
  let total = 0;
  for (let i = 0; i < bits.length; i++) {
    const value = bits[i] ?? 0;
    // Below 0, and −0: the sign is the first bit.
    if (value <= 0) continue;
    const half = 0x7fff - (value >>> 16);
    halves[half] = (halves[half] ?? 0) + 1;
    total++;
  }
  const found = new Int32Array(Math.max(0, Math.min(limit, total)));
  const { bucket } = borderOf(halves, found.length);
  const border = 0x7fff - bucket;
  const atBorder: number[] = [];
  let length = 0;
  for (let i = 0; i < bits.length && found.length > 0; i++) {
    const half = (bits[i] ?? 0) >> 16;
    if (half > border) found[length++] = i;
    else if (half === border && (bits[i] ?? 0) > 0) atBorder.push(i);
  }
  atBorder.sort((a, b) => (bits[b] ?? 0) - (bits[a] ?? 0) || a - b);
  for (let i = 0; length < found.length; i++) found[length++] = atBorder[i] ?? 0;
  return found;
}

/**
 * The indexes of the `count` smallest values (none below 0) among those marked as eligible, ascending by index; of equal values the lower indexes. Not by sorting: bits of floats that
 * are not negative are ordered as the floats are, so that counting their upper halves, and then the lower ones at the border, finds the border. 10 ns a value.
 */
export function smallest(values: Float32Array, eligible: Uint8Array, count: number): Int32Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const upper = new Uint32Array(0x1_0000);
  let total = 0;
  for (let i = 0; i < eligible.length; i++) {
    if (eligible[i] !== 1) continue;
    const half = (bits[i] ?? 0) >>> 16;
    upper[half] = (upper[half] ?? 0) + 1;
    total++;
  }
  const wanted = Math.min(count, total);
  const { bucket: high, before } = borderOf(upper, wanted);
  const lower = new Uint32Array(0x1_0000);
  for (let i = 0; i < eligible.length; i++) {
    const value = bits[i] ?? 0;
    if (eligible[i] === 1 && value >>> 16 === high) lower[value & 0xffff] = (lower[value & 0xffff] ?? 0) + 1;
  }
  const { bucket: low, before: beforeLow } = borderOf(lower, wanted - before);
  const border = ((high << 16) | low) >>> 0;
  let ofBorder = wanted - before - beforeLow;
  const found = new Int32Array(wanted);
  for (let i = 0, at = 0; i < eligible.length && at < wanted; i++) {
    const value = bits[i] ?? 0;
    if (eligible[i] !== 1 || value > border || (value === border && ofBorder-- <= 0)) continue;
    found[at++] = i;
  }
  return found;
}

/** The bucket that the entry number `wanted` falls in, and how many entries come before that bucket. */
function borderOf(buckets: Uint32Array, wanted: number): { readonly bucket: number; readonly before: number } {
  let before = 0;
  let bucket = 0;
  while (bucket < buckets.length - 1 && before + (buckets[bucket] ?? 0) < wanted) before += buckets[bucket++] ?? 0;
  return { bucket, before };
}

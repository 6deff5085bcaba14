/**
 * The indexes of the `limit` largest positive scores among the first `span`, largest first; equal scores by index. A heap of
 * `limit` entries whose root is the least of them, in typed arrays: most scores are turned away by one comparison.
 */
export function largest(scores: Float64Array, span: number, limit: number): Int32Array {
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
      for (let at = (length >> 1) - 1; at >= 0; at--) sink(heap, scores, at);
    } else if (score > least) {
      heap[0] = index;
      sink(heap, scores, 0);
    } else {
      continue;
    }
    least = scores[heap[0] ?? 0] ?? 0;
  }
  return heap.subarray(0, length).sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b);
}

/** Lets the entry at `at` go down until no child ranks below it. Of equal scores the higher index ranks below. */
function sink(heap: Int32Array, scores: Float64Array, from: number): void {
  const index = heap[from] ?? 0;
  const score = scores[index] ?? 0;
  let at = from;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    let least = heap[child] ?? 0;
    let leastScore = scores[least] ?? 0;
    const other = heap[child + 1] ?? -1;
    if (child + 1 < heap.length) {
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

/**
 * The indexes of the `limit` largest positive scores among the first `span`, largest first; equal scores by index. A heap of
 * `limit` entries whose root is the least of them: most scores are turned away by one comparison.
 */
export function largest(scores: Float64Array, span: number, limit: number): number[] {
  const heap: number[] = [];
  if (limit <= 0) return heap;
  /** Whether index a ranks below index b. */
  const below = (a: number, b: number): boolean => {
    const difference = (scores[a] ?? 0) - (scores[b] ?? 0);
    return difference < 0 || (difference === 0 && a > b);
  };
  let least = 0;
  for (let index = 0; index < span; index++) {
    const score = scores[index] ?? 0;
    if (!(score > 0)) continue;
    if (heap.length < limit) {
      heap.push(index);
      rise(heap, below);
    } else if (score > least) {
      heap[0] = index;
      sink(heap, below);
    }
    if (heap.length === limit) least = scores[heap[0] ?? 0] ?? 0;
  }
  return heap.sort((a, b) => (below(a, b) ? 1 : -1));
}

type Below = (a: number, b: number) => boolean;

function rise(heap: number[], below: Below): void {
  let at = heap.length - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if (!swapIf(heap, at, parent, below)) return;
    at = parent;
  }
}

function sink(heap: number[], below: Below): void {
  let at = 0;
  for (;;) {
    const left = 2 * at + 1;
    if (left >= heap.length) return;
    const child = left + 1 < heap.length && below(heap[left + 1] ?? 0, heap[left] ?? 0) ? left + 1 : left;
    if (!swapIf(heap, child, at, below)) return;
    at = child;
  }
}

/** Exchanges two entries if the first ranks below the second. */
function swapIf(heap: number[], lower: number, upper: number, below: Below): boolean {
  const a = heap[lower] ?? 0;
  const b = heap[upper] ?? 0;
  if (!below(a, b)) return false;
  heap[lower] = b;
  heap[upper] = a;
  return true;
}

/** A virtual clock's agenda: events run in the order of their times, equal times in the order they were added. */
export class EventQueue {
  readonly #heap: { readonly atMs: number; readonly order: number; readonly run: (nowMs: number) => void }[] = [];
  #order = 0;

  add(atMs: number, run: (nowMs: number) => void): void {
    const heap = this.#heap;
    const event = { atMs, order: this.#order++, run };
    let i = heap.length;
    heap.push(event);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent];
      if (!above || !this.#before(event, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = event;
  }

  /** Runs everything up to `endMs`. */
  runUntil(endMs: number): void {
    for (;;) {
      const next = this.#heap[0];
      if (!next || next.atMs > endMs) return;
      this.#removeFirst();
      next.run(next.atMs);
    }
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let i = 0;
    for (;;) {
      const left = 2 * i + 1;
      let least = heap[left];
      if (!least) break;
      let at = left;
      const right = heap[left + 1];
      if (right && this.#before(right, least)) {
        least = right;
        at = left + 1;
      }
      if (!this.#before(least, last)) break;
      heap[i] = least;
      i = at;
    }
    heap[i] = last;
  }

  #before(a: { atMs: number; order: number }, b: { atMs: number; order: number }): boolean {
    return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
  }
}

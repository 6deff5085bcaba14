/**
 * Exchanges whose visitor has already been answered by a shadow. A few may finish: their answers are fresh copies and tell a
 * slow origin from a dead one. The rest are given up, because an origin that comes back would otherwise find all of them
 * waiting: the runtime sends a GET again when its kept-alive connection is dropped (150 at once were seen after a 15 s hang).
 */
export interface Abortable {
  abort(): void;
}

/** While the origin is trusted. */
const waitingMax = 64;
/** Once it is known to fail. */
const waitingWhileFailingMax = 4;

export class Overtaken {
  readonly #exchanges = new Set<Abortable>();
  #max = waitingMax;

  get size(): number {
    return this.#exchanges.size;
  }

  add(exchange: Abortable): void {
    this.#exchanges.add(exchange);
    this.#trim();
  }

  delete(exchange: Abortable): void {
    this.#exchanges.delete(exchange);
  }

  /** To be told when the origin's state changes. */
  originFails(fails: boolean): void {
    this.#max = fails ? waitingWhileFailingMax : waitingMax;
    this.#trim();
  }

  /** Oldest first: the youngest tell most of how the origin is now. */
  #trim(): void {
    for (const exchange of this.#exchanges) {
      if (this.#exchanges.size <= this.#max) return;
      this.#exchanges.delete(exchange);
      exchange.abort();
    }
  }
}

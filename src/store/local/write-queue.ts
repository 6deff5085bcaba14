/**
 * Work that is done in batches, one batch at a time, in the order in which it came. What is added while a batch runs goes into the next; the
 * promise of each item settles with its batch.
 */
interface Waiting<Item> {
  readonly item: Item;
  readonly bytes: number;
  readonly count: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export interface WriteQueueOptions<Item> {
  readonly itemsMax: number;
  readonly bytesMax: number;
  readonly run: (batch: readonly Item[]) => Promise<void>;
  /** After each batch, before the next. Must not fail. */
  readonly afterwards: () => Promise<void>;
}

export class WriteQueue<Item> {
  readonly #options: WriteQueueOptions<Item>;
  #waiting: Waiting<Item>[] = [];
  #draining: Promise<void> | undefined;

  constructor(options: WriteQueueOptions<Item>) {
    this.#options = options;
  }

  /** `count`: as how many items it counts. */
  add(item: Item, bytes: number, count = 1): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, bytes, count, resolve, reject });
      this.#draining ??= this.#drain();
    });
  }

  /** Resolves when nothing is waiting or running. */
  async settled(): Promise<void> {
    while (this.#draining) await this.#draining;
  }

  async #drain(): Promise<void> {
    // One turn later, so that what is added together is written together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        await this.#options.run(batch.map((one) => one.item));
        for (const one of batch) one.resolve();
      } catch (error) {
        for (const one of batch) one.reject(error);
      }
      await this.#options.afterwards();
    }
    // In the same turn as the last look at the queue: what is added later starts the next drain.
    this.#draining = undefined;
  }

  #take(): Waiting<Item>[] {
    let taken = 0;
    let count = 0;
    let bytes = 0;
    for (const one of this.#waiting) {
      if (taken > 0 && (count + one.count > this.#options.itemsMax || bytes + one.bytes > this.#options.bytesMax)) break;
      taken += 1;
      count += one.count;
      bytes += one.bytes;
    }
    return this.#waiting.splice(0, taken);
  }
}

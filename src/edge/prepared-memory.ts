/**
 * What was made of copies and may be sent again: pages put together, coded bodies, decoded ones. Each hangs on the copy it was made of; this
 * counts their bytes and lets go of the oldest. Forgetting costs only work.
 */
import type { Copy } from './copies.ts';

/** What a prepared copy costs beside its body. */
const overheadBytes = 2_048;

interface Held {
  readonly from: Copy;
  readonly name: string;
  readonly made: Copy;
  readonly bytes: number;
}

export class PreparedMemory {
  readonly #bytesMax: number;
  readonly #held: Set<Held> = new Set();
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Gives what was kept by this name, or makes and keeps it. */
  obtain<T extends Copy | undefined>(from: Copy, name: string, make: () => T): Copy | T {
    const before = from.made?.get(name);
    if (before) return before;
    const made = make();
    if (made !== undefined) this.#keep(from, name, made);
    return made;
  }

  get bytes(): number {
    return this.#bytes;
  }

  #keep(from: Copy, name: string, made: Copy): void {
    const bytes = overheadBytes + (made.body === from.body ? 0 : made.body.byteLength);
    if (bytes > this.#bytesMax) return;
    (from.made ??= new Map()).set(name, made);
    this.#held.add({ from, name, made, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#held) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#held.delete(oldest);
      this.#bytes -= oldest.bytes;
      if (oldest.from.made?.get(oldest.name) === oldest.made) oldest.from.made.delete(oldest.name);
    }
  }
}

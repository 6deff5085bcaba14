/**
 * What fills slots at this edge: fillings out of the local store, held in a bounded memory with their texts ready to copy, and when each
 * feed was last heard. Nothing here needs anybody else alive: a feed that nobody speaks of any more grows too old by itself.
 */
import type { FeedKey, Filling, FillingId } from '../compose/index.ts';

/** What fillings are read from. */
export interface FillingSource {
  filling(id: FillingId): Filling | undefined;
  heard(): Iterable<readonly [feed: FeedKey, heardMs: number]>;
}

/** A filling in memory. */
export interface HeldFilling {
  readonly filling: Filling;
  /** Unlike that of any other filling that was ever held here: names what a page was put together from. */
  readonly serial: number;
  /** Text → its bytes, once it has been shown. */
  readonly encoded: Map<string, Uint8Array>;
}

/** What a filling, or the knowledge that there is none, costs beside its texts. */
const overheadBytes = 512;

export class Fillings {
  readonly #source: FillingSource;
  readonly #bytesMax: number;
  /** Undefined: the store has none. The one read first goes first. */
  readonly #held = new Map<FillingId, HeldFilling | undefined>();
  readonly #heard: Map<FeedKey, number>;
  #bytes = 0;
  #serial = 0;

  constructor(source: FillingSource, bytesMax: number) {
    this.#source = source;
    this.#bytesMax = bytesMax;
    this.#heard = new Map(source.heard());
  }

  get(id: FillingId): HeldFilling | undefined {
    const held = this.#held.get(id);
    if (held !== undefined || this.#held.has(id)) return held;
    const filling = this.#source.filling(id);
    const read = filling && { filling, serial: ++this.#serial, encoded: new Map<string, Uint8Array>() };
    this.#held.set(id, read);
    this.#bytes += costOf(id, read);
    for (const [oldest] of this.#held) {
      if (this.#bytes <= this.#bytesMax || oldest === id) break;
      this.#forget(oldest);
    }
    return read;
  }

  /** When a feed was last heard, as far as this edge knows. */
  heardMs(feed: FeedKey): number | undefined {
    return this.#heard.get(feed);
  }

  /** Feeds were heard; the newest word on each counts, in whatever order it comes. */
  hear(heard: Iterable<readonly [feed: FeedKey, heardMs: number]>): void {
    for (const [feed, heardMs] of heard) if (heardMs > (this.#heard.get(feed) ?? Number.NEGATIVE_INFINITY)) this.#heard.set(feed, heardMs);
  }

  /** These are others now in the store, or gone from it. */
  changed(ids: Iterable<FillingId>): void {
    for (const id of ids) this.#forget(id);
  }

  /** Fillings and bytes in memory. */
  memory(): { readonly fillings: number; readonly bytes: number } {
    return { fillings: this.#held.size, bytes: this.#bytes };
  }

  #forget(id: FillingId): void {
    if (!this.#held.has(id)) return;
    this.#bytes -= costOf(id, this.#held.get(id));
    this.#held.delete(id);
  }
}

/** Characters and their encoded bytes are counted as three bytes each. */
function costOf(id: FillingId, held: HeldFilling | undefined): number {
  const texts = held ? held.filling.versions.reduce((sum, { text }) => sum + text.length, held.filling.fallback?.length ?? 0) : 0;
  return overheadBytes + id.length + 3 * texts;
}

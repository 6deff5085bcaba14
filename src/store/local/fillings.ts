/**
 * Fillings in the local index: one value each, under a hash of its id. They are few hundred bytes; ten thousand change at once when prices do, so they are
 * encoded and written a few at a time, with room for requests in between. Reading is synchronous, and what is damaged is left out.
 */
import { fillingFromTuple, fillingToTuple } from '../../catalog/index.ts';
import type { Filling, FillingId } from '../../compose/types.ts';
import type { Table } from './database.ts';
import type { Changes } from './changes.ts';
import type { LocalKeys } from './keys.ts';
import { decodeSealed, encodeSealed } from './sealed.ts';

const fillingsPerTurn = 128;
const encodedPerTurn = 32;

export interface FillingParts {
  readonly table: Table;
  readonly keys: LocalKeys;
  /** Puts one change of so many values in the queue. */
  readonly change: (count: number, change: (changes: Changes) => void) => Promise<void>;
  readonly damaged: () => void;
}

export class Fillings {
  readonly #parts: FillingParts;

  constructor(parts: FillingParts) {
    this.#parts = parts;
  }

  get(id: FillingId): Filling | undefined {
    const value = this.#parts.table.get(this.#parts.keys.filling(id));
    const filling = value && this.#decode(value);
    // Another id with the same hash has the place.
    return filling?.id === id ? filling : undefined;
  }

  *all(): Generator<Filling> {
    for (const { value } of this.#parts.table.getRange({})) {
      const filling = this.#decode(value);
      if (filling) yield filling;
    }
  }

  async put(fillings: readonly Filling[]): Promise<void> {
    const { keys, change } = this.#parts;
    const writes: Promise<void>[] = [];
    let encoded: (readonly [key: Buffer, value: Buffer])[] = [];
    for (const [n, filling] of fillings.entries()) {
      encoded.push([keys.filling(filling.id), encodeSealed(fillingToTuple(filling))]);
      if (n % encodedPerTurn === encodedPerTurn - 1) await turn();
      if (encoded.length < fillingsPerTurn && n < fillings.length - 1) continue;
      const some = encoded;
      encoded = [];
      writes.push(change(some.length, (changes) => { for (const [key, value] of some) changes.putFilling(key, value); }));
    }
    await Promise.all(writes);
  }

  async remove(ids: readonly FillingId[]): Promise<void> {
    const { keys, change } = this.#parts;
    for (let from = 0; from < ids.length; from += fillingsPerTurn) {
      const some = ids.slice(from, from + fillingsPerTurn).map((id) => keys.filling(id));
      await change(some.length, (changes) => { for (const key of some) changes.removeFilling(key); });
    }
  }

  /** Removes those that are not listed, and damaged ones; returns the ids of the former. */
  async removeUnlisted(listed: (id: FillingId) => boolean): Promise<FillingId[]> {
    const removed: FillingId[] = [];
    let start: Buffer | undefined = Buffer.alloc(1);
    while (start) {
      const some: { key: Buffer; value: Buffer }[] = [...this.#parts.table.getRange({ start, limit: fillingsPerTurn })];
      const gone = some.flatMap(({ key, value }) => {
        const id = this.#decode(value)?.id;
        return id === undefined || !listed(id) ? [{ key: Buffer.from(key), id }] : [];
      });
      if (gone.length > 0) await this.#parts.change(gone.length, (changes) => { for (const { key } of gone) changes.removeFilling(key); });
      for (const { id } of gone) if (id !== undefined) removed.push(id);
      const last: Buffer | undefined = some.at(-1)?.key;
      start = last && some.length === fillingsPerTurn ? Buffer.concat([last, Buffer.alloc(1)]) : undefined;
      await turn();
    }
    return removed;
  }

  #decode(value: Buffer): Filling | undefined {
    const filling = fillingFromTuple(decodeSealed(value));
    if (!filling) this.#parts.damaged();
    return filling;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => { setImmediate(resolve); });

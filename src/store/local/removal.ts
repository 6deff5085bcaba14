/** Goes through all records of the local store, a few at a time with room for requests in between, and removes those that are no longer wanted. */
import type { PairCache, ShadowRecord } from '../../catalog/index.ts';
import type { Table } from './database.ts';
import { type Copy, decodeCopies } from './entry.ts';

const valuesPerTurn = 64;

/** `remove` is given one of the records and has to look again: by then another copy may be in its place. Returns how many were found. */
export async function removeWhere(
  records: Table, pairs: PairCache, unwanted: (copy: Copy) => boolean, remove: (of: ShadowRecord) => Promise<void>,
): Promise<number> {
  let removed = 0;
  let start: Buffer | undefined = Buffer.alloc(1);
  while (start) {
    const some: { key: Buffer; value: Buffer }[] = [...records.getRange({ start, limit: valuesPerTurn })];
    const gone = some.flatMap(({ value }) => (decodeCopies(value, pairs) ?? []).filter(unwanted));
    await Promise.all(gone.map(({ record }) => remove(record)));
    removed += gone.length;
    const last: Buffer | undefined = some.at(-1)?.key;
    start = last && some.length === valuesPerTurn ? Buffer.concat([last, Buffer.alloc(1)]) : undefined;
    await new Promise((resolve) => { setImmediate(resolve); });
  }
  return removed;
}

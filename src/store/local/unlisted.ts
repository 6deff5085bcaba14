/** Goes through all records of the local store, a few at a time with room for requests in between, and removes what the catalog no longer lists. */
import { type PairCache, type ShadowRecord, shadowId } from '../../catalog/index.ts';
import type { Table } from './database.ts';
import { decodeCopies } from './entry.ts';

const valuesPerTurn = 128;

export async function removeUnlisted(
  records: Table,
  pairs: PairCache,
  listed: (id: string) => boolean,
  remove: (record: ShadowRecord) => Promise<void>,
): Promise<number> {
  let removed = 0;
  let start: Buffer | undefined = Buffer.alloc(1);
  while (start) {
    const some: { key: Buffer; value: Buffer }[] = [...records.getRange({ start, limit: valuesPerTurn })];
    const gone = some.flatMap(({ value }) => decodeCopies(value, pairs) ?? [])
      .filter(({ record, pinned }) => pinned && record.version > 0 && !listed(shadowId(record)));
    await Promise.all(gone.map(({ record }) => remove(record)));
    removed += gone.length;
    const last: Buffer | undefined = some.at(-1)?.key;
    start = last && some.length === valuesPerTurn ? Buffer.concat([last, Buffer.alloc(1)]) : undefined;
    await new Promise((resolve) => setImmediate(resolve));
  }
  return removed;
}

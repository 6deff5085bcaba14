/** What a version does to the set of records, and what lies between two sets. Pure. */
import { type CatalogDelta, type ShadowRecord, shadowId } from './shadow-record.ts';

export type Records = Map<string, ShadowRecord>;

/** Changes `records` as the version says. Returns the records it replaced or removed. */
export function applyDelta(records: Records, delta: Pick<CatalogDelta, 'full' | 'put' | 'remove'>): ShadowRecord[] {
  const retired: ShadowRecord[] = [];
  if (delta.full) {
    retired.push(...records.values());
    records.clear();
  }
  for (const id of delta.remove) {
    const old = records.get(id);
    if (!old) continue;
    retired.push(old);
    records.delete(id);
  }
  for (const record of delta.put) {
    const id = shadowId(record);
    const old = records.get(id);
    if (old) retired.push(old);
    records.set(id, record);
  }
  return retired;
}

/** What turns `from` into `to`: the smallest `put` and `remove`. Records are equal when they are the same object or say the same. */
export function diffRecords(from: ReadonlyMap<string, ShadowRecord>, to: ReadonlyMap<string, ShadowRecord>): Pick<CatalogDelta, 'put' | 'remove'> {
  const put: ShadowRecord[] = [];
  const remove: string[] = [];
  for (const [id, record] of to) {
    const old = from.get(id);
    if (!old || !sameRecord(old, record)) put.push(record);
  }
  for (const id of from.keys()) if (!to.has(id)) remove.push(id);
  return { put, remove };
}

function sameRecord(a: ShadowRecord, b: ShadowRecord): boolean {
  if (a === b) return true;
  return a.version === b.version && a.body === b.body && a.status === b.status && a.responseTimeMs === b.responseTimeMs
    && a.requestTimeMs === b.requestTimeMs && a.madeBy === b.madeBy && a.headers.length === b.headers.length
    && a.headers.every(([name, value], i) => b.headers[i]?.[0] === name && b.headers[i][1] === value);
}

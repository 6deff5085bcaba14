/** What differs between two versions of the catalog, for people. Pure. */
import type { CatalogState } from '../../catalog/index.ts';
import type { ChangeView, DiffView } from './views.ts';

/** Lists at most `limit` changes; all are counted. */
export function compareStates(from: number, before: Readonly<CatalogState>, to: number, after: Readonly<CatalogState>, limit: number): DiffView {
  const changes: ChangeView[] = [];
  for (const [id, record] of after.records) {
    const old = before.records.get(id);
    if (old === record) continue;
    const change = !old ? 'added' : old.body !== record.body || old.status !== record.status ? 'changed' : old.responseTimeMs === record.responseTimeMs ? undefined : 'renewed';
    if (!change) continue;
    changes.push({ resource: record.resource, variation: record.variation, change, bytesBefore: old?.bodyBytes, bytesAfter: record.bodyBytes, statusBefore: old?.status, statusAfter: record.status });
  }
  for (const [id, record] of before.records) {
    if (after.records.has(id)) continue;
    changes.push({ resource: record.resource, variation: record.variation, change: 'removed', bytesBefore: record.bodyBytes, bytesAfter: undefined, statusBefore: record.status, statusAfter: undefined });
  }
  const counts = { added: 0, removed: 0, changed: 0, renewed: 0 };
  for (const { change } of changes) counts[change]++;
  // What only grew younger is the least interesting.
  changes.sort((a, b) => rank(a) - rank(b) || (a.resource < b.resource ? -1 : a.resource > b.resource ? 1 : 0));
  return { from, to, counts, fillingsChanged: fillingsChanged(before, after), changes: changes.slice(0, limit) };
}

function rank({ change }: ChangeView): number {
  return change === 'renewed' ? 1 : 0;
}

function fillingsChanged(before: Readonly<CatalogState>, after: Readonly<CatalogState>): number {
  let changed = 0;
  for (const [id, filling] of after.fillings) if (before.fillings.get(id)?.version !== filling.version) changed++;
  for (const id of before.fillings.keys()) if (!after.fillings.has(id)) changed++;
  return changed;
}

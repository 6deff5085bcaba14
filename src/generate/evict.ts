/**
 * Which copies go when `budgets.storage` is used up: the least asked for, and among equals the oldest. Pure.
 */
import type { ShadowRecord } from '../catalog/shadow-record.ts';
import type { ResourceKey } from '../kernel/index.ts';

/** Room is made down to this part of the budget, so that it isn't made again at once. */
const roomPart = 0.95;

export interface Eviction {
  readonly records: readonly ShadowRecord[];
  /** Demand a minute of the most wanted resource that went: what is wanted less need not be fetched now. */
  readonly demandBelow: number;
}

export function chooseEvictions(records: Iterable<ShadowRecord>, demand: ReadonlyMap<ResourceKey, number>, bytesHeld: number, bytesMax: number): Eviction {
  const chosen: ShadowRecord[] = [];
  if (bytesHeld <= bytesMax) return { records: chosen, demandBelow: 0 };
  const order = [...records].sort((a, b) => (demand.get(a.resource) ?? 0) - (demand.get(b.resource) ?? 0) || a.responseTimeMs - b.responseTimeMs);
  let left = bytesHeld;
  let demandBelow = 0;
  for (const record of order) {
    if (left <= bytesMax * roomPart) break;
    // Bodies shared with copies that stay free nothing; the next round sees what is really left.
    left -= record.bodyBytes;
    demandBelow = demand.get(record.resource) ?? 0;
    chosen.push(record);
  }
  return { records: chosen, demandBelow };
}

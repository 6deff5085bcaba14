/**
 * Which copy is compared with the live page next: the more a resource is asked for, the more often. A golden-ratio sequence instead of chance spreads
 * samples evenly over the demand (Knuth, The Art of Computer Programming 3, §6.4) and needs no source of randomness. Pure.
 */
import type { ShadowRecord } from '../catalog/shadow-record.ts';
import type { ResourceKey } from '../kernel/index.ts';
import type { Holdings } from './holdings.ts';

/** At most one explicit comparison in this time. */
export const sampleEveryMs = 10_000;
const goldenPart = 0.618_033_988_749_895;

/** The `n`th sample among copies of resources in demand; undefined where there are none. */
export function chooseSample(holdings: Holdings, demand: ReadonlyMap<ResourceKey, number>, n: number): ShadowRecord | undefined {
  let sum = 0;
  for (const [resource, perMinute] of demand) if (holdings.of(resource).length > 0) sum += perMinute;
  let left = ((n * goldenPart) % 1) * sum;
  for (const [resource, perMinute] of demand) {
    const records = holdings.of(resource);
    if (records.length === 0 || perMinute <= 0) continue;
    if (left < perMinute) return records[Math.min(records.length - 1, Math.floor((left / perMinute) * records.length))];
    left -= perMinute;
  }
  return undefined;
}

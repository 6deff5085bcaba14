/**
 * How often each resource changes, learned from every new copy: was it different from the one before, and how long was
 * between them. A few observations are kept of each resource, of a bounded number of resources.
 */
import type { ResourceKey } from '../kernel/index.ts';
import { estimateChangeRate, type ChangeObservation } from './plan/index.ts';

const changesMax = 100_000;
const observationsMax = 8;

interface Learned {
  readonly observations: ChangeObservation[];
  rate: number;
}

export class Changes {
  readonly #learned = new Map<ResourceKey, Learned>();

  observe(resource: ResourceKey, betweenMs: number, changed: boolean): void {
    if (betweenMs <= 0) return;
    const before = this.#learned.get(resource) ?? { observations: [], rate: 0 };
    before.observations.push({ minutes: betweenMs / 60_000, changed });
    if (before.observations.length > observationsMax) before.observations.shift();
    before.rate = estimateChangeRate(before.observations);
    this.#learned.delete(resource);
    this.#learned.set(resource, before);
    if (this.#learned.size <= changesMax) return;
    const oldest = this.#learned.keys().next();
    if (!oldest.done) this.#learned.delete(oldest.value);
  }

  /** Changes a minute; 0 where nothing is known. */
  rate(resource: ResourceKey): number {
    return this.#learned.get(resource)?.rate ?? 0;
  }
}

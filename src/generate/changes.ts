/**
 * How often each resource changes, learned from every new copy: was it different from the one before, and how long was
 * between them. A few observations are kept of each resource, of a bounded number of resources.
 */
import type { ResourceKey } from '../kernel/index.ts';
import { estimateChangeRate, type ChangeObservation } from './plan/index.ts';

const changesMax = 100_000;
export const observationsMax = 8;

interface Learned {
  readonly observations: ChangeObservation[];
  /** Estimated when it is wanted. */
  rate: number | undefined;
}

export class Changes {
  readonly #learned = new Map<ResourceKey, Learned>();

  observe(resource: ResourceKey, betweenMs: number, changed: boolean): void {
    if (betweenMs <= 0) return;
    const before = this.#learned.get(resource) ?? { observations: [], rate: undefined };
    before.observations.push({ minutes: betweenMs / 60_000, changed });
    if (before.observations.length > observationsMax) before.observations.shift();
    before.rate = undefined;
    this.#learned.delete(resource);
    this.#learned.set(resource, before);
    if (this.#learned.size <= changesMax) return;
    const oldest = this.#learned.keys().next();
    if (!oldest.done) this.#learned.delete(oldest.value);
  }

  /** Changes a minute; 0 where nothing is known. */
  rate(resource: ResourceKey): number {
    const learned = this.#learned.get(resource);
    if (!learned) return 0;
    learned.rate ??= estimateChangeRate(learned.observations);
    return learned.rate;
  }

  /** Everything observed, the longest untouched resource first. */
  *entries(): Iterable<readonly [ResourceKey, readonly ChangeObservation[]]> {
    for (const [resource, { observations }] of this.#learned) yield [resource, observations];
  }
}

/**
 * What making copies works on, together: the site as configured, what exists, what is remembered, where results go, and the
 * counts. One object for the generator's parts, so that each of them stays a function.
 */
import type { ShadowRecord } from '../catalog/shadow-record.ts';
import type { Config } from '../config/types.ts';
import type { Clock, Log, ResourceKey } from '../kernel/index.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { Changes } from './changes.ts';
import type { Companions } from './companions.ts';
import type { Discoverer } from './discover.ts';
import type { Encoder } from './encode.ts';
import type { Fidelity } from './fidelity.ts';
import type { Frontier } from './frontier.ts';
import type { History } from './history.ts';
import type { Holdings } from './holdings.ts';
import type { Holds } from './holds.ts';
import type { Ledger } from './ledger.ts';
import type { Publisher } from './publisher.ts';
import type { Refusal } from './refusals.ts';
import type { Site } from './site.ts';

export interface Workshop {
  site: Site;
  config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly holdings: Holdings;
  readonly ledger: Ledger;
  readonly changes: Changes;
  readonly history: History;
  readonly fidelity: Fidelity;
  readonly companions: Companions;
  readonly encoder: Encoder;
  readonly blobs: BlobStore;
  readonly frontier: Frontier;
  readonly discoverer: Discoverer;
  readonly publisher: Publisher;
  readonly invalidations: Invalidations;
  readonly holds: Holds;
  readonly tally: Tally;
}

/** Counters since the start. */
export class Tally {
  /** New or changed bodies, by how they came. */
  readonly admitted = { generate: 0, capture: 0 };
  /** Copies whose age was renewed without a new body. */
  readonly freshened = { generate: 0, capture: 0 };
  removed = 0;
  evicted = 0;
  fetched = 0;
  offered = 0;
  readonly refused: Partial<Record<Refusal, number>> = {};

  refuse(reason: Refusal): void {
    this.refused[reason] = (this.refused[reason] ?? 0) + 1;
  }
}

/** How long an invalidation can still matter: longer than any fetch or report takes. */
const invalidationValidMs = 300_000;
const invalidationsMax = 50_000;

/** Resources declared wrong lately, and since when: an answer asked for before that is not believed. */
export class Invalidations {
  readonly #since = new Map<ResourceKey, number>();
  /** Not yet made anew. */
  readonly #open = new Set<ResourceKey>();

  get open(): ReadonlySet<ResourceKey> {
    return this.#open;
  }

  add(resource: ResourceKey, nowMs: number): void {
    this.#since.delete(resource);
    this.#since.set(resource, nowMs);
    this.#open.add(resource);
    for (const [oldest, sinceMs] of this.#since) {
      if (this.#since.size <= invalidationsMax && nowMs - sinceMs < invalidationValidMs) break;
      this.#since.delete(oldest);
      this.#open.delete(oldest);
    }
  }

  /** Whether an answer to a request sent at `requestTimeMs` shows the resource as it was before. */
  outdates(resource: ResourceKey, requestTimeMs: number): boolean {
    const sinceMs = this.#since.get(resource);
    return sinceMs !== undefined && requestTimeMs <= sinceMs;
  }

  /** Whether a copy is of before. */
  readonly outdated = (copy: Pick<ShadowRecord, 'resource' | 'requestTimeMs'>): boolean => this.outdates(copy.resource, copy.requestTimeMs);

  /** All variations have been made anew, or can't be. */
  settle(resource: ResourceKey): void {
    this.#open.delete(resource);
  }
}

/**
 * What edges and brains say to each other. Every message is plain data, safe to lose: the next one of its kind carries
 * newer truth, and nobody waits for an answer. The catalog itself never crosses the bus, only word that there is a newer one.
 */
import type { ShadowRecord } from '../catalog/shadow-record.ts';
import type { FeedKey } from '../compose/types.ts';
import type { DemandWindow } from '../demand/window.ts';
import type { RefusedAnswer } from '../http/index.ts';
import type { ResourceKey } from '../kernel/index.ts';
import type { OriginView } from '../route/types.ts';

export type EdgeToBrain =
  | { readonly type: 'demand'; readonly window: DemandWindow }
  /** Good answers that passed by and are now in the edge's local store; the brain decides which become durable. */
  | { readonly type: 'captured'; readonly records: readonly ShadowRecord[] }
  /** The origin's word on answers that passed by and may not be kept, so that nobody asks it for copies in vain. */
  | { readonly type: 'refused'; readonly refusals: readonly RefusedAnswer[] }
  /** An unsafe request or the origin's own word made these copies wrong. */
  | { readonly type: 'invalidated'; readonly resources: readonly ResourceKey[] }
  /** Published copies whose bodies the edge can't find: the brain looks after them. */
  | { readonly type: 'missing'; readonly records: readonly ShadowRecord[] }
  | { readonly type: 'origin'; readonly report: OriginReport }
  | { readonly type: 'stats'; readonly stats: EdgeStats };

export type BrainToEdge =
  /** There is a catalog of this version to pull. */
  | { readonly type: 'catalog'; readonly version: number }
  /** When each feed was last heard: what it fills may be shown so much longer. */
  | { readonly type: 'feeds'; readonly heard: readonly (readonly [feed: FeedKey, heardMs: number])[] };

/** Sent twice a second, and at once when the state changes. */
export interface OriginReport {
  readonly atMs: number;
  readonly view: OriginView;
  /** 95th percentile of whole-answer latency over the last 10 s of people's requests; undefined while there are none. */
  readonly latencyP95Ms: number | undefined;
  /** What the same percentile is when the origin is well (slowly learned); undefined until known. */
  readonly usualP95Ms: number | undefined;
  /** People's requests a second that reached the origin, over the last 10 s. */
  readonly requestsPerSecond: number;
  readonly inFlight: number;
}

/** Counters since the edge started, for `status`, `/metrics` and the terminal. */
export interface EdgeStats {
  readonly startedAtMs: number;
  readonly regions: readonly RegionStats[];
  readonly origin: { readonly attempts: Readonly<Record<string, number>>; readonly inFlight: number };
  readonly local: { readonly records: number; readonly bodies: number; readonly bytes: number; readonly corrupt: number; readonly appliedVersion: number };
  readonly captures: Readonly<Record<string, number>>;
  readonly connections: number;
}

export interface RegionStats {
  readonly region: string;
  readonly listen: string;
  /** `source reason` → answers. */
  readonly answers: Readonly<Record<string, number>>;
  /** Answers with status 5xx that Foreshadow itself had to give. */
  readonly failed: number;
}

/** What `GET /api/v1/status` answers, and what `/metrics` is made of. Times are epoch ms or seconds where the name says so. */
import type { EdgeStats, OriginReport } from '../bus/messages.ts';
import type { Coverage, GeneratorStatus } from '../generate/index.ts';
import type { BlobStoreStats } from '../store/blob-store.ts';

export interface Status {
  readonly version: string;
  readonly site: string;
  readonly roles: readonly string[];
  readonly startedAtMs: number;
  readonly uptimeS: number;
  /** Undefined until an edge has reported. */
  readonly edge: (Omit<EdgeStats, 'regions'> & { readonly reportedAtMs: number }) | undefined;
  readonly regions: readonly RegionStatus[];
  readonly origin: OriginReport | undefined;
  readonly demand: { readonly person: number; readonly crawler: number; readonly prefetch: number; readonly generated: number; readonly overflow: number; readonly suspect: number };
  readonly catalog: { readonly version: number; readonly records: number; readonly bytes: number; readonly corrupt: number; readonly replaced: number; readonly folderFailures: number };
  /** Over the next 15 minutes' expected demand. */
  readonly coverage: Coverage & { readonly horizonMin: 15; readonly freshForMs: number };
  readonly generator: GeneratorStatus;
  readonly store: BlobStoreStats;
  readonly forecaster: {
    readonly keys: number; readonly bytes: number; readonly snapshotAtMs: number | undefined;
    /** Levels at which all learned parts are left out for now. */
    readonly fallenBack: readonly string[];
    /** Pieces of training done and lost since the brain started, and what the last one took. */
    readonly training: { readonly done: number; readonly lost: number; readonly lastMs: number | undefined };
  };
  readonly bus: { readonly dropped: number };
}

export interface RegionStatus {
  readonly name: string;
  readonly listen: string;
  readonly failed: number;
  readonly answers: readonly { readonly source: string; readonly reason: string; readonly count: number }[];
}

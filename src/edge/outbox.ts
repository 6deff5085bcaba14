/** What an edge tells: whoever listens gets it as plain data, and nobody waits for an answer. */
import type { ShadowRecord } from '../catalog/index.ts';
import type { DemandWindow } from '../demand/index.ts';
import type { RefusedAnswer } from '../http/index.ts';
import type { ResourceKey } from '../kernel/index.ts';
import type { OriginRouting } from '../route/index.ts';
import type { LocalStore } from '../store/index.ts';
import type { RegionTally } from './tally.ts';

/** Where an edge puts what it learns. Nothing is waited for; what can't be delivered is lost. */
export interface EdgeOutbox {
  demand(window: DemandWindow): void;
  captured(records: readonly ShadowRecord[]): void;
  invalidated(resources: readonly ResourceKey[]): void;
  /** What the origin does not want kept. */
  refused(refusals: readonly RefusedAnswer[]): void;
  /** Published copies whose bodies are nowhere to be found. */
  missing(records: readonly ShadowRecord[]): void;
  origin(report: ReturnType<OriginRouting['report']>): void;
  stats(stats: EdgeFigures): void;
}

export interface EdgeFigures {
  readonly startedAtMs: number;
  readonly regions: readonly (RegionTally & { readonly region: string; readonly listen: string })[];
  readonly origin: { readonly attempts: Readonly<Record<string, number>>; readonly inFlight: number };
  readonly local: ReturnType<LocalStore['stats']> & { readonly appliedVersion: number };
  readonly captures: Readonly<Record<string, number>>;
  readonly connections: number;
}

/**
 * What a part of the engine that corrects rates is to the rest. Base rates (`base/`) go through the stages in order; each takes what the ones
 * before it made and makes it better, or leaves it alone. Whether a stage's word counts is not its own decision: at every density of demand
 * the gate (`evidence/gate.ts`) lets it in only while held-out outcomes show a gain. Stages are deterministic and causal, keep their own memory bounded,
 * and do nothing heavy themselves: that is `Work`, done elsewhere, and adopted when it is done.
 */
import type { ByteReader, ByteWriter } from '../kernel/index.ts';
import type { KeySums } from './by-key.ts';
import type { Emerging, SeriesSummary, Total } from './forecaster.ts';
import type { Work, WorkDone } from './work.ts';

/** In the order in which they are applied. */
export const stageNames = ['season', 'relations', 'bursts', 'trees'] as const;
export type StageName = (typeof stageNames)[number];

/** `site`: a resource's requests from everywhere. `region`: those from one region. */
export const levels = ['site', 'region'] as const;
export type Level = (typeof levels)[number];

/** Rows whose rates are wanted, all of one level, as columns. */
export interface Batch {
  readonly level: Level;
  readonly length: number;
  /** Key index of each row. */
  readonly keys: Int32Array;
  /** Region index of each row; −1 at the site level, and for a region never seen. */
  readonly regions: Int32Array;
  /** Slot of the (resource, region) pair in `EngineState.regionsOf`; −1 at the site level, and for a pair never seen. */
  readonly pairs: Int32Array;
}

/** One minute of demand, by index; one entry a (resource, variation, region) that was asked for, ascending by key, so that columns by key are gone through in their order. */
export interface ObservedMinute {
  readonly startMs: number;
  readonly keys: Int32Array;
  readonly regions: Int32Array;
  readonly counts: Float64Array;
  /** 1 where this is the first that is known of the key. */
  readonly born: Uint8Array;
  /** The same added up by key. */
  readonly sums: KeySums;
  /** Steps of visitors from one resource to another that ended in this minute, by key index; `lagsMin`: minutes since the first was asked for, at least 1. */
  readonly steps: { readonly from: Int32Array; readonly to: Int32Array; readonly lagsMin: Int32Array; readonly counts: Float64Array };
  /** Visitors who go through a list in its order, by key and region index (`DemandSweep`). */
  readonly sweeps: readonly ObservedSweep[];
}

export interface ObservedSweep {
  readonly from: number;
  readonly to: number;
  readonly asked: number;
  readonly seconds: number;
  /** −1 for a region never seen. */
  readonly region: number;
}

/** What becomes of key indexes in a snapshot: their numbers there; undefined for one that is nobody's. */
export interface KeyNumbers {
  get(key: number): number | undefined;
  has(key: number): boolean;
}

export interface Stage {
  readonly name: StageName;
  /** Its word is of requests that pass within minutes, and is left out where copies are planned (`RateUse`). */
  readonly fleeting?: boolean;
  /** Called after the engine's own counts have taken the minute. Indexes may be larger than any seen before. */
  observe(minute: ObservedMinute): void;
  /** `ms` just passed of which nothing was observed, because this process was not there. Told before the first minute after it: as far as decay goes, no time passed. */
  skip?(ms: number): void;
  /** The key's index will be another key's. */
  forget(key: number): void;
  /**
   * Corrects, in place, the expected requests a minute of each row, averaged over the next `horizonsMin[horizon]` minutes after `nowMs`.
   * A row it knows nothing better about stays as it is; results are finite and not negative.
   */
  apply(batch: Batch, perMinute: Float64Array, horizon: number, nowMs: number): void;
  /**
   * For a stage whose word is one factor whatever the horizon: what it multiplies each row's rate by, given the rates over 15 minutes. Equal to what `apply` does at that
   * horizon; asked once where all horizons are wanted.
   */
  factors?(batch: Batch, perMinute: Float64Array, nowMs: number): Float64Array;
  /** Keys that it expects clearly more of than their base rates say; at most a few thousand. */
  raised?(nowMs: number): Iterable<number>;
  /** What it sees more asked for than usual, in names, most expected first. */
  emerging?(limit: number): Emerging[];
  /** What it expects of the site and of regions as a whole. */
  totals?(nowMs: number): Total[];
  /** What it watches as time series, and how each is modelled. */
  series?(): SeriesSummary[];
  /** A sample of rows at `nowMs`, with the rates that `apply` would be given, whose outcomes `learn` will tell: once in half an hour a level. */
  prepare?(batch: Batch, perMinute: Float64Array, nowMs: number): void;
  /** Requests that came within 15 minutes, for each row of the last `prepare` of this level. Not called when the rows have lost their meaning. */
  learn?(level: Level, counts: Float64Array): void;
  /** Heavy work that is due, at most one piece at a time. */
  work?(nowMs: number): Work | undefined;
  /** Takes the outcome of work it asked for, in this life or in one before. */
  adopt?(done: WorkDone): void;
  /** Bytes of its state, roughly. */
  bytes(): number;
  /** `numbers`: index of each key in the snapshot; keys that are not in it are gone. */
  write(writer: ByteWriter, numbers: KeyNumbers): void;
  /** Reads what `write` wrote, into a new stage; indexes are numbers now. Throws `bytes-invalid`. */
  read(reader: ByteReader): void;
}

/** A batch of keys, from everywhere. */
export function siteBatch(keys: Int32Array): Batch {
  const none = new Int32Array(keys.length).fill(-1);
  return { level: 'site', length: keys.length, keys, regions: none, pairs: none };
}

/** What a benchmark suite is given and gives back. */
import type { Peer } from './peers/peer.ts';
import type { Table } from './report.ts';

export interface SuiteContext {
  readonly quick: boolean;
  /** An empty folder of its own, removed afterwards. */
  readonly folder: string;
  /** The servers to measure, installed ones only. */
  readonly peers: readonly Peer[];
  /** `--option value` pairs a suite knows: `--faults`, `--log`, … */
  readonly options: Readonly<Record<string, string>>;
  /** Progress for the person who waits. */
  say(line: string): void;
}

export interface SuiteReport {
  /** Everything measured, for `bench/results/NAME.json`. */
  readonly numbers: unknown;
  readonly tables: readonly Table[];
  /** Requirements that were not met, in words; empty when all were. */
  readonly missed: readonly string[];
}

export interface Suite {
  readonly name: string;
  readonly about: string;
  /** Undefined when there is nothing to report: it can't run here, and has said what it needs. */
  run(context: SuiteContext): Promise<SuiteReport | undefined>;
}

/**
 * One server under test: how it is set up as its own users would for the task, started, and stopped. All three get the
 * same origin, the same key (path, device class, segment cookie) and the same visitors.
 */
import type { Program } from '../machine/program.ts';

export interface PeerSetup {
  /** Its own empty folder: configuration, cache, logs. */
  readonly folder: string;
  readonly port: number;
  readonly originPort: number;
  /** Whether pages differ by device and segment; otherwise by URL alone. */
  readonly variations: boolean;
  readonly cores?: string;
}

export interface Peer {
  readonly name: string;
  /** Its version, or undefined when it is not installed. */
  version(): string | undefined;
  /** Resolves when it accepts connections. Calling it again with the same folder is a restart. */
  start(setup: PeerSetup): Promise<Program>;
  /** Resolves when this many copies would outlive the server; absent where a copy is on disk once it has passed. */
  readonly published?: (setup: PeerSetup, copies: number, deadlineMs: number) => Promise<void>;
}

/** The first line a command prints on either stream, or undefined when it can't be run. */
export function firstLine(command: readonly string[]): string | undefined {
  if (Bun.which(command[0] ?? '') === null) return undefined;
  const run = Bun.spawnSync([...command]);
  return `${run.stdout.toString()}${run.stderr.toString()}`.split('\n')[0]?.trim();
}

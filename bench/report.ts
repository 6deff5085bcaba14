/** What a run leaves behind: tables for the terminal, JSON files with the machine, versions and date beside the numbers. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { arch, cpus, release, totalmem, type } from 'node:os';
import { join } from 'node:path';
import type { Peer } from './peers/peer.ts';

export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

export function formatTable(table: Table): string {
  const widths = table.columns.map((column, at) => Math.max(column.length, ...table.rows.map((row) => (row[at] ?? '').length)));
  // The first column is names, the others numbers.
  const line = (cells: readonly string[]): string =>
    cells.map((cell, at) => (at === 0 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0))).join('  ').trimEnd();
  return [table.title, line(table.columns), widths.map((width) => '-'.repeat(width)).join('  '), ...table.rows.map(line)].join('\n');
}

export function machineFacts(peers: readonly Peer[]): Readonly<Record<string, unknown>> {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    system: `${type()} ${release()} ${arch()}`,
    governor: readOptional('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'),
    versions: Object.fromEntries(peers.map((peer) => [peer.name, peer.version() ?? 'not installed'])),
  };
}

function readOptional(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
}

export function writeResult(folder: string, name: string, result: unknown): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `${name}.json`);
  writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`);
  return file;
}

/** `3.8 %`; two digits below one per cent, so that a single failure among thousands still shows. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '-';
  const share = (100 * part) / whole;
  return `${share === 0 || share >= 1 ? share.toFixed(1) : share.toFixed(2)} %`;
}

export function ms(value: number): string {
  return value >= 1000 ? `${(value / 1000).toFixed(1)} s` : `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

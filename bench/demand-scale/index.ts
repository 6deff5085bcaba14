/**
 * The prediction engine with a million live keys: memory a key, demand absorbed, a forecast cycle, all forecasts, snapshots, and what it costs when keys have to make
 * room. Each site in a process of its own, on one core; times are CPU time of the whole process (the runtime's collector and compilers included), so that a
 * busy machine does not count; memory is resident memory less what the process had before there was an engine, when demand had been made and thrown away.
 */
import { join } from 'node:path';
import type { Table } from '../report.ts';
import type { Suite } from '../suite.ts';
import type { ScaleNumbers } from './measure.ts';

interface Limit {
  readonly name: string;
  readonly of: (numbers: ScaleNumbers) => number;
  /** How the number is written. */
  readonly written: (value: number) => string;
  /** At most this, or at least. */
  readonly atMost?: number;
  readonly atLeast?: number;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
const plain = (value: number): string => value.toFixed(0);

const limits: readonly Limit[] = [
  { name: 'memory a key, bytes', of: ({ residentBytesPerKey }) => residentBytesPerKey, written: plain, atMost: 150 },
  { name: '… of it columns and keys', of: ({ ownBytesPerKey }) => ownBytesPerKey, written: plain },
  { name: 'demand absorbed, events/s', of: ({ observeEventsPerSecond }) => observeEventsPerSecond, written: (value) => Math.round(value).toLocaleString('en'), atLeast: 1_000_000 },
  { name: '… the slowest minute of 60,000', of: ({ observeSlowestMs }) => observeSlowestMs, written: seconds },
  { name: '… a minute of 60,000 new keys', of: ({ birthsMs }) => birthsMs, written: seconds },
  { name: 'forecast cycle: rates of all, best 50,000', of: ({ ratesFirstMs }) => ratesFirstMs, written: seconds, atMost: 5000 },
  { name: '… once it is warm', of: ({ ratesMs }) => ratesMs, written: seconds },
  { name: 'all distributions, at four horizons', of: ({ forecastsMs }) => forecastsMs, written: seconds },
  { name: '… rows', of: ({ forecasts }) => forecasts, written: (value) => value.toLocaleString('en') },
  { name: 'snapshot written', of: ({ snapshotMs }) => snapshotMs, written: seconds, atMost: 500 },
  { name: '… MB', of: ({ snapshotBytes }) => snapshotBytes / 1e6, written: plain },
  { name: '… read', of: ({ restoreMs }) => restoreMs, written: seconds },
];

const sites = [{ name: 'one region a key', twoRegions: 0 }, { name: '1.5 regions a key', twoRegions: 0.5 }] as const;

export const demandScale: Suite = {
  name: 'demand-scale',
  about: 'the prediction engine with a million live keys: memory, demand absorbed, forecast cycle, snapshots (two minutes)',
  async run(context) {
    const keys = context.quick ? 200_000 : 1_000_000;
    const found: { readonly site: string; readonly numbers: ScaleNumbers }[] = [];
    for (const { name, twoRegions } of sites) {
      context.say(`demand-scale: ${keys.toLocaleString('en')} keys, ${name}`);
      found.push({ site: name, numbers: await measured(keys, twoRegions) });
    }
    const missed = found.flatMap(({ site, numbers }) => limits.flatMap((limit) => (isMet(limit, limit.of(numbers)) ? [] : [`${site}: ${limit.name} ${limit.written(limit.of(numbers))}, ${required(limit)}`])));
    const table: Table = {
      title: `${keys.toLocaleString('en')} live keys of 40 characters, on one core`,
      columns: ['', ...found.map(({ site }) => site), 'required'],
      rows: limits.map((limit) => [limit.name, ...found.map(({ numbers }) => limit.written(limit.of(numbers))), required(limit)]),
    };
    return { numbers: { keys, sites: found, limits: limits.filter(({ atMost, atLeast }) => atMost !== undefined || atLeast !== undefined).map(({ name, atMost, atLeast }) => ({ name, atMost, atLeast, met: found.every(({ site }) => !missed.some((line) => line.startsWith(`${site}: ${name} `))) })) }, tables: [table], missed };
  },
};

function isMet({ atMost, atLeast }: Limit, value: number): boolean {
  return value <= (atMost ?? Infinity) && value >= (atLeast ?? -Infinity);
}

function required({ atMost, atLeast, written }: Limit): string {
  return atMost !== undefined ? `≤ ${written(atMost)}` : atLeast !== undefined ? `≥ ${written(atLeast)}` : '';
}

async function measured(keys: number, twoRegions: number): Promise<ScaleNumbers> {
  const command = [process.execPath, join(import.meta.dir, 'measure.ts'), String(keys), String(twoRegions)];
  const child = Bun.spawn(Bun.which('taskset') === null ? command : ['taskset', '-c', '0', ...command], { stdout: 'pipe', stderr: 'inherit' });
  const text = await new Response(child.stdout).text();
  if (await child.exited !== 0) throw new Error('the measuring process failed');
  return JSON.parse(text) as ScaleNumbers; // what measure.ts prints
}

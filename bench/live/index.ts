/**
 * Live parts, from the feed to the reader: a real `foreshadow up` with one page whose slots have 10,000 points, all prepared; then its price changes again
 * and again while visitors come at 200 requests a second. Required: within 1 s of the feed's answer no variation shows the old price (the last time
 * all 10,000 are asked), nobody gets a wrong page, and one volume holds at most three times the page and the texts that all variations show. Told: the
 * visitors' latency while prices change and while they rest.
 */
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { seededRandom } from '../../src/kernel/index.ts';
import { quantile, summarise } from '../load/samples.ts';
import type { Samples, Summary } from '../load/samples.ts';
import { Program, accepts, freePort, until } from '../machine/program.ts';
import { ms } from '../report.ts';
import type { Suite, SuiteContext } from '../suite.ts';
import { watchChange } from './change.ts';
import type { Change } from './change.ts';
import { configuration, fillingsOf, kinds, originPage, path, shownBytes, variations } from './page.ts';
import type { Kind, Ports } from './page.ts';

const home = resolve(import.meta.dir, '../..');
const ratePerSecond = 200;
const lateMsMax = 1000;
const timesMax = 3;
/** A change and what it sets off are over by then. */
const changeMs = 2000;
const restMs = 5000;
const firstPrice = 100;

interface Measured {
  readonly kind: Kind;
  readonly fillings: { readonly all: number; readonly changing: number };
  readonly preparedSeconds: number;
  readonly changes: readonly Change[];
  /** Everybody's, while prices rest, and from each change on for two seconds. */
  readonly resting: Summary;
  readonly changing: Summary;
  /** The page, and what all variations show in its slots. */
  readonly page: { readonly bytes: number; readonly shownBytes: number };
  /** On disk when all was prepared, and after the changes: catalog and bodies on all volumes, and the edge's own. */
  readonly prepared: Disk;
  readonly changed: Disk;
}

interface Disk { readonly catalogs: number; readonly blobs: number; readonly volumes: number; readonly edge: number }

export const live: Suite = {
  name: 'live',
  about: 'a changed price on 10,000 variations: how soon, at what cost',
  async run(context) {
    const measured: Measured[] = [];
    for (const kind of kinds) measured.push(await measure(context, kind));
    return {
      numbers: measured,
      missed: measured.flatMap(missedBy),
      tables: [
        {
          title: `A price changes ${measured[0]?.changes.length ?? 0} times on a page of ${variations} variations, with ${ratePerSecond} requests/s meanwhile`,
          columns: ['price', 'fillings', 'of these change', 'prepared in', 'last old, median', 'worst', 'all asked, not new', 'wrong', 'p99 changing', 'max', 'p99 resting'],
          rows: measured.map(({ kind, fillings, preparedSeconds, changes, resting, changing }) => [
            kind, String(fillings.all), String(fillings.changing), `${preparedSeconds.toFixed(1)} s`, ms(lastOld(changes, 0.5)), ms(lastOld(changes, 1)), String(changes.at(-1)?.notNew ?? '-'),
            String(wrongOf(changes, [resting, changing])), ms(changing.p99Ms), ms(changing.maxMs), ms(resting.p99Ms),
          ]),
        },
        {
          title: 'On disk',
          columns: ['price', 'page', 'shown by all', 'catalog, each volume', 'bodies, each volume', 'times page + shown', 'edge', 'catalog after the changes'],
          rows: measured.map(({ kind, page, prepared, changed }) => [
            kind, kilobytes(page.bytes), kilobytes(page.shownBytes), kilobytes(prepared.catalogs / prepared.volumes), kilobytes(prepared.blobs / prepared.volumes),
            timesOf(page, prepared).toFixed(2), kilobytes(prepared.edge), kilobytes(changed.catalogs / changed.volumes),
          ]),
        },
      ],
    };
  },
};

async function measure(context: SuiteContext, kind: Kind): Promise<Measured> {
  const { folder, quick } = context;
  const ports: Ports = { site: await freePort(), admin: await freePort(), origin: await freePort(), feed: await freePort() };
  const configFile = join(folder, `${kind}.yaml`);
  const data = join(folder, `${kind}-data`);
  const out = join(folder, `${kind}-visitors.json`);
  writeFileSync(configFile, configuration(kind, ports));
  const programs = [start(kind, folder, 'origin', [join(import.meta.dir, 'origin.ts'), String(ports.origin), String(ports.feed)])];
  try {
    await until('the origin to listen', async () => await accepts(ports.origin) && accepts(ports.feed));
    const startedMs = performance.now();
    programs.push(start(kind, folder, 'up', [join(home, 'src/main.ts'), 'up', '--config', configFile, '--data', data]));
    await until('Foreshadow to listen', () => accepts(ports.site), 30_000);
    await fetch(`http://127.0.0.1:${ports.site}${path}`);
    await until('all fillings at the edge', () => isPrepared(ports.admin, fillingsOf[kind].all), 120_000, 100);
    const preparedSeconds = (performance.now() - startedMs) / 1000;
    const prepared = diskUse(data);
    context.say(`live: ${kind}, ${fillingsOf[kind].all} fillings prepared in ${preparedSeconds.toFixed(1)} s`);
    const rounds = quick ? 3 : 10;
    const visitors = start(kind, folder, 'visitors', [join(import.meta.dir, 'visitors.ts'), String(ports.site), String(ratePerSecond), '600', '7', kind, out]);
    programs.push(visitors);
    await rest(restMs);
    const restingFromMs = Date.now();
    await rest(quick ? restMs : 2 * restMs);
    const restingToMs = Date.now();
    const random = seededRandom(11);
    const changes: Change[] = [];
    for (let round = 1; round <= rounds; round++) {
      const change = await watchChange({ kind, port: ports.site, feedPort: ports.feed, random, price: firstPrice + round, askAll: round === rounds });
      context.say(`live: ${kind}, the old price was last seen ${ms(change.lastOldMs)} after the feed's answer`);
      changes.push(change);
    }
    visitors.endInput();
    await visitors.exited;
    const samples = JSON.parse(readFileSync(out, 'utf8')) as Samples; // written by visitors.ts
    return {
      kind, fillings: fillingsOf[kind], preparedSeconds, changes, prepared, changed: diskUse(data),
      resting: summarise(samples, restingFromMs, restingToMs), changing: summarise(during(samples, changes), 0, Number.POSITIVE_INFINITY),
      page: { bytes: Buffer.byteLength(originPage()), shownBytes: shownBytes(kind, firstPrice) },
    };
  } finally {
    for (const program of programs.reverse()) await program.stop();
  }
}

function start(kind: Kind, folder: string, name: string, args: readonly string[]): Program {
  return Program.start({ command: [process.execPath, ...args], logFile: join(folder, `${kind}-${name}.log`), cwd: folder });
}

async function isPrepared(adminPort: number, fillings: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${adminPort}/api/v1/status`, { signal: AbortSignal.timeout(2000) }).catch(() => undefined);
  if (!answer?.ok) return false;
  // The shape is the API's own.
  const { catalog, edge, generator } = await answer.json() as {
    readonly catalog: { readonly version: number }; readonly edge?: { readonly local: { readonly appliedVersion: number } };
    readonly generator: { readonly fillings: { readonly fillings: number; readonly rendered: number; readonly waiting: number } };
  };
  return generator.fillings.rendered >= fillings && generator.fillings.waiting === 0 && catalog.version > 0 && (edge?.local.appliedVersion ?? 0) >= catalog.version;
}

/** The visitors' requests that fell into a change. */
function during(samples: Samples, changes: readonly Change[]): Samples {
  const rows = samples.scheduledMs.flatMap((scheduledMs, row) => (changes.some(({ toldMs }) => scheduledMs >= toldMs && scheduledMs < toldMs + changeMs) ? row : []));
  const pick = (column: readonly number[]): number[] => rows.map((row) => column[row] ?? 0);
  return { ...samples, scheduledMs: pick(samples.scheduledMs), latencyMs: pick(samples.latencyMs), outcome: pick(samples.outcome), route: pick(samples.route) };
}

function diskUse(data: string): Disk {
  const volumes = readdirSync(join(data, 'volumes'));
  const sum = (folder: string): number => volumes.reduce((total, volume) => total + folderBytes(join(data, 'volumes', volume, folder)), 0);
  return { catalogs: sum('catalog'), blobs: sum('blobs'), volumes: volumes.length, edge: folderBytes(join(data, 'edge')) };
}

function folderBytes(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    try {
      if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
    } catch { /* a temporary file that has gone */ }
  }
  return bytes;
}

function missedBy({ kind, changes, resting, changing, page, prepared }: Measured): string[] {
  const missed: string[] = [];
  const worst = lastOld(changes, 1);
  if (worst > lateMsMax) missed.push(`${kind}: a variation showed the old price ${ms(worst)} after the feed's answer (at most ${ms(lateMsMax)})`);
  const notNew = changes.at(-1)?.notNew ?? variations;
  if (notNew > 0) missed.push(`${kind}: of all ${variations} variations ${notNew} did not show the new price`);
  const wrong = wrongOf(changes, [resting, changing]);
  if (wrong > 0) missed.push(`${kind}: ${wrong} answers were wrong or failed`);
  const times = timesOf(page, prepared);
  if (times > timesMax) missed.push(`${kind}: a volume holds ${times.toFixed(2)} times the page and what all show (at most ${timesMax})`);
  return missed;
}

function lastOld(changes: readonly Change[], q: number): number {
  return quantile(Float64Array.from(changes.map(({ lastOldMs }) => lastOldMs)).sort(), q);
}

function wrongOf(changes: readonly Change[], visitors: readonly Summary[]): number {
  return changes.reduce((sum, { wrong }) => sum + wrong, 0) + visitors.reduce((sum, { requests, outcomes }) => sum + requests - (outcomes['right'] ?? 0), 0);
}

function timesOf(page: Measured['page'], { catalogs, blobs, volumes }: Disk): number {
  return (catalogs + blobs) / volumes / (page.bytes + page.shownBytes);
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1000).toFixed(0)} kB`;
}

function rest(forMs: number): Promise<void> {
  return new Promise((resolve) => { setTimeout(resolve, forMs); });
}

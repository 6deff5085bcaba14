/**
 * `foreshadow status [--api URL] [--token T] [--json]`: what a running Foreshadow says of itself, for people. Exit 0 when it answered, 1 when
 * not, 2 for a command line that is not understood. `--json` prints the API's answer as it is.
 */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { ForeshadowError, formatDuration, formatSize, messageOf } from '../kernel/index.ts';
import { getJson } from './api-client.ts';
import type { CliIo } from './io.ts';
import { table } from './text-table.ts';

export const usage = 'usage: foreshadow status [--api URL] [--token T] [--json]';

/** The part of the answer that is shown; more may come and is left alone. */
const statusSchema = z.object({
  version: z.string(),
  site: z.string(),
  roles: z.array(z.string()),
  startedAtMs: z.number(),
  uptimeS: z.number(),
  edge: z.object({ connections: z.number(), local: z.object({ records: z.number(), appliedVersion: z.number(), corrupt: z.number() }) }).optional(),
  regions: z.array(z.object({
    name: z.string(), listen: z.string(), failed: z.number(), answers: z.array(z.object({ source: z.string(), reason: z.string(), count: z.number() })),
  })),
  origin: z.object({
    view: z.object({ state: z.string(), because: z.string(), share: z.number(), sinceMs: z.number() }),
    latencyP95Ms: z.number().optional(), usualP95Ms: z.number().optional(), requestsPerSecond: z.number(), inFlight: z.number(),
  }).optional(),
  catalog: z.object({ version: z.number(), records: z.number(), bytes: z.number() }),
  coverage: z.object({ demandPerMinute: z.number(), fresh: z.number().optional(), any: z.number().optional(), horizonMin: z.number(), freshForMs: z.number() }),
  generator: z.object({
    budget: z.object({ ratePerSecond: z.number(), limitPerSecond: z.number(), pause: z.string().optional() }),
    fetched: z.number(), admitted: z.record(z.string(), z.number()), refused: z.record(z.string(), z.number()),
    feeds: z.array(z.object({ key: z.string(), state: z.string(), heardMs: z.number().optional(), maxAgeMs: z.number(), error: z.string().optional() })),
    fillings: z.object({ fillings: z.number(), failing: z.number(), failures: z.array(z.object({ slot: z.string(), message: z.string() })) }),
    fidelity: z.object({ routes: z.array(z.object({ match: z.string(), score: z.number(), samples: z.number() })) }),
  }),
  store: z.object({ blobs: z.number(), bytes: z.number(), volumes: z.array(z.object({ path: z.string(), state: z.string(), error: z.string().optional() })) }),
});
type Shown = z.output<typeof statusSchema>;

export async function runStatus(args: readonly string[], io: CliIo): Promise<number> {
  let options;
  try {
    options = parseArgs({ args: [...args], options: { api: { type: 'string' }, token: { type: 'string' }, json: { type: 'boolean', default: false } } }).values;
  } catch (thrown) {
    io.err(`foreshadow status: ${messageOf(thrown)}; ${usage}\n`);
    return 2;
  }
  try {
    const answer = await getJson('/api/v1/status', { api: options.api, token: options.token ?? io.env['FORESHADOW_TOKEN'] });
    io.out(options.json ? `${JSON.stringify(answer, null, 2)}\n` : renderStatus(parse(answer)));
    return 0;
  } catch (thrown) {
    io.err(`foreshadow status: ${messageOf(thrown)}\n`);
    return thrown instanceof ForeshadowError && thrown.code === 'usage' ? 2 : 1;
  }
}

function parse(answer: unknown): Shown {
  const result = statusSchema.safeParse(answer);
  if (result.success) return result.data;
  throw new ForeshadowError('api-failed', { source: 'internal', message: 'the answer is not a status this version knows', hint: 'use the foreshadow of the same version, or --json', cause: result.error });
}

function renderStatus(status: Shown): string {
  const rows: [string, string][] = [
    ['site', `${status.site}, Foreshadow ${status.version} (${status.roles.join(', ')}), up ${formatDuration(status.uptimeS * 1000)}`],
    ['origin', originLine(status)],
    ['coverage', coverageLine(status.coverage)],
    ['catalog', `version ${status.catalog.version}: ${plural(status.catalog.records, 'copy', 'copies')}, ${formatSize(status.catalog.bytes)}`],
    ['generator', generatorLine(status.generator)],
    ...feedRows(status),
    ['store', storeLine(status.store)],
    ['edge', edgeLine(status.edge)],
  ];
  const lines = rows.map(([name, text]) => `${name.padEnd(10)} ${text}`);
  return `${[...lines, '', ...regionTable(status.regions)].join('\n')}\n`;
}

function originLine({ origin, startedAtMs, uptimeS }: Shown): string {
  if (!origin) return 'not known yet: no edge has reported';
  const { state, because, share, sinceMs } = origin.view;
  const forMs = Math.max(0, startedAtMs + uptimeS * 1000 - sinceMs);
  const latency = origin.latencyP95Ms === undefined ? '' : `, p95 ${formatDuration(origin.latencyP95Ms)}${origin.usualP95Ms === undefined ? '' : ` (usually ${formatDuration(origin.usualP95Ms)})`}`;
  return `${state} for ${formatDuration(forMs)}${because === '' ? '' : ` (${because})`}; ${percent(share)} of eligible traffic goes to shadows; ${round(origin.requestsPerSecond)} requests/s, ${origin.inFlight} in flight${latency}`;
}

function coverageLine(coverage: Shown['coverage']): string {
  if (coverage.fresh === undefined || coverage.any === undefined) return `nothing is expected in the next ${coverage.horizonMin} min`;
  return `${percent(coverage.any)} of the next ${coverage.horizonMin} min's requests have a shadow, ${percent(coverage.fresh)} one of at most ${formatDuration(coverage.freshForMs)} (${round(coverage.demandPerMinute)} requests/min expected)`;
}

function generatorLine({ budget, fetched, admitted, refused }: Shown['generator']): string {
  const pace = budget.pause === undefined ? `up to ${round(budget.ratePerSecond)} of ${round(budget.limitPerSecond)} fetches/s` : `rests: ${budget.pause}`;
  const reasons = Object.entries(refused).filter(([, count]) => count > 0).map(([reason, count]) => `${reason} ${count}`).join(', ');
  return `${pace}; ${fetched} fetched, ${sum(Object.values(admitted))} admitted, ${sum(Object.values(refused))} refused${reasons === '' ? '' : ` (${reasons})`}`;
}

/** Left out on a site without feeds; the least true route tells most about fidelity. */
function feedRows({ generator: { feeds, fillings, fidelity }, startedAtMs, uptimeS }: Shown): [string, string][] {
  const nowMs = startedAtMs + uptimeS * 1000;
  const rows: [string, string][] = [];
  if (feeds.length > 0) {
    const bad = feeds.filter(({ state }) => state !== 'ok').map(({ key, heardMs, maxAgeMs, error }) => {
      const heard = heardMs === undefined ? 'never heard' : `heard ${formatDuration(Math.max(0, nowMs - heardMs))} ago${nowMs - heardMs > maxAgeMs ? ', too old to be shown' : ''}`;
      return `${key} ${heard}${error === undefined ? '' : `: ${error}`}`;
    });
    const failing = fillings.failing === 0 ? '' : `, ${fillings.failing} can't be rendered: ${fillings.failures[0]?.slot ?? ''}: ${fillings.failures[0]?.message ?? ''}`;
    rows.push(['feeds', `${feeds.length - bad.length} of ${feeds.length} ok, ${plural(fillings.fillings, 'filling', 'fillings')}${failing}${bad.length === 0 ? '' : ` (${bad.join('; ')})`}`]);
  }
  const [worst] = fidelity.routes;
  if (worst) rows.push(['fidelity', `${percent(worst.score)} on ${worst.match}, the least true of ${plural(fidelity.routes.length, 'route', 'routes')} (${worst.samples} comparisons)`]);
  return rows;
}

function storeLine({ blobs, bytes, volumes }: Shown['store']): string {
  const bad = volumes.filter((volume) => volume.state !== 'ok').map((volume) => `${volume.path} ${volume.state}${volume.error === undefined ? '' : `: ${volume.error}`}`);
  return `${plural(blobs, 'body', 'bodies')}, ${formatSize(bytes)}; ${volumes.length - bad.length} of ${plural(volumes.length, 'volume', 'volumes')} ok${bad.length === 0 ? '' : ` (${bad.join('; ')})`}`;
}

function edgeLine(edge: Shown['edge']): string {
  if (!edge) return 'not reported yet';
  const corrupt = edge.local.corrupt === 0 ? '' : `, ${edge.local.corrupt} corrupt dropped`;
  return `catalog version ${edge.local.appliedVersion} applied; ${plural(edge.local.records, 'copy', 'copies')} at hand${corrupt}; ${plural(edge.connections, 'connection', 'connections')}`;
}

const sources = ['origin', 'shadow', 'rescue', 'peer', 'redirect', 'none'] as const;

function regionTable(regions: Shown['regions']): string[] {
  const shown = sources.filter((source) => source !== 'peer' && source !== 'redirect' || regions.some((region) => countOf(region, source) > 0));
  const rows = [['region', 'listens on', ...shown, 'failed'], ...regions.map((region) => [region.name, region.listen, ...shown.map((source) => String(countOf(region, source))), String(region.failed)])];
  return table(rows[0] ?? [], rows.slice(1), shown.map((_, index) => index + 2).concat(shown.length + 2)).split('\n');
}

function countOf(region: Shown['regions'][number], source: string): number {
  return sum(region.answers.filter((answer) => answer.source === source).map((answer) => answer.count));
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

function percent(fraction: number): string {
  return `${Number((fraction * 100).toFixed(1))}%`;
}

function round(value: number): string {
  return String(Number(value.toFixed(value < 10 ? 1 : 0)));
}

function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}

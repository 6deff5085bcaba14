/** Forecasts as people read them on a terminal. Reads the API's answers; more may come in them and is left alone. Pure. */
import { z } from 'zod';
import { ForeshadowError, formatDuration } from '../kernel/index.ts';
import { table } from './text-table.ts';

const forecast = z.object({ resource: z.string(), region: z.string(), horizonMin: z.number(), mean: z.number(), p: z.number(), q50: z.number(), q90: z.number(), q99: z.number() });
const pageSchema = z.object({ region: z.string(), horizonMin: z.number(), items: z.array(forecast), nextCursor: z.string().optional(), total: z.object({ mean: z.number(), q05: z.number(), q95: z.number() }).optional() });
const resourceSchema = z.object({ resource: z.string(), forecasts: z.array(forecast), variations: z.array(z.object({ variation: z.string(), share: z.number() })) });
const accuracySchema = z.object({
  doors: z.array(z.object({ stage: z.string(), level: z.string(), meanBelow: z.number().nullable(), open: z.boolean(), gain: z.number(), certainty: z.number() })),
  accuracy: z.array(z.object({ level: z.string(), meanBelow: z.number().nullable(), forecasts: z.number(), said: z.number(), came: z.number(), logLoss: z.number(), logLossOfBase: z.number(), withinQ90: z.number() })),
  fallenBack: z.array(z.string()),
  series: z.array(z.object({ name: z.string(), model: z.string(), losses: z.array(z.object({ model: z.string(), loss: z.number() })), fittedMs: z.number() })),
});
const emergingSchema = z.object({
  atMs: z.number(),
  items: z.array(z.object({ resource: z.string(), why: z.string(), sinceMs: z.number(), perMinute: z.number(), usualPerMinute: z.number(), course: z.string() })),
});

const variationsMax = 12;
const places: Readonly<Record<string, string>> = { site: 'everywhere', region: 'one region' };

export function renderPage(answer: unknown): string {
  const { region, horizonMin, items, nextCursor, total } = read(pageSchema, answer);
  const where = region === '*' ? 'everywhere' : `in ${region}`;
  if (items.length === 0) return `nothing is forecast ${where} for the next ${horizonMin} min\n`;
  const rows = items.map((item) => [item.resource, number(item.mean), percent(item.p), String(item.q50), String(item.q90), String(item.q99)]);
  const more = nextCursor === undefined ? '' : `\nmore: --cursor ${nextCursor}`;
  const all = total === undefined ? '' : `, ${number(total.mean)} in all (90 %: ${number(total.q05)} to ${number(total.q95)})`;
  return `${table(['resource', 'expected', 'at least one', 'median', '90 %', '99 %'], rows, [1, 2, 3, 4, 5])}\nrequests in the next ${horizonMin} min, ${where}${all}${more}\n`;
}

export function renderResource(answer: unknown): string {
  const { resource, forecasts, variations } = read(resourceSchema, answer);
  const rows = forecasts.map((item) => [item.region === '*' ? 'everywhere' : item.region, `${item.horizonMin} min`, number(item.mean), percent(item.p), String(item.q50), String(item.q90), String(item.q99)]);
  const shares = variations.slice(0, variationsMax).map(({ variation, share }) => `  ${percent(share).padStart(7)}  ${variation === '' ? '(the only one)' : variation}`);
  const rest = variations.length > variationsMax ? [`  and ${variations.length - variationsMax} more`] : [];
  return `${resource}\n\n${table(['region', 'within', 'expected', 'at least one', 'median', '90 %', '99 %'], rows, [1, 2, 3, 4, 5, 6])}\n\nvariations\n${[...shares, ...rest].join('\n')}\n`;
}

export function renderAccuracy(answer: unknown): string {
  const { doors, accuracy, fallenBack, series } = read(accuracySchema, answer);
  if (accuracy.length === 0) return 'no forecast has been judged yet: that takes an hour of requests, and a quarter of an hour more\n';
  const judged = accuracy.map((row) => [
    places[row.level] ?? row.level, below(row.meanBelow), String(Math.round(row.forecasts)), percent(row.said), percent(row.came), row.logLoss.toFixed(4), row.logLossOfBase.toFixed(4), percent(row.withinQ90),
  ]);
  const stages = doors.map((door) => [door.stage, places[door.level] ?? door.level, below(door.meanBelow), door.open ? 'in use' : 'left out', door.gain.toFixed(2), door.certainty.toFixed(1)]);
  const fallen = fallenBack.length === 0 ? '' : `\nEvery learned part is left out for now (${fallenBack.map((level) => places[level] ?? level).join(', ')}): together they did worse than the base rates lately.\n`;
  const parts = stages.length === 0 ? '' : `\nWhat corrects the base rates, and where (gain in log-likelihood a half hour, and in standard errors):\n${table(['part', 'level', 'expected', '', 'gain', 'errors'], stages, [4, 5])}\n`;
  const modelled = series.filter(({ losses }) => losses.length > 0);
  const rows = modelled.map(({ name, model, losses }) => [name, model, lossOf(losses, model), lossOf(losses, 'flat'), losses.filter((one) => one.model !== model && one.model !== 'flat').map(({ model: other, loss }) => `${other} ${loss.toFixed(2)}`).join(', ')]);
  const models = rows.length === 0 ? '' : `\nWhich model tells each series (deviance on its own past; lower is better):\n${table(['series', 'model', 'loss', 'if flat', 'others'], rows, [2, 3])}\n`;
  return `P(at least one request in 15 min), the last days, by expected requests:\n${table(['level', 'expected', 'judged', 'said', 'came true', 'log loss', 'of base', 'within 90 %'], judged, [2, 3, 4, 5, 6, 7])}\n${parts}${models}${fallen}`;
}

export function renderEmerging(answer: unknown): string {
  const { items, atMs } = read(emergingSchema, answer);
  if (items.length === 0) return 'nothing is on the rise\n';
  const rows = items.map((item) => [item.resource, item.why, formatDuration(Math.max(0, atMs - item.sinceMs)), number(item.perMinute), number(item.usualPerMinute), item.course]);
  return `${table(['resource', 'why', 'for', 'a minute', 'usually', ''], rows, [2, 3, 4])}\n`;
}

function read<T>(schema: z.ZodType<T>, answer: unknown): T {
  const result = schema.safeParse(answer);
  if (result.success) return result.data;
  throw new ForeshadowError('api-failed', { source: 'internal', message: 'the answer is not one this version knows', hint: 'use the foreshadow of the same version, or --json', cause: result.error });
}

function lossOf(losses: readonly { readonly model: string; readonly loss: number }[], model: string): string {
  return losses.find((one) => one.model === model)?.loss.toFixed(2) ?? '';
}

/** JSON has no Infinity: the last stratum comes as null. */
function below(mean: number | null): string {
  return mean === null ? 'more' : `below ${mean}`;
}

function number(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toPrecision(2);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

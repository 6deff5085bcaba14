/**
 * `foreshadow forecast`: what a running Foreshadow expects to be asked for, by way of the API: the most expected resources, all that is forecast
 * of one, how good forecasts were, what is on the rise. Exit 0 when it answered, 1 when not, 2 for a command line that is not understood.
 */
import { parseArgs } from 'node:util';
import { ForeshadowError, messageOf, parseDuration } from '../kernel/index.ts';
import { getJson } from './api-client.ts';
import { renderAccuracy, renderEmerging, renderPage, renderResource } from './forecast-text.ts';
import type { CliIo } from './io.ts';

export const usage = `usage: foreshadow forecast [--region R] [--horizon 5m|10m|15m|30m] [--limit N] [--cursor C]
       foreshadow forecast URL [--region R]
       foreshadow forecast accuracy
       foreshadow forecast emerging [--limit N]
       all: [--api URL] [--token T] [--json]`;

const options = {
  region: { type: 'string' }, horizon: { type: 'string' }, limit: { type: 'string' }, cursor: { type: 'string' },
  api: { type: 'string' }, token: { type: 'string' }, json: { type: 'boolean', default: false },
} as const;

interface Asked {
  readonly path: string;
  readonly render: (answer: unknown) => string;
}

export async function runForecast(args: readonly string[], io: CliIo): Promise<number> {
  let values;
  let asked: Asked;
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true });
    values = parsed.values;
    asked = whatIsAsked(parsed.positionals, values);
  } catch (thrown) {
    io.err(`foreshadow forecast: ${messageOf(thrown)}\n${usage}\n`);
    return 2;
  }
  try {
    const answer = await getJson(asked.path, { api: values.api, token: values.token ?? io.env['FORESHADOW_TOKEN'] });
    io.out(values.json ? `${JSON.stringify(answer, null, 2)}\n` : asked.render(answer));
    return 0;
  } catch (thrown) {
    io.err(`foreshadow forecast: ${messageOf(thrown)}\n`);
    return thrown instanceof ForeshadowError && thrown.code === 'usage' ? 2 : 1;
  }
}

function whatIsAsked(positionals: readonly string[], values: { readonly region?: string; readonly horizon?: string; readonly limit?: string; readonly cursor?: string }): Asked {
  const [name, ...rest] = positionals;
  if (rest.length > 0) throw new Error(`${rest[0] ?? ''} is one too many`);
  const query = new URLSearchParams();
  if (values.region !== undefined) query.set('region', values.region);
  if (values.horizon !== undefined) query.set('horizon', minutesOf(values.horizon));
  if (values.limit !== undefined) query.set('limit', values.limit);
  if (values.cursor !== undefined) query.set('cursor', values.cursor);
  const list = query.size === 0 ? '' : `?${query.toString()}`;
  if (name === undefined) return { path: `/api/v1/forecast${list}`, render: renderPage };
  const allowed = name === 'accuracy' ? [] : name === 'emerging' ? ['limit'] : ['region'];
  for (const option of query.keys()) if (!allowed.includes(option)) throw new Error(`--${option} is no option of forecast ${name}`);
  if (name === 'emerging') return { path: `/api/v1/forecast/emerging${list}`, render: renderEmerging };
  if (name === 'accuracy') return { path: '/api/v1/forecast/accuracy', render: renderAccuracy };
  return { path: `/api/v1/forecast/${encodeURIComponent(name)}${list}`, render: renderResource };
}

function minutesOf(horizon: string): string {
  const ms = parseDuration(horizon);
  if (ms === undefined) throw new Error(`--horizon ${horizon} is not a duration such as 15m`);
  return String(ms / 60_000);
}

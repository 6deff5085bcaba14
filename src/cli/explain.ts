/**
 * `foreshadow explain [--config F] METHOD URL [-H 'Name: value']… [--region R] [--at healthy|failing|down]`: what would be decided for
 * this request and why, by the very code that serves, over the published catalog. Nothing is sent. Exit 0 when the reader
 * would get an answer, 1 when Foreshadow would have to refuse, 2 for a command line that is not understood.
 */
import { parseArgs } from 'node:util';
import { catalogDirs, CatalogReader, noChange, type CatalogChange } from '../catalog/index.ts';
import { formatProblems, type Config } from '../config/index.ts';
import { explainRequest, type Explanation } from '../edge/index.ts';
import { messageOf, silentLog } from '../kernel/index.ts';
import { reasons } from '../route/index.ts';
import { loadConfigFile } from './config-file.ts';
import type { CliIo } from './io.ts';

export const usage = "usage: foreshadow explain [--config F] [--origin URL] [--data DIR] METHOD URL [-H 'Name: value']… [--region R] [--at healthy|failing|down] [--json]";
const states = ['healthy', 'failing', 'down'] as const;

export async function runExplain(args: readonly string[], io: CliIo): Promise<number> {
  const asked = readArguments(args);
  if (typeof asked === 'string') {
    io.err(`foreshadow explain: ${asked}; ${usage}\n`);
    return 2;
  }
  const loaded = loadConfigFile({ file: asked.file, overrides: asked.overrides, env: io.env });
  if (!loaded.ok) {
    io.err(`${formatProblems(loaded.problems, asked.file)}\n`);
    return 1;
  }
  const { config } = loaded;
  const region = config.regions.find(({ name }) => asked.region === undefined || name === asked.region)?.name;
  if (region === undefined) {
    io.err(`foreshadow explain: there is no region ${String(asked.region)}; choose ${config.regions.map(({ name }) => name).join(', ')}\n`);
    return 2;
  }
  const { put: records, fill: fillings, heard } = await readCatalog(config);
  const explained = { request: asked.request, region, originState: asked.at, records, fillings, heard, nowMs: Date.now() };
  const explanation = explainRequest(config, explained);
  io.out(asked.json ? `${JSON.stringify(explanation, undefined, 2)}\n` : describe(explanation, asked.request, records.length));
  return explanation.refused || explanation.decision?.action === 'refuse' ? 1 : 0;
}

interface Asked {
  readonly file: string | undefined;
  readonly overrides: { readonly origin?: string | undefined; readonly data?: string | undefined };
  readonly request: Request;
  readonly region: string | undefined;
  readonly at: (typeof states)[number];
  readonly json: boolean;
}

function readArguments(args: readonly string[]): Asked | string {
  const text = { type: 'string' } as const;
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args], allowPositionals: true,
      options: { config: text, origin: text, data: text, region: text, at: { ...text, default: 'healthy' }, json: { type: 'boolean', default: false }, header: { ...text, multiple: true, short: 'H' } },
    });
  } catch (thrown) {
    return messageOf(thrown);
  }
  const { values, positionals } = parsed;
  const [method, url] = positionals;
  if (method === undefined || url === undefined || positionals.length !== 2) return 'needs a method and a URL';
  const at = states.find((state) => state === values.at);
  if (!at) return `--at is healthy, failing or down, not ${values.at}`;
  const headers = readHeaders(values.header ?? []);
  if (typeof headers === 'string') return headers;
  const absolute = url.startsWith('/') ? `http://localhost${url}` : url;
  if (!URL.canParse(absolute)) return `${url} is no URL`;
  if (!headers.has('host') && !url.startsWith('/')) headers.set('host', new URL(absolute).host);
  try {
    const request = new Request(absolute, { method: method.toUpperCase(), headers });
    return { file: values.config, overrides: { origin: values.origin ?? (values.config === undefined ? new URL(absolute).origin : undefined), data: values.data }, request, region: values.region, at, json: values.json };
  } catch (thrown) {
    return messageOf(thrown);
  }
}

function readHeaders(lines: readonly string[]): Headers | string {
  const headers = new Headers();
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 1) return `-H '${line}' is not 'Name: value'`;
    try {
      headers.append(line.slice(0, colon).trim(), line.slice(colon + 1).trim());
    } catch (thrown) {
      return `-H '${line}': ${messageOf(thrown)}`;
    }
  }
  return headers;
}

async function readCatalog(config: Config): Promise<CatalogChange> {
  const reader = new CatalogReader({ dirs: catalogDirs(config.store.volumePaths), log: silentLog });
  for await (const delta of reader.since(0)) return delta;
  return noChange;
}

function describe(explanation: Explanation, request: Request, published: number): string {
  const rows: (readonly [string, string])[] = [['request', `${request.method} ${request.url}`], ['region', explanation.region], ['origin', `as if ${explanation.originState}`]];
  const { refused, copy, decision } = explanation;
  if (refused) return table([...rows, ['answer', `${refused.status}, refused: ${refused.reason}`], ['because', reasons[refused.reason]]]);
  rows.push(
    ['resource', explanation.resource ?? ''],
    ['route', `${explanation.route ?? 'none declared'} (shadow: ${explanation.shadowPolicy}, cache: ${explanation.cachePolicy})`],
    ['variation', explanation.variation || 'does not differ'],
    ['shadow', copy ? describeCopy(copy) : `none that may answer (${published} published${others(explanation)})`],
  );
  for (const slot of explanation.slots ?? []) rows.push(['slot', describeSlot(slot)]);
  if (decision) rows.push(['decision', words[decision.action]], ['because', `${decision.reason}: ${reasons[decision.reason]}`]);
  return table(rows);
}

function describeSlot({ slot, shows, version, feed, heardS }: NonNullable<Explanation['slots']>[number]): string {
  const what = { version: version === undefined ? 'the value' : `version ${version}`, fallback: 'its fallback', origin: 'what the origin\'s page has there' }[shows];
  return `${slot} shows ${what}; feed ${feed} was ${heardS === undefined ? 'never heard' : `heard ${heardS} s ago`}`;
}

function describeCopy(copy: NonNullable<Explanation['copy']>): string {
  const fresh = copy.freshForS > 0 ? `fresh for ${copy.freshForS} s` : `stale for ${-copy.freshForS} s`;
  const of = copy.variation === '' ? '' : ` of ${copy.variation}`;
  return `version ${copy.version}${of}, status ${copy.status}, ${copy.ageS} s old, ${fresh}, usable as: ${copy.use}`;
}

function others(explanation: Explanation): string {
  const { variationsAtHand = [] } = explanation;
  return variationsAtHand.length === 0 ? '' : `; of this resource: ${variationsAtHand.map((variation) => variation || 'the only one').join(' | ')}`;
}

const words = {
  'serve': 'the copy answers',
  'serve-and-refresh': 'the copy answers and is refreshed',
  'origin': 'the origin answers; nothing can stand in',
  'origin-or-rescue': 'the origin is asked; if it fails or is late, the copy answers',
  'refuse': 'refused: an honest error page',
} as const;

function table(rows: readonly (readonly [string, string])[]): string {
  return rows.map(([name, value]) => `${name.padEnd(10)} ${value}\n`).join('');
}

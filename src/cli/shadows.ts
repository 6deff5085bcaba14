/**
 * `foreshadow shadows ls|show|diff|rollback|purge`: what shadows there are, what they were, and the operator's word on them, by way of the API.
 * What changes something is shown first and asked about on a terminal; `--yes` does not ask, `--dry-run` only shows. `--json` prints the
 * API's answers as they are. Exit 0 done, 1 no such thing or not confirmed, 2 a command line that is not understood.
 */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { ForeshadowError, messageOf, parseDuration } from '../kernel/index.ts';
import { getBytes, getJson, postJson, type ApiAddress } from './api-client.ts';
import type { CliIo } from './io.ts';
import * as schema from './shadow-schemas.ts';
import { renderDetail, renderDiff, renderList, renderOrder, renderVersions } from './shadows-text.ts';
import { diffOfBodies, previewOf } from './shadow-preview.ts';

export const usage = `usage: foreshadow shadows ls [PATH|PATTERN] [--tag T] [--limit N] [--cursor C]
       foreshadow shadows show URL [--variation V] [--version N] [--body]
       foreshadow shadows versions [URL]
       foreshadow shadows diff FROM [TO] [URL]
       foreshadow shadows rollback --to N [URL…] [--hold 1h] [--dry-run] [--yes]
       foreshadow shadows purge [URL…] [--pattern P]… [--tag T]… [--all] [--soft] [--dry-run] [--yes]
       all: [--api URL] [--token T] [--json]`;

export interface ShadowsIo extends CliIo {
  /** Asks a person; false where nobody answers yes. */
  confirm(question: string): Promise<boolean>;
}

const everywhere = { api: { type: 'string' }, token: { type: 'string' }, json: { type: 'boolean', default: false } } as const;
const ordering = { 'dry-run': { type: 'boolean', default: false }, yes: { type: 'boolean', default: false } } as const;

interface Call {
  readonly io: ShadowsIo;
  readonly address: ApiAddress;
  readonly json: boolean;
}

/** The command line is not understood. */
class Misuse extends Error {}

export async function runShadows(args: readonly string[], io: ShadowsIo): Promise<number> {
  const [verb, ...rest] = args;
  try {
    switch (verb) {
      case 'ls': return await list(rest, io);
      case 'show': return await show(rest, io);
      case 'versions': return await versions(rest, io);
      case 'diff': return await diff(rest, io);
      case 'rollback': return await rollback(rest, io);
      case 'purge': return await purge(rest, io);
      default: throw new Misuse(verb === undefined ? 'say what to do' : `${verb} is not one of ls, show, versions, diff, rollback, purge`);
    }
  } catch (thrown) {
    if (thrown instanceof Misuse) {
      io.err(`foreshadow shadows: ${thrown.message}\n${usage}\n`);
      return 2;
    }
    io.err(`foreshadow shadows: ${messageOf(thrown)}\n`);
    return thrown instanceof ForeshadowError && thrown.code === 'usage' ? 2 : 1;
  }
}

function parse<T extends ParseArgsConfig['options']>(args: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...args], options: { ...everywhere, ...options }, allowPositionals: true });
  } catch (thrown) {
    throw new Misuse(messageOf(thrown));
  }
}

function callOf(io: ShadowsIo, values: { readonly api?: string | undefined; readonly token?: string | undefined; readonly json?: boolean | undefined }): Call {
  return { io, address: { api: values.api, token: values.token ?? io.env['FORESHADOW_TOKEN'] }, json: values.json ?? false };
}

/** Prints the answer as it is, or as people read it. */
function print<T>({ io, json }: Call, answer: unknown, read: (answer: unknown) => T, render: (known: T) => string): void {
  io.out(json ? `${JSON.stringify(answer, null, 2)}\n` : render(read(answer)));
}

async function list(args: readonly string[], io: ShadowsIo): Promise<number> {
  const { values, positionals } = parse(args, { tag: { type: 'string' }, limit: { type: 'string' }, cursor: { type: 'string' } });
  const call = callOf(io, values);
  const query = queryOf({ match: positionals[0], tag: values.tag, limit: values.limit, cursor: values.cursor });
  print(call, await getJson(`/api/v1/shadows${query}`, call.address), schema.listOf, renderList);
  return 0;
}

async function show(args: readonly string[], io: ShadowsIo): Promise<number> {
  const { values, positionals } = parse(args, { variation: { type: 'string' }, version: { type: 'string' }, body: { type: 'boolean', default: false } });
  const call = callOf(io, values);
  const name = only(positionals, 'name one URL');
  const at = `/api/v1/shadows/${encodeURIComponent(name)}`;
  const version = values.version === undefined ? undefined : wholeNumber(values.version, '--version');
  const bodyPath = `${at}${version === undefined ? '' : `/versions/${version}`}/body${queryOf({ variation: values.variation })}`;
  if (values.body) {
    io.out(new TextDecoder().decode((await getBytes(bodyPath, call.address)).bytes));
    return 0;
  }
  const answer = await getJson(`${at}${queryOf({ version: version === undefined ? undefined : String(version) })}`, call.address);
  if (call.json) {
    print(call, answer, schema.detailOf, renderDetail);
    return 0;
  }
  const detail = schema.detailOf(answer);
  const copies = detail.copies.filter(({ variation }) => values.variation === undefined || variation === values.variation);
  if (copies.length === 0) throw new ForeshadowError('api-failed', { source: 'client', message: `${name} has no variation ${values.variation ?? ''}`, hint: `it has ${detail.copies.map(({ variation }) => variation === '' ? '(none)' : variation).join('; ')}` });
  const body = await getBytes(`${at}${version === undefined ? '' : `/versions/${version}`}/body${queryOf({ variation: copies[0]?.variation })}`, call.address);
  io.out(`${renderDetail({ ...detail, copies })}\n${previewOf(body)}`);
  return 0;
}

async function versions(args: readonly string[], io: ShadowsIo): Promise<number> {
  const { values, positionals } = parse(args, {});
  const call = callOf(io, values);
  const [name] = positionals;
  const path = name === undefined ? '/api/v1/versions' : `/api/v1/shadows/${encodeURIComponent(name)}/versions`;
  print(call, await getJson(path, call.address), schema.versionsOf, renderVersions);
  return 0;
}

async function diff(args: readonly string[], io: ShadowsIo): Promise<number> {
  const { values, positionals } = parse(args, { variation: { type: 'string' } });
  const call = callOf(io, values);
  const [first, ...others] = positionals;
  if (first === undefined) throw new Misuse('name the version to compare with');
  const from = wholeNumber(first, 'the version');
  const second = others[0] !== undefined && /^\d+$/.test(others[0]) ? wholeNumber(others.shift() ?? '', 'the version') : undefined;
  const to = second ?? schema.listOf(await getJson('/api/v1/shadows?limit=1', call.address)).version;
  const [name] = others;
  if (name === undefined) {
    print(call, await getJson(`/api/v1/diff?from=${from}&to=${to}`, call.address), schema.diffOf, renderDiff);
    return 0;
  }
  const at = `/api/v1/shadows/${encodeURIComponent(name)}/versions`;
  const body = (version: number) => getBytes(`${at}/${version}/body${queryOf({ variation: values.variation })}`, call.address);
  io.out(diffOfBodies(name, { version: from, ...await body(from) }, { version: to, ...await body(to) }));
  return 0;
}

async function rollback(args: readonly string[], io: ShadowsIo): Promise<number> {
  const { values, positionals } = parse(args, { to: { type: 'string' }, hold: { type: 'string', default: '1h' }, ...ordering });
  if (values.to === undefined) throw new Misuse('name the version to go back to with --to');
  const holdMs = parseDuration(values.hold);
  if (holdMs === undefined) throw new Misuse(`--hold ${values.hold} is no duration; write it like 1h`);
  return order(callOf(io, values), '/api/v1/rollback', { to: wholeNumber(values.to, '--to'), urls: positionals, holdMs }, values, 'Go back');
}

async function purge(args: readonly string[], io: ShadowsIo): Promise<number> {
  const { values, positionals } = parse(args, {
    pattern: { type: 'string', multiple: true }, tag: { type: 'string', multiple: true }, all: { type: 'boolean', default: false }, soft: { type: 'boolean', default: false }, ...ordering,
  });
  const { pattern: patterns = [], tag: tags = [], all, soft } = values;
  if (positionals.length + patterns.length + tags.length === 0 && !all) throw new Misuse('name what to purge: URLs, --pattern, --tag or --all');
  return order(callOf(io, values), '/api/v1/purge', { urls: positionals, patterns, tags, all, soft }, values, soft ? 'Mark these as outdated' : 'Purge these');
}

/** On a terminal: what it would do, a question, and then the deed. */
async function order(
  call: Call, path: string, body: Readonly<Record<string, unknown>>, { yes, 'dry-run': dryRun }: { readonly yes?: boolean | undefined; readonly 'dry-run'?: boolean | undefined }, question: string,
): Promise<number> {
  const { io, address } = call;
  const ask = io.isTty && !call.json && yes !== true && dryRun !== true;
  if (ask || dryRun === true) {
    const answer = await postJson(path, { ...body, dryRun: true }, address);
    print(call, answer, schema.orderOf, renderOrder);
    if (dryRun === true) return 0;
    if (!(await io.confirm(`${question}? [y/N] `))) {
      io.err('foreshadow shadows: nothing was changed\n');
      return 1;
    }
  }
  print(call, await postJson(path, { ...body, dryRun: false }, address), schema.orderOf, renderOrder);
  return 0;
}

function only(positionals: readonly string[], wanted: string): string {
  const [name, more] = positionals;
  if (name === undefined || more !== undefined) throw new Misuse(wanted);
  return name;
}

function wholeNumber(text: string, what: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new Misuse(`${what} ${text}: expected a whole number from 1`);
  return value;
}

function queryOf(values: Readonly<Record<string, string | undefined>>): string {
  const query = new URLSearchParams(Object.entries(values).flatMap(([name, value]): [string, string][] => (value === undefined ? [] : [[name, value]])));
  return query.size === 0 ? '' : `?${query.toString()}`;
}

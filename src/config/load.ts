/**
 * Loads a configuration: text to data, environment, command-line overrides, schema, cross checks, `Config`. Never reads
 * anything itself (reader and environment are passed in) and never stops at the first problem.
 */
import { dirname } from 'node:path';
import { messageOf } from '../kernel/index.ts';
import { checkContent, type TemplateCheck } from './content-check.ts';
import { crossCheck } from './cross-check.ts';
import type { Environment } from './environment.ts';
import { substituteEnvironment } from './environment.ts';
import { findNotAvailable } from './not-available.ts';
import type { Finding, Path, Problem } from './problems.ts';
import { finding, formatPath } from './problems.ts';
import { resolveConfig } from './resolve.ts';
import { valueAt } from './schema-findings.ts';
import type { Config } from './types.ts';
import { validate } from './validate.ts';
import type { ConfigSource } from './yaml-source.ts';
import { parseSource } from './yaml-source.ts';

/** What the command line says; goes before the file. */
export interface ConfigOverrides {
  readonly origin?: string | undefined;
  readonly listen?: string | undefined;
  readonly admin?: string | undefined;
  readonly data?: string | undefined;
}

export interface LoadRequest {
  /** Path of the configuration file; relative paths in it start at its folder. */
  readonly file?: string | undefined;
  /** The configuration itself, in place of a file's content. */
  readonly text?: string | undefined;
  readonly overrides?: ConfigOverrides | undefined;
  readonly env: Environment;
  /** Gives a file's text; throws when it can't be read. */
  readonly readFile: (path: string) => string;
  /** Without it templates are taken as they are. */
  readonly checkTemplate?: TemplateCheck | undefined;
}

export type LoadResult =
  | { readonly ok: true; readonly config: Config }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Stands in while problems are collected and the origin is one of them; never reaches a `Config` that is returned. */
const placeholderOrigin = 'http://origin.invalid';

export function loadConfig(request: LoadRequest): LoadResult {
  const text = readText(request);
  if (typeof text !== 'string') return { ok: false, problems: [text] };
  const source = parseSource(text);
  if (source.problems.length > 0) return { ok: false, problems: source.problems };

  const substituted = substituteEnvironment(source.data, request.env);
  const overridden = applyOverrides(substituted.data, request.overrides ?? {});
  const { parsed, findings: shape, removed, originalPath } = validate(overridden.data);
  const absent = findNotAvailable(overridden.data).map(({ path, entry }): Finding => ({ path, reason: 'is not available yet', hint: entry.hint, atKey: true }));
  const blamed = [...substituted.findings, ...absent].map((found) => found.path);
  const findings = [...overridden.findings, ...substituted.findings, ...absent, ...shape.filter((found) => !blamed.some((path) => within(path, found.path)))];

  const originUrl = parsed?.origin.url ?? parsed?.origin.urls?.[0] ?? placeholderOrigin;
  const folder = request.file === undefined ? '' : dirname(request.file);
  const config = parsed && resolveConfig(parsed, originUrl, { folder, dataDir: request.overrides?.data, readFile: request.readFile });
  if (parsed && config) {
    const dimensions = valueAt(overridden.data, ['dimensions']);
    const declared = typeof dimensions === 'object' && dimensions !== null ? Object.keys(dimensions) : [];
    const later = [...crossCheck(parsed, declared), ...checkContent(parsed, config, folder, request.readFile, request.checkTemplate), ...checkTlsFiles(config, request.readFile)].map((found) => ({ ...found, path: originalPath(found.path) }));
    const spoken = [...removed, ...blamed];
    findings.push(...later.filter((found) => !spoken.some((path) => within(path, found.path) || within(found.path, path))));
  }
  if (findings.length === 0 && config) return { ok: true, config };
  return { ok: false, problems: inOrder(findings.map((found) => place(found, source, overridden.paths))) };
}

function readText(request: LoadRequest): string | Problem {
  if (request.text !== undefined) return request.text;
  if (request.file === undefined) return '';
  try {
    return request.readFile(request.file);
  } catch (thrown) {
    return { path: '', line: undefined, column: undefined, reason: `can't be read: ${messageOf(thrown)}`, hint: 'name a readable file with --config' };
  }
}

interface Overridden {
  readonly data: unknown;
  readonly findings: readonly Finding[];
  /** Paths that came from the command line, with the option that set each. */
  readonly paths: ReadonlyMap<string, string>;
}

function applyOverrides(data: unknown, overrides: ConfigOverrides): Overridden {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return { data, findings: [], paths: new Map() };
  const root: Record<string, unknown> = { ...data };
  const paths = new Map<string, string>();
  const findings: Finding[] = [];
  const set = (section: string, key: string, value: string | undefined, option: string): void => {
    if (value === undefined) return;
    root[section] = { ...Object(root[section]), [key]: value };
    paths.set(`${section}.${key}`, option);
  };
  if (overrides.origin !== undefined && typeof root['origin'] === 'object') root['origin'] = { ...root['origin'], urls: undefined };
  set('origin', 'url', overrides.origin, '--origin');
  set('admin', 'listen', overrides.admin, '--admin');
  if (overrides.listen !== undefined) {
    const regions: unknown = root['regions'] ?? [{ name: 'local' }];
    if (Array.isArray(regions) && regions.length === 1) {
      root['regions'] = [{ ...Object(regions[0]), listen: overrides.listen }];
      paths.set('regions[0].listen', '--listen');
    } else {
      findings.push(finding(['--listen'], 'needs a configuration with one region; change regions in the file instead'));
    }
  }
  return { data: root, findings, paths };
}

/** Whether `inner` is `outer` or inside it. */
function within(outer: Path, inner: Path): boolean {
  return outer.every((step, index) => step === inner[index]);
}

function checkTlsFiles(config: Config, readFile: (path: string) => string): Finding[] {
  return config.regions.flatMap((region, index) =>
    (['cert', 'key'] as const).flatMap((key) => {
      if (!region.tls) return [];
      const path: Path = ['regions', index, 'tls', key];
      try {
        return /-----BEGIN /.test(readFile(region.tls[key])) ? [] : [finding(path, `${region.tls[key]} is not a PEM file; it has to begin with -----BEGIN`)];
      } catch (thrown) {
        return [finding(path, `can't be read: ${messageOf(thrown)}; name a file this user may read`)];
      }
    }));
}

function place(found: Finding, source: ConfigSource, overridden: ReadonlyMap<string, string>): Problem {
  const option = overridden.get(formatPath(found.path)) ?? (found.path[0] === '--listen' ? '--listen' : undefined);
  return option === undefined ? source.locate(found) : { path: option, line: undefined, column: undefined, reason: found.reason, hint: found.hint };
}

function inOrder(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0) || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

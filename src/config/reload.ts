/**
 * What a reload would change. All or nothing: one change that needs a restart, and the old configuration stays whole.
 * Compared in the form people write, so that paths are those of the file.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Path } from './problems.ts';
import { formatPath } from './problems.ts';
import { configDocument } from './print.ts';
import type { Config } from './types.ts';

export interface ReloadDiff {
  /** Paths that differ and can change while running. */
  readonly changed: readonly string[];
  /** Paths that differ and need a restart; when there are any, nothing may be applied. */
  readonly needsRestart: readonly string[];
}

/** What is bound, opened or sized at start: folders, listeners with what the runtime's server is told, stores and tables. */
const fixedAtStart: readonly RegExp[] = [
  /^(?:site|dataDir|admin\.listen|log\.level|budgets\.storage)$/,
  /^(?:store|versions|prediction)\./,
  /^regions\[\d+\](?:$|\.(?:name|listen|tls))/,
  /^timeouts\.(?:firstByte|idle)$/,
  /^limits\.(?:requestBody|connections|memoryCache|demandKeys|variants)$/,
];

export function diffForReload(before: Config, after: Config): ReloadDiff {
  const paths = differences(configDocument(before), configDocument(after), []).map(formatPath);
  const fixed = (path: string): boolean => fixedAtStart.some((pattern) => pattern.test(path));
  return { changed: paths.filter((path) => !fixed(path)), needsRestart: paths.filter(fixed) };
}

function differences(before: unknown, after: unknown, path: Path): Path[] {
  if (isDeepStrictEqual(before, after)) return [];
  // Lists of regions are compared entry by entry; other lists are one value, because their order is part of it.
  const regions = path.length === 1 && path[0] === 'regions';
  if (Array.isArray(before) && Array.isArray(after) && regions) {
    return Array.from({ length: Math.max(before.length, after.length) }, (_, index) => differences(before[index], after[index], [...path, index])).flat();
  }
  if (!isPlain(before) || !isPlain(after)) return [path];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) => differences(before[key], after[key], [...path, key]));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Validates a document against the schema and, where it has problems, takes the broken parts out until the rest is valid,
 * so that cross checks can still look at the rest and all problems are told at once.
 */
import type { Finding, Path } from './problems.ts';
import { formatPath } from './problems.ts';
import { findingsOf, valueAt } from './schema-findings.ts';
import type { ParsedConfig } from './schema.ts';
import { configJsonSchema, configSchema } from './schema.ts';

export interface Validated {
  /** The document, or what is left of it when its broken parts are taken out; undefined where nothing is. */
  readonly parsed: ParsedConfig | undefined;
  readonly findings: readonly Finding[];
  /** Paths that were taken out, as they are in the document. */
  readonly removed: readonly Path[];
  /** From a path in `parsed` to that in the document: entries of lists move up when one before them is taken out. */
  readonly originalPath: (path: Path) => Path;
}

const roundsMax = 8;

export function validate(data: unknown): Validated {
  const first = configSchema.safeParse(data);
  if (first.success) return { parsed: first.data, findings: [], removed: [], originalPath: (path) => path };

  const schema = configJsonSchema();
  const rest = new Remainder(data);
  const findings = findingsOf(first.error.issues, schema, data);
  const removed: Path[] = [];
  let paths = findings.map((found) => found.path);
  // Each round cuts one step nearer to the root, because a key that is missing can't be taken out, only what needs it.
  for (let cut = 0; cut < roundsMax && paths.length > 0; cut++) {
    for (const path of inRemovalOrder(paths)) {
      const target = path.slice(0, path.length - cut);
      if (target.length === 0) return { parsed: undefined, findings, removed, originalPath: (same) => same };
      removed.push(rest.originalPath(target));
      rest.remove(target);
    }
    const again = configSchema.safeParse(rest.data);
    if (again.success) return { parsed: again.data, findings, removed, originalPath: (path) => rest.originalPath(path) };
    paths = findingsOf(again.error.issues, schema, rest.data).map((found) => found.path);
  }
  return { parsed: undefined, findings, removed, originalPath: (path) => path };
}

/** Later entries of a list first, so that removing one does not move those still to be removed; each path once. */
function inRemovalOrder(paths: readonly Path[]): Path[] {
  const unique = [...new Map(paths.map((path) => [formatPath(path), path])).values()];
  return unique.sort((a, b) => {
    for (const [index, step] of a.entries()) {
      const other = b[index];
      if (step === other) continue;
      return typeof step === 'number' && typeof other === 'number' ? other - step : 0;
    }
    return b.length - a.length;
  });
}

/** A copy of the document from which parts are taken, and where each list's remaining entries came from. */
class Remainder {
  readonly data: unknown;
  readonly #entries = new Map<string, number[]>();

  constructor(data: unknown) {
    this.data = structuredClone(data);
  }

  remove(path: Path): void {
    const parent = valueAt(this.data, path.slice(0, -1));
    const last = path.at(-1);
    if (Array.isArray(parent) && typeof last === 'number') {
      const key = formatPath(path.slice(0, -1));
      const entries = this.#entries.get(key) ?? [...parent.keys()];
      entries.splice(last, 1);
      this.#entries.set(key, entries);
      parent.splice(last, 1);
    } else if (typeof parent === 'object' && parent !== null && last !== undefined) {
      delete (parent as Record<string, unknown>)[String(last)]; // plain data from the YAML parser
    }
  }

  originalPath(path: Path): Path {
    return path.map((step, index) => {
      if (typeof step !== 'number') return step;
      const entries = this.#entries.get(formatPath(path.slice(0, index)));
      return entries ? entries[step] ?? step : step;
    });
  }
}

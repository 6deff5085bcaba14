/**
 * Which files make the history: from a full version (or from nothing) over deltas that each name the link of the one before, as far as they go.
 * Where directories disagree, the longest whole chain is the history.
 */
import type { CatalogFolders, Candidate, VersionName } from './folders.ts';
import type { VersionFile } from './version-file.ts';

export interface Chain {
  /** Undefined where the history begins with version 1. */
  readonly start: Candidate | undefined;
  readonly deltas: readonly Candidate[];
  readonly head: number;
  readonly link: string;
}

const empty: Chain = { start: undefined, deltas: [], head: 0, link: '' };

/**
 * The chain that reaches furthest, starting early enough to know the last `keepVersions` versions where the files allow it.
 */
export async function findChain(folders: CatalogFolders, keepVersions: number): Promise<Chain> {
  const names = [...(await folders.list()).values()].flat();
  const newest = Math.max(0, ...names.map((name) => name.version));
  const fulls = [...new Set(names.filter((name) => name.kind === 'full').map((name) => name.version))].sort((a, b) => a - b);
  const early = fulls.filter((version) => version <= newest - keepVersions).at(-1) ?? 0;
  // Best first; the others are for when files in between are damaged.
  const starts = [early, ...fulls.filter((version) => version > early), ...fulls.filter((version) => version < early).reverse(), 0];
  let best = empty;
  for (const version of new Set(starts)) {
    const chain = await chainFrom(folders, version);
    if (chain && chain.head > best.head) best = chain;
    if (best.head === newest) break;
  }
  return best;
}

async function chainFrom(folders: CatalogFolders, version: number): Promise<Chain | undefined> {
  if (version === 0) return longest(folders, empty);
  let best: Chain | undefined;
  for (const start of await folders.candidates({ kind: 'full', version })) {
    const chain = await longest(folders, { start, deltas: [], head: version, link: start.file.link });
    if (!best || chain.head > best.head) best = chain;
  }
  return best;
}

/** Follows the deltas; where two continue the same version (directories that went separate ways), both are tried. */
async function longest(folders: CatalogFolders, from: Chain): Promise<Chain> {
  const deltas = [...from.deltas];
  let { head, link } = from;
  for (;;) {
    const before = link;
    const next = (await folders.candidates({ kind: 'delta', version: head + 1 })).filter((candidate) => candidate.file.link === before);
    const [only] = next;
    if (!only) return { start: from.start, deltas, head, link };
    if (next.length > 1) {
      const ways: Chain[] = [];
      for (const one of next) ways.push(await longest(folders, { start: from.start, deltas: [...deltas, one], head: head + 1, link: one.file.sum }));
      return ways.reduce((best, way) => (way.head > best.head ? way : best));
    }
    deltas.push(only);
    head += 1;
    link = only.file.sum;
  }
}

/** Everything the chain is made of. */
export function* chainFiles(chain: Chain): Generator<{ name: VersionName; candidate: Candidate }> {
  if (chain.start) yield { name: nameOf(chain.start.file), candidate: chain.start };
  for (const delta of chain.deltas) yield { name: nameOf(delta.file), candidate: delta };
}

function nameOf(file: VersionFile): VersionName {
  return { kind: file.kind, version: file.version };
}

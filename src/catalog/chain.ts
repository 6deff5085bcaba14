/**
 * Which files make the history: from a full version (or from nothing) over deltas and spans that each name the link of the version they begin after, as
 * far as they go. Where directories disagree, the longest whole chain is the history.
 */
import { type CatalogFolders, type Candidate, fromOf, type VersionName } from './folders.ts';

export interface Chain {
  /** Undefined where the history begins with version 1. */
  readonly start: Candidate | undefined;
  /** Deltas and spans, in their order. */
  readonly steps: readonly Candidate[];
  readonly head: number;
  readonly link: string;
}

const empty: Chain = { start: undefined, steps: [], head: 0, link: '' };

/**
 * The chain that reaches furthest; of several the one that begins with the oldest full version, which knows the most history, or with the newest, which is
 * the least to read.
 */
export async function findChain(folders: CatalogFolders, begin: 'oldest' | 'newest'): Promise<Chain> {
  const names = distinct([...(await folders.list()).values()].flat());
  const newest = Math.max(0, ...names.map((name) => name.version));
  const fulls = names.filter((name) => name.kind === 'full').map((name) => name.version).sort((a, b) => a - b);
  const starts = [0, ...fulls];
  if (begin === 'newest') starts.reverse();
  let best = empty;
  for (const version of starts) {
    const chain = await chainFrom(folders, names, version);
    if (chain && chain.head > best.head) best = chain;
    if (best.head === newest) break;
  }
  return best;
}

/** A version that was reached, and by what. */
interface Reached {
  readonly version: number;
  readonly link: string;
  readonly by: Candidate | undefined;
  readonly before: Reached | undefined;
}

async function chainFrom(folders: CatalogFolders, names: readonly VersionName[], version: number): Promise<Chain | undefined> {
  const starts = version === 0 ? [undefined] : await folders.candidates({ kind: 'full', version });
  let best: Chain | undefined;
  for (const start of starts) {
    const chain = await longest(folders, names, start);
    if (!best || chain.head > best.head) best = chain;
  }
  return best;
}

/**
 * Steps in the order of the versions they begin after: whatever leads to a version has been tried before what leads on from it. Where several lead to the same,
 * as after a span was written and before what it stands for was deleted, the one that begins first, the span, is taken.
 */
async function longest(folders: CatalogFolders, names: readonly VersionName[], start: Candidate | undefined): Promise<Chain> {
  const first: Reached = { version: start?.file.version ?? 0, link: start?.file.link ?? '', by: undefined, before: undefined };
  const reached = new Map<number, Reached[]>([[first.version, [first]]]);
  let furthest = first;
  const steps = names.filter((name) => name.kind !== 'full' && fromOf(name) >= first.version).sort((a, b) => fromOf(a) - fromOf(b) || b.version - a.version);
  for (const name of steps) {
    const here = reached.get(fromOf(name));
    if (!here) continue;
    for (const by of await folders.candidates(name)) {
      const before = here.find((one) => one.link === (by.file.from?.link ?? by.file.link));
      if (!before) continue;
      const next: Reached = { version: name.version, link: linkAfter(by), by, before };
      const there = reached.get(name.version) ?? [];
      if (there.some((one) => one.link === next.link)) continue;
      reached.set(name.version, [...there, next]);
      if (next.version > furthest.version) furthest = next;
    }
  }
  const chain: Candidate[] = [];
  for (let at: Reached | undefined = furthest; at?.by; at = at.before) chain.unshift(at.by);
  return { start, steps: chain, head: furthest.version, link: furthest.link };
}

/** The link of the version that the file leads to. */
export function linkAfter({ file }: Candidate): string {
  return file.kind === 'delta' ? file.sum : file.link;
}

/** Everything the chain is made of, in order. */
export function chainFiles(chain: Chain): readonly Candidate[] {
  return chain.start ? [chain.start, ...chain.steps] : chain.steps;
}

function distinct(names: readonly VersionName[]): VersionName[] {
  return [...new Map(names.map((name) => [`${name.kind} ${fromOf(name)} ${name.version}`, name])).values()];
}

/**
 * Trees as a model keeps them, made for predicting: a *column* is a feature with the cuts that the trees ask for and the side its missing values go to, so that a step down a tree is one
 * comparison; and a node is `column << 9 | split`, whose first part is the column's place in a block of 512 rows.
 */
import { isMissingLeft, isPass, featureOf, passNode, splitOf } from './tree.ts';
import type { Tree } from './tree.ts';

/** Rows of a block: what is below `column` in a node. */
export const blockRows = 512;

export interface Column {
  readonly feature: number;
  readonly missingLeft: boolean;
  /** Ascending keys. */
  readonly cuts: Int32Array;
}

export const columnOf = (node: number): number => node >>> 9;
/** Rows whose bin is above this go right. */
export const limitOf = (node: number): number => node & 511;

/** The columns that trees need of features with these cuts, and the trees with them. */
export function compile(trees: readonly Tree[], cuts: readonly Int32Array[]): { columns: Column[]; trees: Tree[] } {
  const wanted = new Map<number, Set<number>>();
  for (const { nodes } of trees) {
    for (const node of nodes.subarray(1)) {
      if (isPass(node)) continue;
      const splits = wanted.get(sideOf(node)) ?? new Set();
      wanted.set(sideOf(node), splits.add(splitOf(node)));
    }
  }
  const sides = [...wanted].sort(([a], [b]) => a - b).map(([side, splits], at) => ({ side, at, splits: [...splits].sort((a, b) => a - b) }));
  const places = new Map(sides.map(({ side, at, splits }) => [side, { at, limits: new Map(splits.map((split, limit) => [split, limit])) }]));
  const renumber = (node: number): number => {
    const place = places.get(sideOf(node));
    return isPass(node) || !place ? passNode : (place.at << 9) | (place.limits.get(splitOf(node)) ?? 0);
  };
  return {
    columns: sides.map(({ side, splits }) => ({
      feature: side >>> 1, missingLeft: (side & 1) === 1,
      // A split behind the last cut, of what is there from what is missing, has none of its own.
      cuts: Int32Array.from(splits.flatMap((split) => cuts[side >>> 1]?.[split] ?? [])),
    })),
    trees: trees.map(({ depth, nodes, leaves }) => ({ depth, leaves, nodes: nodes.map((node, at) => (at === 0 ? passNode : renumber(node))) })),
  };
}

function sideOf(node: number): number {
  return 2 * featureOf(node) + (isMissingLeft(node) ? 1 : 0);
}

/**
 * Adds the leaf of each of a block's first `length` rows to `sums`. The bin of a row in a column is `bins[column * blockRows + row]`. Hot: level by level over all rows, where no step depends on the
 * one before it or branches; half the time of row by row. (Measured: .9 µs against 2.1 for 100 random trees of depth 5.) `at`: the node each row is at, to work in.
 */
export function addBlock({ depth, nodes, leaves }: Tree, bins: Uint8Array, length: number, sums: Float64Array, at: Int32Array): void {
  const leafCount = leaves.length;
  const root = nodes[1] ?? 0;
  const rootFrom = root & -blockRows;
  const rootLimit = root & 511;
  if (depth === 0) at.fill(1);
  else for (let row = 0; row < length; row++) at[row] = 2 + ((rootLimit - (bins[rootFrom + row] ?? 0)) >>> 31);
  for (let level = 1; level < depth; level++) {
    for (let row = 0; row < length; row++) {
      const node = at[row] ?? 0;
      const packed = nodes[node] ?? 0;
      at[row] = node + node + (((packed & 511) - (bins[(packed & -blockRows) + row] ?? 0)) >>> 31);
    }
  }
  for (let row = 0; row < length; row++) sums[row] = (sums[row] ?? 0) + (leaves[(at[row] ?? 0) - leafCount] ?? 0);
}

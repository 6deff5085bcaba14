/**
 * One tree as it is grown: a complete binary tree in arrays, so that a step down is arithmetic. Node `i` has the children 2i and 2i + 1, and all leaves are at the same depth (a branch
 * that ends earlier repeats its leaf). A node is one number: `feature << 9 | shift << 8 | limit`; a row goes right when `(bin + shift) & 255` is above the limit. With shift 1 the
 * missing bin, 255, becomes 0, and so goes left.
 */

export interface Tree {
  readonly depth: number;
  /** From index 1 on; 2^depth in all. */
  readonly nodes: Int32Array;
  /** The corrections, 2^depth. */
  readonly leaves: Float64Array;
}

/** A node that sends everything left, below the end of a branch. */
export const passNode = 255;

export function splitNode(feature: number, split: number, missingLeft: boolean): number {
  return missingLeft ? (feature << 9) | 256 | (split + 1) : (feature << 9) | split;
}

export const isPass = (node: number): boolean => (node & 511) === passNode;
export const featureOf = (node: number): number => node >>> 9;
export const isMissingLeft = (node: number): boolean => (node & 256) !== 0;
/** Bins above this go right. */
export const splitOf = (node: number): number => (node & 255) - ((node >>> 8) & 1);

/** Adds the leaf of each of `length` rows to `out`. The bin of a row in a column is `bins[column * length + row]`. */
export function addLeaves({ depth, nodes, leaves }: Tree, bins: Uint8Array, length: number, out: Float64Array): void {
  const leafCount = leaves.length;
  for (let row = 0; row < length; row++) {
    let node = 1;
    for (let level = 0; level < depth; level++) {
      const packed = nodes[node] ?? 0;
      const bin = bins[(packed >>> 9) * length + row] ?? 0;
      node = node + node + (((packed & 255) - ((bin + ((packed >>> 8) & 1)) & 255)) >>> 31);
    }
    out[row] = (out[row] ?? 0) + (leaves[node - leafCount] ?? 0);
  }
}

/**
 * One regression tree as a complete binary tree in arrays, so that a step down is arithmetic: node `i` has the children 2i and 2i + 1, and all leaves are at the same
 * depth (a branch that ends earlier repeats its leaf). A node is one number: `column << 9 | shift << 8 | limit`; a row goes right when `(bin + shift) & 255` is above
 * the limit. With shift 1 the missing bin, 255, becomes 0, and so goes left.
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

export function splitNode(column: number, split: number, missingLeft: boolean): number {
  return missingLeft ? (column << 9) | 256 | (split + 1) : (column << 9) | split;
}

export const columnOf = (node: number): number => node >>> 9;
export const isPass = (node: number): boolean => (node & 511) === passNode;
export const isMissingLeft = (node: number): boolean => (node & 256) !== 0;
/** Bins above this go right. */
export const splitOf = (node: number): number => (node & 255) - ((node >>> 8) & 1);

/**
 * Adds the leaf of each of `length` rows to `out`, from `at` on. The bin of a row in a column is `bins[column * stride + row]`.
 * Hot: rows are independent of each other, so the processor walks several at once as long as nothing branches.
 */
export function walk({ depth, nodes, leaves }: Tree, bins: Uint8Array, stride: number, length: number, out: Float64Array, at: number): void {
  const leafCount = leaves.length;
  for (let row = 0; row < length; row++) {
    let node = 1;
    for (let level = 0; level < depth; level++) {
      const packed = nodes[node] ?? 0;
      const bin = bins[(packed >>> 9) * stride + row] ?? 0;
      node = node + node + (((packed & 255) - ((bin + ((packed >>> 8) & 1)) & 255)) >>> 31);
    }
    out[at + row] = (out[at + row] ?? 0) + (leaves[node - leafCount] ?? 0);
  }
}

/**
 * A trained model: trees whose leaves add up to a correction of the logarithm of an expected count. It keeps only the cuts that its trees ask for, never says more than what it said of
 * a row it was trained on (so no combination of features it has not seen makes it explode), and is finite for every input. Predictions are made in blocks of rows: the bins of a
 * block are found once, and then each tree walks the block while both are in the cache.
 */
import { ForeshadowError } from '../../kernel/index.ts';
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { addBlock, blockRows, columnOf, compile, limitOf } from './compiled.ts';
import type { Column } from './compiled.ts';
import { binsOfCodes, bitsOf, findBins, keyMax, lookUp, missingBin, padCuts } from './feature-bins.ts';
import { passNode } from './tree.ts';
import type { Tree } from './tree.ts';

/** Columns of training rows; more are refused. */
export const featuresMax = 1024;
/** Levels of a tree; deeper ones are refused. */
export const depthMax = 12;
/** No correction is beyond e^±this. */
export const correctionMax = 8;

interface Parts {
  readonly featureCount: number;
  readonly columns: readonly Column[];
  readonly trees: readonly Tree[];
  /** What is said is within these. */
  readonly low: number;
  readonly high: number;
  readonly gains: Float64Array;
}

export class TreeModel {
  readonly #parts: Parts;
  readonly #padded: readonly Int32Array[];
  #binsOfCodes: readonly Uint8Array[] | undefined;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.#padded = parts.columns.map(({ cuts }) => padCuts(cuts));
  }

  get featureCount(): number { return this.#parts.featureCount; }
  get treeCount(): number { return this.#parts.trees.length; }

  /** From trees as they are grown on features with these cuts; `low` and `high` bound what is said. */
  static of(grown: readonly Tree[], cuts: readonly Int32Array[], low: number, high: number, gains: Float64Array): TreeModel {
    const { columns, trees } = compile(grown, cuts);
    const bounded = trees.map((tree) => ({ ...tree, leaves: tree.leaves.map(bound) }));
    return new TreeModel({ featureCount: cuts.length, columns, trees: bounded, low: bound(low), high: bound(high), gains });
  }

  /** Adds the model's log-correction to `out[i]` for each of the first `length` rows. */
  addTo(features: readonly Float32Array[], length: number, out: Float64Array): void {
    const { columns } = this.#parts;
    const bits = columns.map(({ feature }) => bitsOf(columnWith(features, feature, length)));
    this.#addBlocks(length, out, (i, from, rows, bins) => {
      findBins(bits[i] ?? new Int32Array(0), from, rows, this.#padded[i] ?? new Int32Array(0), columns[i]?.missingLeft === true ? 0 : missingBin, bins, i * blockRows);
    });
  }

  /** The same for rows whose features are whole numbers from 0 to 254, and 255 for a missing one: a bin is read from a table. */
  addCoded(features: readonly Uint8Array[], length: number, out: Float64Array): void {
    const { columns } = this.#parts;
    const codes = columns.map(({ feature }) => columnWith(features, feature, length));
    this.#binsOfCodes ??= columns.map(({ missingLeft }, i) => binsOfCodes(this.#padded[i] ?? new Int32Array(0), missingLeft ? 0 : missingBin));
    const tables = this.#binsOfCodes;
    this.#addBlocks(length, out, (i, from, rows, bins) => { lookUp(tables[i] ?? new Uint8Array(0), codes[i] ?? new Uint8Array(0), from, rows, bins, i * blockRows); });
  }

  /** `bin` writes the bins of a column's rows into its part of a block. */
  #addBlocks(length: number, out: Float64Array, bin: (column: number, from: number, rows: number, bins: Uint8Array) => void): void {
    const { columns, trees, low, high } = this.#parts;
    const bins = new Uint8Array(blockRows * columns.length);
    const sums = new Float64Array(blockRows);
    const at = new Int32Array(blockRows);
    for (let from = 0; from < length; from += blockRows) {
      const rows = Math.min(blockRows, length - from);
      for (let i = 0; i < columns.length; i++) bin(i, from, rows, bins);
      sums.fill(0);
      for (let i = 0; i < trees.length; i++) {
        const tree = trees[i];
        if (tree) addBlock(tree, bins, rows, sums, at);
      }
      for (let row = 0; row < rows; row++) {
        const sum = sums[row] ?? 0;
        out[from + row] = (out[from + row] ?? 0) + (sum < low ? low : sum > high ? high : sum);
      }
    }
  }

  /** What each feature's splits gained in training; sums to 1, or to 0 where nothing was split. */
  importances(): Float64Array {
    const { gains } = this.#parts;
    const sum = gains.reduce((total, gain) => total + gain, 0);
    return gains.map((gain) => (sum > 0 ? gain / sum : 0));
  }

  write(writer: ByteWriter): void {
    const { featureCount, columns, trees, low, high, gains } = this.#parts;
    writer.uint(featureCount);
    for (const gain of gains) writer.double(gain);
    writer.double(low);
    writer.double(high);
    writer.uint(columns.length);
    for (const { feature, missingLeft, cuts } of columns) {
      writer.uint(2 * feature + (missingLeft ? 1 : 0));
      writer.uint(cuts.length);
      for (const cut of cuts) writer.uint(cut + keyMax);
    }
    writer.uint(trees.length);
    for (const { depth, nodes, leaves } of trees) {
      writer.uint(depth);
      for (const node of nodes.subarray(1)) writer.uint(node);
      for (const leaf of leaves) writer.double(leaf);
    }
  }

  /** What `write` wrote. Throws `bytes-invalid` for anything that no training makes. */
  static read(reader: ByteReader): TreeModel {
    const gains = Float64Array.from({ length: upTo(featuresMax, reader.length(8), 'features') }, () => within(0, Number.MAX_VALUE, reader.double()));
    const low = within(-correctionMax, 0, reader.double());
    const high = within(0, correctionMax, reader.double());
    const columns = Array.from({ length: upTo(2 * gains.length, reader.length(2), 'columns') }, () => readColumn(reader, gains.length));
    const trees = Array.from({ length: reader.length(9) }, () => readTree(reader, columns));
    return new TreeModel({ featureCount: gains.length, columns, trees, low, high, gains });
  }
}

function columnWith<Values extends Float32Array | Uint8Array>(features: readonly Values[], feature: number, length: number): Values {
  const values = features[feature];
  if (!values || values.length < length) throw new RangeError(`feature ${feature} has ${values?.length ?? 0} rows, fewer than ${length}`);
  return values;
}

function readColumn(reader: ByteReader, featureCount: number): Column {
  const side = upTo(2 * featureCount - 1, reader.uint(), 'features');
  const cuts = Int32Array.from({ length: upTo(missingBin - 1, reader.length(1), 'cuts') }, () => upTo(2 * keyMax - 1, reader.uint(), 'values') - keyMax);
  if (cuts.some((cut, at) => at > 0 && cut <= (cuts[at - 1] ?? 0))) throw invalid('its cuts are out of order');
  return { feature: side >>> 1, missingLeft: (side & 1) === 1, cuts };
}

function readTree(reader: ByteReader, columns: readonly Column[]): Tree {
  const depth = upTo(depthMax, reader.uint(), 'levels');
  const nodes = new Int32Array(2 ** depth).fill(passNode);
  for (let at = 1; at < nodes.length; at++) {
    const node = upTo(2 ** 30, reader.uint(), 'nodes');
    if (node !== passNode && limitOf(node) > (columns[columnOf(node)]?.cuts.length ?? -1)) throw invalid('a tree asks for what there is not');
    nodes[at] = node;
  }
  const leaves = new Float64Array(2 ** depth);
  for (let at = 0; at < leaves.length; at++) leaves[at] = within(-correctionMax, correctionMax, reader.double());
  return { depth, nodes, leaves };
}

function bound(correction: number): number {
  return Math.min(correctionMax, Math.max(-correctionMax, correction));
}

function upTo(limit: number, value: number, what: string): number {
  if (value > limit) throw invalid(`it has too many ${what}`);
  return value;
}

function within(low: number, high: number, value: number): number {
  if (!(value >= low && value <= high)) throw invalid('a number is out of range');
  return value;
}

function invalid(why: string): ForeshadowError {
  return new ForeshadowError('bytes-invalid', { source: 'internal', message: `a tree model can not be read: ${why}`, hint: 'it is left out, and trained anew' });
}

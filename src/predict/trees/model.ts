/**
 * A trained model: trees whose leaves add up to a correction of the logarithm of an expected count. It keeps only the cuts that its trees ask for, never says more than what it said of
 * a row it was trained on (so no combination of features it has not seen makes it explode), and is finite for every input. Predictions are made in blocks of rows: the bins of a
 * block are found once, and then each tree walks the block while both are in the cache.
 */
import { ForeshadowError } from '../../kernel/index.ts';
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { bitsOf, findBins, keyMax, padCuts } from './feature-bins.ts';
import { columnOf, isMissingLeft, isPass, passNode, splitNode, splitOf, walk } from './tree.ts';
import type { Tree } from './tree.ts';

/** Columns of training rows; more are refused. */
export const featuresMax = 1024;
/** Levels of a tree; deeper ones are refused. */
export const depthMax = 12;
/** No correction is beyond e^±this. */
export const correctionMax = 8;
/** Rows of a block. */
const blockRows = 512;

/** A feature that trees ask for, with the keys of the values they ask about. */
interface AskedFeature {
  readonly feature: number;
  readonly cuts: Int32Array;
}

interface Parts {
  readonly featureCount: number;
  readonly asked: readonly AskedFeature[];
  /** Columns of the nodes are indexes into `asked`. */
  readonly trees: readonly Tree[];
  readonly low: number;
  readonly high: number;
  readonly gains: Float64Array;
}

export class TreeModel {
  readonly #parts: Parts;
  readonly #padded: readonly Int32Array[];

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.#padded = parts.asked.map(({ cuts }) => padCuts(cuts));
  }

  get featureCount(): number { return this.#parts.featureCount; }
  get treeCount(): number { return this.#parts.trees.length; }

  /** From trees whose columns are features and whose splits are indexes into `cuts`; `low` and `high` bound what is said. */
  static of(trees: readonly Tree[], cuts: readonly Int32Array[], low: number, high: number, gains: Float64Array): TreeModel {
    const wanted = cuts.map(() => new Set<number>());
    for (const { nodes } of trees) for (const node of nodes.subarray(1)) if (!isPass(node)) wanted[columnOf(node)]?.add(splitOf(node));
    const asked = wanted.flatMap((splits, feature) => {
      const all = cuts[feature] ?? new Int32Array(0);
      return splits.size === 0 ? [] : [{ feature, cuts: all.filter((_, at) => splits.has(at)) }];
    });
    const place = new Map(asked.map(({ feature }, at) => [feature, at]));
    const renumbered = wanted.map((splits) => new Map([...splits].sort((a, b) => a - b).map((split, at) => [split, at])));
    const renumber = (node: number): number => {
      if (isPass(node)) return node;
      const feature = columnOf(node);
      return splitNode(place.get(feature) ?? 0, renumbered[feature]?.get(splitOf(node)) ?? 0, isMissingLeft(node));
    };
    const bound = (value: number): number => Math.min(correctionMax, Math.max(-correctionMax, value));
    return new TreeModel({
      featureCount: cuts.length, asked, low: bound(low), high: bound(high), gains,
      trees: trees.map(({ depth, nodes, leaves }) => ({ depth, leaves, nodes: nodes.map((node, at) => (at === 0 ? passNode : renumber(node))) })),
    });
  }

  /** Adds the model's log-correction to `out[i]` for each of the first `length` rows. */
  addTo(features: readonly Float32Array[], length: number, out: Float64Array): void {
    const { asked, trees, low, high } = this.#parts;
    const bits = asked.map(({ feature }) => {
      const column = features[feature];
      if (!column || column.length < length) throw new RangeError(`feature ${feature} has ${column?.length ?? 0} rows, fewer than ${length}`);
      return bitsOf(column);
    });
    const bins = new Uint8Array(blockRows * asked.length);
    const sums = new Float64Array(blockRows);
    for (let from = 0; from < length; from += blockRows) {
      const rows = Math.min(blockRows, length - from);
      for (let i = 0; i < asked.length; i++) findBins(bits[i] ?? new Int32Array(0), from, rows, this.#padded[i] ?? new Int32Array(0), bins, i * blockRows);
      sums.fill(0);
      for (let i = 0; i < trees.length; i++) {
        const tree = trees[i];
        if (tree) walk(tree, bins, blockRows, rows, sums, 0);
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
    const { featureCount, asked, trees, low, high, gains } = this.#parts;
    writer.uint(featureCount);
    for (const gain of gains) writer.double(gain);
    writer.double(low);
    writer.double(high);
    writer.uint(asked.length);
    for (const { feature, cuts } of asked) {
      writer.uint(feature);
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
    const gains = Float64Array.from({ length: upTo(featuresMax, reader.length(8), 'features') }, () => finite(reader.double(), Infinity));
    const low = finite(reader.double(), correctionMax);
    const high = finite(reader.double(), correctionMax);
    if (low > high || gains.some((gain) => gain < 0)) throw invalid('its bounds are wrong');
    const asked = Array.from({ length: upTo(gains.length, reader.length(2), 'features asked for') }, () => readAsked(reader, gains.length));
    if (asked.some(({ feature }, at) => at > 0 && feature <= (asked[at - 1]?.feature ?? 0))) throw invalid('its features are out of order');
    const trees = Array.from({ length: reader.length(9) }, () => readTree(reader, asked));
    return new TreeModel({ featureCount: gains.length, asked, trees, low, high, gains });
  }
}

function readAsked(reader: ByteReader, featureCount: number): AskedFeature {
  const feature = upTo(featureCount - 1, reader.uint(), 'features');
  const cuts = Int32Array.from({ length: upTo(254, reader.length(1), 'cuts') }, () => upTo(2 * keyMax - 1, reader.uint(), 'values') - keyMax);
  if (cuts.some((cut, at) => at > 0 && cut <= (cuts[at - 1] ?? 0))) throw invalid('its cuts are out of order');
  return { feature, cuts };
}

function readTree(reader: ByteReader, asked: readonly AskedFeature[]): Tree {
  const depth = upTo(depthMax, reader.uint(), 'levels');
  const nodes = new Int32Array(2 ** depth).fill(passNode);
  for (let at = 1; at < nodes.length; at++) {
    const node = upTo(512 * featuresMax, reader.uint(), 'nodes');
    const cuts = asked[columnOf(node)]?.cuts.length ?? -1;
    if (node !== passNode && (splitOf(node) < 0 || splitOf(node) > cuts)) throw invalid('a tree asks for what there is not');
    nodes[at] = node;
  }
  const leaves = new Float64Array(2 ** depth);
  for (let at = 0; at < leaves.length; at++) leaves[at] = finite(reader.double(), correctionMax);
  return { depth, nodes, leaves };
}

function upTo(limit: number, value: number, what: string): number {
  if (value > limit) throw invalid(`it has too many ${what}`);
  return value;
}

function finite(value: number, limit: number): number {
  if (!Number.isFinite(value) || Math.abs(value) > limit) throw invalid('a number is out of range');
  return value;
}

function invalid(why: string): ForeshadowError {
  return new ForeshadowError('bytes-invalid', { source: 'internal', message: `a tree model can not be read: ${why}`, hint: 'it is left out, and trained anew' });
}

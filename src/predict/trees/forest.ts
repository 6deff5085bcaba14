/**
 * A random forest (Breiman 2001) for counts with an offset: each tree is grown on a sample of the rows, each of its nodes may ask for a sample of the features, a leaf says by what its
 * rows' expected count is to be multiplied, held towards 1 by pseudo-requests, and the trees' words are averaged. How far the average is believed is fitted to what each row is told by the trees that
 * did not see it: so without structure nothing is said, and what leaves hold back is given back where it is true. Equal rows, options and seed: an equal model.
 */
import { seededRandom } from '../../kernel/index.ts';
import type { Random } from '../../kernel/index.ts';
import { rangeOf } from './boost.ts';
import { Grower } from './grow.ts';
import type { BinnedRows, Criterion } from './grow.ts';
import { correctionMax, TreeModel } from './model.ts';
import { recalibrate } from './recalibration.ts';
import type { TrainingRows } from './rows.ts';
import { binRows, chooseAllCuts, pairsOf, requireTrainable, sampleOf } from './training.ts';
import { addLeaves, passNode } from './tree.ts';
import type { Tree } from './tree.ts';

export interface ForestOptions {
  readonly trees: number;
  /** Levels of a tree, at most 12. */
  readonly depth: number;
  /** Least expected count in a leaf. */
  readonly leafExpectedMin: number;
  /** Part of the rows that a tree sees. */
  readonly rowPart: number;
  /** Part of the features that a node may ask for. */
  readonly featurePart: number;
  /** Bins of a feature, 2 to 255. */
  readonly bins: number;
  /** Pseudo-requests that each leaf is held towards its expected count by. */
  readonly prior: number;
  readonly seed: number;
  /** Neighbouring rows that a tree sees all or none of (default 1): where neighbours share their hour, what is fitted to rows a tree did not see is honest only so. */
  readonly rowsTogether?: number;
}

class ShrunkRatio implements Criterion {
  readonly #prior: number;

  constructor(prior: number) {
    this.#prior = prior;
  }

  value(count: number, expected: number): number {
    const correction = Math.log(this.#factor(count, expected));
    return correction > correctionMax ? correctionMax : correction < -correctionMax ? -correctionMax : correction;
  }

  score(count: number, expected: number): number {
    const factor = this.#factor(count, expected);
    return 2 * (count * Math.log(factor) - expected * (factor - 1));
  }

  /** What remains of a sum may be rounded to below 0. */
  #factor(count: number, expected: number): number {
    return ((count > 0 ? count : 0) + this.#prior) / ((expected > 0 ? expected : 0) + this.#prior);
  }
}

export function forest(rows: TrainingRows, options: ForestOptions): TreeModel {
  requireTrainable(rows, options);
  const random = seededRandom(options.seed);
  const cuts = chooseAllCuts(rows, options.bins, random);
  const binned = binRows(rows, cuts);
  const grower = new Grower(binned, pairsOf(rows), new ShrunkRatio(Math.max(1e-9, options.prior)), options);
  const chooseFeatures = (): Int32Array => sampleOf(cuts.length, options.featurePart, random);
  const trees: Tree[] = [];
  const told = new Told(binned);
  for (let i = 0; i < options.trees; i++) {
    const sample = sampleRuns(binned.length, options.rowsTogether ?? 1, options.rowPart, random);
    const tree = grower.grow(sample, chooseFeatures);
    trees.push(tree);
    told.take(tree, sample);
  }
  const { intercept, slope } = recalibrate(rows.counts, rows.offsets, told.unseen());
  const scaled = slope === 0 ? [constantTree(intercept)]
    : trees.map((tree) => ({ ...tree, leaves: tree.leaves.map((leaf) => (intercept + slope * leaf) / trees.length) }));
  const { low, high } = rangeOf(told.all().map((correction) => intercept + slope * correction));
  return TreeModel.of(trees.length > 0 ? scaled : [], cuts, low, high, grower.gains);
}

/** What the trees say of the rows they are trained on. */
class Told {
  readonly #rows: BinnedRows;
  readonly #sums: Float64Array;
  readonly #unseenSums: Float64Array;
  readonly #unseenBy: Int32Array;
  #trees = 0;

  constructor(rows: BinnedRows) {
    this.#rows = rows;
    this.#sums = new Float64Array(rows.length);
    this.#unseenSums = new Float64Array(rows.length);
    this.#unseenBy = new Int32Array(rows.length);
  }

  take(tree: Tree, seen: Int32Array): void {
    const said = new Float64Array(this.#rows.length);
    addLeaves(tree, this.#rows.bins, this.#rows.length, said);
    const saw = new Uint8Array(said.length);
    for (let i = 0; i < seen.length; i++) saw[seen[i] ?? 0] = 1;
    for (let row = 0; row < said.length; row++) {
      const correction = said[row] ?? 0;
      this.#sums[row] = (this.#sums[row] ?? 0) + correction;
      if (saw[row] === 1) continue;
      this.#unseenSums[row] = (this.#unseenSums[row] ?? 0) + correction;
      this.#unseenBy[row] = (this.#unseenBy[row] ?? 0) + 1;
    }
    this.#trees++;
  }

  all(): Float64Array {
    return this.#sums.map((sum) => sum / Math.max(1, this.#trees));
  }

  /** By the trees that did not see the row; NaN where all did. */
  unseen(): Float64Array {
    return this.#unseenSums.map((sum, row) => sum / (this.#unseenBy[row] ?? 0));
  }
}

/** `part` of the rows, in runs of neighbours. */
function sampleRuns(length: number, together: number, part: number, random: Random): Int32Array {
  if (together <= 1) return sampleOf(length, part, random);
  const runs = sampleOf(Math.ceil(length / together), part, random);
  const sample = new Int32Array(runs.length * together);
  let taken = 0;
  for (const run of runs) for (let row = run * together; row < Math.min(length, (run + 1) * together); row++) sample[taken++] = row;
  return sample.subarray(0, taken);
}

function constantTree(correction: number): Tree {
  return { depth: 0, nodes: Int32Array.of(passNode), leaves: Float64Array.of(correction) };
}

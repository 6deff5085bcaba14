/**
 * A random forest (Breiman 2001) for counts with an offset: each tree is grown on a sample of the rows and may ask for a sample of the features, a leaf says by what its rows' expected count is to be
 * multiplied, held towards 1 by pseudo-requests, and the trees' words are averaged. Equal rows, options and seed: an equal model.
 */
import { seededRandom } from '../../kernel/index.ts';
import { rangeOf } from './boost.ts';
import { Grower } from './grow.ts';
import type { Criterion } from './grow.ts';
import { correctionMax, TreeModel } from './model.ts';
import type { TrainingRows } from './rows.ts';
import { binRows, chooseAllCuts, pairsOf, requireTrainable, sampleOf } from './training.ts';
import { addLeaves } from './tree.ts';
import type { Tree } from './tree.ts';

export interface ForestOptions {
  readonly trees: number;
  /** Levels of a tree, at most 12. */
  readonly depth: number;
  /** Least expected count in a leaf. */
  readonly leafExpectedMin: number;
  /** Part of the rows that a tree sees. */
  readonly rowPart: number;
  /** Part of the features that a tree may ask for. */
  readonly featurePart: number;
  /** Bins of a feature, 2 to 255. */
  readonly bins: number;
  /** Pseudo-requests that each leaf is held towards its expected count by. */
  readonly prior: number;
  readonly seed: number;
}

class ShrunkRatio implements Criterion {
  readonly #prior: number;

  constructor(prior: number) {
    this.#prior = prior;
  }

  value(count: number, expected: number): number {
    const correction = Math.log((count + this.#prior) / (expected + this.#prior));
    return correction > correctionMax ? correctionMax : correction < -correctionMax ? -correctionMax : correction;
  }

  score(count: number, expected: number): number {
    const factor = (count + this.#prior) / (expected + this.#prior);
    return 2 * (count * Math.log(factor) - expected * (factor - 1));
  }
}

export function forest(rows: TrainingRows, options: ForestOptions): TreeModel {
  requireTrainable(rows, options);
  const random = seededRandom(options.seed);
  const cuts = chooseAllCuts(rows, options.bins, random);
  const binned = binRows(rows, cuts);
  const grower = new Grower(binned, pairsOf(rows), new ShrunkRatio(Math.max(1e-9, options.prior)), options);
  const corrections = new Float64Array(binned.length);
  const trees: Tree[] = [];
  for (let i = 0; i < options.trees; i++) {
    const grown = grower.grow(sampleOf(binned.length, options.rowPart, random), sampleOf(cuts.length, options.featurePart, random));
    const tree = { ...grown, leaves: grown.leaves.map((leaf) => leaf / options.trees) };
    addLeaves(tree, binned.bins, binned.length, corrections);
    trees.push(tree);
  }
  const { low, high } = rangeOf(corrections);
  return TreeModel.of(trees, cuts, low, high, grower.gains);
}

/**
 * Gradient boosting with Poisson loss and an offset (Friedman 2001; Newton steps and regularised leaves as in Chen & Guestrin 2016). The curvature is taken at the largest step a leaf
 * may make, so that a step never overshoots. Equal rows, options and seed: an equal model.
 */
import { seededRandom } from '../../kernel/index.ts';
import { Grower } from './grow.ts';
import type { Criterion } from './grow.ts';
import { TreeModel } from './model.ts';
import type { TrainingRows } from './rows.ts';
import { binRows, chooseAllCuts, pairsOf, requireTrainable, sampleOf } from './training.ts';
import type { Tree } from './tree.ts';
import { addLeaves } from './tree.ts';

export interface BoostOptions {
  readonly rounds: number;
  /** Levels of a tree, at most 12. */
  readonly depth: number;
  /** Least expected count in a leaf. */
  readonly leafExpectedMin: number;
  /** Part of each tree's correction that is taken. */
  readonly shrinkage: number;
  /** Pseudo-curvature that holds a leaf towards 0. */
  readonly lambda: number;
  /** Part of the rows that a tree sees. */
  readonly rowPart: number;
  /** Part of the features that a tree may ask for. */
  readonly featurePart: number;
  /** Bins of a feature, 2 to 255. */
  readonly bins: number;
  readonly seed: number;
}

/** A leaf's correction is at most this before shrinkage. */
const stepMax = 0.7;

class PoissonStep implements Criterion {
  readonly #lambda: number;
  readonly #curvature = Math.exp(stepMax);

  constructor(lambda: number) {
    this.#lambda = lambda;
  }

  value(count: number, expected: number): number {
    const step = (count - expected) / (expected * this.#curvature + this.#lambda);
    return step > stepMax ? stepMax : step < -stepMax ? -stepMax : step || 0;
  }

  score(count: number, expected: number): number {
    const step = this.value(count, expected);
    return 2 * (count - expected) * step - (expected * this.#curvature + this.#lambda) * step * step;
  }
}

export function boost(rows: TrainingRows, options: BoostOptions): TreeModel {
  requireTrainable(rows, options);
  const random = seededRandom(options.seed);
  const cuts = chooseAllCuts(rows, options.bins, random);
  const binned = binRows(rows, cuts);
  const started = pairsOf(rows);
  const pairs = started.slice();
  const grower = new Grower(binned, pairs, new PoissonStep(options.lambda), options);
  const corrections = new Float64Array(binned.length);
  const trees: Tree[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const grown = grower.grow(sampleOf(binned.length, options.rowPart, random), sampleOf(cuts.length, options.featurePart, random));
    const tree = scale(grown, options.shrinkage);
    trees.push(tree);
    addLeaves(tree, binned.bins, binned.length, corrections);
    for (let row = 0; row < binned.length; row++) pairs[2 * row + 1] = (started[2 * row + 1] ?? 0) * Math.exp(corrections[row] ?? 0);
  }
  const { low, high } = rangeOf(corrections);
  return TreeModel.of(trees, cuts, low, high, grower.gains);
}

function scale({ depth, nodes, leaves }: Tree, factor: number): Tree {
  return { depth, nodes, leaves: leaves.map((leaf) => leaf * factor) };
}

/** Least and largest, and 0. */
export function rangeOf(corrections: Float64Array): { low: number; high: number } {
  let low = 0;
  let high = 0;
  for (let row = 0; row < corrections.length; row++) {
    const correction = corrections[row] ?? 0;
    if (correction < low) low = correction;
    else if (correction > high) high = correction;
  }
  return { low, high };
}

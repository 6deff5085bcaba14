/**
 * Training of the learned models, as work that is done elsewhere: pure, seeded, in order of time. The trees grow on the older rows; the newest part of them
 * says when to stop, how much boosted trees and forest are each to be believed, and whether either is better than saying nothing.
 */
import { ByteReader, ByteWriter } from '../../kernel/index.ts';
import type { Level } from '../stage.ts';
import { boost, forest, poissonDeviance } from '../trees/index.ts';
import type { TrainingRows, TreeModel } from '../trees/index.ts';
import { featureRanges } from './features.ts';
import { LearnedModel } from './learned-model.ts';
import type { Weights } from './learned-model.ts';
import { valueOf } from './samples.ts';
import type { SampleRows } from './samples.ts';

export interface TrainWork {
  readonly kind: 'train';
  readonly seed: number;
  readonly endMs: number;
  readonly samples: readonly SampleRows[];
}

/** How training went on the rows that were held out, by their mean deviance. */
export interface TrainReport {
  readonly rows: number;
  readonly heldOutRows: number;
  /** Of what was given; and of each model, and of both as weighed. */
  readonly given: number;
  readonly boosted: number;
  readonly forest: number;
  readonly weighed: number;
  readonly weights: Weights;
  readonly boostedTrees: number;
  /** By feature, of the boosted trees; they sum to 1. */
  readonly importances: readonly { readonly feature: string; readonly part: number }[];
}

export interface TrainDone {
  readonly kind: 'train';
  readonly endMs: number;
  readonly models: readonly { readonly level: Level; readonly bytes: Uint8Array; readonly report: TrainReport }[];
}

const magic = 'FSBM';
const version = 1;
/** Newest part of the rows, held out. */
const heldOutPart = 0.2;
const boosting = { rounds: 120, depth: 6, leafExpectedMin: 20, shrinkage: 0.15, lambda: 5, rowPart: 0.6, featurePart: 0.6, bins: 64 } as const;
const growing = { trees: 20, depth: 8, leafExpectedMin: 20, rowPart: 0.5, featurePart: 0.5, bins: 64, prior: 20 } as const;
/** Combinations of how much each is believed. */
const weightsTried: readonly Weights[] = [
  [0, 0], [0.5, 0], [1, 0], [0, 0.5], [0, 1], [0.25, 0.25], [0.5, 0.5], [0.75, 0.25], [0.25, 0.75], [0.8, 0.5], [1, 0.25],
].map(([boosted = 0, ofForest = 0]) => ({ boosted, forest: ofForest }));

export async function train(work: TrainWork): Promise<TrainDone> {
  return Promise.resolve({ kind: 'train', endMs: work.endMs, models: work.samples.map((rows) => trainLevel(rows, work.seed)) });
}

/** The model that `trainLevel` wrote. Throws `bytes-invalid`. */
export function readModel(bytes: Uint8Array): LearnedModel {
  const reader = new ByteReader(bytes, magic, version, 'a trained model');
  const model = LearnedModel.read(reader);
  reader.end();
  return model;
}

export function writeModel(model: LearnedModel): Uint8Array {
  const writer = new ByteWriter(magic, version);
  model.write(writer);
  return writer.finish();
}

function trainLevel(samples: SampleRows, seed: number): TrainDone['models'][number] {
  const length = samples.counts.length;
  const split = splitOf(samples);
  const older = rowsOf(samples, 0, split);
  const newer = rowsOf(samples, split, length);
  const boosted = boost(older, { ...boosting, seed, holdOut: newer });
  const grown = forest(older, { ...growing, seed: seed + 1 });
  const words = [boosted, grown].map((model) => wordsOf(model, newer));
  const devianceBy = ({ boosted: a, forest: b }: Weights): number => poissonDeviance(newer.counts, newer.offsets, newer.counts.map((_, row) => a * (words[0]?.[row] ?? 0) + b * (words[1]?.[row] ?? 0)));
  const tried = weightsTried.map((weights) => ({ weights, deviance: devianceBy(weights) }));
  const best = tried.reduce((least, one) => (one.deviance < least.deviance ? one : least));
  const model = new LearnedModel(boosted, grown, best.weights);
  return {
    level: samples.level, bytes: writeModel(model),
    report: {
      rows: split, heldOutRows: length - split, given: devianceBy({ boosted: 0, forest: 0 }), boosted: devianceBy({ boosted: 1, forest: 0 }), forest: devianceBy({ boosted: 0, forest: 1 }),
      weighed: best.deviance, weights: best.weights, boostedTrees: boosted.treeCount,
      importances: Array.from(boosted.importances(), (part, at) => ({ feature: featureRanges[samples.level][at]?.name ?? '', part })),
    },
  };
}

/** The row from which on rows are held out: the beginning of a checkpoint. */
function splitOf({ minutes }: SampleRows): number {
  let split = Math.floor(minutes.length * (1 - heldOutPart));
  while (split > 0 && minutes[split] === minutes[split - 1]) split--;
  return split;
}

function rowsOf({ level, codes, counts, offsets }: SampleRows, from: number, to: number): TrainingRows {
  const ranges = featureRanges[level];
  const features = ranges.map(({ from: low, to: high }, feature) => {
    const column = new Float32Array(to - from);
    for (let row = 0; row < column.length; row++) column[row] = valueOf(codes[(from + row) * ranges.length + feature] ?? 0, low, high);
    return column;
  });
  return { features, counts: Float64Array.from(counts.subarray(from, to)), offsets: Float64Array.from(offsets.subarray(from, to)) };
}

function wordsOf(model: TreeModel, { features, counts }: TrainingRows): Float64Array {
  const words = new Float64Array(counts.length);
  model.addTo(features, words.length, words);
  return words;
}

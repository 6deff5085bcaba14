/**
 * Training of the learned models, as work that is done elsewhere: pure and seeded. Trees grow on all samples, the newest too; how far they are to be believed is found
 * afterwards, on what comes (`opinions.ts`, and the gate), so nothing is held out here.
 */
import { ByteReader, ByteWriter, ForeshadowError } from '../../kernel/index.ts';
import type { Level } from '../stage.ts';
import { boost, forest, poissonDeviance } from '../trees/index.ts';
import type { TrainingRows } from '../trees/index.ts';
import { missing } from './feature-codes.ts';
import { featuresOf } from './features.ts';
import { LearnedModel } from './learned-model.ts';
import type { SampleRows } from './samples.ts';

export interface TrainWork {
  readonly kind: 'train';
  readonly seed: number;
  readonly endMs: number;
  readonly samples: readonly SampleRows[];
}

/** How training went. Deviances are means over the rows it was trained on. */
export interface TrainReport {
  readonly rows: number;
  readonly deviance: { readonly given: number; readonly boosted: number; readonly forest: number };
  /** What each feature's splits gained in the boosted trees; sums to 1. */
  readonly importances: readonly { readonly feature: string; readonly part: number }[];
}

export interface TrainDone {
  readonly kind: 'train';
  readonly endMs: number;
  readonly models: readonly { readonly level: Level; readonly bytes: Uint8Array; readonly report: TrainReport }[];
}

const magic = 'FSBM';
/** Goes up when features change their meaning. */
const version = 2;
const boosting = { leafExpectedMin: 20, lambda: 5, rowPart: 0.4, featurePart: 0.4, bins: 64 } as const;
const growing = { trees: 10, leafExpectedMin: 20, rowPart: 0.3, featurePart: 0.4, bins: 64, prior: 20 } as const;
/**
 * Pairs are many and each says little: small trees are as good for them in half the time (log loss on package downloads, 05-07 after a day, .0507 with either). At the site small
 * ones lose .5 % there (.1404, mean of four seeds, against .1397, of two), and nothing on 05-04 and 05-05. Rows held out to stop boosting by gained nothing at either.
 */
const sizes = {
  site: { boost: { rounds: 70, depth: 5, shrinkage: 0.2 }, forest: { depth: 7, stretches: Infinity } },
  region: { boost: { rounds: 40, depth: 4, shrinkage: 0.3 }, forest: { depth: 6, stretches: 50 } },
} as const;

export async function train(work: TrainWork): Promise<TrainDone> {
  return Promise.resolve({ kind: 'train', endMs: work.endMs, models: work.samples.map((rows) => trainLevel(rows, work.seed)) });
}

/** The model of a level that training wrote. Throws `bytes-invalid`, also for one of other features. */
export function readModel(bytes: Uint8Array, level: Level): LearnedModel {
  const reader = new ByteReader(bytes, magic, version, 'a trained model');
  const model = LearnedModel.read(reader);
  reader.end();
  const width = featuresOf[level].length;
  if (model.boosted.featureCount === width && model.forest.featureCount === width) return model;
  throw new ForeshadowError('bytes-invalid', { source: 'internal', message: `a trained model can not be read: it is of ${model.boosted.featureCount} features, not ${width}`, hint: 'it is trained anew' });
}

function writeModel(model: LearnedModel): Uint8Array {
  const writer = new ByteWriter(magic, version);
  model.write(writer);
  return writer.finish();
}

function trainLevel(samples: SampleRows, seed: number): TrainDone['models'][number] {
  const codes = columnsOf(samples);
  const rows = rowsOf(samples, codes);
  const size = sizes[samples.level];
  const { depth, stretches } = size.forest;
  // Rows of one stretch of time have much in common: each tree of the forest sees all of them or none.
  const rowsTogether = Math.max(1, Math.ceil(rows.counts.length / stretches));
  const model = new LearnedModel(boost(rows, { ...boosting, ...size.boost, seed }), forest(rows, { ...growing, depth, rowsTogether, seed: seed + 1 }));
  const length = rows.counts.length;
  const deviance = (corrections: Float64Array): number => poissonDeviance(rows.counts, rows.offsets, corrections);
  const words = model.words(codes, length);
  return {
    level: samples.level, bytes: writeModel(model),
    report: {
      rows: length, deviance: { given: deviance(new Float64Array(length)), boosted: deviance(words.boosted), forest: deviance(words.forest) },
      importances: Array.from(model.boosted.importances(), (part, at) => ({ feature: featuresOf[samples.level][at]?.name ?? '', part })),
    },
  };
}

function columnsOf({ level, codes, counts }: SampleRows): Uint8Array[] {
  const width = featuresOf[level].length;
  return featuresOf[level].map((_, feature) => {
    const column = new Uint8Array(counts.length);
    for (let row = 0; row < column.length; row++) column[row] = codes[row * width + feature] ?? 0;
    return column;
  });
}

/** Trees ask for an order only, so that a code is a value. */
function rowsOf({ counts, offsets }: SampleRows, codes: readonly Uint8Array[]): TrainingRows {
  const features = codes.map((column) => {
    const values = new Float32Array(column.length);
    for (let row = 0; row < values.length; row++) values[row] = column[row] === missing ? NaN : column[row] ?? 0;
    return values;
  });
  return { features, counts: Float64Array.from(counts), offsets: Float64Array.from(offsets) };
}

/**
 * Training of the learned models, as work that is done elsewhere: pure and seeded. Trees grow on all samples, the newest too; how far they are to be believed is found
 * afterwards, on what comes (`opinions.ts`, and the gate), so nothing is held out here.
 */
import { ByteReader, ByteWriter, ForeshadowError } from '../../kernel/index.ts';
import type { Level } from '../stage.ts';
import { boost, forest, poissonDeviance } from '../trees/index.ts';
import type { TrainingRows } from '../trees/index.ts';
import { featureRanges } from './features.ts';
import { LearnedModel } from './learned-model.ts';
import { valueOf } from './samples.ts';
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
const version = 1;
const boosting = { rounds: 70, depth: 5, leafExpectedMin: 20, shrinkage: 0.2, lambda: 5, rowPart: 0.4, featurePart: 0.4, bins: 64 } as const;
const growing = { trees: 10, depth: 7, leafExpectedMin: 20, rowPart: 0.3, featurePart: 0.4, bins: 64, prior: 20 } as const;

export async function train(work: TrainWork): Promise<TrainDone> {
  return Promise.resolve({ kind: 'train', endMs: work.endMs, models: work.samples.map((rows) => trainLevel(rows, work.seed)) });
}

/** The model of a level that training wrote. Throws `bytes-invalid`, also for one of other features. */
export function readModel(bytes: Uint8Array, level: Level): LearnedModel {
  const reader = new ByteReader(bytes, magic, version, 'a trained model');
  const model = LearnedModel.read(reader);
  reader.end();
  const width = featureRanges[level].length;
  if (model.boosted.featureCount === width && model.forest.featureCount === width) return model;
  throw new ForeshadowError('bytes-invalid', { source: 'internal', message: `a trained model can not be read: it is of ${model.boosted.featureCount} features, not ${width}`, hint: 'it is trained anew' });
}

function writeModel(model: LearnedModel): Uint8Array {
  const writer = new ByteWriter(magic, version);
  model.write(writer);
  return writer.finish();
}

function trainLevel(samples: SampleRows, seed: number): TrainDone['models'][number] {
  const rows = rowsOf(samples);
  const model = new LearnedModel(boost(rows, { ...boosting, seed }), forest(rows, { ...growing, seed: seed + 1 }));
  const length = rows.counts.length;
  const deviance = (corrections: Float64Array): number => poissonDeviance(rows.counts, rows.offsets, corrections);
  const words = model.words(rows.features, length);
  return {
    level: samples.level, bytes: writeModel(model),
    report: {
      rows: length, deviance: { given: deviance(new Float64Array(length)), boosted: deviance(words.boosted), forest: deviance(words.forest) },
      importances: Array.from(model.boosted.importances(), (part, at) => ({ feature: featureRanges[samples.level][at]?.name ?? '', part })),
    },
  };
}

function rowsOf({ level, codes, counts, offsets }: SampleRows): TrainingRows {
  const ranges = featureRanges[level];
  const features = ranges.map(({ from, to }, feature) => {
    const column = new Float32Array(counts.length);
    for (let row = 0; row < column.length; row++) column[row] = valueOf(codes[row * ranges.length + feature] ?? 0, from, to);
    return column;
  });
  return { features, counts: Float64Array.from(counts), offsets: Float64Array.from(offsets) };
}

/**
 * What training came to for one level: boosted trees, and a random forest as a second opinion. How much each one's word counts is not theirs to say (`opinions.ts`).
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { TreeModel } from '../trees/index.ts';
import type { FeatureBlock } from './features.ts';
import type { Opinions } from './opinions.ts';

/** No correction is beyond e^±this: more is a birth or a burst, and not for trees to say. */
export const correctionMax = 2.5;

export class LearnedModel {
  readonly boosted: TreeModel;
  readonly forest: TreeModel;

  constructor(boosted: TreeModel, forest: TreeModel) {
    this.boosted = boosted;
    this.forest = forest;
  }

  /** Each model's log-corrections of the first rows. */
  words(columns: readonly Float32Array[], length: number): { readonly boosted: Float64Array; readonly forest: Float64Array } {
    const boosted = new Float64Array(length);
    const forest = new Float64Array(length);
    this.boosted.addTo(columns, length, boosted);
    this.forest.addTo(columns, length, forest);
    return { boosted, forest };
  }

  /** Multiplies the rates of the block's rows, which stand at `from`, by what both say together. */
  correct(block: FeatureBlock, length: number, opinions: Opinions, perMinute: Float64Array, from: number): void {
    const { boosted, forest } = this.words(block.columns, length);
    const expected = block.columns[0];
    for (let row = 0; row < length; row++) {
      const weights = opinions.at(expected?.[row] ?? 0);
      const said = weights.boosted * (boosted[row] ?? 0) + weights.forest * (forest[row] ?? 0);
      perMinute[from + row] = (perMinute[from + row] ?? 0) * Math.exp(said > correctionMax ? correctionMax : said < -correctionMax ? -correctionMax : said);
    }
  }

  write(writer: ByteWriter): void {
    this.boosted.write(writer);
    this.forest.write(writer);
  }

  static read(reader: ByteReader): LearnedModel {
    return new LearnedModel(TreeModel.read(reader), TreeModel.read(reader));
  }
}

/**
 * What training came to for one level: boosted trees, and a random forest as a second opinion. How much each one's word counts is not theirs to say (`opinions.ts`).
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { TreeModel } from '../trees/index.ts';
import { featureMinutes } from './features.ts';
import type { Opinions } from './opinions.ts';

/** No correction is beyond e^±this: more is a birth or a burst, and not for trees to say. */
const correctionMax = 2.5;

/** Log-corrections, by row. */
export interface Words {
  readonly boosted: Float64Array;
  readonly forest: Float64Array;
}

export class LearnedModel {
  readonly boosted: TreeModel;
  readonly forest: TreeModel;

  constructor(boosted: TreeModel, forest: TreeModel) {
    this.boosted = boosted;
    this.forest = forest;
  }

  /** What each model says of the first rows, whose features are given as codes. */
  words(codes: readonly Uint8Array[], length: number): Words {
    const boosted = new Float64Array(length);
    const forest = new Float64Array(length);
    this.boosted.addCoded(codes, length, boosted);
    this.forest.addCoded(codes, length, forest);
    return { boosted, forest };
  }

  write(writer: ByteWriter): void {
    this.boosted.write(writer);
    this.forest.write(writer);
  }

  static read(reader: ByteReader): LearnedModel {
    return new LearnedModel(TreeModel.read(reader), TreeModel.read(reader));
  }
}

/** The factors that come of what was said, each model believed as it deserves at the row's density, into `factors` from `from` on. `perMinute`: what the rows were given. */
export function weigh({ boosted, forest }: Words, perMinute: Float64Array, opinions: Opinions, factors: Float64Array, from: number): void {
  for (let row = 0; row < boosted.length; row++) {
    const said = opinions.weigh((perMinute[from + row] ?? 0) * featureMinutes, boosted[row] ?? 0, forest[row] ?? 0);
    factors[from + row] = Math.exp(said > correctionMax ? correctionMax : said < -correctionMax ? -correctionMax : said);
  }
}

/**
 * What training came to for one level: boosted trees and a random forest, and how much each one's word counts, which was found on rows later than those
 * they were grown on. Their corrections are added in proportion, a weighted geometric mean of the two predictions.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import { TreeModel } from '../trees/index.ts';
import type { FeatureBlock } from './features.ts';

/** No correction is beyond e^±this: more is a birth or a burst, and not for trees to say. */
export const correctionMax = 2.5;

export interface Weights {
  readonly boosted: number;
  readonly forest: number;
}

export class LearnedModel {
  readonly boosted: TreeModel;
  readonly forest: TreeModel;
  readonly weights: Weights;
  #words = new Float64Array(0);

  constructor(boosted: TreeModel, forest: TreeModel, weights: Weights) {
    this.boosted = boosted;
    this.forest = forest;
    this.weights = weights;
  }

  /** Whether it ever says anything. */
  get isSilent(): boolean {
    return (this.boosted.treeCount === 0 || this.weights.boosted === 0) && this.weights.forest === 0;
  }

  /** The log-corrections of the block's first rows, into `out`. */
  correct(block: FeatureBlock, length: number, out: Float64Array): void {
    out.fill(0, 0, length);
    this.#say(this.boosted, this.weights.boosted, block, length, out);
    this.#say(this.forest, this.weights.forest, block, length, out);
    for (let row = 0; row < length; row++) {
      const said = out[row] ?? 0;
      out[row] = said > correctionMax ? correctionMax : said < -correctionMax ? -correctionMax : said;
    }
  }

  #say(model: TreeModel, weight: number, block: FeatureBlock, length: number, out: Float64Array): void {
    if (weight === 0 || model.treeCount === 0) return;
    if (this.#words.length < length) this.#words = new Float64Array(length);
    const words = this.#words;
    words.fill(0, 0, length);
    model.addTo(block.columns, length, words);
    for (let row = 0; row < length; row++) out[row] = (out[row] ?? 0) + weight * (words[row] ?? 0);
  }

  write(writer: ByteWriter): void {
    writer.double(this.weights.boosted);
    writer.double(this.weights.forest);
    this.boosted.write(writer);
    this.forest.write(writer);
  }

  static read(reader: ByteReader): LearnedModel {
    const weights = { boosted: part(reader.double()), forest: part(reader.double()) };
    return new LearnedModel(TreeModel.read(reader), TreeModel.read(reader), weights);
  }
}

function part(value: number): number {
  return value > 0 && value <= 1 ? value : 0;
}

import { describe, expect, test } from 'bun:test';
import { ByteReader, ByteWriter, seededRandom } from '../../kernel/index.ts';
import { boost, forest } from '../trees/index.ts';
import { LearnedModel, weigh } from './learned-model.ts';
import { Opinions } from './opinions.ts';

/** Rows whose count is twice what was expected where the feature is above a half of its range. */
function trained(): { readonly model: LearnedModel; readonly columns: readonly Uint8Array[] } {
  const random = seededRandom(2);
  const column = Float32Array.from({ length: 3000 }, () => random.below(255));
  const rows = { features: [column], counts: Float64Array.from(column, (value) => (value > 127 ? 2 : 1)), offsets: new Float64Array(3000) };
  const same = { depth: 2, leafExpectedMin: 20, rowPart: 1, featurePart: 1, bins: 16, seed: 1 };
  return { model: new LearnedModel(boost(rows, { ...same, rounds: 40, shrinkage: 0.3, lambda: 1 }), forest(rows, { ...same, trees: 5, prior: 20 })), columns: [Uint8Array.of(50, 200)] };
}

describe('LearnedModel', () => {
  test('factors are what both say together, and the same after writing and reading', () => {
    const { model, columns } = trained();
    const factors = new Float64Array(3).fill(1);
    weigh(model.words(columns, 2), Float64Array.of(0, 1, 1), new Opinions(), factors, 1);
    expect([factors[0], factors[1]?.toFixed(1), factors[2]?.toFixed(1)]).toEqual([1, '1.0', '2.0']);
    const writer = new ByteWriter('TEST', 1);
    model.write(writer);
    expect(LearnedModel.read(new ByteReader(writer.finish(), 'TEST', 1, 'a model')).words(columns, 2)).toEqual(model.words(columns, 2));
  });

  test('no factor is beyond e^±2.5, whatever the trees say', () => {
    const factors = new Float64Array(2);
    weigh({ boosted: Float64Array.of(7, -7), forest: Float64Array.of(7, -7) }, new Float64Array(2), new Opinions(), factors, 0);
    expect([...factors]).toEqual([Math.exp(2.5), Math.exp(-2.5)]);
  });
});

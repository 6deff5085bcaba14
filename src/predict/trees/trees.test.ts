import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter, seededRandom } from '../../kernel/index.ts';
import { boost, forest, poissonDeviance, TreeModel } from './index.ts';
import type { BoostOptions, ForestOptions, TrainingRows } from './index.ts';

const boosting: BoostOptions = { rounds: 60, depth: 4, leafExpectedMin: 1, shrinkage: 0.2, lambda: 1, rowPart: 0.8, featurePart: 0.8, bins: 64, seed: 7 };
const foresting: ForestOptions = { trees: 40, depth: 7, leafExpectedMin: 2, rowPart: 0.6, featurePart: 0.6, bins: 64, prior: 3, seed: 7 };
const kinds = [['boost', (rows: TrainingRows) => boost(rows, boosting)], ['forest', (rows: TrainingRows) => forest(rows, foresting)]] as const;

/** Rows whose offset is right but for a known factor of four features; a fifth says nothing. */
function rowsOf(length: number, seed: number, truth: (a: number, b: number, c: number, d: number) => number): TrainingRows {
  const random = seededRandom(seed);
  const features = Array.from({ length: 5 }, () => new Float32Array(length));
  const counts = new Float64Array(length);
  const offsets = new Float64Array(length);
  for (let row = 0; row < length; row++) {
    const [a, b, c, d] = [random.next() * 4 - 2, random.below(5), random.exponential(1), random.next() < 0.3 ? Number.NaN : random.next()] as const;
    [a, b, c, d, random.next()].forEach((value, at) => { features[at]?.fill(value, row, row + 1); });
    offsets[row] = Math.log(0.02 * 200 ** random.next());
    const mean = Math.exp((offsets[row] ?? 0) + truth(a, b, c, d));
    counts[row] = random.poisson(mean);
  }
  return { features, counts, offsets };
}

const truth = (a: number, b: number, c: number, d: number): number => 0.6 * Math.sin(2 * a) + (b > 2 ? 0.5 : -0.3) * (c > 1 ? 1 : 0.3) + (Number.isNaN(d) ? 0.6 : 0);

function predict(model: TreeModel, rows: Pick<TrainingRows, 'features'>, length = rows.features[0]?.length ?? 0): Float64Array {
  const out = new Float64Array(length);
  model.addTo(rows.features, length, out);
  return out;
}

function devianceOf(model: TreeModel, rows: TrainingRows): number {
  return poissonDeviance(rows.counts, rows.offsets, predict(model, rows));
}

function bytesOf(model: TreeModel): Uint8Array {
  const writer = new ByteWriter('TREE', 1);
  model.write(writer);
  return writer.finish();
}

function readBack(bytes: Uint8Array): TreeModel {
  const reader = new ByteReader(bytes, 'TREE', 1, 'a test');
  const model = TreeModel.read(reader);
  reader.end();
  return model;
}

const training = rowsOf(6000, 1, truth);
const others = rowsOf(4000, 2, truth);
const offsetAlone = (rows: TrainingRows): number => poissonDeviance(rows.counts, rows.offsets, new Float64Array(rows.counts.length));
const atBest = (rows: TrainingRows): number => poissonDeviance(rows.counts, rows.offsets, rows.counts.map((_, row) => {
  const at = (feature: number): number => rows.features[feature]?.[row] ?? 0;
  return truth(at(0), at(1), at(2), at(3));
}));

describe('poissonDeviance', () => {
  test('is 0 for what is foretold exactly, and grows with the distance', () => {
    expect(poissonDeviance(Float64Array.of(2, 5), Float64Array.of(0, Math.log(5)), Float64Array.of(Math.log(2), 0))).toBeCloseTo(0, 12);
    // 2 (3 ln 3 − 2), and 2 · .5 for the nothing that came of half a request; the mean of both.
    expect(poissonDeviance(Float64Array.of(3, 0), Float64Array.of(0, Math.log(0.5)), new Float64Array(2))).toBeCloseTo((6 * Math.log(3) - 4 + 1) / 2, 10);
    expect(poissonDeviance(new Float64Array(0), new Float64Array(0), new Float64Array(0))).toBe(0);
  });
});

for (const [kind, train] of kinds) {
  describe(kind, () => {
    test('finds what the offset lacks, missing values and interactions included, and holds on new rows', () => {
      const model = train(training);
      const [before, after, best] = [offsetAlone(others), devianceOf(model, others), atBest(others)];
      expect((before - after) / (before - best)).toBeGreaterThan(0.75);
      // The feature that says nothing gets next to nothing.
      const importances = model.importances();
      expect(importances.reduce((sum, part) => sum + part, 0)).toBeCloseTo(1, 10);
      expect(importances[4] ?? 1).toBeLessThan(0.12);
      expect(importances.slice(0, 4).every((part) => part > 0.05)).toBe(true);
    });

    test('is about right in sum, so that what follows needs no other level', () => {
      const corrections = predict(train(training), others);
      const expected = others.offsets.reduce((sum, offset, row) => sum + Math.exp(offset + (corrections[row] ?? 0)), 0);
      expect(Math.abs(expected / others.counts.reduce((sum, count) => sum + count, 0) - 1)).toBeLessThan(0.04);
    });

    test('equal rows, options and seed make an equal model', () => {
      expect(bytesOf(train(training))).toEqual(bytesOf(train(training)));
    });

    test('comes back from bytes as it was', () => {
      const model = train(training);
      const back = readBack(bytesOf(model));
      expect([back.featureCount, back.treeCount]).toEqual([model.featureCount, model.treeCount]);
      expect(predict(back, others)).toEqual(predict(model, others));
      expect(back.importances()).toEqual(model.importances());
    });

    test('says the same of whole numbers given as bytes, 255 for none', () => {
      const random = seededRandom(21);
      const codeOf = (value: number): number => Math.max(0, Math.min(254, Math.round(value * 60 + 120)));
      const coded = { ...training, features: training.features.map((column) => column.map((value) => (Number.isNaN(value) ? value : codeOf(value)))) };
      const model = train(coded);
      const codes = coded.features.map((_, feature): Uint8Array => Uint8Array.from({ length: 1300 }, () => (feature === 3 && random.next() < 0.3 ? 255 : random.below(255))));
      const said = new Float64Array(1300);
      model.addCoded(codes, 1300, said);
      expect([...said]).toEqual([...predict(model, { features: codes.map((column) => Float32Array.from(column, (code) => (code === 255 ? Number.NaN : code))) })]);
      expect(new Set(said).size).toBeGreaterThan(50);
    });

    test('says something finite of any row, and nothing beyond what it said of a row it was trained on', () => {
      const model = train(training);
      const known = predict(model, training);
      const [low, high] = [Math.min(0, ...known) - 1e-9, Math.max(0, ...known) + 1e-9];
      const anything = fc.oneof(fc.float(), fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, -0, 3.4e38, -3.4e38, 1e-45));
      fc.assert(fc.property(fc.array(fc.tuple(anything, anything, anything, anything, anything), { minLength: 1, maxLength: 40 }), (rows) => {
        const features = Array.from({ length: 5 }, (_, feature) => Float32Array.from(rows, (row) => row[feature] ?? 0));
        return predict(model, { features }).every((correction) => correction >= low && correction <= high);
      }), { seed: 3, numRuns: 200 });
    });

    test('trains on anything: no rows, no features, one value, nothing expected, numbers that are none', () => {
      const none = new Float64Array(0);
      expect(predict(train({ features: [new Float32Array(0)], counts: none, offsets: none }), { features: [Float32Array.of(1)] }).every(Number.isFinite)).toBe(true);
      expect(predict(train({ features: [], counts: Float64Array.of(1, 2), offsets: new Float64Array(2) }), { features: [] }, 2).every(Number.isFinite)).toBe(true);
      const numbers = fc.oneof(fc.double(), fc.constantFrom(0, 1, 5, -1, Number.NaN, Infinity, -Infinity, 1e300));
      const values = fc.oneof(fc.float(), fc.constant(Number.NaN), fc.constant(7));
      fc.assert(fc.property(fc.array(fc.tuple(values, numbers, numbers), { minLength: 1, maxLength: 60 }), (rows) => {
        const made = { features: [Float32Array.from(rows, ([value]) => value)], counts: Float64Array.from(rows, ([, count]) => count), offsets: Float64Array.from(rows, ([, , offset]) => offset) };
        const model = train(made);
        return predict(model, made).every(Number.isFinite) && predict(readBack(bytesOf(model)), made).every(Number.isFinite) && Number.isFinite(devianceOf(model, made));
      }), { seed: 4, numRuns: 60 });
    });

    test('damage to its bytes is told, wherever it is', () => {
      const bytes = bytesOf(train(rowsOf(300, 3, truth)));
      const random = seededRandom(5);
      for (let round = 0; round < 400; round++) {
        const damaged = bytes.slice();
        const at = random.below(bytes.length);
        damaged[at] = (damaged[at] ?? 0) ^ (1 + random.below(255));
        expect(() => readBack(damaged)).toThrow('can not be read');
      }
      expect(() => readBack(bytes.subarray(0, 40))).toThrow('can not be read');
    });

    test('bytes with the right sum but other content are refused or make a model that is finite', () => {
      const bytes = bytesOf(train(rowsOf(300, 3, truth)));
      const random = seededRandom(6);
      let refused = 0;
      for (let round = 0; round < 400; round++) {
        const content = bytes.slice(5, -4);
        for (let hits = 0; hits < 3; hits++) content[random.below(round % 2 === 0 ? content.length : 120)] = random.below(256);
        const writer = new ByteWriter('TREE', 1);
        writer.raw(content);
        try {
          expect(predict(readBack(writer.finish()), { features: Array.from({ length: 1100 }, () => Float32Array.of(0.5, Number.NaN)) }, 2).every(Number.isFinite)).toBe(true);
        } catch (error) {
          expect(error).toMatchObject({ code: 'bytes-invalid' });
          refused++;
        }
      }
      expect(refused).toBeGreaterThan(100);
    });
  });
}

/** A model of one feature, one column and one tree of one level, with some of its numbers changed. */
function crafted(changed: Partial<Record<'features' | 'gain' | 'low' | 'high' | 'columns' | 'side' | 'cuts' | 'cut' | 'trees' | 'depth' | 'node' | 'leaf', number>>): Uint8Array {
  const writer = new ByteWriter('TREE', 1);
  const { features = 1, gain = 1, low = -1, high = 1, columns = 1, side = 0, cuts = 2, cut = 2 ** 30, trees = 1, depth = 1, node = 1, leaf = 0.5 } = changed;
  writer.uint(features);
  for (const number of [gain, low, high]) writer.double(number);
  for (const number of [columns, side, cuts, cut, 2 ** 30 + 5, trees, depth, node]) writer.uint(number);
  for (const number of [leaf, -0.5]) writer.double(number);
  return writer.finish();
}

describe('a model from bytes', () => {
  test('is what was written', () => {
    // Two cuts, at 0 and just above: the node asks for the second.
    expect(predict(readBack(crafted({})), { features: [Float32Array.of(-1, 0, 1, Number.NaN)] })).toEqual(Float64Array.of(0.5, 0.5, -0.5, -0.5));
    expect(predict(readBack(crafted({ side: 1 })), { features: [Float32Array.of(-1, 0, 1, Number.NaN)] })).toEqual(Float64Array.of(0.5, 0.5, -0.5, 0.5));
    expect(predict(readBack(crafted({ high: 0.2 })), { features: [Float32Array.of(-1, 0, 1, Number.NaN)] })).toEqual(Float64Array.of(0.2, 0.2, -0.5, -0.5));
  });

  test('is refused when no training makes it', () => {
    const wrong: readonly Parameters<typeof crafted>[0][] = [
      { gain: -1 }, { gain: Number.NaN }, { low: 0.1 }, { low: -9 }, { high: -0.1 }, { high: Infinity }, { columns: 3 }, { side: 2 }, { cuts: 255 }, { cut: 2 ** 31 }, { cut: 2 ** 30 + 5 },
      { depth: 13 }, { node: 3 }, { node: 512 }, { node: 2 ** 31 }, { leaf: Number.NaN }, { leaf: 9 }, { features: 1025 }, { trees: 2 }, { trees: 2 ** 40 },
    ];
    for (const changed of wrong) expect(() => readBack(crafted(changed)), JSON.stringify(changed)).toThrow('can not be read');
  });
});

describe('training', () => {
  test('no combination of features that was never seen makes a correction larger than any that was', () => {
    // Each of three features alone triples the count; no row has two.
    const which = Array.from({ length: 3000 }, (_, row) => row % 4);
    const rows = { features: [0, 1, 2].map((feature) => Float32Array.from(which, (one) => (one === feature ? 1 : 0))), counts: Float64Array.from(which, (one) => (one < 3 ? 3 : 1)), offsets: new Float64Array(3000) };
    const model = boost(rows, { ...boosting, rounds: 200, depth: 1, rowPart: 1, featurePart: 1 });
    const most = Math.max(...predict(model, rows));
    expect(most).toBeGreaterThan(Math.log(2.5));
    expect([...predict(model, { features: [Float32Array.of(1), Float32Array.of(1), Float32Array.of(1)] })].map((correction) => correction - most)).toEqual([expect.closeTo(0, 9)]);
  });

  test('the order of rows says nothing to trees that see all of them', () => {
    const options = { ...boosting, rounds: 20, rowPart: 1, featurePart: 1 };
    const backwards = { features: training.features.map((column) => column.toReversed()), counts: training.counts.toReversed(), offsets: training.offsets.toReversed() };
    const [one, other] = [predict(boost(training, options), others), predict(boost(backwards, options), others)];
    one.forEach((correction, row) => { expect(correction).toBeCloseTo(other[row] ?? 0, 9); });
  });

  test('a forest says next to nothing where there is nothing to be found, and gives back what its prior holds back', () => {
    const nothing = forest(rowsOf(3000, 11, () => 0), foresting);
    const rows = rowsOf(3000, 13, () => 0);
    expect(devianceOf(nothing, rows) / offsetAlone(rows)).toBeLessThan(1.003);
    const shy = forest(training, { ...foresting, prior: 200 });
    expect((offsetAlone(others) - devianceOf(shy, others)) / (offsetAlone(others) - atBest(others))).toBeGreaterThan(0.6);
  });

  test('runs of neighbours that share what no feature tells are seen or unseen together', () => {
    // A constant of each run of 50 rows, and its number as feature: it says everything of rows seen and nothing of others.
    const random = seededRandom(31);
    const length = 4000;
    const counts = new Float64Array(length);
    for (let row = 0, level = 0; row < length; row++) {
      if (row % 50 === 0) level = random.next() < 0.5 ? 0.3 : 2.5;
      counts[row] = random.poisson(level);
    }
    const rows = { features: [Float32Array.from({ length }, (_, row) => Math.floor(row / 50))], counts, offsets: new Float64Array(length).fill(Math.log(1.4)) };
    const spreadOf = (model: TreeModel): number => Math.hypot(...predict(model, rows)) / Math.sqrt(length);
    const options = { ...foresting, featurePart: 1, bins: 255 };
    expect(spreadOf(forest(rows, { ...options, rowsTogether: 50 }))).toBeLessThan(0.5 * spreadOf(forest(rows, options)));
  });

  test('features and levels are bounded', () => {
    const one = Float32Array.of(1, 2);
    const wide = { features: Array.from({ length: 1025 }, () => one), counts: new Float64Array(2), offsets: new Float64Array(2) };
    expect(() => boost(wide, boosting)).toThrow('1025 features, more than 1024');
    expect(() => forest({ ...wide, features: [one] }, { ...foresting, depth: 13 })).toThrow('depth is from 0 to 12');
    expect(() => boost({ ...wide, features: [one] }, { ...boosting, bins: 256 })).toThrow('bins are from 2 to 255');
    expect(() => boost({ ...wide, features: [Float32Array.of(1)] }, boosting)).toThrow('equally long');
    expect(() => { boost(training, boosting).addTo([one], 2, new Float64Array(2)); }).toThrow('fewer than');
  });
});

import { describe, expect, test } from 'bun:test';
import { madeRows, madeSets } from '../../bench/trees/made-rows.ts';
import { openXgboost } from '../../bench/trees/xgboost.ts';
import { boost, poissonDeviance } from '../../src/predict/trees/index.ts';

const xgboost = openXgboost();
if (xgboost === undefined) console.log('trees are not held to XGBoost: install libxgboost0 (apt-get install libxgboost0)');

/** Its leaves count the curvature at the largest step, ours the expected count. */
const curvature = Math.exp(0.7);
const rounds = 60;
const length = 6000;
const seeds = [1, 2] as const;
const settings = [
  { depth: 5, shrinkage: 0.1, lambda: 1, leafExpectedMin: 1 },
  { depth: 3, shrinkage: 0.3, lambda: 10, leafExpectedMin: 4 },
] as const;

describe.skipIf(xgboost === undefined)('beside XGBoost, with the same settings on the same made rows', () => {
  for (const set of madeSets) {
    test(`${set.name}: the deviance of new rows is within 1 % of its`, () => {
      for (const setting of settings) {
        let [alone, ours, its] = [0, 0, 0];
        for (const seed of seeds) {
          const [rows, others] = [madeRows(set, length, 10 * seed), madeRows(set, length, 10 * seed + 1)];
          const { depth, shrinkage, lambda, leafExpectedMin } = setting;
          const corrections = new Float64Array(length);
          boost(rows, { ...setting, rounds, rowPart: 1, featurePart: 1, bins: 255, seed }).addTo(others.features, length, corrections);
          ours += poissonDeviance(others.counts, others.offsets, corrections);
          its += xgboost?.deviance(rows, others, rounds, { max_depth: depth, eta: shrinkage, lambda, min_child_weight: leafExpectedMin * curvature, max_delta_step: 0.7, max_bin: 256 }) ?? Number.NaN;
          alone += poissonDeviance(others.counts, others.offsets, new Float64Array(length));
        }
        expect(Math.abs(ours / its - 1)).toBeLessThan(0.01);
        // Where there is something to be found both find it, so that they are not alike in finding nothing; else both lose by what they learn of noise.
        if (set.useful) expect(its / alone).toBeLessThan(0.97);
        else expect(Math.min(ours, its) / alone).toBeGreaterThan(0.997);
      }
    }, 30_000);
  }
});

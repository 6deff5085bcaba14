import { describe, expect, test } from 'bun:test';
import { ByteReader, ByteWriter, seededRandom } from '../../kernel/index.ts';
import { Calibration } from './calibration.ts';
import { probabilityOfAny } from '../distribution/negative-binomial.ts';

/** Counts of a Poisson process whose rate is itself random: with shape r, a negative binomial of dispersion 1/r. */
function overdispersed(seed: number): (mean: number) => number {
  const random = seededRandom(seed);
  return (mean) => {
    // A gamma variate of shape 1 is exponential, so the dispersion is 1.
    const rate = random.exponential(mean);
    return random.poisson(rate);
  };
}

describe('Calibration', () => {
  test('leaves a prediction alone before it has learned', () => {
    expect(new Calibration().correct(0, 0.25).mean).toBeCloseTo(0.25, 10);
    expect(new Calibration().correct(0, 0)).toEqual({ mean: 0, dispersionForAny: 0, dispersionForQuantiles: 0 });
  });

  test('learns a bias and a dispersion, at each density and horizon for itself', () => {
    const calibration = new Calibration();
    const draw = overdispersed(23);
    for (let i = 0; i < 20_000; i++) {
      calibration.learn(1, 0.5, draw(1));
      calibration.learn(1, 8, draw(8));
    }
    calibration.refit(1, 1);
    const sparse = calibration.correct(1, 0.5);
    expect(Math.abs(sparse.mean - 1)).toBeLessThan(0.03);
    expect(Math.abs(probabilityOfAny(sparse.mean, sparse.dispersionForAny) - 0.5)).toBeLessThan(0.015);
    const dense = calibration.correct(1, 8);
    expect(Math.abs(dense.mean - 8)).toBeLessThan(0.25);
    expect(Math.abs(dense.dispersionForQuantiles - 1)).toBeLessThan(0.1);
    expect(calibration.correct(2, 0.5).mean).toBeCloseTo(0.5, 10);
  });

  test('is not carried away by a handful of outcomes', () => {
    const calibration = new Calibration();
    for (let i = 0; i < 5; i++) calibration.learn(0, 0.1, 3);
    calibration.refit(0, 1);
    expect(calibration.correct(0, 0.1).mean).toBeLessThan(0.2);
  });

  test('forgets: later outcomes weigh more', () => {
    const calibration = new Calibration();
    for (let round = 0; round < 60; round++) {
      for (let i = 0; i < 200; i++) calibration.learn(0, 1, round < 30 ? 3 : 1);
      calibration.refit(0, 0.8);
    }
    expect(Math.abs(calibration.correct(0, 1).mean - 1)).toBeLessThan(0.05);
  });

  test('comes back from bytes as it was', () => {
    const calibration = new Calibration();
    const draw = overdispersed(5);
    for (let i = 0; i < 1000; i++) calibration.learn(i % 4, 2 ** ((i % 20) - 12), draw(2 ** ((i % 20) - 12)));
    for (let horizon = 0; horizon < 4; horizon++) calibration.refit(horizon, 0.9);
    const writer = new ByteWriter('TEST', 1);
    calibration.write(writer);
    const back = new Calibration();
    back.read(new ByteReader(writer.finish(), 'TEST', 1, 'a test'));
    for (const mean of [0.001, 0.1, 3, 90]) expect(back.correct(2, mean)).toEqual(calibration.correct(2, mean));
  });
});

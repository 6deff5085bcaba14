import { expect, test } from 'bun:test';
import { seededRandom } from '../../kernel/index.ts';
import { RowWeights, densityOf, ratioCount } from './row-weights.ts';

/** Half hours of 400 rows whose counts follow the first ratio to `power`; the second ratio is noise. */
function learned(power: number, halfHours: number, sharedNoise = 0): RowWeights {
  const weights = new RowWeights();
  const random = seededRandom(9);
  for (let half = 0; half < halfHours; half++) {
    const ratios = new Float32Array(400 * ratioCount);
    const first = 1.6 * (random.next() - 0.5);
    const surprise = sharedNoise * (random.next() + random.next() - 1);
    const counts = Float64Array.from({ length: 400 }, (_, row) => {
      ratios[row * ratioCount] = first;
      ratios[row * ratioCount + 1] = random.next() - 0.5;
      return random.poisson(0.8 * Math.exp(power * first + surprise));
    });
    weights.learn(ratios, new Float64Array(400).fill(0.8), counts);
  }
  return weights;
}

test('rows follow a ratio as far as outcomes do', () => {
  for (const power of [0, 0.4, 1]) {
    const weights = learned(power, 96);
    expect(Math.abs(weights.weight(densityOf(0.8), 0) - power)).toBeLessThan(0.12);
    expect(Math.abs(weights.weight(densityOf(0.8), 1))).toBeLessThan(0.12);
    // Nothing was learned of other densities.
    expect(weights.weight(densityOf(10), 0)).toBe(0.5);
  }
});

test('surprises that all rows of a half hour share are not taken for much evidence', () => {
  const calm = learned(0.5, 12);
  const shaken = learned(0.5, 12, 1.5);
  expect(Math.abs(calm.weight(densityOf(0.8), 0) - 0.5)).toBeLessThan(0.15);
  expect(Math.abs(shaken.weight(densityOf(0.8), 0) - 0.5)).toBeLessThan(0.25);
});

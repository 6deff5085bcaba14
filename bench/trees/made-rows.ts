/**
 * Made rows to train trees on, whose truth is known: features, an expected count as offset, and a count drawn from a Poisson distribution whose mean is the offset's times
 * the set's own correction. Seeded.
 */
import { seededRandom } from '../../src/kernel/index.ts';
import type { Random } from '../../src/kernel/index.ts';
import type { TrainingRows } from '../../src/predict/trees/index.ts';

export interface MadeSet {
  readonly name: string;
  readonly features: number;
  /** Least and largest expected count of the offset. */
  readonly means: readonly [number, number];
  /** Part of the values that is missing, NaN. */
  readonly missingPart: number;
  /** Whether there is anything to be found. */
  readonly useful: boolean;
  /** The logarithm of what the offset is really to be multiplied by. */
  readonly correction: (x: (feature: number) => number) => number;
}

/** By the feature's number: whole numbers below 6, bell-shaped, exponential in turn. */
export const madeSets: readonly MadeSet[] = [
  { name: 'curved', useful: true, features: 12, means: [0.01, 3], missingPart: 0, correction: (x) => 0.6 * Math.sin(2 * x(1)) + 0.4 * Math.tanh(x(2) - 1) - 0.2 * (x(4) ** 2 - 1) },
  { name: 'interactions', useful: true, features: 12, means: [0.01, 3], missingPart: 0, correction: (x) => (x(1) > 0 ? 0.7 : -0.3) * (x(4) > 0 ? 0.8 : -0.3) + (x(0) > 2 && x(2) > 0.7 ? 0.7 : -0.2) },
  { name: 'sparse', useful: true, features: 12, means: [0.01, 0.1], missingPart: 0, correction: (x) => 0.9 * Math.tanh(x(1)) + (x(0) > 3 ? 0.7 : -0.3) },
  { name: 'dense', useful: true, features: 12, means: [1, 60], missingPart: 0, correction: (x) => 0.3 * Math.sin(x(1) + x(4)) + (x(3) === 2 ? 0.3 : 0) },
  {
    name: 'missing values', useful: true, features: 12, means: [0.05, 3], missingPart: 0.3,
    correction: (x) => (Number.isNaN(x(1)) ? 0.7 : 0.5 * Math.tanh(x(1))) + (Number.isNaN(x(2)) ? -0.5 : x(2) > 1 ? 0.5 : 0),
  },
  { name: 'useless', useful: false, features: 12, means: [0.01, 3], missingPart: 0.1, correction: () => 0 },
  {
    name: 'wide', useful: true, features: 30, means: [0.01, 3], missingPart: 0.1,
    correction: (x) => 0.5 * Math.sin(2 * (x(1) || 0)) + (x(2) > 1 ? 0.6 : -0.3) * (x(0) > 2 ? 1 : 0) + 0.3 * Math.tanh((x(4) || 0) * (x(7) || 0)),
  },
];

export function madeRows({ features: count, means: [least, most], missingPart, correction }: MadeSet, length: number, seed: number): TrainingRows {
  const random = seededRandom(seed);
  const features = Array.from({ length: count }, () => new Float32Array(length));
  const counts = new Float64Array(length);
  const offsets = new Float64Array(length);
  for (let row = 0; row < length; row++) {
    features.forEach((column, at) => { column[row] = random.next() < missingPart ? Number.NaN : [random.below(6), normal(random), random.exponential(1)][at % 3] ?? 0; });
    offsets[row] = Math.log(least) + random.next() * Math.log(most / least);
    counts[row] = random.poisson(Math.exp((offsets[row] ?? 0) + correction((feature) => features[feature]?.[row] ?? 0)));
  }
  return { features, counts, offsets };
}

/** Box and Muller. */
function normal(random: Random): number {
  return Math.sqrt(random.exponential(2)) * Math.cos(2 * Math.PI * random.next());
}

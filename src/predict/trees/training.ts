/**
 * What both ways of training share: rows turned into bins once, random samples of rows and features, and the pairs (count, expected count) that trees are grown on.
 */
import type { Random } from '../../kernel/index.ts';
import { bitsOf, chooseCuts, findBins, missingBin, padCuts } from './feature-bins.ts';
import type { BinnedRows } from './grow.ts';
import { depthMax, featuresMax } from './model.ts';
import { countOf, expectedOf } from './rows.ts';
import type { TrainingRows } from './rows.ts';

/** Fails for rows and options that no caller should have: they are the program's own. */
export function requireTrainable({ features, counts, offsets }: TrainingRows, { depth, bins }: { readonly depth: number; readonly bins: number }): void {
  if (features.length > featuresMax) throw new RangeError(`${features.length} features, more than ${featuresMax}`);
  if (offsets.length !== counts.length || features.some((column) => column.length !== counts.length)) throw new RangeError('columns of training rows are equally long');
  if (!Number.isInteger(depth) || depth < 0 || depth > depthMax) throw new RangeError(`depth is from 0 to ${depthMax}`);
  if (!Number.isInteger(bins) || bins < 2 || bins > 255) throw new RangeError('bins are from 2 to 255');
}

export function chooseAllCuts(rows: TrainingRows, binsMax: number, random: Random): Int32Array[] {
  return rows.features.map((column) => chooseCuts(column, binsMax, random));
}

export function binRows({ features, counts }: TrainingRows, cuts: readonly Int32Array[]): BinnedRows {
  const { length } = counts;
  const bins = new Uint8Array(length * cuts.length);
  features.forEach((column, at) => { findBins(bitsOf(column), 0, length, padCuts(cuts[at] ?? new Int32Array(0)), missingBin, bins, at * length); });
  return { length, bins, cuts };
}

/** Count and expected count of each row, in turn. */
export function pairsOf({ counts, offsets }: TrainingRows): Float64Array {
  const pairs = new Float64Array(2 * counts.length);
  for (let row = 0; row < counts.length; row++) {
    pairs[2 * row] = countOf(counts[row] ?? 0);
    pairs[2 * row + 1] = expectedOf(offsets[row] ?? 0);
  }
  return pairs;
}

/** `part` of 0..length-1, without repetition, ascending; at least one. (Knuth, The Art of Computer Programming 2, §3.4.2, algorithm S) */
export function sampleOf(length: number, part: number, random: Random): Int32Array {
  const wanted = part >= 1 ? length : Math.min(length, Math.max(1, Math.round(length * part)));
  const sample = new Int32Array(wanted);
  let taken = 0;
  for (let i = 0; taken < wanted; i++) if (wanted - taken >= length - i || random.next() * (length - i) < wanted - taken) sample[taken++] = i;
  return sample;
}

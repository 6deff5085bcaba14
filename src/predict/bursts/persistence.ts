/**
 * How much of what a key's present level differs from its base rate is true of the next 5 to 30 minutes: learned from every burst this site has had. While
 * the level is above the base, by the burst's age, whether it grows or falls, its weight in requests, its height and whether it comes from several regions; each cell
 * shrinks to what bursts of its age, trend and weight do, and that to a law of long tails: what has lasted a while lasts about as long again. So expectations are
 * unbiased whether bursts here are a class of students (minutes) or a front page (hours). And after a burst, how far down from the base rate that
 * remembers it, by the time since then.
 */
import { horizonsMin } from '../forecaster.ts';
import { Ratios } from './ratios.ts';

/** Upper ends of the buckets: age; requests of a burst's first minute; requests of the last minutes but for the largest of them; requests of a burst that is over; height. */
const agesMin = [1, 2, 4, 8, 16, 32, 64, Infinity] as const;
const firstWeights = [6, 15, 40, Infinity] as const;
const steadyWeights = [2, 6, 20, Infinity] as const;
const pastWeights = [20, 60, Infinity] as const;
const heights = [2, 4, 10, Infinity] as const;
const trends = 3;
/** Bursts of another weight say nothing of these: lumps of a few requests within a minute, of which every log is full, are over at once. */
const parents = agesMin.length * trends * steadyWeights.length;
/** What has lasted a minutes is there after t more with probability (a + c)/(a + c + t): this is c. */
const lindyMin = 4;
/** Of a falling, steady and growing burst, before anything is known. */
const priorByTrend = [0.4, 1, 1.4] as const;
/** And by its weight: what came within one minute is mostly a lump. */
const priorByFirst = [0.15, 0.3, 0.6, 1] as const;
const priorBySteady = [0.1, 0.5, 0.9, 1] as const;
const pseudo = 6;
const evidenceMax = 150;
/** Of what a burst left in the base rate, the part that is false, before anything is known. */
const priorAfter = 0.6;

/** Of the level's excess over the base rate, with its growth, the part that is there in the average minute of a horizon. */
export function persistence(): Ratios {
  return new Ratios({
    cells: parents * heights.length * 2, parents, horizons: horizonsMin.length, pseudo, evidenceMax,
    prior(parent, horizon) {
      const age = Math.floor(parent / trends) % agesMin.length;
      const weight = Math.floor(parent / (trends * agesMin.length));
      const scale = Math.min(64, agesMin[age] ?? 1) + lindyMin;
      const minutes = horizonsMin[horizon] ?? 0;
      return ((priorByTrend[parent % trends] ?? 1) * ((age === 0 ? priorByFirst : priorBySteady)[weight] ?? 1) * scale * Math.log1p(minutes / scale)) / minutes;
    },
  });
}

/** `trend`: 0 falling, 1 steady, 2 growing. `requests`: of the last minutes but for the largest; of the first minute, at the age of 1. `height`: level over base. */
export function burstCell(ageMin: number, trend: number, requests: number, height: number, several: boolean): number {
  const parent = trend + trends * (bucketOf(agesMin, ageMin) + agesMin.length * bucketOf(ageMin > 1 ? steadyWeights : firstWeights, requests));
  return parent + parents * (bucketOf(heights, height) * 2 + (several ? 1 : 0));
}

/** Of the base rate's excess over the level or the usual rate, the part that is not there in the average minute of a horizon. */
export function aftermath(): Ratios {
  return new Ratios({ cells: agesMin.length * pastWeights.length * heights.length, parents: agesMin.length * pastWeights.length, horizons: horizonsMin.length, pseudo, evidenceMax, prior: () => priorAfter });
}

/** `sinceMin`: since the burst ended, 0 while it is on. `height`: base over what is thought true. */
export function afterCell(sinceMin: number, requests: number, height: number): number {
  return bucketOf(agesMin, sinceMin) + agesMin.length * (bucketOf(pastWeights, requests) + pastWeights.length * bucketOf(heights, height));
}

export function bucketOf(ends: readonly number[], value: number): number {
  let bucket = 0;
  while (bucket < ends.length - 1 && value > (ends[bucket] ?? Infinity)) bucket++;
  return bucket;
}

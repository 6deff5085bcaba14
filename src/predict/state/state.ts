/**
 * Everything the baseline engine knows, as one record of columns and tables. Shared by the engine's own parts (reading,
 * learning, snapshots) and with nobody else.
 */
import type { RegionName, ResourceKey, VariationKey } from '../../kernel/index.ts';
import { Accuracy } from '../evidence/accuracy.ts';
import { Calibration } from '../evidence/calibration.ts';
import { DecayedCounts } from './decayed-counts.ts';
import { FacetCounts } from './facet-counts.ts';
import { KeyTable } from './key-table.ts';
import { PriorChoice } from '../base/prior-choice.ts';
import { VariationGroups } from '../base/variation-groups.ts';
import { BlendChoice } from '../base/rate-blend.ts';

export interface EngineState {
  readonly resources: KeyTable<ResourceKey>;
  readonly regions: KeyTable<RegionName>;
  readonly variations: KeyTable<VariationKey>;
  readonly byResource: DecayedCounts;
  readonly byRegion: DecayedCounts;
  readonly byVariation: DecayedCounts;
  /**
   * One row: how busy the site is. Requests of all resources, but of each in a minute no more than a few times its usual number, so that one page's burst
   * is not taken for a busier site.
   */
  readonly pace: DecayedCounts;
  readonly regionsOf: FacetCounts;
  readonly variationsOf: FacetCounts;
  /** By `variationClass`, and by region. */
  readonly variationsOfClass: VariationGroups;
  readonly variationsOfRegion: VariationGroups;
  readonly blend: BlendChoice;
  readonly regionPrior: PriorChoice;
  readonly siteCalibration: Calibration;
  readonly regionCalibration: Calibration;
  readonly accuracy: Accuracy;
  /** Start of the first minute observed, epoch ms; 0 before. */
  beganMs: number;
  /** Start of the last minute observed, epoch ms; 0 before. */
  lastMinuteMs: number;
}

/** Pairs kept for each resource there is room for, on average, of those resources that have more than one. */
const pairsPerKey = 4;

/** `hashSeed`: what those must not know who could choose keys that fall on one place of the table. */
export function createState(keysMax: number, hashSeed: number): EngineState {
  const byResource = new DecayedCounts();
  const facets = { owners: byResource, ownersMax: keysMax, pairsMax: keysMax * pairsPerKey };
  return {
    resources: new KeyTable(hashSeed), regions: new KeyTable(hashSeed), variations: new KeyTable(hashSeed),
    byResource, byRegion: new DecayedCounts(), byVariation: new DecayedCounts(), pace: singleRow(),
    regionsOf: new FacetCounts({ ...facets, detailed: true }), variationsOf: new FacetCounts({ ...facets, detailed: false }),
    variationsOfClass: new VariationGroups(), variationsOfRegion: new VariationGroups(),
    blend: new BlendChoice(), regionPrior: new PriorChoice(), siteCalibration: new Calibration(), regionCalibration: new Calibration(),
    accuracy: new Accuracy(), beganMs: 0, lastMinuteMs: 0,
  };
}

/** Minutes from the first observation to `nowMs`. */
export function ageMin(state: EngineState, nowMs: number): number {
  return state.beganMs === 0 ? 0 : (nowMs - state.beganMs) / 60_000;
}

function singleRow(): DecayedCounts {
  const row = new DecayedCounts();
  row.grow(1);
  return row;
}

/** Bytes that it takes, but for what is the same however many keys there are. */
export function stateBytes({ resources, byResource, regionsOf, variationsOf }: EngineState): number {
  return resources.bytes + byResource.bytes + regionsOf.bytes + variationsOf.bytes;
}

/** As if `ms` had not passed: what was counted is that much younger. */
export function skipTime(state: EngineState, ms: number): void {
  for (const pairs of [state.regionsOf, state.variationsOf, state.variationsOfClass, state.variationsOfRegion]) pairs.skip(ms);
  for (const counts of [state.byResource, state.byRegion, state.byVariation, state.pace]) counts.skip(ms);
  state.beganMs += ms;
  state.lastMinuteMs += ms;
}

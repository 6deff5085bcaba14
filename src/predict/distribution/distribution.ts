/** A rate and its calibration as the forecasts people and programs read: mean, P(≥1) and quantiles at every horizon. */
import type { RegionName, ResourceKey } from '../../kernel/index.ts';
import type { Calibration } from '../evidence/calibration.ts';
import { horizonsMin } from '../forecaster.ts';
import type { Forecast } from '../forecaster.ts';
import { probabilityOfAny, quantiles } from './negative-binomial.ts';

const levels = [0.5, 0.9, 0.99] as const;

/** `perMinute`: one rate a horizon. */
export function distributions(resource: ResourceKey, region: RegionName, perMinute: readonly number[], calibration: Calibration): Forecast[] {
  return horizonsMin.map((horizonMin, horizon) => {
    const { mean, dispersionForAny, dispersionForQuantiles } = calibration.correct(horizon, (perMinute[horizon] ?? 0) * horizonMin);
    // Millions at a time: read by index, for destructuring would run the array's iterator.
    const found = quantiles(mean, dispersionForQuantiles, levels);
    const p = probabilityOfAny(mean, dispersionForAny);
    return { resource, region, horizonMin, mean, p, q50: found[0] ?? 0, q90: found[1] ?? 0, q99: found[2] ?? 0 };
  });
}

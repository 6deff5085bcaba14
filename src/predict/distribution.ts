/** A rate and its calibration as the forecasts people and programs read: mean, P(≥1) and quantiles at every horizon. */
import type { RegionName, ResourceKey } from '../kernel/index.ts';
import type { Calibration } from './calibration.ts';
import { horizonsMin } from './forecaster.ts';
import type { Forecast } from './forecaster.ts';
import { probabilityOfAny, quantiles } from './negative-binomial.ts';

const levels = [0.5, 0.9, 0.99] as const;

export function distributions(resource: ResourceKey, region: RegionName, perMinute: number, calibration: Calibration): Forecast[] {
  return horizonsMin.map((horizonMin, horizon) => {
    const { mean, dispersionForAny, dispersionForQuantiles } = calibration.correct(horizon, perMinute * horizonMin);
    const [q50 = 0, q90 = 0, q99 = 0] = quantiles(mean, dispersionForQuantiles, levels);
    return { resource, region, horizonMin, mean, p: probabilityOfAny(mean, dispersionForAny), q50, q90, q99 };
  });
}

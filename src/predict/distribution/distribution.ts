/** A calibrated mean as the forecast people and programs read: mean, P(≥1) and quantiles at one horizon. */
import type { RegionName, ResourceKey } from '../../kernel/index.ts';
import type { Calibrated } from '../evidence/calibration.ts';
import { horizonsMin } from '../forecaster.ts';
import type { Forecast } from '../forecaster.ts';
import { probabilityOfAny, quantiles } from './negative-binomial.ts';

const levels = [0.5, 0.9, 0.99] as const;

/** `horizon`: index into `horizonsMin`. */
export function distribution(resource: ResourceKey, region: RegionName, horizon: number, { mean, dispersionForAny, dispersionForQuantiles }: Calibrated): Forecast {
  // Millions at a time: read by index, for destructuring would run the array's iterator.
  const found = quantiles(mean, dispersionForQuantiles, levels);
  return {
    resource, region, horizonMin: horizonsMin[horizon] ?? horizonsMin[0], mean, p: probabilityOfAny(mean, dispersionForAny),
    q50: found[0] ?? 0, q90: found[1] ?? 0, q99: found[2] ?? 0,
  };
}

import { expect, test } from 'bun:test';
import type { RegionName } from '../../kernel/index.ts';
import { everywhere } from '../forecaster.ts';
import { KeyTable } from '../state/key-table.ts';
import { captures, isDemand } from './hour-bucket.ts';
import type { TraceMinute } from './hour-bucket.ts';
import { TotalScores } from './total-scores.ts';

const [eu, us] = ['eu', 'us'] as RegionName[]; // as a trace would name them

/** A minute with a request by people for each region named, and one by a crawler. */
function minuteOf(regions: readonly number[]): TraceMinute {
  const length = regions.length + 1;
  return {
    minuteMs: 0, timeMs: new Float64Array(length), resource: new Int32Array(length), client: new Int32Array(length), referer: new Int32Array(length).fill(-1),
    region: Int32Array.from([...regions, 0]), flags: Uint8Array.from([...regions.map(() => isDemand), captures]),
  };
}

test('totals are held to what came in their horizon, everywhere and by region, beside the minutes before', () => {
  const regions = new KeyTable<RegionName>();
  for (const region of [eu, us]) if (region !== undefined) regions.intern(region);
  const scores = new TotalScores(regions);
  const told = (region: RegionName, mean: number, q05: number, q95: number) => ({ region, horizonMin: 5 as const, mean, q05, q95 });
  // Four came, three from eu: the site's interval begins above, that of eu ends on it, and us had been forecast right.
  scores.score(0, [told(everywhere, 6, 5, 8), told(eu ?? everywhere, 2, 1, 3), told(us ?? everywhere, 1, 0, 2), { ...told(everywhere, 99, 99, 99), horizonMin: 10 }], [minuteOf([0, 0, 1]), minuteOf([0])], [minuteOf([0, 1])]);
  expect(scores.rows()).toEqual([
    { level: 'site', horizonMin: 5, forecasts: 1, central90: 0, below90: 1, error: 0.5, errorOfLast: 0.5 },
    { level: 'region', horizonMin: 5, forecasts: 2, central90: 1, below90: 0, error: 0.25, errorOfLast: 0.5 },
  ]);
});

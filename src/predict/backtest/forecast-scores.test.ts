import { expect, test } from 'bun:test';
import type { RegionName, ResourceKey } from '../../kernel/index.ts';
import type { CalibratedColumns } from '../full-forecasts.ts';
import { KeyTable } from '../state/key-table.ts';
import { ForecastScores } from './forecast-scores.ts';
import type { Saying } from './forecast-scores.ts';
import { isDemand } from './hour-bucket.ts';
import type { TraceMinute } from './hour-bucket.ts';
import { TraceNumbers } from './trace-numbers.ts';

const minuteMs = 60_000;
const resources = new KeyTable<ResourceKey>();
const regions = new KeyTable<RegionName>();
for (const name of ['/a', '/b']) resources.intern(name as ResourceKey); // as a trace would name them
for (const name of ['eu', 'us']) regions.intern(name as RegionName); // the same

function minute(startMin: number, pairs: readonly (readonly [resource: number, region: number])[]): TraceMinute {
  return {
    minuteMs: startMin * minuteMs, timeMs: Float64Array.from(pairs, () => startMin * minuteMs), resource: Int32Array.from(pairs, ([resource]) => resource),
    region: Int32Array.from(pairs, ([, region]) => region), flags: new Uint8Array(pairs.length).fill(isDemand), client: new Int32Array(pairs.length), referer: new Int32Array(pairs.length).fill(-1),
  };
}

/** An engine that numbers resources the other way round. */
function saying(ofKeys: readonly (readonly [key: number, mean: number])[], ofPairs: readonly (readonly [key: number, region: number, mean: number])[]): Saying {
  const columns = (level: 'site' | 'region', keys: number[], of: number[], means: number[]): CalibratedColumns => ({
    batch: { level, length: keys.length, keys: Int32Array.from(keys), regions: Int32Array.from(of), pairs: Int32Array.from(keys, () => 0) },
    mean: Float64Array.from(means), dispersionForAny: new Float64Array(keys.length), dispersionForQuantiles: new Float64Array(keys.length),
  });
  return {
    parts: [{ ofKeys: columns('site', ofKeys.map(([key]) => key), ofKeys.map(() => -1), ofKeys.map(([, mean]) => mean)), ofPairs: columns('region', ofPairs.map(([key]) => key), ofPairs.map(([, region]) => region), ofPairs.map(([, , mean]) => mean)) }],
    numbers: new TraceNumbers({ resources, regions }, { resources: { keyAt: (index) => resources.keyAt(1 - index) }, regions }),
  };
}

test('each forecast meets what came of its own resource and region', () => {
  const scores = new ForecastScores();
  scores.endMinute(minute(0, [[0, 0], [0, 1], [1, 0]]));
  scores.score(60 * minuteMs, 2, saying([[1, 2], [0, 0.2]], [[1, 0, 1.5], [1, 1, 0.5], [0, 0, 0.2]]), [minute(60, [[0, 0], [0, 0]]), minute(61, [[1, 1]])]);
  const rows = scores.rows();
  const of = (level: string, meanBelow: number) => rows.find((row) => row.level === level && row.meanBelow === meanBelow);
  expect(rows.every(({ horizonMin, forecasts }) => horizonMin === 15 && forecasts === 1)).toBe(true);
  const p = 1 - Math.exp(-2);
  expect(of('site', 3)).toMatchObject({ came: 1, said: p, logLoss: -Math.log(p), brier: (1 - p) ** 2 });
  // /b came, but from a region it was never asked for from before: the site's forecast meets it, the region's doesn't.
  expect([of('site', 0.3)?.came, of('region', 0.3)?.came, of('region', 3)?.came, of('region', 1)?.came]).toEqual([1, 0, 1, 0]);
  expect(of('region', 1)?.yardsticks.length).toBe(3);
  expect(of('site', 3)?.within.slice(0, 3)).toEqual([expect.closeTo(0.3473, 3), 1, 1]);
});

test('what is left out of the forecasts counts as one in a thousand', () => {
  const scores = new ForecastScores();
  scores.endMinute(minute(0, [[0, 0]]));
  scores.score(60 * minuteMs, 0, saying([[1, 1e-9]], []), []);
  expect(scores.rows()).toMatchObject([{ level: 'site', horizonMin: 5, said: 0.001, came: 0, yardsticks: [] }]);
});

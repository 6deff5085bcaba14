import { expect, test } from 'bun:test';
import { seededRandom } from '../../kernel/index.ts';
import { fitSeries, pathAhead, pathBehind } from './series-work.ts';
import type { SeriesFit } from './series-work.ts';

const endMs = Date.UTC(2024, 0, 15);
const random = seededRandom(7);

/** Poisson counts by Knuth's method, or rounded normals where they are many. */
function poisson(mean: number): number {
  if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * (random.next() + random.next() + random.next() + random.next() - 2) * Math.sqrt(3)));
  return random.poisson(mean);
}

const series = (days: number, meanAt: (step: number) => number): Float64Array => Float64Array.from({ length: days * 48 }, (_, step) => poisson(meanAt(step)));
const daily = (step: number): number => 60 * Math.exp(1.2 * Math.sin((2 * Math.PI * step) / 48));
async function fit(counts: Float64Array, large = false, holidays: { name: string; dates: string[] }[] = []): Promise<SeriesFit> {
  const { fits: [found] } = await fitSeries({ kind: 'series', endMs, series: [{ name: 'one', counts, model: undefined, large }], holidays });
  if (!found) throw new Error('a series has a fit');
  return found;
}
const ahead = ({ path }: SeriesFit, step: number): number => Math.exp((path[pathBehind + step] ?? 0) - (path[pathBehind] ?? 0));

test('a day is found in five days of it, and told ahead', async () => {
  const found = await fit(series(5, daily), true);
  expect(found.model).not.toBe('flat');
  expect(found.path.length).toBe(pathBehind + pathAhead);
  for (const step of [6, 12, 24]) expect(Math.abs(Math.log(ahead(found, step) / (daily(step) / daily(0))))).toBeLessThan(0.25);
  const loss = (name: string): number => found.losses.find(({ model }) => model === name)?.loss ?? NaN;
  expect(new Set(found.losses.map(({ model }) => model))).toEqual(new Set(['flat', 'drift', 'day', 'naive-day', 'ets', 'arima', 'mstl', 'prophet']));
  for (const seasonal of ['day', 'naive-day', 'arima', 'mstl', 'prophet']) expect(loss(seasonal)).toBeLessThan(0.8 * loss('flat'));
});

test('quiet weekends are found in three weeks', async () => {
  const weekly = (step: number): number => daily(step) * (Math.floor(step / 48) % 7 >= 5 ? 0.2 : 1);
  // 21 days that end with a weekend: the next day is busy again.
  const found = await fit(series(21, weekly), true);
  const { losses } = found;
  const loss = (name: string): number => losses.find(({ model }) => model === name)?.loss ?? NaN;
  expect(loss('week')).toBeLessThan(loss('flat'));
  const weeks = (await fitSeries({ kind: 'series', endMs, series: [{ name: 'one', counts: series(21, weekly), model: 'week', large: false }], holidays: [] })).fits[0];
  expect(weeks?.model).toBe('week');
  // At noon of the busy day against noon of the quiet day before.
  expect(Math.exp((weeks?.path[pathBehind + 24] ?? 0) - (weeks?.path[pathBehind - 24] ?? 0))).toBeGreaterThan(2);
});

test('no season is invented where there is none', async () => {
  for (const mean of [0.3, 5, 400]) {
    const { path } = await fit(series(6, () => mean));
    for (let step = 0; step < 8; step++) expect(Math.abs((path[pathBehind + step] ?? 0) - (path[pathBehind - 1] ?? 0))).toBeLessThan(mean < 1 ? 0.3 : 0.2);
  }
});

test('series without sense are flat, and what is missing does no harm', async () => {
  const empty = await fit(new Float64Array(0));
  expect([empty.model, empty.path.every((value) => value === 0)]).toEqual(['flat', true]);
  for (const counts of [new Float64Array(200), new Float64Array(200).fill(NaN), new Float64Array(200).fill(12)]) {
    const { path } = await fit(counts, true);
    expect(path.every((value) => Math.abs(value) < 0.05)).toBe(true);
  }
  const holes = series(5, daily).map((count, step) => (step % 17 === 3 || (step > 100 && step < 110) ? NaN : count));
  expect(Math.abs(Math.log(ahead(await fit(holes, true), 12) / (daily(12) / daily(0))))).toBeLessThan(0.35);
});

test('equal work, equal outcome; a model given is not chosen anew', async () => {
  const counts = series(6, daily);
  expect(await fit(counts, true)).toEqual(await fit(counts, true));
  const { fits: [given] } = await fitSeries({ kind: 'series', endMs, series: [{ name: 'one', counts, model: 'prophet', large: false }], holidays: [] });
  expect([given?.model, given?.losses.length]).toEqual(['prophet', 0]);
});

test('a holiday is learned from the last one', async () => {
  const dates = ['2024-01-05', '2024-01-12', '2024-01-15'];
  const isHoliday = (step: number): boolean => [4, 11].includes(Math.floor(step / 48));
  // Fourteen days from the first of January.
  const counts = series(14, (step) => daily(step) * (isHoliday(step) ? 3 : 1));
  const work = { kind: 'series', endMs, series: [{ name: 'one', counts, model: 'prophet', large: true }] } as const;
  const [withHoliday] = (await fitSeries({ ...work, holidays: [{ name: 'feast', dates }] })).fits;
  const [without] = (await fitSeries({ ...work, holidays: [] })).fits;
  const noon = (found: SeriesFit | undefined): number => Math.exp((found?.path[pathBehind + 24] ?? 0) - (found?.path[pathBehind - 24] ?? 0));
  expect(noon(withHoliday) / noon(without)).toBeGreaterThan(2);
});

import { expect, test } from 'bun:test';
import fc from 'fast-check';
import { seededRandom } from '../../kernel/index.ts';
import { charactersMax, familiesMax, FeedValues, placesMax } from './feed-values.ts';
import { historyMax } from './place.ts';
import { autoregressive, flapping, football, gaussian, jumping, score, stock } from './simulated-feeds.ts';
import { stateCharactersMax } from './value-text.ts';

const minuteMs = 60_000;

/** One value a minute at `/a`. */
function observed(series: readonly unknown[], values = new FeedValues(), pointer = '/a', siblings = '/{id}'): FeedValues {
  for (const [minute, value] of series.entries()) values.observe('feed', pointer, minute * minuteMs, value, siblings);
  return values;
}

function top(values: FeedValues, pointer: string, minute: number): unknown {
  return values.next('feed', pointer, minute * minuteMs, 15)?.next[0]?.value;
}

test('what is likely next: what came after this value, or how values like it move, here or elsewhere', () => {
  expect(top(observed(['red', 'green', 'red', 'green', 'red']), '/a', 5)).toBe('green');
  expect(top(observed([9, 8, 7, 6]), '/a', 4)).toBe(5);
  const scores = observed(['0:0', '1:0', '2:0', '2:1']);
  observed(['0:3'], scores, '/b');
  expect(scores.next('feed', '/b', 5 * minuteMs, 15)?.next.slice(0, 2).map(({ value }) => value)).toEqual(['1:3', '0:4']);
  const lights = observed(['green', 'amber', 'red']);
  observed(['green'], lights, '/b');
  expect(top(lights, '/b', 5)).toBe('amber');
  observed(['green'], lights, '/c', 'another family');
  expect([top(lights, '/c', 5), lights.next('feed', '/d', 5 * minuteMs, 15)]).toEqual([undefined, undefined]);
  expect(observed([3, 2, 1, 0]).next('feed', '/a', 4 * minuteMs, 15)?.next.map(({ value }) => value)).not.toContain(-1);
});

test('the longer a horizon the more likely a change, and what has been still for long is not expected to move soon', () => {
  const values = observed([1, 2, 3, 4, 5, 6]);
  const at = (minute: number, horizonMin: number): number => values.next('feed', '/a', minute * minuteMs, horizonMin)?.changes ?? -1;
  expect(at(6, 30)).toBeGreaterThan(at(6, 5));
  expect(at(6, 5)).toBeGreaterThan(0.7);
  expect(at(2000, 5)).toBeLessThan(0.2);
});

test('of what is too long to be a state it is known only whether it changes', () => {
  const values = observed([0, 1, 2, 3].map((n) => ({ text: `${n}${'x'.repeat(stateCharactersMax)}` })));
  const forecast = values.next('feed', '/a', 4 * minuteMs, 15);
  expect(forecast).toEqual({ horizonMin: 15, changes: forecast?.changes ?? -1, values: [], next: [], interval: undefined });
  expect(forecast?.changes).toBeGreaterThan(0.8);
});

test('scores, stock and states: better than "unchanged", told how likely a change is, on made matches, sales and lights', () => {
  const seeds = { football: football(11, 20, 2500), stock: stock(12, 20, 2500), flapping: flapping(13, 20, 2500) };
  const gain = (simulated: keyof typeof seeds, horizonMin: number): number => {
    const { logLoss, unchangedLogLoss, calibrationGap } = score(seeds[simulated], horizonMin);
    expect(calibrationGap).toBeLessThan(0.1);
    return 1 - logLoss / unchangedLogLoss;
  };
  expect(gain('football', 15)).toBeGreaterThan(0.2);
  expect(gain('stock', 15)).toBeGreaterThan(0.3);
  expect(gain('flapping', 5)).toBeGreaterThan(0.08);
}, 30_000);

test('a 90 % interval covers 87 to 93 % where values move by any law; one that never moves is not expected to', () => {
  for (const [make, horizonMin] of [[autoregressive, 15], [jumping, 15], [jumping, 30]] as const) {
    const { covered } = score(make(17, 10, 3000), horizonMin);
    expect(covered).toBeGreaterThan(0.87);
    expect(covered).toBeLessThan(0.93);
  }
  const constant = observed([0, 5, 4, 4]);
  for (let minute = 4; minute < 400; minute++) constant.observe('feed', '/b', minute * minuteMs, 7, '/{id}');
  expect(constant.next('feed', '/b', 400 * minuteMs, 15)?.changes).toBeLessThan(0.1);
}, 30_000);

test('whatever a number does, in the long run its interval misses one time in ten', () => {
  fc.assert(fc.property(fc.integer(), fc.double({ min: -0.99, max: 0.999, noNaN: true }), fc.double({ min: -1, max: 1, noNaN: true }), fc.integer({ min: 1, max: 1000 }), (seed, memory, drift, scale) => {
    const random = seededRandom(seed);
    const values = new FeedValues();
    const series: number[] = [100];
    let state = 0;
    for (let minute = 1; minute < 3400; minute++) {
      state = memory * state + gaussian(random);
      series.push(Math.round((100 + scale * state + drift * minute) * 1000) / 1000);
    }
    let covered = 0;
    let asked = 0;
    for (const [minute, value] of series.entries()) {
      values.observe('feed', '/a', minute * minuteMs, value);
      const after = series[minute + 5];
      const interval = minute < 1000 || minute % 3 > 0 ? undefined : values.interval('feed', '/a', 5);
      if (!interval || after === undefined) continue;
      asked++;
      if (after >= interval.low && after <= interval.high) covered++;
    }
    expect(asked).toBeGreaterThan(700);
    expect(covered / asked).toBeGreaterThan(0.87);
    expect(covered / asked).toBeLessThan(0.93);
  }), { seed: 5, numRuns: 12 });
}, 60_000);

test('probabilities are those of one distribution, in order', () => {
  fc.assert(fc.property(fc.array(fc.oneof(fc.nat(5), fc.constantFrom('a', 'b', '1:2', null, true), fc.double({ noNaN: true, noDefaultInfinity: true })), { minLength: 1, maxLength: 80 }), (series) => {
    const values = observed(series);
    for (const horizonMin of [5, 30]) {
      const forecast = values.next('feed', '/a', series.length * minuteMs, horizonMin);
      for (const chances of [forecast?.values ?? [], forecast?.next ?? []]) {
        const probabilities = chances.map(({ probability }) => probability);
        expect(probabilities.reduce((sum, probability) => sum + probability, 0)).toBeLessThanOrEqual(1 + 1e-9);
        expect(probabilities).toEqual(probabilities.slice().sort((a, b) => b - a));
      }
      expect(forecast?.changes).toBeGreaterThanOrEqual(0);
      expect(forecast?.changes).toBeLessThanOrEqual(1);
    }
  }), { seed: 6, numRuns: 150 });
});

test('watched values, their changes, families and characters are bounded: the longest untouched goes', () => {
  const values = new FeedValues();
  for (let i = 0; i <= placesMax; i++) values.observe('feed', `/${i}`, i, i, '/{id}');
  expect([values.size().values, values.next('feed', '/0', placesMax, 15), values.next('feed', '/1', placesMax, 15)?.horizonMin]).toEqual([placesMax, undefined, 15]);
  for (let i = 0; i <= familiesMax; i++) values.observe(`feed ${i}`, '/x', placesMax + i, i);
  expect([values.size().families, values.next('feed', '/9', placesMax, 15)]).toEqual([familiesMax, undefined]);
  const wide = new FeedValues();
  const long = (i: number): string => `${i}`.padStart(stateCharactersMax - 2, '-');
  for (let place = 0; place < 1000; place++) for (let i = 0; i < historyMax + 5; i++) wide.observe('feed', `/${place}`, place * 1000 + i, long(i), '/{id}');
  expect(wide.size().values).toBe(Math.floor(charactersMax / (historyMax * stateCharactersMax)));
}, 30_000);

test('what was learned survives a restart, and nothing else is read', () => {
  const series = [...football(3, 1, 800)[0] ?? []];
  const values = observed(series);
  observed(autoregressive(4, 1, 300)[0] ?? [], values, '/n', 'numbers');
  const again = FeedValues.read(values.write());
  for (const pointer of ['/a', '/n']) expect(again.next('feed', pointer, 900 * minuteMs, 15)).toEqual(values.next('feed', pointer, 900 * minuteMs, 15));
  expect([again.watched('feed'), again.size()]).toEqual([values.watched('feed'), values.size()]);
  expect(again.write()).toEqual(values.write());
  expect(() => FeedValues.read(values.write().subarray(1))).toThrow('can not be read');
});

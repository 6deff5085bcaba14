import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import { ByteReader, ByteWriter, seededRandom } from '../../kernel/index.ts';
import { Alarms } from './alarms.ts';
import { afterCell, aftermath, burstCell, persistence } from './persistence.ts';
import { RateFilter, stateCount } from './rate-filter.ts';
import { Ratios } from './ratios.ts';
import { surprise } from './surprise.ts';
import { none, regionsMax, WatchList, watchedMax } from './watch-list.ts';

describe('surprise', () => {
  test('bounds the upper tail of a count whose rate is known as a gamma is', () => {
    // P(X ≥ 10) of a negative binomial of mean 2 and shape 4 is .0042, summed up.
    expect(Math.exp(-surprise(10, 2, 4))).toBeGreaterThan(0.0042);
    expect(Math.exp(-surprise(10, 2, 4))).toBeLessThan(0.042);
    expect([surprise(2, 2, 4), surprise(0, 2, 4), surprise(5, 0, 4)]).toEqual([0, 0, 0]);
  });

  test('grows with the count, and falls with the mean', () => {
    fc.assert(fc.property(fc.double({ min: 0.001, max: 1000, noNaN: true }), fc.integer({ min: 1, max: 5000 }), (mean, more) => {
      const count = mean + more;
      expect(surprise(count + 1, mean, 4)).toBeGreaterThan(surprise(count, mean, 4));
      expect(surprise(count, mean * 1.01, 4)).toBeLessThanOrEqual(surprise(count, mean, 4));
    }), { seed: 3, numRuns: 200 });
  });
});

describe('RateFilter', () => {
  const after = (usual: number, counts: readonly number[]): { readonly level: number; readonly burst: number } => {
    const filter = new RateFilter(2);
    filter.settle(1);
    let level = usual;
    for (const count of counts) level = filter.step(1, count, usual);
    expect(filter.states.slice(stateCount).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 4);
    return { level, burst: filter.burst };
  };

  test('follows a jump within two minutes, and its end within two', () => {
    const on = after(0.1, [20, 22]);
    expect([on.level > 14, on.level < 28, on.burst > 0.99]).toEqual([true, true, true]);
    expect(after(0.1, [20, 22, 18, 0, 0]).level).toBeLessThan(1);
  });

  test('stays at the usual rate while counts are as usual', () => {
    const { level, burst } = after(5, [4, 6, 5, 7, 3, 5, 4, 6]);
    expect([Math.abs(level - 5) < 2, burst < 0.2]).toEqual([true, true]);
    expect(after(0.01, [0, 0, 0, 1, 0, 0]).burst).toBeLessThan(0.5);
  });
});

describe('Ratios', () => {
  test('learn what part of a change is true, in its sign, from priors', () => {
    const ratios = new Ratios({ cells: 4, parents: 2, horizons: 1, pseudo: 6, evidenceMax: 150, prior: () => 0.5 });
    expect(ratios.of(0, 0)).toBe(0.5);
    for (let i = 0; i < 200; i++) ratios.learn(0, 0, 2, 10, 10);
    expect(Math.abs(ratios.of(0, 0) - 0.8)).toBeLessThan(0.05);
    // The sibling knows what the parent knows; the other family nothing.
    expect(ratios.of(2, 0)).toBeGreaterThan(0.7);
    expect(ratios.of(1, 0)).toBe(0.5);
    for (let i = 0; i < 200; i++) ratios.learn(1, 0, 10, -8, 8);
    expect(Math.abs(ratios.of(1, 0) - 0.25)).toBeLessThan(0.05);
  });

  test('long tails: what has lasted a while is expected to last, what has just begun or falls is not', () => {
    const ratios = persistence();
    const of = (age: number, trend: number, horizon: number): number => ratios.of(burstCell(age, trend, 1000, 20, true), horizon);
    expect(of(30, 1, 3)).toBeGreaterThan(of(3, 1, 3));
    expect(of(3, 1, 0)).toBeGreaterThan(of(3, 1, 3));
    expect(of(3, 0, 0)).toBeLessThan(of(3, 1, 0));
    expect(aftermath().of(afterCell(5, 100, 3), 2)).toBeGreaterThan(0.5);
  });
});

test('the threshold of alarms rises with false ones, once a minute, and sinks again; it allows for the number of keys', () => {
  const alarms = new Alarms();
  for (let minute = 0; minute < 600; minute++) alarms.pass(10);
  const few = alarms.threshold;
  for (let i = 0; i < 5; i++) alarms.judge(true);
  expect(alarms.threshold).toBeCloseTo(few * Math.exp(0.15), 6);
  for (let minute = 0; minute < 600; minute++) alarms.pass(10);
  expect(alarms.threshold).toBeCloseTo(few, 2);
  for (let minute = 0; minute < 600; minute++) alarms.pass(10_000);
  expect(alarms.threshold).toBeGreaterThan(few + 4);
});

describe('WatchList', () => {
  test('never holds more keys than its limit: the least interesting make room', () => {
    const list = new WatchList();
    for (let key = 0; key < 2 * watchedMax; key++) {
      const place = list.add(key, 1, 0.1, 1, 1);
      // The first is the most interesting of all.
      list.expected.fill(key === 0 ? 1000 : 1, place * 4, place * 4 + 4);
    }
    expect(list.size).toBeLessThanOrEqual(watchedMax);
    expect(list.placeOf(0)).not.toBe(none);
    expect(list.placeOf(2 * watchedMax - 1)).not.toBe(none);
    expect(Array.from(list.keys).filter((key) => key !== none)).toHaveLength(list.size);
  });

  test('makes room for an eighth at a time: keys least likely to be in a burst go first, then those of which least is said', () => {
    const list = new WatchList();
    for (let key = 0; key < watchedMax; key++) {
      const place = list.add(key, 1, 0.1, 1, 1);
      list.certainty[place] = key % 2 === 0 ? 0.4 : 0;
      if (key >= 1000) list.expected.fill(key, place * 4, place * 4 + 4);
    }
    expect(list.makeRoom(3000)).toBe(watchedMax / 8);
    // 500 of the odd ones below 1000, and then the first of the even ones.
    expect([list.placeOf(999), list.placeOf(22)]).toEqual([none, none]);
    expect([list.placeOf(24) === none, list.placeOf(watchedMax - 1) === none]).toEqual([false, false]);
    expect(list.makeRoom(watchedMax / 8)).toBe(watchedMax / 8);
    expect([list.makeRoom(3000), list.size]).toEqual([watchedMax / 8, watchedMax - watchedMax / 8]);
    for (let key = 0; key < watchedMax; key++) expect(list.keys[list.placeOf(key)] ?? key).toBe(key);
  });

  test('tells a bounded number of regions apart, the strongest stay', () => {
    const list = new WatchList();
    const place = list.add(0, 1, 0.1, 1, 1);
    list.addRegion(place, 7, 50);
    for (let region = 100; region < 100 + 3 * regionsMax; region++) list.addRegion(place, region, 1);
    expect(list.regionWeight(place, 7)).toBe(50);
    expect(list.topRegionPart(place)).toBeCloseTo(50 / (50 + regionsMax - 1), 6);
  });

  test('a snapshot that names a key twice, or none there is, is refused', () => {
    const list = new WatchList();
    list.add(3, 1, 0.1, 1, 1);
    const bytes = (): ByteReader => {
      const writer = new ByteWriter('TEST', 1);
      list.write(writer, { get: (key) => key, has: () => true });
      return new ByteReader(writer.finish(), 'TEST', 1, 'a test');
    };
    const back = new WatchList();
    back.read(bytes(), 4);
    expect([back.size, back.placeOf(3) === none]).toEqual([1, false]);
    expect(() => { new WatchList().read(bytes(), 3); }).toThrow('can not be read');
    expect(() => { back.read(bytes(), 4); }).toThrow('can not be read');
  });
});

test('ratios and alarms come back from bytes as they were', () => {
  const random = seededRandom(9);
  const ratios = persistence();
  for (let i = 0; i < 500; i++) ratios.learn(random.below(300), random.below(4), random.next() * 5, random.next() * 20, random.below(30));
  const alarms = new Alarms();
  alarms.pass(40);
  alarms.judge(true);
  const writer = new ByteWriter('TEST', 1);
  ratios.write(writer);
  alarms.write(writer);
  const reader = new ByteReader(writer.finish(), 'TEST', 1, 'a test');
  const back = persistence();
  back.read(reader);
  const alarmsBack = new Alarms();
  alarmsBack.read(reader);
  for (let cell = 0; cell < 300; cell++) expect(back.of(cell, cell % 4)).toBe(ratios.of(cell, cell % 4));
  expect(alarmsBack.threshold).toBe(alarms.threshold);
});

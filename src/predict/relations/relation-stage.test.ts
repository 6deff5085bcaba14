import { describe, expect, test } from 'bun:test';
import type { DemandJourneys } from '../../demand/index.ts';
import { Journeys } from '../../demand/index.ts';
import { ByteReader, ByteWriter, seededRandom } from '../../kernel/index.ts';
import type { RegionName, ResourceKey, VariationKey } from '../../kernel/index.ts';
import { baseRates } from '../base/base-rates.ts';
import { Intake } from '../intake.ts';
import { journeyColumns } from '../journey-columns.ts';
import { siteBatch } from '../stage.ts';
import type { Batch } from '../stage.ts';
import { createState } from '../state/state.ts';
import { raisedMax, RelationStage } from './relation-stage.ts';

const minuteMs = 60_000;
const startMs = 1_700_000_040_000;
const eu = 'eu' as RegionName; // as a configuration would name them
const us = 'us' as RegionName;

interface Request { readonly visitor: number; readonly name: string; readonly region?: RegionName }

/** A stage with the state it stands on, told requests minute by minute as an edge and the engine would. */
class Site {
  readonly state = createState(5000, 1);
  readonly stage = new RelationStage(this.state);
  readonly #intake = new Intake(this.state, 5000, (key) => { this.stage.forget(key); });
  readonly #journeys = new Journeys();
  minute = 0;

  get nowMs(): number {
    return startMs + this.minute * minuteMs;
  }

  next(requests: readonly Request[]): DemandJourneys {
    const { nowMs, state } = this;
    if (state.beganMs === 0) state.beganMs = nowMs;
    for (const { visitor, name, region = eu } of requests) this.#journeys.note(visitor, `/${name}` as ResourceKey, region, nowMs);
    const journeys = this.#journeys.take(nowMs + minuteMs);
    const counts = requests.map(({ name, region = eu }) => ({ resource: `/${name}` as ResourceKey, variation: '' as VariationKey, region, count: 1 }));
    this.stage.observe({ startMs: nowMs, ...this.#intake.take(nowMs, counts), ...journeyColumns(state, journeys) });
    this.minute++;
    return journeys;
  }

  key(name: string): number {
    return this.state.resources.indexOf(`/${name}` as ResourceKey) ?? -1;
  }

  /** Requests beyond the base's that the stage expects of a resource in the next 15 minutes. */
  beyond(name: string, region?: RegionName): number {
    const key = this.key(name);
    const regionIndex = region === undefined ? -1 : this.state.regions.indexOf(region) ?? -1;
    const batch: Batch = region === undefined ? siteBatch(Int32Array.of(key))
      : { level: 'region', length: 1, keys: Int32Array.of(key), regions: Int32Array.of(regionIndex), pairs: Int32Array.of(this.state.regionsOf.find(key, regionIndex)) };
    const base = baseRates(this.state, batch, this.nowMs);
    const made = base.slice();
    this.stage.apply(batch, made, 2, this.nowMs);
    return ((made[0] ?? 0) - (base[0] ?? 0)) * 15;
  }
}

/** Visitors who go from a list to a product three minutes later and to the cart two minutes after that, and others who look at something else. */
function shop(site: Site, minutes: number, seed = 1, perMinute = 0.2): void {
  const random = seededRandom(seed);
  const due = new Map<number, Request[]>();
  const later = (request: Request, inMin: number): void => { due.set(site.minute + inMin, [...due.get(site.minute + inMin) ?? [], request]); };
  for (let minute = 0; minute < minutes; minute++) {
    const visitor = site.minute + seed * 1e6;
    const requests = due.get(site.minute) ?? [];
    if (random.next() < perMinute) {
      const region = random.next() < 0.5 ? eu : us;
      requests.push({ visitor, name: 'list', region });
      later({ visitor, name: 'product', region }, 3);
      later({ visitor, name: 'cart', region }, 5);
    }
    requests.push({ visitor: visitor + 5e5, name: 'news' });
    site.next(requests);
  }
}

describe('RelationStage', () => {
  test('a journey of three steps: who asked for the first is expected at the others, where it asked', () => {
    const site = new Site();
    shop(site, 1500);
    for (let quiet = 0; quiet < 30; quiet++) site.next([{ visitor: 9, name: 'news' }]);
    expect(site.beyond('product')).toBeLessThanOrEqual(0);
    site.next([{ visitor: 10, name: 'list', region: us }]);
    expect(site.beyond('product')).toBeGreaterThan(0.4);
    expect(site.beyond('cart')).toBeGreaterThan(0.08);
    expect(site.beyond('product', us)).toBeGreaterThan(4 * Math.max(0.01, site.beyond('product', eu)));
    expect(Math.abs(site.beyond('list'))).toBeLessThan(0.2);
    expect([...site.stage.raised(site.nowMs)]).toEqual(expect.arrayContaining([site.key('product'), site.key('cart')]));
    // It has come, or will not any more.
    for (let passed = 0; passed < 30; passed++) site.next([{ visitor: 9, name: 'news' }]);
    expect(site.beyond('product')).toBeLessThanOrEqual(0);
  });

  test('brings no bias: over many moments what it adds adds up to nothing', () => {
    const site = new Site();
    shop(site, 1500);
    let beyond = 0;
    let base = 0;
    for (let moment = 0; moment < 600; moment++) {
      shop(site, 1, 2 + moment);
      const batch = siteBatch(Int32Array.of(site.key('product')));
      base += 15 * (baseRates(site.state, batch, site.nowMs)[0] ?? 0);
      beyond += site.beyond('product');
    }
    expect(Math.abs(beyond)).toBeLessThan(0.1 * base);
  });

  test('a sweep: the next of the list are expected, the nearest most, those behind it not', () => {
    const site = new Site();
    const random = seededRandom(4);
    // Every page of the list has been asked for on some day, in no order.
    for (let i = 0; i < 1000; i++) site.next([{ visitor: i, name: `item-${random.below(400)}` }]);
    for (let i = 0; i < 400; i++) if (site.key(`item-${i}`) < 0) site.next([{ visitor: i, name: `item-${i}` }]);
    for (let passed = 0; passed < 60; passed++) site.next([]);
    for (let at = 0; at < 100; at += 5) site.next([0, 1, 2, 3, 4].map((step) => ({ visitor: 5e6, name: `item-${at + step}` })));
    expect(site.beyond('item-105')).toBeGreaterThan(0.2);
    expect(site.beyond('item-105')).toBeGreaterThan(site.beyond('item-165'));
    expect(Math.abs(site.beyond('item-300'))).toBeLessThan(0.1);
    expect(Math.abs(site.beyond('item-50'))).toBeLessThan(0.05);
  });

  test('learns how far to believe: what never comes true is believed less and less', () => {
    const site = new Site();
    shop(site, 1500);
    site.next([{ visitor: 10, name: 'list' }]);
    const before = site.beyond('product');
    const batch = siteBatch(Int32Array.of(site.key('product')));
    for (let time = 0; time < 200; time++) {
      site.stage.prepare(batch, Float64Array.of(0.001), site.nowMs);
      site.stage.learn('site', Float64Array.of(0));
    }
    expect(site.beyond('product')).toBeLessThan(0.5 * before);
  });

  test('is bounded: a flood of random resources and visitors leaves memory, and what is known of real ones', () => {
    const site = new Site();
    shop(site, 600);
    const random = seededRandom(7);
    const flood = (): Request[] => Array.from({ length: 200 }, () => ({ visitor: random.below(1e6), name: `x${random.below(1e9)}` }));
    const bytes = site.stage.bytes();
    for (let minute = 0; minute < 200; minute++) {
      site.next(flood());
      if (minute % 4 === 0) shop(site, 4, 100 + minute, 0.5);
    }
    expect(site.stage.bytes()).toBeLessThan(bytes + 30 * 200 * 16 + 5000 * 8 * 4);
    const without = site.beyond('product');
    site.next([{ visitor: 10, name: 'list' }, { visitor: 11, name: 'list' }]);
    expect(site.beyond('product') - without).toBeGreaterThan(0.6);
  });

  test('a forgotten key is forgotten: its index is another\'s', () => {
    const site = new Site();
    shop(site, 600);
    site.stage.forget(site.key('product'));
    site.next([{ visitor: 10, name: 'list' }]);
    expect(site.beyond('product')).toBe(0);
    expect(site.beyond('cart')).toBeGreaterThan(0);
  });

  test('equal runs are equal, and a stage read from what another wrote goes on like it', () => {
    const [one, other] = [new Site(), new Site()];
    // Up to a minute in which what is usual is summed again, as a stage that was read does.
    for (const site of [one, other]) shop(site, 707);
    const written = (site: Site): Uint8Array => {
      const writer = new ByteWriter('FSBS', 1);
      site.stage.write(writer, { get: (index) => index, has: (index) => site.state.resources.keyAt(index) !== undefined });
      return writer.finish();
    };
    expect(written(one)).toEqual(written(other));
    const read = new RelationStage(one.state);
    const reader = new ByteReader(written(one), 'FSBS', 1, 'a stage');
    read.read(reader);
    reader.end();
    const batch = siteBatch(Int32Array.from(['list', 'product', 'cart', 'news'].map((name) => one.key(name))));
    const rates = (stage: RelationStage): Float64Array => {
      const made = baseRates(one.state, batch, one.nowMs);
      stage.apply(batch, made, 1, one.nowMs);
      return made;
    };
    // Sums of the same numbers in another order differ in their last digits.
    const goesOn = rates(one.stage);
    rates(read).forEach((rate, i) => { expect(rate).toBeCloseTo(goesOn[i] ?? 0, 12); });
    expect(rates(one.stage)).not.toEqual(baseRates(one.state, batch, one.nowMs));
  });

  test('no more than the most raised are told of', () => {
    const site = new Site();
    const all = (name: string): Request[] => Array.from({ length: raisedMax + 100 }, (_, i) => ({ visitor: i, name: `${name}${i}` }));
    const quiet = (minutes: number): void => { for (let minute = 0; minute < minutes; minute++) site.next([{ visitor: 9e6, name: 'news' }]); };
    quiet(60);
    site.next(all('from'));
    site.next(all('to'));
    quiet(1000);
    site.next(all('from'));
    expect([...site.stage.raised(site.nowMs)].length).toBe(raisedMax);
  });

  test('without journeys it is silent', () => {
    const site = new Site();
    for (let minute = 0; minute < 100; minute++) site.next([{ visitor: minute, name: 'a' }, { visitor: 1000 + minute, name: 'b' }]);
    expect([site.beyond('a'), site.beyond('b'), [...site.stage.raised(site.nowMs)].length]).toEqual([0, 0, 0]);
  });
});

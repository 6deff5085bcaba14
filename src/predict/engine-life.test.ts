/** What becomes of an engine over its life: stops and starts, and keys that come and go. */
import { describe, expect, test } from 'bun:test';
import type { DemandCount } from '../demand/index.ts';
import { seededRandom } from '../kernel/index.ts';
import type { RegionName, ResourceKey, VariationKey } from '../kernel/index.ts';
import { DemandEngine } from './engine.ts';
import { everywhere } from './forecaster.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const startMs = 1_700_000_040_000;
const counted = (resource: string, count: number, region = 'eu'): DemandCount => ({ resource: resource as ResourceKey, region: region as RegionName, variation: '' as VariationKey, count });
/** Without the parts that look at the time of day, for which a stop did take place. */
const plain = { keysMax: 1000, without: new Set(['season', 'trees'] as const) };

/** A day of four pages, from one request a minute to one in a quarter of an hour. */
function dayOf(engine: DemandEngine, minutes = 1440): number {
  const random = seededRandom(9);
  for (let minute = 0; minute < minutes; minute++) {
    engine.observe(startMs + minute * minuteMs, [1, 0.5, 0.2, 0.07].flatMap((rate, page) => (random.next() < rate ? [counted(`/page/${page}`, 1, page === 2 ? 'us' : 'eu')] : [])));
  }
  return startMs + minutes * minuteMs;
}

describe('a stop of the engine', () => {
  const before = new DemandEngine(plain);
  const stoppedMs = dayOf(before);
  const snapshot = before.snapshot();
  const known = before.rates(stoppedMs, 10, 'next');
  const perMinute = (rates: readonly { readonly perMinute: number }[]): number[] => rates.map((rate) => rate.perMinute);

  test.each([2, 90, 6 * 60])('of %p minutes is not taken for silence', (stopMin) => {
    const nowMs = stoppedMs + stopMin * minuteMs;
    const after = new DemandEngine({ ...plain, snapshot });
    after.observe(nowMs, []);
    // As if the minute had come at once.
    const whole = new DemandEngine({ ...plain, snapshot });
    whole.observe(stoppedMs, []);
    const [found, wanted] = [after.rates(nowMs + minuteMs, 10, 'next'), whole.rates(stoppedMs + minuteMs, 10, 'next')];
    expect(found.map(({ resource }) => resource)).toEqual(wanted.map(({ resource }) => resource));
    perMinute(found).forEach((rate, i) => { expect(rate).toBeCloseTo(perMinute(wanted)[i] ?? 0, 9); });
    expect(found.map(({ lastSeenMs }) => lastSeenMs)).toEqual(wanted.map(({ lastSeenMs }) => lastSeenMs + stopMin * minuteMs));
    const region = (engine: DemandEngine, atMs: number): number => engine.forecast(atMs, '/page/2' as ResourceKey, 'us' as RegionName)?.[2]?.mean ?? 0;
    expect(region(after, nowMs + minuteMs)).toBeCloseTo(region(whole, stoppedMs + minuteMs), 9);
  });

  test('is over when somebody asks, before anything new was counted; and asking changes nothing', () => {
    const nowMs = stoppedMs + 3 * hourMs + 17_000;
    const asked = new DemandEngine({ ...plain, snapshot });
    // A minute or two may not have been told yet: 1 / 10 of the shortest scale's memory.
    asked.rates(nowMs, 10, 'next').forEach(({ perMinute: rate }, i) => { expect(Math.abs(rate / (known[i]?.perMinute ?? 0) - 1)).toBeLessThan(0.1); });
    for (let ms = 0; ms < 4 * minuteMs; ms += 5000) asked.rates(nowMs + ms, 10, 'next');
    const silent = new DemandEngine({ ...plain, snapshot });
    for (const engine of [asked, silent]) engine.observe(stoppedMs + 3 * hourMs + 4 * minuteMs, [counted('/page/1', 1)]);
    expect([...asked.forecasts(nowMs + 10 * minuteMs, 0, 0)]).toEqual([...silent.forecasts(nowMs + 10 * minuteMs, 0, 0)]);
  });

  test('is over for who reads forecasts as columns, too', () => {
    const meanOf = (engine: DemandEngine, atMs: number): number => [...engine.columns(atMs, 0, 2)].reduce((sum, { ofKeys }) => sum + ofKeys.mean.reduce((all, mean) => all + mean, 0), 0);
    const [after, whole] = [new DemandEngine({ ...plain, snapshot }), new DemandEngine({ ...plain, snapshot })];
    const nowMs = stoppedMs + 5 * hourMs;
    expect(Math.abs(meanOf(after, nowMs) / meanOf(whole, stoppedMs) - 1)).toBeLessThan(0.1);
  });

  test('that is longer than six hours is silence from then on', () => {
    const after = new DemandEngine({ ...plain, snapshot });
    after.observe(stoppedMs + 30 * hourMs, []);
    const whole = new DemandEngine({ ...plain, snapshot });
    whole.observe(stoppedMs, []);
    whole.observe(stoppedMs + 24 * hourMs, []);
    const [found, wanted] = [perMinute(after.rates(stoppedMs + 30 * hourMs + minuteMs, 10, 'next')), perMinute(whole.rates(stoppedMs + 24 * hourMs + minuteMs, 10, 'next'))];
    found.forEach((rate, i) => { expect(rate).toBeCloseTo(wanted[i] ?? 0, 9); });
  });

  test('is forgiven once, however often somebody asks', () => {
    const asked = new DemandEngine({ ...plain, snapshot });
    for (const hours of [2, 5, 9]) asked.rates(stoppedMs + hours * hourMs, 1, 'next');
    const silent = new DemandEngine({ ...plain, snapshot });
    for (const engine of [asked, silent]) engine.observe(stoppedMs + 12 * hourMs, []);
    expect(asked.rates(stoppedMs + 12 * hourMs + minuteMs, 10, 'next')).toEqual(silent.rates(stoppedMs + 12 * hourMs + minuteMs, 10, 'next'));
  });

  test('is none after the first minute: silence counts', () => {
    const after = new DemandEngine({ ...plain, snapshot });
    after.observe(stoppedMs, []);
    const busiest = after.rates(stoppedMs + minuteMs, 1, 'next')[0]?.perMinute ?? 0;
    after.observe(stoppedMs + 6 * hourMs, []);
    expect(after.rates(stoppedMs + 6 * hourMs + minuteMs, 1, 'next')[0]?.perMinute ?? 0).toBeLessThan(0.5 * busiest);
  });
});

describe('keys that come and go', () => {
  test('a site that has more keys than there is room for goes on learning how good its forecasts are', () => {
    const engine = new DemandEngine({ keysMax: 300 });
    for (let minute = 0; minute < 400; minute++) {
      engine.observe(startMs + minute * minuteMs, [
        ...Array.from({ length: 40 }, (_, i) => counted(`/page/${i}`, 1, i % 2 === 0 ? 'eu' : 'us')), ...Array.from({ length: 30 }, (_, i) => counted(`/once/${minute}-${i}`, 1)),
      ]);
    }
    const nowMs = startMs + 400 * minuteMs;
    expect(engine.size().keys).toBeLessThanOrEqual(300);
    const scored = engine.report().accuracy.reduce((sum, { forecasts }) => sum + forecasts, 0);
    expect(scored).toBeGreaterThan(500);
    // Steady pages are all there, and forecast as steady; of those that came once nobody expects much.
    const rates = engine.rates(nowMs, 40, 'next');
    expect(new Set(rates.map(({ resource }) => resource as string))).toEqual(new Set(Array.from({ length: 40 }, (_, i) => `/page/${i}`)));
    for (const { perMinute } of rates) expect(Math.abs(perMinute - 1)).toBeLessThan(0.25);
    const once = engine.forecast(nowMs, `/once/398-3` as ResourceKey, everywhere)?.[2]?.mean ?? 1;
    expect(once).toBeLessThan(2);
  });

  test('what had to make room counts as not asked for again, whoever has its place', () => {
    const engine = new DemandEngine({ keysMax: 300 });
    // Pages that come once, each time with more requests than those whose places they take had.
    for (let minute = 0; minute < 300; minute++) {
      engine.observe(startMs + minute * minuteMs, [counted('/home', 3), ...Array.from({ length: 30 }, (_, i) => counted(`/once/${minute}-${i}`, 1 + Math.floor(minute / 8)))]);
    }
    const rows = engine.report().accuracy.filter(({ level }) => level === 'site');
    expect(rows.reduce((sum, { forecasts }) => sum + forecasts, 0)).toBeGreaterThan(500);
    // Of all that was judged only the home page came again.
    const came = rows.reduce((sum, { forecasts, came: part }) => sum + forecasts * part, 0);
    expect(came).toBeLessThan(12);
  });

  test('a pair that was dropped and is new again has had no four thousand million requests', () => {
    const engine = new DemandEngine({ keysMax: 16 });
    for (let minute = 0; minute < 200; minute++) {
      const counts = [counted('/a', 2, 'eu'), counted('/a', 2, 'us')];
      if (minute % 30 === 25) counts.push(counted('/b', 3, 'eu'), counted('/b', 3, 'us'));
      // After each sample (every half hour from the first hour on), more regions than there is room for; then the dropped one with less than it had.
      if (minute % 30 === 1 && minute > 60) counts.push(...Array.from({ length: 70 }, (_, i) => counted('/c', 50, `r${minute}-${i}`)));
      if (minute % 30 === 2) counts.push(counted('/b', 1, 'eu'));
      engine.observe(startMs + minute * minuteMs, counts);
    }
    const mean = engine.forecast(startMs + 200 * minuteMs, '/b' as ResourceKey, 'eu' as RegionName)?.[2]?.mean ?? Infinity;
    expect(mean).toBeLessThan(2);
  });

  test('a snapshot of more keys than allowed is read whole, and brought to the limit as new ones come', () => {
    const large = new DemandEngine({ keysMax: 500 });
    for (let minute = 0; minute < 5; minute++) large.observe(startMs + minute * minuteMs, Array.from({ length: 400 }, (_, i) => counted(`/${i}`, 1 + (i % 7), i % 3 === 0 ? 'eu' : 'us')));
    const small = new DemandEngine({ keysMax: 50, snapshot: large.snapshot() });
    expect(small.size().keys).toBe(400);
    small.observe(startMs + 5 * minuteMs, [counted('/new', 3)]);
    expect(small.size().keys).toBe(50);
    expect(small.rates(startMs + 6 * minuteMs, 100, 'next').map(({ resource }) => resource as string)).toContain('/new');
  });
});

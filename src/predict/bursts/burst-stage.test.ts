import { describe, expect, test } from 'bun:test';
import { seededRandom } from '../../kernel/index.ts';
import type { RegionName, ResourceKey, VariationKey } from '../../kernel/index.ts';
import type { DemandCount } from '../../demand/index.ts';
import { DemandEngine } from '../engine.ts';
import type { EngineOptions } from '../engine.ts';
import { everywhere } from '../forecaster.ts';

const minuteMs = 60_000;
const startMs = Date.UTC(2026, 2, 2);
// As parsers of addresses and configurations would leave them.
const key = (name: string): ResourceKey => `https://site.example/${name}` as ResourceKey;
const eu = 'eu' as RegionName;
const us = 'us' as RegionName;
const whole = '' as VariationKey;
const counted = (name: string, count: number, region = eu): DemandCount => ({ resource: key(name), variation: whole, region, count });

const alone = (options: Partial<EngineOptions> = {}): DemandEngine => new DemandEngine({ keysMax: 1000, without: new Set(['season', 'relations', 'trees']), ...options });

/** Three hours of 40 pages asked for now and then from two regions, always the same. */
function usual(engine: DemandEngine, from = 0, to = 180): number {
  const random = seededRandom(4);
  for (let minute = 0; minute < to; minute++) {
    const counts: DemandCount[] = [];
    for (let page = 0; page < 40; page++) if (random.next() < 0.1) counts.push(counted(`page/${page}`, 1, random.next() < 0.5 ? eu : us));
    if (minute >= from) engine.observe(startMs + minute * minuteMs, counts);
  }
  return to;
}

const meanOf = (engine: DemandEngine, minute: number, name: string, horizon: number, region = everywhere): number => engine.forecast(startMs + minute * minuteMs, key(name), region)?.[horizon]?.mean ?? 0;

describe('BurstStage', () => {
  test.each([['page/3', 'burst'], ['new', 'birth']] as const)('a surge of 30 a minute on %s is within a factor of 2 after three minutes, and told', (name, why) => {
    const engine = alone();
    const other = alone({ without: new Set(['season', 'relations', 'bursts', 'trees']) });
    let minute = usual(engine);
    usual(other);
    for (let i = 0; i < 3; i++) {
      for (const one of [engine, other]) one.observe(startMs + minute * minuteMs, [counted(name, 30)]);
      minute++;
    }
    expect(meanOf(engine, minute, name, 0)).toBeGreaterThan(75);
    expect(meanOf(engine, minute, name, 0)).toBeLessThan(300);
    expect(meanOf(other, minute, name, 0)).toBeLessThan(75);
    // Less is said of later minutes: it may end.
    expect(meanOf(engine, minute, name, 3) / 30).toBeLessThan(meanOf(engine, minute, name, 0) / 5);
    const [told] = engine.emerging(10);
    expect([told?.resource, told?.why, told?.sinceMs, told?.regions]).toEqual([key(name), why, startMs + 180 * minuteMs, [{ region: eu, share: 1 }]]);
    expect((told?.perMinute ?? 0) > 10 * (told?.usualPerMinute ?? Infinity)).toBe(true);
    expect(engine.rates(startMs + minute * minuteMs, 1, 'next')[0]?.resource).toBe(key(name));
  });

  test('a burst in one region raises the others, though less', () => {
    const engine = alone();
    let minute = usual(engine);
    const before = meanOf(engine, minute, 'page/3', 0, us);
    for (let i = 0; i < 3; i++) engine.observe(startMs + minute++ * minuteMs, [counted('page/3', 30)]);
    expect(meanOf(engine, minute, 'page/3', 0, us)).toBeGreaterThan(3 * before);
    expect(meanOf(engine, minute, 'page/3', 0, us)).toBeLessThan(meanOf(engine, minute, 'page/3', 0, eu) / 2);
  });

  test('when more keys surge than can be watched, the most surprising are', () => {
    const pages = 6000;
    const engine = alone({ keysMax: pages });
    const each = (count: (page: number) => number): DemandCount[] => Array.from({ length: pages }, (_, page) => counted(`page/${page}`, count(page)));
    for (let minute = 0; minute < 30; minute++) engine.observe(startMs + minute * minuteMs, each(() => 1).filter((_, page) => page % 30 === minute));
    for (const minute of [30, 31, 32]) engine.observe(startMs + minute * minuteMs, each((page) => (page === 0 || page === pages - 1 ? 40 : 8)));
    for (const page of [0, pages - 1]) expect(meanOf(engine, 33, `page/${page}`, 0)).toBeGreaterThan(100);
    const raised = Array.from({ length: 60 }, (_, i) => meanOf(engine, 33, `page/${1 + 100 * i}`, 0) > 20);
    expect([raised.includes(true), raised.includes(false)]).toEqual([true, true]);
  });

  test('what has ended is expected no more, sooner than by the base rates', () => {
    const engine = alone();
    const other = alone({ without: new Set(['season', 'relations', 'bursts', 'trees']) });
    let minute = usual(engine);
    usual(other);
    for (let i = 0; i < 35; i++) {
      for (const one of [engine, other]) one.observe(startMs + minute * minuteMs, [counted('page/3', i < 30 ? 30 : 0), counted('page/4', 1)].filter(({ count }) => count > 0));
      minute++;
    }
    expect(meanOf(engine, minute, 'page/3', 0)).toBeLessThan(0.7 * meanOf(other, minute, 'page/3', 0));
    expect(engine.emerging(10)).toEqual([]);
  });

  test('minutes left out are minutes of silence, but not those in which the engine stood still', () => {
    const engine = alone();
    let minute = usual(engine);
    for (let i = 0; i < 3; i++) engine.observe(startMs + minute++ * minuteMs, [counted('page/3', 30)]);
    const said = meanOf(engine, minute, 'page/3', 0);
    const back = alone({ snapshot: engine.snapshot() });
    expect(meanOf(back, minute, 'page/3', 0)).toBeCloseTo(said, 4);
    expect(back.emerging(10).map(({ resource, perMinute, sinceMs }) => [resource, perMinute, sinceMs])).toEqual(engine.emerging(10).map(({ resource, perMinute, sinceMs }) => [resource, perMinute, sinceMs]));
    for (const one of [engine, back]) one.observe(startMs + (minute + 8) * minuteMs, [counted('page/3', 30)]);
    // One burst that ended and another, and one that goes on.
    expect([engine, back].map((one) => one.emerging(10)[0]?.sinceMs)).toEqual([startMs + (minute + 8) * minuteMs, startMs + 180 * minuteMs]);
  });

  test('a crowd that came along one link is told with it', () => {
    const engine = alone();
    let minute = usual(engine);
    for (let i = 0; i < 3; i++) engine.observe(startMs + minute++ * minuteMs, [counted('page/3', 30), counted('page/9', 1)], { steps: [{ from: key('page/9'), to: key('page/3'), lagMin: 1, count: 20 }], sweeps: [] });
    const [told] = engine.emerging(1);
    expect(told?.from).toEqual({ resource: key('page/9'), share: 1 });
  });

  test('a flood of more keys than are watched is survived, and equal runs are equal', () => {
    const play = (): string => {
      const engine = alone({ keysMax: 12_000 });
      let minute = usual(engine);
      for (let i = 0; i < 3; i++) engine.observe(startMs + minute++ * minuteMs, Array.from({ length: 9000 }, (_, page) => counted(`flood/${page}`, 5 + (page % 7))));
      return JSON.stringify([engine.rates(startMs + minute * minuteMs, 50, 'next'), engine.emerging(20)]);
    };
    expect(play()).toBe(play());
  });
});

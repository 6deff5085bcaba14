import { expect, test } from 'bun:test';
import type { ResourceKey } from '../../kernel/index.ts';
import { Newcomers, watchedMax, type Newcomer } from './newcomers.ts';
import { playNews } from './simulated-news.ts';
import { Parents, parentsMax, Sections, sectionsMax } from './surroundings.ts';

const minuteMs = 60_000;
const startMs = 1_700_000_000_000;
const key = (text: string): ResourceKey => text as ResourceKey; // spelled as resourceKey would
const usual = 5e-4;

const listed = (resource: string, facts: Partial<Newcomer> = {}): Newcomer => ({ resource: key(resource), source: 'sitemap', parent: undefined, changedMs: undefined, ...facts });

/** Pages that come one a minute, are asked about each minute, and are asked for `afterMin` later, those of them that `asked` says. */
function play(newcomers: Newcomers, minutes: number, make: (i: number, bornMs: number) => Newcomer, asked: (i: number) => boolean, parentPerMinute?: (i: number) => number, count = 1): void {
  for (let minute = 0; minute < minutes; minute++) {
    const nowMs = startMs + minute * minuteMs;
    for (let i = Math.max(0, minute - 30); i <= minute; i++) {
      if (i < minute - 5 && asked(i)) continue;
      newcomers.perMinute(make(i, startMs + i * minuteMs), parentPerMinute?.(i), usual, nowMs);
    }
    const due = minute - 5;
    newcomers.observe(nowMs, due >= 0 && asked(due) ? [{ resource: make(due, startMs + due * minuteMs).resource, count }] : []);
  }
}

test('before anything is known all count as the constants say', () => {
  const newcomers = new Newcomers();
  expect(newcomers.perMinute(listed('/a'), undefined, usual, startMs)).toBe(usual);
  expect(newcomers.perMinute(listed('/b', { source: 'link', parent: key('/'), bornMs: startMs }), 50, 1e-5, startMs)).toBe(1e-5);
});

test('what is young, of a section that is asked for, and said to be so, is expected soon; others of its section, older, or of another are not', () => {
  const newcomers = new Newcomers();
  play(newcomers, 300, (i, bornMs) => listed(`/${i % 2 === 0 ? 'news' : 'press'}/${i}`, { changedMs: bornMs }), (i) => i % 2 === 0);
  const nowMs = startMs + 300 * minuteMs;
  const at = (path: string, ageMin: number | undefined): number => newcomers.perMinute(listed(path, { changedMs: ageMin === undefined ? undefined : nowMs - ageMin * minuteMs }), undefined, usual, nowMs);
  expect(at('/news/new', 5)).toBeGreaterThan(100 * usual);
  expect(at('/news/new2', 5)).toBeGreaterThan(10 * at('/press/new', 5));
  expect(at('/news/new3', 5)).toBeGreaterThan(10 * at('/news/old', 30 * 1440));
  expect(at('/news/unknown', undefined)).toBeLessThan(at('/news/new4', 5));
});

test('links from a page that rises are asked for sooner, where that has been seen', () => {
  const newcomers = new Newcomers();
  // Each page is alone with its link, at rest for half an hour; then one in four is asked for ten times as much.
  for (let i = 0; i < 200; i++) {
    const link = listed(`/a/${i}`, { source: 'link', parent: key(`/page${i}`), bornMs: startMs });
    const rising = i % 4 === 3;
    for (let minute = 0; minute < 60; minute++) {
      const nowMs = startMs + minute * minuteMs;
      if (!(rising && minute > 40)) newcomers.perMinute(link, rising && minute >= 30 ? 5 : 0.5, 1e-5, nowMs);
    }
  }
  newcomers.observe(startMs + 41 * minuteMs, Array.from({ length: 50 }, (_, i) => ({ resource: key(`/a/${4 * i + 3}`), count: 1 })));
  const nowMs = startMs + 60 * minuteMs;
  const at = (name: string, before: number, now: number): number => {
    const link = listed(`/a/${name}`, { source: 'link', parent: key(`/page-${name}`), bornMs: nowMs - 30 * minuteMs });
    for (let minute = -30; minute < 0; minute++) newcomers.perMinute(link, before, 1e-5, nowMs + minute * minuteMs);
    return newcomers.perMinute(link, now, 1e-5, nowMs);
  };
  expect(at('rising', 0.5, 5)).toBeGreaterThan(5 * at('steady', 5, 5));
});

test('requests that follow the first count too: a copy is good for all of them', () => {
  const single = new Newcomers();
  const crowd = new Newcomers();
  for (const [newcomers, count] of [[single, 1], [crowd, 12]] as const) play(newcomers, 200, (i, bornMs) => listed(`/news/${i}`, { changedMs: bornMs }), (i) => i % 3 === 0, undefined, count);
  const nowMs = startMs + 200 * minuteMs;
  const of = (newcomers: Newcomers): number => newcomers.perMinute(listed('/news/new', { changedMs: nowMs }), undefined, usual, nowMs);
  expect(of(crowd)).toBeGreaterThan(5 * of(single));
});

test('what leaves the lists teaches nothing, and evidence fades', () => {
  const newcomers = new Newcomers();
  newcomers.perMinute(listed('/a', { changedMs: startMs }), undefined, usual, startMs);
  newcomers.observe(startMs + 3 * 3_600_000, [{ resource: key('/a'), count: 1 }]);
  expect(newcomers.perMinute(listed('/b', { changedMs: startMs }), undefined, usual, startMs)).toBeCloseTo(usual, 12);
  play(newcomers, 100, (i, bornMs) => listed(`/${i}`, { changedMs: bornMs }), () => true);
  const young = (nowMs: number): number => newcomers.perMinute(listed('/young', { changedMs: nowMs }), undefined, usual, nowMs);
  const before = young(startMs + 100 * minuteMs);
  newcomers.observe(startMs + 200 * 86_400_000, []);
  expect(young(startMs + 200 * 86_400_000)).toBeLessThan(before / 20);
});

test('discoveries watched, sections and pages are bounded', () => {
  const newcomers = new Newcomers();
  for (let i = 0; i < watchedMax + 10; i++) newcomers.perMinute(listed(`/${i}`, { changedMs: startMs }), undefined, usual, startMs);
  expect(newcomers.size().watched).toBe(watchedMax);
  const old = new Newcomers();
  for (let i = 0; i < 8000; i++) old.perMinute(listed(`/${i}`), undefined, usual, startMs);
  expect(old.size().watched).toBeGreaterThan(800);
  expect(old.size().watched).toBeLessThan(1200);
  const sections = new Sections();
  const numbers = new Set(Array.from({ length: sectionsMax + 50 }, (_, i) => sections.numberOf(key(`/section${i}/a`))));
  expect([numbers.size, sections.numberOf(key('/section3/b?c')), sections.numberOf(key('//host/section3/c')), sections.numberOf(key('/section999/x'))]).toEqual([sectionsMax, 4, 4, 0]);
  const parents = new Parents();
  parents.demandOf(key('/first'), 1, startMs);
  for (let i = 0; i < parentsMax; i++) parents.demandOf(key(`/${i}`), 1, startMs);
  // Forgotten: what was once at rest at 1 is new at 9, and does not rise.
  expect([parents.demandOf(key('/first'), 9, startMs + 60_000) % 2, parents.demandOf(key(`/${parentsMax - 1}`), 9, startMs + 60_000) % 2]).toEqual([0, 1]);
});

test('what was learned survives a restart, and nothing else is read', () => {
  const newcomers = new Newcomers();
  play(newcomers, 200, (i, bornMs) => listed(`/${i % 2 === 0 ? 'news' : 'press'}/${i}`, { changedMs: bornMs }), (i) => i % 2 === 0);
  const again = Newcomers.read(newcomers.write());
  const nowMs = startMs + 200 * minuteMs;
  for (const path of ['/news/x', '/press/x', '/other']) {
    const one = listed(path, { changedMs: nowMs });
    expect(again.perMinute(one, undefined, usual, nowMs)).toBe(newcomers.perMinute(one, undefined, usual, nowMs));
  }
  expect(() => Newcomers.read(newcomers.write().subarray(1))).toThrow('can not be read');
});

test('on a made news site more first requests of new pages find a copy than by the constants, with the same budget', () => {
  const share = (newcomers: Newcomers | undefined): number => {
    const { found, firsts } = playNews(5, 2, 0.5, newcomers);
    return found / firsts;
  };
  const byConstants = share(undefined);
  const learned = share(new Newcomers());
  expect(learned).toBeGreaterThan(byConstants + 0.3);
}, 60_000);

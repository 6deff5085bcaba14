import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TraceFindings } from '../../demand/trace/index.ts';
import { seededRandom } from '../../kernel/index.ts';
import { doWork } from '../work.ts';
import { playTrace } from './play.ts';
import type { PlayOptions, PlayResult } from './play.ts';
import type { PlanRefreshes } from './player.ts';
import { TraceMinutes } from './trace-minutes.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const beganMs = Date.UTC(2024, 2, 4);
let folder = '';
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'foreshadow-play-')); });
afterAll(() => { rmSync(folder, { recursive: true }); });

/** Requests of a site with a few busy and many quiet pages, some of which are born on the way. Lines in order of time. */
function makeTrace(hours: number, seed: number): string[] {
  const random = seededRandom(seed);
  const lines: string[] = [];
  for (let timeMs = 0; timeMs < hours * hourMs; timeMs += random.exponential(2500)) {
    const born = Math.floor(timeMs / hourMs) * 20;
    const page = Math.floor(random.next() ** 3 * 400) + (random.next() < 0.3 ? born : 0);
    lines.push(JSON.stringify({ time: Math.floor(beganMs + timeMs), url: `/p/${page}`, region: ['eu', 'us'][random.below(2)] }));
  }
  return lines;
}

function write(name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, lines.join('\n'));
  return path;
}

const usual: PlayOptions = {
  warmupMs: 4 * hourMs, outageEveryMs: 30 * minuteMs, outageLengthMs: 15 * minuteMs, freshForMs: 30 * minuteMs,
  budgetPerMinute: 3, forecastsFromStart: false, without: new Set(),
};

/** Refreshes what is asked for most among what would be too old. */
const greedy: PlanRefreshes = ({ rates, budget, freshForMs, outageMs }) =>
  rates.filter(({ ageMs }) => (ageMs ?? Infinity) > freshForMs - outageMs).slice(0, budget).map(({ resource }) => resource);

interface Played {
  readonly result: PlayResult;
  readonly refreshes: string[];
  readonly forecasts: string[];
  readonly trace: TraceMinutes;
  readonly findings: TraceFindings;
}

async function play(files: readonly string[], options: Partial<PlayOptions> = {}, clientRequestsMax = Infinity): Promise<Played> {
  const findings = new TraceFindings();
  const trace = new TraceMinutes({ format: 'auto', findings, resourcesMax: 10_000, clientRequestsMax });
  const refreshes: string[] = [];
  const forecasts: string[] = [];
  const result = await playTrace(trace, files, { ...usual, ...options }, {
    plan: greedy,
    doWork,
    onRefresh: (atMs, resource) => { refreshes.push(`${atMs} ${resource}`); },
    onForecasts: (atMs, list) => { for (const forecast of list) forecasts.push(`${atMs} ${JSON.stringify(forecast)}`); },
    onMinute: () => undefined,
  });
  return { result, refreshes, forecasts, trace, findings };
}

function coverage(result: PlayResult, policy: keyof PlayResult['outages'][number]['scores']): number {
  const sum = (what: 'covered' | 'requests'): number => result.outages.reduce((total, { scores }) => total + scores[policy][what], 0);
  return sum('covered') / sum('requests');
}

const timeOf = (line: string): number => Number(line.split(' ')[0]);

describe('playTrace', () => {
  test('is causal: cutting the trace after any minute leaves every line up to it as it was', async () => {
    const lines = makeTrace(10, 1);
    const whole = await play([write('whole.json', lines)]);
    expect(whole.refreshes.length).toBeGreaterThan(500);
    // Models were trained on the way, and what came of it was adopted before the last cut.
    expect(whole.result.work).toEqual({ begun: 1, lost: 0 });
    for (const cutMin of [271, 307, 450, 540]) {
      const endMs = beganMs + (cutMin + 1) * minuteMs;
      const cut = await play([write('cut.json', lines.filter((line) => (JSON.parse(line) as { time: number }).time < endMs))]);
      expect(cut.refreshes).toEqual(whole.refreshes.filter((line) => timeOf(line) < endMs));
      expect(cut.forecasts).toEqual(whole.forecasts.filter((line) => timeOf(line) < endMs));
    }
  }, 60_000);

  test('the order of lines within a day, and how they are spread over files, changes nothing', async () => {
    const lines = makeTrace(8, 2);
    const random = seededRandom(3);
    const shuffled = lines.map((line) => ({ line, at: random.next() })).sort((a, b) => a.at - b.at).map(({ line }) => line);
    const inOrder = await play([write('order.json', lines)]);
    const disordered = await play([write('b.json', shuffled.slice(0, 3000)), write('a.json', shuffled.slice(3000))]);
    expect(disordered.findings.list()).toEqual([]);
    expect(new Set(disordered.refreshes)).toEqual(new Set(inOrder.refreshes));
    // Rivals break ties by the order of reading; Foreshadow must not.
    const own = ({ result }: Played): unknown => result.outages.map(({ atMs, scores }) => [atMs, scores.foreshadow, scores.passive]);
    expect(own(disordered)).toEqual(own(inOrder));
  });

  test('who knows more covers more, and nobody refreshes beyond the budget', async () => {
    const { result, refreshes } = await play([write('rivals.json', makeTrace(14, 4))]);
    expect(result.outages.length).toBe(20);
    expect(coverage(result, 'clairvoyant')).toBeGreaterThan(coverage(result, 'semiClairvoyant'));
    expect(coverage(result, 'semiClairvoyant')).toBeGreaterThan(coverage(result, 'popular'));
    expect(coverage(result, 'foreshadow')).toBeGreaterThan(coverage(result, 'passive') + 0.02);
    const perMinute = Map.groupBy(refreshes, timeOf);
    expect(Math.max(...[...perMinute.values()].map((list) => list.length))).toBe(3);
  });

  test('without a budget everybody is what passing requests make them', async () => {
    const { result, refreshes } = await play([write('none.json', makeTrace(7, 5))], { budgetPerMinute: 0 });
    expect(refreshes).toEqual([]);
    expect(coverage(result, 'foreshadow')).toBe(coverage(result, 'passive'));
    expect(coverage(result, 'clairvoyant')).toBe(coverage(result, 'passive'));
  });

  test('less than one refresh a minute adds up', async () => {
    const { refreshes } = await play([write('less.json', makeTrace(7, 6))], { budgetPerMinute: 0.25 });
    const minutes = refreshes.map(timeOf);
    expect(new Set(minutes).size).toBe(minutes.length);
    expect(Math.abs(refreshes.length - (7 * 60) / 4)).toBeLessThan(10);
  });

  test('a copy of exactly the age that is asked for covers; errors and crawlers are not scored, crawlers leave copies', async () => {
    const line = (minute: number, url: string, more: object = {}): string => JSON.stringify({ time: beganMs + minute * minuteMs, url, ...more });
    const trace = [
      line(0, '/first'), line(60, '/exact'), line(59, '/older', { userAgent: 'Googlebot/2.1' }), line(70, '/gone', { status: 404 }), line(70, '/form', { method: 'POST' }),
      line(90, '/exact'), line(90, '/older'), line(91, '/gone', { status: 404 }), line(92, '/older', { userAgent: 'Googlebot/2.1' }), line(105, '/last'),
    ];
    const { result, trace: read } = await play([write('ages.json', trace)], { warmupMs: 90 * minuteMs, budgetPerMinute: 0 });
    expect(result.outages.map(({ atMs, scores }) => [atMs - beganMs, scores.passive])).toEqual([[90 * minuteMs, { requests: 2, covered: 1, byRefresh: 0, answered: 2 }]]);
    expect(read.totals).toEqual({ kinds: { person: 8, crawler: 2, prefetch: 0, generated: 0 }, demand: 5, otherwise: 3, heavyClients: 0 });
  });

  test('clients with more requests a day than wanted are left out altogether: demand, copies and scores', async () => {
    const line = (minute: number, url: string, client?: string): string => JSON.stringify({ time: beganMs + minute * minuteMs, url, client });
    const robot = Array.from({ length: 6 }, (_, i) => line(3 * i, '/a', 'robot'));
    // Ten hours later in the same day there are few of it; the day after it is nobody.
    const later = [line(20, '/a', 'person'), line(25, '/b'), line(31, '/a', 'person'), line(32, '/b'), line(45, '/c'), line(600, '/a', 'robot'), line(26 * 60, '/b', 'robot')];
    const { trace, result } = await play([write('robots.json', [...robot, ...later])], { warmupMs: 10 * minuteMs, budgetPerMinute: 0 }, 6);
    expect(trace.totals).toMatchObject({ demand: 6, heavyClients: 7 });
    expect(result.outages[0]?.scores.passive).toEqual({ requests: 2, covered: 2, byRefresh: 0, answered: 2 });
    expect((await play([write('robots.json', [...robot, ...later])], { warmupMs: 10 * minuteMs, budgetPerMinute: 0 }, 7)).trace.totals).toMatchObject({ demand: 13, heavyClients: 0 });
  });

  test('a line from another age is not believed, a silent year is passed over, and the trace goes on', async () => {
    const lines = makeTrace(5, 7);
    const later = lines.map((line) => line.replace(/"time":(\d+)/, (_, time: string) => `"time":${Number(time) + 300 * 24 * hourMs}`));
    const stray = JSON.stringify({ time: 4_000_000_000_000, url: '/stray' });
    const { result, findings } = await play([write('ages.json', [...lines.slice(0, 100), stray, ...lines.slice(100), ...later])]);
    expect(findings.list().map(({ kind, count }) => [kind, count])).toEqual([['bad-time', 2]]);
    expect(result.lastMs - result.firstMs).toBeGreaterThan(299 * 24 * hourMs);
    expect(result.outages.reduce((sum, { scores }) => sum + scores.passive.requests, 0)).toBeGreaterThan(1000);
  });
});

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { seededRandom } from '../kernel/index.ts';
import { runBacktest } from './backtest.ts';

let folder = '';
beforeAll(() => { folder = mkdtempSync(join(tmpdir(), 'foreshadow-backtest-')); });
afterAll(() => { rmSync(folder, { recursive: true }); });

const beganMs = Date.UTC(2024, 2, 4);
const minuteMs = 60_000;

/** A combined log of some hours, with crawlers, errors and rubbish in it. */
function makeLog(hours: number): string[] {
  const random = seededRandom(31);
  const lines: string[] = [];
  for (let timeMs = beganMs; timeMs < beganMs + hours * 60 * minuteMs; timeMs += random.exponential(3000)) {
    const [, day = '', month = '', year = '', clock = ''] = /(\d\d) (\w{3}) (\d{4}) ([\d:]{8})/.exec(new Date(timeMs).toUTCString()) ?? [];
    const page = Math.floor(random.next() ** 3 * 300);
    const agent = random.next() < 0.1 ? 'ExampleBot/1.0 (+http://bot.example)' : 'Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0';
    lines.push(`192.0.2.${random.below(256)} - - [${day}/${month}/${year}:${clock} +0000] "GET /p/${page} HTTP/1.1" ${random.next() < 0.05 ? 404 : 200} 512 "-" "${agent}"`);
  }
  return lines;
}

async function run(...args: string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  let out = '';
  let err = '';
  const code = await runBacktest(args, { out: (text) => { out += text; }, err: (text) => { err += text; }, isTty: false, env: {} });
  return { code, out, err };
}

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
/** Lines of NDJSON whose `t` is before a time. */
const before = (text: string, endMs: number): string[] => text.split('\n').filter((line) => line !== '' && (JSON.parse(line) as { t: number }).t < endMs);

describe('foreshadow backtest', () => {
  test('reads a compressed log, prints coverage, and writes all it is asked for', async () => {
    const trace = write('site.log.gz', gzipSync([...makeLog(9), 'rubbish'].join('\n')));
    const [plan, forecast, json, report] = ['plan', 'forecast', 'json', 'html'].map((name) => join(folder, `out.${name}`));
    const { code, out, err } = await run('--trace', trace, '--warmup', '3h', '--refresh-budget', '2/min', '--plan-out', plan ?? '', '--forecast-out', forecast ?? '', '--json', json ?? '', '--report', report ?? '');
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('1 line neither JSON nor the combined or common log format: left out');
    expect(out).toContain('Foreshadow');
    expect(Object.keys(JSON.parse(before(read('out.plan'), Infinity)[0] ?? '') as object)).toEqual(['t', 'resource', 'region']);
    const forecasts = before(read('out.forecast'), Infinity).map((line) => JSON.parse(line) as { t: number; region: string; p: number; horizonMin: number });
    expect(Object.keys(forecasts[0] ?? {})).toEqual(['t', 'region', 'resource', 'horizonMin', 'mean', 'p', 'q50', 'q90', 'q99']);
    expect(forecasts.every(({ t, region, p, horizonMin }) => t >= beganMs + 180 * minuteMs && t % (30 * minuteMs) === 0 && region === '*' && p >= 0.001 && p <= 1 && [5, 10, 15, 30].includes(horizonMin))).toBe(true);
    const summary = JSON.parse(read('out.json')) as { badLines: number; requests: { crawlers: number }; policies: { policy: string; coverage: number }[] };
    expect(summary.badLines).toBe(1);
    expect(summary.requests.crawlers).toBeGreaterThan(500);
    const coverage = new Map(summary.policies.map((policy) => [policy.policy, policy.coverage]));
    expect(coverage.get('foreshadow') ?? 0).toBeGreaterThan(coverage.get('passive') ?? 1);
    expect(read('out.html')).toStartWith('<!doctype html>');
    const page = read('out.html');
    expect(page).toContain('of requests would have been answered by fresh copies; with caching alone, ');
    expect(page).toContain('<path class="line foreshadow" d="M');
    for (const why of ['never asked for before', 'too rare for the budget']) expect(page).toContain(why);
    // Nothing from anywhere else, and nothing of a line's address.
    expect(page).not.toMatch(/https?:|src=|@import|192\.0\.2\./);
  });

  test('is causal with every default: a cut trace gives the same plan and forecasts up to the cut', async () => {
    const lines = makeLog(8);
    const cutMs = beganMs + 307 * minuteMs;
    const whole = await run('--trace', write('whole.log', lines.join('\n')), '--plan-out', join(folder, 'whole.plan'), '--forecast-out', join(folder, 'whole.forecast'));
    const kept = lines.filter((line) => Date.parse((/\[(\d\d)\/(\w{3})\/(\d{4}):([\d:]{8})/.exec(line) ?? []).slice(1, 5).join(' ') + 'Z') < cutMs);
    expect(kept.length).toBeLessThan(lines.length);
    await run('--trace', write('cut.log', kept.join('\n')), '--plan-out', join(folder, 'cut.plan'), '--forecast-out', join(folder, 'cut.forecast'));
    expect(whole.err).toMatch(/^warm-up: 2\.\d h, a third of a trace of 8 h/);
    for (const name of ['plan', 'forecast']) {
      const cut = before(read(`cut.${name}`), Infinity);
      expect(cut.length).toBeGreaterThan(100);
      expect(cut).toEqual(before(read(`whole.${name}`), cutMs));
    }
  });

  test.each([
    [[], 'no trace is given'],
    [['--trace', 'x', '--format', 'csv'], '--format csv is not known'],
    [['--trace', 'x', '--warmup', 'soon'], '--warmup soon is not a duration'],
    [['--trace', 'x', '--refresh-budget', '30'], '--refresh-budget 30 is not a rate'],
    [['--trace', 'x', '--outage-every', '90s'], 'not in whole minutes'],
    [['--trace', 'x', '--outage-length', '1h'], 'longer than --fresh-for'],
    [['--trace', 'x', '--surprise'], 'surprise'],
    [['--trace', 'x', '--without', 'season,luck'], '--without luck is not a part of the engine'],
    [['--trace', 'x', '--clients-above', 'many'], '--clients-above many is not a number a day'],
  ])('%p is wrong usage, in one line', async (args, message) => {
    const { code, out, err } = await run(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toStartWith('foreshadow backtest: ');
    expect(err).toContain(message);
    expect(err.trimEnd()).not.toContain('\n');
  });

  test.each([
    ['a missing trace', () => ['--trace', join(folder, 'nowhere.log')], 'can not be read'],
    ['a trace without a readable line', () => ['--trace', write('none.log', 'a\tb\nc\td\n')], 'no line of'],
    ['an output that can not be opened', () => ['--trace', write('one.log', makeLog(1).join('\n')), '--json', join(folder, 'no', 'where')], 'can not be written'],
    ['a trace too short to score', () => ['--trace', write('short.log', makeLog(0.2).join('\n')), '--warmup', '1h'], 'no outage could be scored'],
  ])('%s fails with 1 and one line', async (_, args, message) => {
    const { code, err } = await run(...args());
    expect(code).toBe(1);
    expect(err).toContain(message);
    expect(err.trimEnd()).not.toContain('\n');
  });
});

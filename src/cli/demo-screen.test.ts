import { expect, test } from 'bun:test';
import { introduction, line, table, verdict } from './demo-screen.ts';
import { Tally } from './demo-tally.ts';

const tally = new Tally(['eu-west', 'us-east']);
for (let at = 0; at < 30; at++) tally.add({ region: 'eu-west', atMs: 9000 + at, source: at < 10 ? 'origin' : 'shadow', outcome: 'right', latencyMs: at, shadowable: true });
tally.add({ region: 'us-east', atMs: 9000, source: 'none', outcome: 'failed', latencyMs: 50, shadowable: true });
const state = { regions: tally.regions(10_000), elapsedMs: 65_000, shop: 'killed', seen: { state: 'down', share: 1, shadows: 1242, feeds: { all: 11, well: 11, sick: undefined } }, lastWrong: undefined };

test('the table shows rates by source and counts what went wrong', () => {
  const rows = table(state).split('\n');
  expect(rows[0]).toBe('01:05   shop killed   Foreshadow sees it down, 100 % to shadows, 1242 shadows ready');
  expect(rows[1]?.trim()).toBe('live data: all 11 feeds well');
  expect(rows.find((row) => row.startsWith('eu-west'))?.split(/\s+/)).toEqual(['eu-west', '6.0', '2.0', '4.0', '0.0', '0.0', '0', '0', '0', '29', 'ms']);
  expect(rows.find((row) => row.startsWith('us-east'))?.split(/\s+/)).toEqual(['us-east', '0.2', '0.0', '0.0', '0.0', '0.2', '1', '0', '0', '50', 'ms']);
});

test('a line and the verdict say the same without a terminal', () => {
  expect(line({ ...state, seen: undefined })).toContain('seen unknown, live data: unknown | eu-west origin 10 shadow 20 rescue 0 none 0 failed 0 wrong 0 refused 0 p99 29 ms | us-east');
  expect(verdict(state.regions)).toBe('31 answers: 10 from origin, 20 from shadow, 0 from rescue, 1 from nobody; 1 failed, 0 wrong, 0 carts and accounts refused');
});

test('feeds that are not well are named, and so is what was wrong', () => {
  const sick = { ...state, seen: { ...state.seen, feeds: { all: 11, well: 9, sick: 'prices: the host could not be connected to' } }, lastWrong: 'the price of bread' };
  expect(table(sick)).toContain('live data: 9 of 11 feeds well (prices: the host could not be connected to)');
  expect(line(sick)).toContain('live data: 9 of 11 feeds well');
  expect(table(sick)).toContain('last wrong: the price of bread');
  expect(table(state)).not.toContain('last wrong');
  expect(verdict(sick.regions, sick.lastWrong)).toEndWith('carts and accounts refused; the last wrong: the price of bread');
});

test('the introduction names every place and speaks of keys only where there are some', () => {
  const places = { regions: [{ name: 'eu-west', url: 'http://127.0.0.1:8080' }], admin: 'http://127.0.0.1:8090', shop: 'http://127.0.0.1:3000' };
  for (const place of ['http://127.0.0.1:8080', 'http://127.0.0.1:8090/metrics', 'http://127.0.0.1:3000']) expect(introduction(places, false)).toContain(place);
  expect(introduction(places, true)).toContain('press k');
  expect(introduction(places, true)).toContain('press f');
  expect(introduction(places, false)).toContain('watch its price and stock move');
  expect(introduction(places, false)).not.toContain('press');
});

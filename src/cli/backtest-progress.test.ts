import { expect, test } from 'bun:test';
import { ManualClock } from '../kernel/index.ts';
import { BacktestProgress } from './backtest-progress.ts';

const hourMs = 3_600_000;

test('tells trace time, speed, per cent and time left, twice a second at most', () => {
  const clock = new ManualClock();
  const lines: string[] = [];
  const progress = new BacktestProgress(clock, 1000, (line) => { lines.push(line); });
  const firstMs = Date.UTC(2024, 2, 4);
  // A quarter of the bytes spans 48 h; half of these have been played.
  progress.played(firstMs, { bytes: 250, toMs: firstMs + 48 * hourMs });
  clock.advance(400);
  progress.played(firstMs + hourMs, { bytes: 250, toMs: firstMs + 48 * hourMs });
  clock.advance(5600);
  progress.played(firstMs + 24 * hourMs, { bytes: 250, toMs: firstMs + 48 * hourMs });
  expect(lines).toEqual(['played to 2024-03-04 00:00, 0 ms a second, 0 %', 'played to 2024-03-05 00:00, 4 h a second, 12 %, 42 s left']);
});

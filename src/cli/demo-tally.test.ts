import { expect, test } from 'bun:test';
import { Tally } from './demo-tally.ts';

test('totals stay, what is recent passes', () => {
  const tally = new Tally(['a', 'b']);
  tally.add({ region: 'a', atMs: 1000, source: 'origin', outcome: 'right', latencyMs: 900, shadowable: true });
  tally.add({ region: 'a', atMs: 7000, source: 'shadow', outcome: 'failed', latencyMs: 5, shadowable: true });
  tally.add({ region: 'a', atMs: 7100, source: 'none', outcome: 'refused', latencyMs: 3000, shadowable: false });
  tally.add({ region: 'elsewhere', atMs: 7100, source: 'none', outcome: 'refused', latencyMs: 3000, shadowable: false });
  const [a, b] = tally.regions(8000);
  expect(a).toMatchObject({ region: 'a', visits: 3, failed: 1, refused: 1, wrong: 0, bySource: { origin: 1, shadow: 1, none: 1 } });
  expect(a?.recent).toEqual({ perSecond: 0.4, bySource: { origin: 0, shadow: 1, rescue: 0, none: 1 }, p99Ms: 5 });
  expect(b?.recent).toEqual({ perSecond: 0, bySource: { origin: 0, shadow: 0, rescue: 0, none: 0 }, p99Ms: 0 });
  expect(tally.lastWrong).toBeUndefined();
  for (const wrong of ['first', 'second']) tally.add({ region: 'b', atMs: 7200, source: 'shadow', outcome: 'wrong', wrong, latencyMs: 1, shadowable: true });
  tally.add({ region: 'b', atMs: 7300, source: 'shadow', outcome: 'right', latencyMs: 1, shadowable: true });
  expect(tally.lastWrong).toBe('second');
  expect(tally.regions(8000)[1]).toMatchObject({ wrong: 2, visits: 3 });
});

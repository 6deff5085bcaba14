/**
 * The outage benchmark in small, on the real program: 25 pages × 2 devices × 3 segments, every kind of fault, then an
 * origin that can serve only 12 at a time. Nothing may fail and nobody may get another variation. (Latency is the benchmark's.)
 */
import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Mode } from '../../bench/outages/origin-counts.ts';
import { failedOf, runOutage, wrongVariationsOf } from '../../bench/outages/run.ts';
import { devices, segments } from '../../bench/outages/site.ts';
import { foreshadow } from '../../bench/peers/foreshadow.ts';

const pages = 25;
const shadows = pages * devices.length * segments.length;

async function checkFault(fault: Mode): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), `foreshadow-e2e-${fault}-`));
  try {
    const run = await runOutage({
      peer: foreshadow, fault, folder, pages, ratePerSecond: 40, seed: 3,
      times: { warmUpMs: 1000, faultMs: 5000, returnMs: 3000 },
      warm: async (setup) => { await foreshadow.published?.(setup, shadows, 30_000); },
    });
    for (const [name, { visitors }] of Object.entries({ 'warm-up': run.warmUp, outage: run.outage, recovery: run.recovery })) {
      expect(visitors.requests).toBeGreaterThan(50);
      expect(`${fault} ${name}: ${failedOf(visitors)} failed, ${wrongVariationsOf(visitors)} wrong ${failedOf(visitors) > 0 ? JSON.stringify(visitors) : ''}`)
        .toBe(`${fault} ${name}: 0 failed, 0 wrong `);
    }
    expect(run.recovery.origin.turnedAway).toBe(0);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// All at the same time: they wait more than they work.
test('nothing fails in any outage, nor on return', async () => {
  const results = await Promise.allSettled((['refused', 'hang', 'slow', 'errors', 'cut', 'flap'] as const).map(checkFault));
  expect(results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []))).toEqual([]);
}, 90_000);

import { expect, test } from 'bun:test';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DemandCount } from '../demand/index.ts';
import { ForeshadowError, createLog, systemClock, type RegionName, type ResourceKey, type VariationKey } from '../kernel/index.ts';
import { DemandEngine } from '../predict/index.ts';
import { loadForecaster, saveForecaster } from './forecast-file.ts';

const startMs = 1_700_000_040_000;
const warnings: string[] = [];
const log = createLog({ clock: systemClock, level: 'warn', write: (line) => { warnings.push(line); } });
const counts = Array.from({ length: 12_000 }, (_, i): DemandCount => ({ resource: `/page-${i}-${'x'.repeat(100)}` as ResourceKey, region: 'eu' as RegionName, variation: '' as VariationKey, count: 1 }));

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'foreshadow-forecast-'));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test('what was learned comes back, even when demand comes in while it is written', async () => {
  await inFolder(async (folder) => {
    const forecaster = new DemandEngine({ keysMax: 60_000 });
    let minute = 0;
    const observe = (): void => { forecaster.observe(startMs + minute++ * 60_000, counts); };
    observe();
    let minutesWritten = 0;
    // Between any two pieces of the first attempts a minute comes in, and they have to be begun anew; the last one leaves no such moment.
    let overtaken = 0;
    const busy = {
      *snapshotParts(): Generator<Uint8Array> {
        minutesWritten = minute;
        try {
          for (const part of forecaster.snapshotParts()) {
            queueMicrotask(observe);
            yield part;
          }
        } catch (error) {
          overtaken += error instanceof ForeshadowError && error.code === 'snapshot-overtaken' ? 1 : 0;
          throw error;
        }
      },
    };
    await saveForecaster(folder, busy);
    expect(overtaken).toBe(3);
    const read = await loadForecaster(folder, 60_000, log);
    expect([read.size().keys, warnings]).toEqual([12_000, []]);
    const twin = new DemandEngine({ keysMax: 60_000 });
    for (let i = 0; i < minutesWritten; i++) twin.observe(startMs + i * 60_000, counts);
    expect(minutesWritten).toBeLessThan(minute);
    expect(read.rates(startMs + minutesWritten * 60_000, 100, 'next')).toEqual(twin.rates(startMs + minutesWritten * 60_000, 100, 'next'));
  });
});

test('one that can not be read is set aside, and learning begins anew', async () => {
  await inFolder(async (folder) => {
    writeFileSync(join(folder, 'forecast.snapshot'), 'FSBF and then nothing good');
    expect((await loadForecaster(folder, 1000, log)).size().keys).toBe(0);
    expect(warnings).toEqual([expect.stringContaining('forecast-unreadable')]);
    expect(readFileSync(join(folder, 'forecast.snapshot.unreadable'), 'utf8')).toContain('nothing good');
  });
});

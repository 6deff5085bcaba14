/**
 * What the forecaster has learned, on disk: `<dataDir>/forecast.snapshot`, replaced whole (temporary file, flush, rename). One that can't
 * be read is set aside and said so, and learning begins anew: it is never a reason not to start.
 */
import { randomInt } from 'node:crypto';
import { writeSync } from 'node:fs';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config/index.ts';
import { ForeshadowError, messageOf, type Log } from '../kernel/index.ts';
import { DemandEngine } from '../predict/index.ts';

const fileName = 'forecast.snapshot';
/** The last one is written without a pause. */
const attemptsMax = 4;

export async function loadForecaster(dataDir: string, keysMax: number, log: Log, holidays: Config['prediction']['holidays'] = []): Promise<DemandEngine> {
  const path = join(dataDir, fileName);
  const snapshot = await readFile(path).catch(() => undefined);
  const options = { keysMax, holidays, hashSeed: randomInt(2 ** 48 - 1) };
  if (!snapshot) return new DemandEngine(options);
  try {
    return new DemandEngine({ ...options, snapshot });
  } catch (error) {
    log.warn('forecast-unreadable', { path, problem: messageOf(error), hint: 'it is set aside; learning begins anew' });
    await rename(path, `${path}.unreadable`).catch(() => undefined);
    return new DemandEngine(options);
  }
}

/**
 * In pieces, between which others have their turn: with a million keys it is 100 MB. When a minute is counted meanwhile, it is begun anew; and written without a pause
 * when that goes on.
 */
export async function saveForecaster(dataDir: string, forecaster: Pick<DemandEngine, 'snapshotParts'>): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  const path = join(dataDir, fileName);
  for (let attempt = 1; ; attempt++) {
    const file = await open(`${path}.tmp`, 'w');
    try {
      for (const part of forecaster.snapshotParts()) {
        if (attempt < attemptsMax) await file.writeFile(part);
        else writeWhole(file.fd, part);
      }
      await file.sync();
      break;
    } catch (error) {
      if (!(error instanceof ForeshadowError && error.code === 'snapshot-overtaken')) throw error;
    } finally {
      await file.close();
    }
  }
  await rename(`${path}.tmp`, path);
}

function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}

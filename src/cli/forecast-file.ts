/**
 * What the forecaster has learned, on disk: `<dataDir>/forecast.snapshot`, replaced whole (temporary file, flush, rename). One that can't
 * be read is set aside and said so, and learning begins anew: it is never a reason not to start.
 */
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, type Log } from '../kernel/index.ts';
import { DemandEngine } from '../predict/index.ts';

const fileName = 'forecast.snapshot';

export async function loadForecaster(dataDir: string, keysMax: number, log: Log): Promise<DemandEngine> {
  const path = join(dataDir, fileName);
  const snapshot = await readFile(path).catch(() => undefined);
  if (!snapshot) return new DemandEngine({ keysMax });
  try {
    return new DemandEngine({ keysMax, snapshot });
  } catch (error) {
    log.warn('forecast-unreadable', { path, problem: messageOf(error), hint: 'it is set aside; learning begins anew' });
    await rename(path, `${path}.unreadable`).catch(() => undefined);
    return new DemandEngine({ keysMax });
  }
}

export async function saveForecaster(dataDir: string, snapshot: Uint8Array): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  const path = join(dataDir, fileName);
  const file = await open(`${path}.tmp`, 'w');
  try {
    await file.writeFile(snapshot);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(`${path}.tmp`, path);
}

/**
 * What the brain forecasts beside demand: feeds' values, and what becomes of discoveries. Kept in the data directory as `values.snapshot` and
 * `newcomers.snapshot`, replaced whole. One that can't be read is set aside and said so, and learning begins anew: it is never a reason not to start.
 */
import { join } from 'node:path';
import { errnoOf, systemDisk } from '../kernel/disk.ts';
import { messageOf, type Log } from '../kernel/index.ts';
import { Newcomers } from '../predict/newcomers/index.ts';
import { FeedValues } from '../predict/values/index.ts';

export interface SideForecasts {
  readonly values: FeedValues;
  readonly newcomers: Newcomers;
}

export async function loadSideForecasts(dataDir: string, log: Log): Promise<SideForecasts> {
  return {
    values: await load(join(dataDir, 'values.snapshot'), (bytes) => FeedValues.read(bytes), log) ?? new FeedValues(),
    newcomers: await load(join(dataDir, 'newcomers.snapshot'), (bytes) => Newcomers.read(bytes), log) ?? new Newcomers(),
  };
}

export async function saveSideForecasts(dataDir: string, { values, newcomers }: SideForecasts): Promise<void> {
  await systemDisk.makeFolder(dataDir);
  await systemDisk.replace(join(dataDir, 'values.snapshot'), [values.write()]);
  await systemDisk.replace(join(dataDir, 'newcomers.snapshot'), [newcomers.write()]);
}

async function load<Model>(path: string, read: (bytes: Uint8Array) => Model, log: Log): Promise<Model | undefined> {
  try {
    return read(await systemDisk.readWhole(path));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    log.warn('forecast-unreadable', { path, problem: messageOf(error), hint: 'it is set aside; learning begins anew' });
    await systemDisk.rename(path, `${path}.unreadable`).catch(() => undefined);
    return undefined;
  }
}

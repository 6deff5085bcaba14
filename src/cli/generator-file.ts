/**
 * What the generator has learned, on disk: `<dataDir>/generator.snapshot`, replaced whole. One that can't be read is set aside and said
 * so, and learning begins anew: it is never a reason not to start.
 */
import { join } from 'node:path';
import { readMemory, type Memory } from '../generate/index.ts';
import { errnoOf, systemDisk } from '../kernel/disk.ts';
import { messageOf, type Clock, type Log } from '../kernel/index.ts';

const fileName = 'generator.snapshot';

export async function loadGeneratorMemory(dataDir: string, clock: Clock, log: Log): Promise<Memory | undefined> {
  const path = join(dataDir, fileName);
  try {
    return readMemory(await systemDisk.readWhole(path), clock.nowMs());
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    log.warn('generator-memory-unreadable', { path, problem: messageOf(error), hint: 'it is set aside; learning begins anew' });
    await systemDisk.rename(path, `${path}.unreadable`).catch(() => undefined);
    return undefined;
  }
}

export async function saveGeneratorMemory(dataDir: string, bytes: Uint8Array): Promise<void> {
  await systemDisk.makeFolder(dataDir);
  await systemDisk.replace(join(dataDir, fileName), [bytes]);
}

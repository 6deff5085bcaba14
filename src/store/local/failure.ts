/** How the local store fails: one shape of error, and the refusal to write what the disk has no room for. */
import { statfsSync } from 'node:fs';
import { ForeshadowError, messageOf } from '../../kernel/index.ts';
import { errnoOf } from '../../kernel/disk.ts';

const spaceLeftMin = 2 * 1024 * 1024;

export function localFailure(path: string, error: unknown): ForeshadowError {
  if (error instanceof ForeshadowError) return error;
  const full = errnoOf(error) === 'ENOSPC' || /no space|map.?full|MDB_MAP_FULL/i.test(messageOf(error));
  return new ForeshadowError(full ? 'storage-full' : 'storage-failed', {
    source: 'storage', retry: true, cause: error, message: `the local store ${path} failed: ${messageOf(error)}`,
    hint: full ? 'free space, or lower budgets.storage' : 'check the disk; the store rebuilds itself from the catalog',
  });
}

/** What little space is left is for removing copies: an edge that can't keep more serves on, one that can't invalidate would serve what is wrong. */
export function checkSpace(path: string, bytes: number): void {
  try {
    const { bavail, bsize } = statfsSync(path);
    if (bavail * bsize < spaceLeftMin + bytes) throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' });
  } catch (error) {
    throw localFailure(path, error);
  }
}

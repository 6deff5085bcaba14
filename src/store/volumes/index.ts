import type { BlobStore } from '../blob-store.ts';
import { systemDisk, type Disk } from '../../kernel/disk.ts';
import { VolumesFollower, type FollowerOptions } from './follower.ts';
import { VolumesStore, type VolumesOptions } from './volumes.ts';

/**
 * Opens the durable store on these directories, making it where they are empty. `copies` defaults to two, or one where there is one
 * directory. Throws `storage-failed` when none of them can be used, or one belongs to another site, store or newer format.
 */
export async function openVolumes(
  options: Omit<VolumesOptions, 'copies' | 'disk'> & { readonly copies?: number; readonly disk?: Disk },
): Promise<BlobStore> {
  const store = new VolumesStore({ ...options, copies: options.copies ?? 2, disk: options.disk ?? systemDisk });
  await store.open();
  return store;
}

/** Reads what another process's store writes; see `follower.ts`. */
export function openVolumesFollower(options: Omit<FollowerOptions, 'disk'> & { readonly disk?: Disk }): VolumesFollower {
  return new VolumesFollower({ ...options, disk: options.disk ?? systemDisk });
}

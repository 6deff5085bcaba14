import type { LocalStore } from '../local-store.ts';
import { LmdbLocalStore, type LocalStoreOptions } from './local-store.ts';

export { type LocalBodies, openLocalBodies } from './local-bodies.ts';
export type { LocalStoreOptions };

/**
 * Opens the edge's own copy in this directory, making it where there is none. An index that is damaged or not ours is moved aside (`index.corrupt-<time>`),
 * counted in `stats().corrupt`, and begun anew. Throws `storage-failed` when the directory can't be used. One process at a time.
 */
export function openLocalStore(options: LocalStoreOptions): LocalStore {
  return new LmdbLocalStore(options);
}

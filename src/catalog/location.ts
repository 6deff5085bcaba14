/** Where the catalog lies: one folder of this name in every volume. */
import { join } from 'node:path';

export const catalogFolder = 'catalog';

/** The catalog's directories on these volumes. */
export function catalogDirs(volumePaths: readonly string[]): string[] {
  return volumePaths.map((path) => join(path, catalogFolder));
}

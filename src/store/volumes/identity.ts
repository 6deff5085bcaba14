/**
 * What a volume says about itself: `volume.json`, written once. It ties a directory to one store of one site, so that a
 * disk mounted in the wrong place is refused rather than mixed in.
 */
import { type Clock, ForeshadowError, type Log } from '../../kernel/index.ts';
import { type Disk, errnoOf } from '../../kernel/disk.ts';

const volumeFormat = 1;
const fileName = 'volume.json';

export interface VolumeIdentity {
  readonly site: string;
  /** The same on all volumes of a store. */
  readonly store: string;
  readonly volume: string;
  readonly createdAtMs: number;
}

/** Undefined where there is no volume yet. Throws `storage-failed` for a newer format or a file that is not one of ours. */
export async function readIdentity(disk: Disk, folder: string): Promise<VolumeIdentity | undefined> {
  let bytes: Uint8Array;
  try {
    bytes = await disk.readWhole(`${folder}/${fileName}`);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw error;
  }
  return parseIdentity(Buffer.from(bytes).toString(), folder);
}

async function writeIdentity(disk: Disk, folder: string, identity: VolumeIdentity): Promise<void> {
  const text = `${JSON.stringify({ format: volumeFormat, ...identity })}\n`;
  await disk.replace(`${folder}/${fileName}`, [Buffer.from(text)]);
}

function parseIdentity(text: string, folder: string): VolumeIdentity {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || !('format' in value) || typeof value.format !== 'number') {
    throw refusal(folder, `${folder}/${fileName} is not a volume's identity`, 'name an empty directory, or restore the file from a backup');
  }
  if (value.format > volumeFormat) {
    throw refusal(folder, `${folder} has volume format ${value.format}, this version knows ${volumeFormat}`, 'use the newer Foreshadow, or another directory');
  }
  const { site, store, volume, createdAtMs } = { site: undefined, store: undefined, volume: undefined, createdAtMs: undefined, ...value };
  if (typeof site !== 'string' || typeof store !== 'string' || typeof volume !== 'string' || typeof createdAtMs !== 'number') {
    throw refusal(folder, `${folder}/${fileName} is not a volume's identity`, 'name an empty directory, or restore the file from a backup');
  }
  return { site, store, volume, createdAtMs };
}

export function refusal(folder: string, message: string, hint: string): ForeshadowError {
  return new ForeshadowError('storage-failed', { source: 'storage', message: `volume ${folder}: ${message}`, hint });
}

/** True for errors that are the operator's to solve and must stop the start, unlike a disk that is merely broken. */
export function isRefusal(error: unknown): boolean {
  return error instanceof ForeshadowError && error.code === 'storage-failed';
}

/**
 * The identity of each volume, made for directories that are empty. One that can't be read or written is told to `failed` and
 * left undefined. Throws when a volume belongs to another site or store.
 */
export async function identifyVolumes(
  options: { paths: readonly string[]; site: string; disk: Disk; clock: Clock; log: Log },
  failed: (path: string, error: unknown) => void,
): Promise<(VolumeIdentity | undefined)[]> {
  const known = await Promise.all(options.paths.map(async (path) => {
    try {
      await options.disk.makeFolder(path);
      return await readIdentity(options.disk, path);
    } catch (error) {
      if (isRefusal(error)) throw error;
      failed(path, error);
      return null;
    }
  }));
  let store: string | undefined;
  for (const [ordinal, identity] of known.entries()) {
    if (!identity) continue;
    const path = options.paths[ordinal] ?? '';
    if (identity.site !== options.site) throw refusal(path, `belongs to site "${identity.site}", not to "${options.site}"`, 'name the right directory');
    if (store !== undefined && identity.store !== store) throw refusal(path, 'belongs to another store than the other volumes', 'name directories of one store, or empty ones');
    store = identity.store;
  }
  const storeId = store ?? crypto.randomUUID();
  return Promise.all(known.map(async (identity, ordinal) => {
    if (identity !== undefined) return identity ?? undefined;
    const path = options.paths[ordinal] ?? '';
    const fresh = { site: options.site, store: storeId, volume: crypto.randomUUID(), createdAtMs: options.clock.nowMs() };
    try {
      const others = (await options.disk.list(path)).filter((name) => !name.startsWith('.') && name !== 'lost+found' && name !== 'catalog');
      if (others.length > 0) throw refusal(path, `holds ${others[0]} but no volume.json`, 'name an empty directory');
      await writeIdentity(options.disk, path, fresh);
    } catch (error) {
      if (isRefusal(error)) throw error;
      failed(path, error);
      return undefined;
    }
    if (store !== undefined) options.log.warn('volume-added', { volume: path });
    return fresh;
  }));
}

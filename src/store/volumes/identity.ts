/**
 * What a volume says about itself: `volume.json`, written once. It ties a directory to one store of one site, so that a
 * disk mounted in the wrong place is refused rather than mixed in.
 */
import { type Clock, ForeshadowError, type Log } from '../../kernel/index.ts';
import { catalogFolder } from '../../catalog/index.ts';
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

/** `absent` where there is no volume yet, `damaged` where the file can't be understood. Throws `storage-failed` for a newer format. */
export async function readIdentity(disk: Disk, folder: string): Promise<VolumeIdentity | 'absent' | 'damaged'> {
  let bytes: Uint8Array;
  try {
    bytes = await disk.readWhole(`${folder}/${fileName}`);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return 'absent';
    throw error;
  }
  return parseIdentity(Buffer.from(bytes).toString(), folder);
}

async function writeIdentity(disk: Disk, folder: string, identity: VolumeIdentity): Promise<void> {
  const text = `${JSON.stringify({ format: volumeFormat, ...identity })}\n`;
  await disk.replace(`${folder}/${fileName}`, [Buffer.from(text)]);
}

function parseIdentity(text: string, folder: string): VolumeIdentity | 'damaged' {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || !('format' in value) || typeof value.format !== 'number') {
    return 'damaged';
  }
  if (value.format > volumeFormat) {
    throw refusal(folder, `${folder} has volume format ${value.format}, this version knows ${volumeFormat}`, 'use the newer Foreshadow, or another directory');
  }
  const { site, store, volume, createdAtMs } = { site: undefined, store: undefined, volume: undefined, createdAtMs: undefined, ...value };
  if (typeof site !== 'string' || typeof store !== 'string' || typeof volume !== 'string' || typeof createdAtMs !== 'number') return 'damaged';
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
 * The identity of each volume, made for directories that are empty, and made again where the file is damaged: it is set
 * aside, and what lies in the directory is checked body by body anyway. One that can't be read or written is told to
 * `failed` and left undefined. Throws when a volume belongs to another site or store.
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
      return 'unreadable';
    }
  }));
  const store = storeOf(options, known);
  const storeId = store ?? crypto.randomUUID();
  return Promise.all(known.map(async (found, ordinal) => {
    if (found === 'unreadable') return undefined;
    if (typeof found !== 'string') return found;
    const path = options.paths[ordinal] ?? '';
    const fresh = { site: options.site, store: storeId, volume: crypto.randomUUID(), createdAtMs: options.clock.nowMs() };
    try {
      if (found === 'damaged') await setAside(options, path);
      else await refuseUsed(options.disk, path);
      await writeIdentity(options.disk, path, fresh);
    } catch (error) {
      if (isRefusal(error)) throw error;
      failed(path, error);
      return undefined;
    }
    if (store !== undefined && found === 'absent') options.log.warn('volume-added', { volume: path });
    return fresh;
  }));
}

/** The store that those which say so belong to; undefined where none does. */
function storeOf(options: { readonly paths: readonly string[]; readonly site: string }, known: readonly (VolumeIdentity | string)[]): string | undefined {
  let store: string | undefined;
  for (const [ordinal, identity] of known.entries()) {
    if (typeof identity === 'string') continue;
    const path = options.paths[ordinal] ?? '';
    if (identity.site !== options.site) throw refusal(path, `belongs to site "${identity.site}", not to "${options.site}"`, 'name the right directory');
    if (store !== undefined && identity.store !== store) throw refusal(path, 'belongs to another store than the other volumes', 'name directories of one store, or empty ones');
    store = identity.store;
  }
  return store;
}

async function setAside(options: { disk: Disk; clock: Clock; log: Log }, path: string): Promise<void> {
  const aside = `${path}/${fileName}.damaged-${options.clock.nowMs()}`;
  await options.disk.rename(`${path}/${fileName}`, aside);
  options.log.warn('volume-identity-damaged', { volume: path, aside, hint: 'a new one was written; check the disk' });
}

async function refuseUsed(disk: Disk, path: string): Promise<void> {
  const others = (await disk.list(path)).filter((name) => !name.startsWith('.') && name !== 'lost+found' && name !== catalogFolder);
  if (others.length > 0) throw refusal(path, `holds ${others[0]} but no volume.json`, 'name an empty directory');
}

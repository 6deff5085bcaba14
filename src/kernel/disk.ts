/**
 * The disk as an argument, as `Clock` is for time: what storage asks of a file system, and nothing more. `systemDisk` is the
 * real one; tests wrap it with one that fills up, turns read-only or vanishes. Not part of the kernel's door, because it imports `node:fs`
 * and the pure core must stay free of that: import it by this file's name.
 *
 * A name that `replace` or `create` has resolved for survives a power failure: the data is flushed before the name appears, and
 * the folder after it.
 */
import { constants } from 'node:fs';
import * as fs from 'node:fs/promises';
import { dirname } from 'node:path';

export interface DiskFile {
  /** Fills the buffer from `position`; returns how many bytes there were. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** Writes all buffers one after another, from `position`. */
  write(buffers: readonly Uint8Array[], position: number): Promise<void>;
  /** Resolves when what was written is on the medium. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface Disk {
  /** Makes the folder and those above it. */
  makeFolder(path: string): Promise<void>;
  list(folder: string): Promise<string[]>;
  size(path: string): Promise<number>;
  readWhole(path: string): Promise<Uint8Array>;
  openForReading(path: string): Promise<DiskFile>;
  /** A new file, for reading and writing; fails with EEXIST when there is one. Its name is durable after `syncFolder`. */
  openNew(path: string): Promise<DiskFile>;
  /** Puts these bytes under this name, at once and durably, whatever was there. */
  replace(path: string, parts: readonly Uint8Array[]): Promise<void>;
  /** The same, but only when the name is free: false when it is taken. */
  create(path: string, parts: readonly Uint8Array[]): Promise<boolean>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  syncFolder(path: string): Promise<void>;
  freeBytes(path: string): Promise<number>;
}

/** The system's word for what failed (`ENOENT`, `ENOSPC`), or the empty string. */
export function errnoOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null || !('code' in thrown)) return '';
  return typeof thrown.code === 'string' ? thrown.code : '';
}

async function writeAll(handle: fs.FileHandle, buffers: readonly Uint8Array[], position: number): Promise<void> {
  let total = 0;
  for (const buffer of buffers) total += buffer.byteLength;
  if (total === 0) return;
  // Node's type wants a mutable array, which it does not change.
  const { bytesWritten } = await handle.writev(buffers as Uint8Array[], position);
  if (bytesWritten === total) return;
  const rest = Buffer.concat(buffers, total);
  for (let done = bytesWritten; done < total; ) {
    const step = await handle.write(rest, done, total - done, position + done);
    if (step.bytesWritten === 0) throw Object.assign(new Error('nothing could be written'), { code: 'ENOSPC' });
    done += step.bytesWritten;
  }
}

function wrap(handle: fs.FileHandle): DiskFile {
  return {
    async read(buffer, position) {
      let done = 0;
      while (done < buffer.byteLength) {
        const { bytesRead } = await handle.read(buffer, done, buffer.byteLength - done, position + done);
        if (bytesRead === 0) break;
        done += bytesRead;
      }
      return done;
    },
    write: (buffers, position) => writeAll(handle, buffers, position),
    sync: () => handle.datasync(),
    close: () => handle.close(),
  };
}

async function writeFlushed(path: string, parts: readonly Uint8Array[]): Promise<void> {
  const handle = await fs.open(path, 'w');
  try {
    await writeAll(handle, parts, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function syncFolder(path: string): Promise<void> {
  const handle = await fs.open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Temporary names never collide between processes, and `.tmp` marks what a crash left behind. */
function temporaryName(path: string): string {
  return `${path}.${process.pid.toString(36)}-${process.hrtime.bigint().toString(36)}.tmp`;
}

export const systemDisk: Disk = {
  async makeFolder(path) {
    await fs.mkdir(path, { recursive: true });
  },
  list: (folder) => fs.readdir(folder),
  size: async (path) => (await fs.stat(path)).size,
  readWhole: (path) => fs.readFile(path),
  openForReading: async (path) => wrap(await fs.open(path, 'r')),
  openNew: async (path) => wrap(await fs.open(path, 'wx+')),
  async replace(path, parts) {
    const temporary = temporaryName(path);
    try {
      await writeFlushed(temporary, parts);
      await fs.rename(temporary, path);
    } catch (error) {
      await fs.rm(temporary, { force: true }).catch(() => undefined);
      throw error;
    }
    await syncFolder(dirname(path));
  },
  async create(path, parts) {
    const temporary = temporaryName(path);
    try {
      await writeFlushed(temporary, parts);
      // link(2) fails when the name is taken, and the name only ever stands for whole, flushed bytes.
      await fs.link(temporary, path);
    } catch (error) {
      if (errnoOf(error) === 'EEXIST') return false;
      throw error;
    } finally {
      await fs.rm(temporary, { force: true }).catch(() => undefined);
    }
    await syncFolder(dirname(path));
    return true;
  },
  rename: (from, to) => fs.rename(from, to),
  remove: (path) => fs.rm(path, { force: true }),
  syncFolder,
  async freeBytes(path) {
    const status = await fs.statfs(path);
    return status.bavail * status.bsize;
  },
};

/** A disk in memory, for thousands of versions without a flush each: every operation is whole or absent, as `Disk` promises of the real one. */
import type { Disk, DiskFile } from '../../src/kernel/disk.ts';

export class MemoryDisk implements Disk {
  readonly files: Map<string, Uint8Array>;
  /** Told after each change: where a process may die. */
  changed: () => void = () => undefined;

  constructor(files: ReadonlyMap<string, Uint8Array> = new Map()) {
    this.files = new Map(files);
  }

  makeFolder(): Promise<void> {
    return Promise.resolve();
  }

  list(folder: string): Promise<string[]> {
    return Promise.resolve([...this.files.keys()].filter((path) => path.startsWith(`${folder}/`)).map((path) => path.slice(folder.length + 1)));
  }

  async size(path: string): Promise<number> {
    return (await this.readWhole(path)).byteLength;
  }

  readWhole(path: string): Promise<Uint8Array> {
    const bytes = this.files.get(path);
    return bytes ? Promise.resolve(bytes) : Promise.reject(Object.assign(new Error('absent'), { code: 'ENOENT' }));
  }

  openForReading(): Promise<DiskFile> {
    return Promise.reject(new Error('not for segments'));
  }

  openNew(): Promise<DiskFile> {
    return Promise.reject(new Error('not for segments'));
  }

  replace(path: string, parts: readonly Uint8Array[]): Promise<void> {
    this.files.set(path, Buffer.concat(parts));
    this.changed();
    return Promise.resolve();
  }

  create(path: string, parts: readonly Uint8Array[]): Promise<boolean> {
    if (this.files.has(path)) return Promise.resolve(false);
    return this.replace(path, parts).then(() => true);
  }

  rename(from: string, to: string): Promise<void> {
    const bytes = this.files.get(from);
    this.files.delete(from);
    return bytes ? this.replace(to, [bytes]) : Promise.resolve();
  }

  remove(path: string): Promise<void> {
    this.files.delete(path);
    this.changed();
    return Promise.resolve();
  }

  syncFolder(): Promise<void> {
    return Promise.resolve();
  }

  freeBytes(): Promise<number> {
    return Promise.resolve(2 ** 40);
  }
}

/** The real disk until a rule says otherwise: what breaks, where, and with which error the system would say so. */
import { type Disk, type DiskFile, systemDisk } from '../../src/kernel/disk.ts';

export type DiskOperation = 'read' | 'write' | 'sync' | 'name';
/** The error code of an operation on a path; undefined lets it through. */
export type Fault = (operation: DiskOperation, path: string) => string | undefined;

export class FaultyDisk implements Disk {
  fault: Fault = () => undefined;
  syncs = 0;

  /** Everything below `folder` fails so. */
  break(folder: string, operations: readonly DiskOperation[], code: string): void {
    this.fault = (operation, path) => ((path === folder || path.startsWith(`${folder}/`)) && operations.includes(operation) ? code : undefined);
  }

  mend(): void {
    this.fault = () => undefined;
  }

  #check(operation: DiskOperation, path: string): void {
    const code = this.fault(operation, path);
    if (code !== undefined) throw Object.assign(new Error(`${code}: injected, ${operation} '${path}'`), { code });
  }

  #wrap(path: string, file: DiskFile): DiskFile {
    return {
      read: async (buffer, position) => {
        this.#check('read', path);
        return file.read(buffer, position);
      },
      write: async (buffers, position) => {
        this.#check('write', path);
        await file.write(buffers, position);
      },
      sync: async () => {
        this.syncs += 1;
        this.#check('sync', path);
        await file.sync();
      },
      close: () => file.close(),
    };
  }

  async makeFolder(path: string): Promise<void> {
    this.#check('name', path);
    await systemDisk.makeFolder(path);
  }

  async list(folder: string): Promise<string[]> {
    this.#check('read', folder);
    return systemDisk.list(folder);
  }

  async size(path: string): Promise<number> {
    this.#check('read', path);
    return systemDisk.size(path);
  }

  async readWhole(path: string): Promise<Uint8Array> {
    this.#check('read', path);
    return systemDisk.readWhole(path);
  }

  async openForReading(path: string): Promise<DiskFile> {
    this.#check('read', path);
    return this.#wrap(path, await systemDisk.openForReading(path));
  }

  async openNew(path: string): Promise<DiskFile> {
    this.#check('name', path);
    return this.#wrap(path, await systemDisk.openNew(path));
  }

  async replace(path: string, parts: readonly Uint8Array[]): Promise<void> {
    this.#check('name', path);
    this.#check('write', path);
    this.#check('sync', path);
    await systemDisk.replace(path, parts);
  }

  async create(path: string, parts: readonly Uint8Array[]): Promise<boolean> {
    this.#check('name', path);
    this.#check('write', path);
    this.#check('sync', path);
    return systemDisk.create(path, parts);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#check('name', to);
    await systemDisk.rename(from, to);
  }

  async remove(path: string): Promise<void> {
    this.#check('name', path);
    await systemDisk.remove(path);
  }

  async syncFolder(path: string): Promise<void> {
    this.#check('sync', path);
    await systemDisk.syncFolder(path);
  }

  async freeBytes(path: string): Promise<number> {
    this.#check('read', path);
    return systemDisk.freeBytes(path);
  }
}

/** Open segment files for reading, a bounded number of them; one is closed only when nobody is reading from it. */
import type { Disk, DiskFile } from '../../kernel/disk.ts';

interface Handle {
  readonly file: Promise<DiskFile>;
  readers: number;
  retired: boolean;
}

export class ReadHandles {
  readonly #disk: Disk;
  readonly #pathOf: (segment: number) => string;
  readonly #openMax: number;
  /** Least recently used first. */
  readonly #handles = new Map<number, Handle>();

  constructor(disk: Disk, pathOf: (segment: number) => string, openMax = 64) {
    this.#disk = disk;
    this.#pathOf = pathOf;
    this.#openMax = openMax;
  }

  async read(segment: number, buffer: Uint8Array, position: number): Promise<number> {
    const handle = this.#take(segment);
    handle.readers += 1;
    try {
      const file = await handle.file;
      return await file.read(buffer, position);
    } catch (error) {
      this.#retire(segment, handle);
      throw error;
    } finally {
      handle.readers -= 1;
      this.#closeIfIdle(handle);
    }
  }

  /** Closes the file of this segment once the reads under way have ended. */
  retire(segment: number): void {
    const handle = this.#handles.get(segment);
    if (handle) this.#retire(segment, handle);
  }

  async close(): Promise<void> {
    const open = [...this.#handles.entries()];
    for (const [segment, handle] of open) this.#retire(segment, handle);
    await Promise.allSettled(open.map(([, handle]) => handle.file));
  }

  #take(segment: number): Handle {
    let handle = this.#handles.get(segment);
    if (handle) this.#handles.delete(segment);
    handle ??= { file: this.#disk.openForReading(this.#pathOf(segment)), readers: 0, retired: false };
    this.#handles.set(segment, handle);
    for (const [oldest, other] of this.#handles) {
      if (this.#handles.size <= this.#openMax) break;
      if (other !== handle) this.#retire(oldest, other);
    }
    return handle;
  }

  #retire(segment: number, handle: Handle): void {
    if (this.#handles.get(segment) === handle) this.#handles.delete(segment);
    handle.retired = true;
    this.#closeIfIdle(handle);
  }

  #closeIfIdle(handle: Handle): void {
    if (!handle.retired || handle.readers > 0) return;
    // Closing a file that was only read has no outcome that matters; one that never opened has nothing to close.
    handle.file.then((file) => file.close()).catch(() => undefined);
    handle.readers = -1;
  }
}

/**
 * The segment file that is being appended to. Records that are handed in while a write is under way leave in one `writev` after it; places are given out
 * when a record is taken, so the order of calls is the order in the file. After one failed write nothing more is appended: what was reserved
 * behind the failure is a hole that a later scan steps over.
 */
import type { DiskFile } from '../../kernel/disk.ts';
import { recordHeaderBytes, segmentHeaderBytes } from './record.ts';

const batchBytesMax = 4 * 1024 * 1024;

interface Waiting {
  readonly parts: readonly Uint8Array[];
  readonly bytes: number;
  readonly resolve: () => void;
  readonly reject: (reason: unknown) => void;
}

export class SegmentWriter {
  readonly segment: number;
  readonly file: DiskFile;
  #end: number;
  #writtenEnd = 0;
  #waiting: Waiting[] = [];
  #draining: Promise<void> | undefined;
  #failure: Error | undefined;
  #unsynced = true;

  constructor(segment: number, file: DiskFile, header: Uint8Array) {
    this.segment = segment;
    this.file = file;
    this.#end = segmentHeaderBytes;
    this.#waiting.push({ parts: [header], bytes: header.byteLength, resolve: () => undefined, reject: () => undefined });
  }

  /** Where the next record would begin. */
  get end(): number {
    return this.#end;
  }

  get broken(): boolean {
    return this.#failure !== undefined;
  }

  get unsynced(): boolean {
    return this.#unsynced;
  }

  /** Writes the parts of one record; resolves with the offset of its body when the system has taken them. */
  async append(parts: readonly Uint8Array[]): Promise<number> {
    if (this.#failure !== undefined) throw this.#failure;
    let bytes = 0;
    for (const part of parts) bytes += part.byteLength;
    const at = this.#end;
    this.#end += bytes;
    this.#unsynced = true;
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ parts, bytes, resolve, reject });
      this.#draining ??= this.#drain();
    });
    return at + recordHeaderBytes;
  }

  /** Resolves when every append that has resolved is on the medium. A failed write does not hinder it: what was written before it counts. */
  async sync(): Promise<void> {
    while (this.#draining) await this.#draining;
    this.#unsynced = false;
    try {
      await this.file.sync();
    } catch (error) {
      // After a failed flush the system may have dropped the pages (fsync(2), "fsyncgate"): nothing here counts as kept.
      this.#failure = asError(error);
      throw error;
    }
  }

  async #drain(): Promise<void> {
    // A turn of the loop later, so that records put together travel together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#takeBatch();
      let bytes = 0;
      for (const one of batch) bytes += one.bytes;
      try {
        if (this.#failure !== undefined) throw this.#failure;
        await this.file.write(batch.flatMap((one) => one.parts), this.#writtenEnd);
        this.#writtenEnd += bytes;
        for (const one of batch) one.resolve();
      } catch (error) {
        this.#failure ??= asError(error);
        for (const one of batch) one.reject(error);
      }
    }
    this.#draining = undefined;
  }

  #takeBatch(): Waiting[] {
    let count = 0;
    let bytes = 0;
    for (const one of this.#waiting) {
      if (count > 0 && (bytes + one.bytes > batchBytesMax || count >= 256)) break;
      count += 1;
      bytes += one.bytes;
    }
    return this.#waiting.splice(0, count);
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/**
 * Appends records to one segment file after another in a folder: begins a new one when the present one is full or has failed, and never touches a file of an
 * earlier run, whose end may be torn. New names are taken exclusively, so two processes can't write to one file.
 */
import { type Disk, errnoOf } from '../../kernel/disk.ts';
import { encodeSegmentHeader } from './record.ts';
import { SegmentWriter } from './segment-writer.ts';

export interface Appended {
  readonly segment: number;
  readonly bodyOffset: number;
}

export function segmentPath(folder: string, segment: number, kind: 'seg' | 'idx' = 'seg'): string {
  return `${folder}/${String(segment).padStart(8, '0')}.${kind}`;
}

/** The number of a segment file's name; undefined for any other name. */
export function segmentNumber(name: string): number | undefined {
  const match = /^(\d{8})\.seg$/.exec(name);
  return match ? Number(match[1]) : undefined;
}

export class SegmentAppender {
  readonly #disk: Disk;
  readonly #folder: string;
  readonly #segmentBytes: number;
  #last: number;
  #writer: SegmentWriter | undefined;
  #finished: SegmentWriter[] = [];
  #rolling: Promise<void> | undefined;
  #folderDirty = false;

  /** `last`: the highest segment number in use. */
  constructor(options: { disk: Disk; folder: string; segmentBytes: number; last: number }) {
    this.#disk = options.disk;
    this.#folder = options.folder;
    this.#segmentBytes = options.segmentBytes;
    this.#last = options.last;
  }

  /** Writes one record. `reserved` is told, before anything is written, how long its segment becomes. */
  async append(parts: readonly Uint8Array[], reserved: (segment: number, endBytes: number) => void): Promise<Appended> {
    // Between the look at the writer's end and the reservation nothing may wait, or a crowd would overfill the segment.
    let writer = this.#usable();
    while (!writer) {
      await this.#roll();
      writer = this.#usable();
    }
    const appended = writer.append(parts);
    reserved(writer.segment, writer.end);
    return { segment: writer.segment, bodyOffset: await appended };
  }

  /** Appends no more to the present segment. */
  finishSegment(): void {
    if (this.#writer) this.#finished.push(this.#writer);
    this.#writer = undefined;
  }

  isOpen(segment: number): boolean {
    return this.#writer?.segment === segment || this.#finished.some((writer) => writer.segment === segment);
  }

  /** Whether files are waiting for `sync` to be flushed for the last time and closed. */
  get hasFinished(): boolean {
    return this.#finished.length > 0;
  }

  get unsynced(): boolean {
    return this.#finished.length > 0 || this.#folderDirty || (this.#writer?.unsynced ?? false);
  }

  /** Puts everything appended so far on the medium. Returns the segments that will not be written to any more. */
  async sync(): Promise<number[]> {
    const finished = this.#finished;
    this.#finished = [];
    const writers = this.#writer?.unsynced ? [...finished, this.#writer] : finished;
    const folderDirty = this.#folderDirty;
    this.#folderDirty = false;
    try {
      for (const writer of writers) await writer.sync();
      if (folderDirty) await this.#disk.syncFolder(this.#folder);
    } catch (error) {
      this.finishSegment();
      this.#folderDirty = true;
      throw error;
    } finally {
      await Promise.allSettled(finished.map((writer) => writer.file.close()));
    }
    return finished.map((writer) => writer.segment);
  }

  async close(): Promise<void> {
    this.finishSegment();
    await Promise.allSettled(this.#finished.splice(0).map((writer) => writer.file.close()));
  }

  #usable(): SegmentWriter | undefined {
    return this.#writer && !this.#writer.broken && this.#writer.end < this.#segmentBytes ? this.#writer : undefined;
  }

  #roll(): Promise<void> {
    this.#rolling ??= this.#begin().finally(() => {
      this.#rolling = undefined;
    });
    return this.#rolling;
  }

  async #begin(): Promise<void> {
    this.finishSegment();
    for (;;) {
      this.#last += 1;
      try {
        const file = await this.#disk.openNew(segmentPath(this.#folder, this.#last));
        this.#folderDirty = true;
        this.#writer = new SegmentWriter(this.#last, file, encodeSegmentHeader(this.#last));
        return;
      } catch (error) {
        // Another process has taken this number: the next one, then.
        if (errnoOf(error) === 'EEXIST') continue;
        this.#last -= 1;
        throw error;
      }
    }
  }
}

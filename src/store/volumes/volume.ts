/**
 * One directory of a replicated store: its identity, its segment files, its state. It appends, flushes, reads and deletes; which blob is
 * where, how many copies there are and what to do about a failure is `volumes.ts`'s business.
 *
 * A run of the program never appends to a segment of an earlier run, so a tail torn by a crash stays as it is and two
 * processes on one directory can't overwrite each other. `ok` takes writes, `degraded` is only read, `failed` is not asked at all.
 */
import { assert, messageOf, type Log } from '../../kernel/index.ts';
import { type Disk, errnoOf } from '../../kernel/disk.ts';
import {
  checkSegmentHeader, encodeSegmentHeader, encodeSidecar, parseSidecar, recordBytes, scanRecords, segmentHeaderBytes, SegmentWriter, type SidecarEntry,
} from '../segments/index.ts';
import { ReadHandles } from './read-handles.ts';
import { refusal } from './identity.ts';
import type { Place } from './blob-index.ts';

export interface SegmentUse {
  fileBytes: number;
  /** Of records that are still wanted. */
  liveBytes: number;
  /** Whether the sidecar lists records that are no longer wanted. */
  sidecarStale: boolean;
}

export type VolumeState = 'ok' | 'degraded' | 'failed';

const segmentName = /^(\d{8})\.seg$/;

export class Volume {
  readonly path: string;
  readonly segments = new Map<number, SegmentUse>();
  state: VolumeState = 'failed';
  error: string | undefined;
  /** Monotonic time before which a volume that is not `ok` is left alone. */
  retryAtMs = 0;
  loaded = false;
  readonly #disk: Disk;
  readonly #log: Log;
  readonly #segmentBytes: number;
  readonly #readers: ReadHandles;
  #writer: SegmentWriter | undefined;
  #finished: SegmentWriter[] = [];
  #rolling: Promise<SegmentWriter> | undefined;
  #folderDirty = false;
  #lastSegment = 0;

  constructor(path: string, options: { disk: Disk; log: Log; segmentBytes: number }) {
    this.path = path;
    this.#disk = options.disk;
    this.#log = options.log.with({ volume: path });
    this.#segmentBytes = options.segmentBytes;
    this.#readers = new ReadHandles(options.disk, (segment) => this.#fileOf(segment, 'seg'));
  }

  get folder(): string {
    return `${this.path}/blobs`;
  }

  /** Reads what is there and tells `found` of every record, older segments first. */
  async load(found: (segment: number, entry: SidecarEntry) => void): Promise<void> {
    await this.#disk.makeFolder(this.folder);
    const names = (await this.#disk.list(this.folder)).sort();
    for (const name of names) {
      if (name.endsWith('.tmp')) await this.#disk.remove(`${this.folder}/${name}`).catch(() => undefined);
      const number = Number(segmentName.exec(name)?.[1] ?? 0);
      if (number === 0) continue;
      this.#lastSegment = Math.max(this.#lastSegment, number);
      await this.#loadSegment(number, found);
    }
    this.loaded = true;
  }

  async #loadSegment(segment: number, found: (segment: number, entry: SidecarEntry) => void): Promise<void> {
    const fileBytes = await this.#disk.size(this.#fileOf(segment, 'seg'));
    this.segments.set(segment, { fileBytes, liveBytes: 0, sidecarStale: false });
    const sidecar = await this.#readSidecar(segment);
    if (sidecar && sidecar.coveredBytes === fileBytes) {
      for (const entry of sidecar.entries()) found(segment, entry);
      return;
    }
    const bytes = await this.#disk.readWhole(this.#fileOf(segment, 'seg'));
    const header = checkSegmentHeader(bytes, segment);
    if (header === 'newer') throw refusal(this.path, `segment ${segment} is of a newer format`, 'use the newer Foreshadow, or another directory');
    if (header === 'bad') this.#log.warn('segment-header-damaged', { segment });
    const entries = [...scanRecords(bytes)];
    for (const entry of entries) found(segment, entry);
    // What a scan found may still be only in the system's memory, and a later put will rely on it being kept.
    const file = await this.#disk.openForReading(this.#fileOf(segment, 'seg'));
    await file.sync().finally(() => file.close());
    await this.writeSidecar(segment, entries);
  }

  async #readSidecar(segment: number): Promise<ReturnType<typeof parseSidecar>> {
    try {
      return parseSidecar(await this.#disk.readWhole(this.#fileOf(segment, 'idx')), segment);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') this.#log.warn('sidecar-unreadable', { segment, error: messageOf(error) });
      return undefined;
    }
  }

  /** Lists the live records of a segment that is no longer written to. Failing is harmless: the segment will be scanned instead. */
  async writeSidecar(segment: number, entries: readonly SidecarEntry[]): Promise<void> {
    const use = this.segments.get(segment);
    if (!use) return;
    try {
      await this.#disk.replace(this.#fileOf(segment, 'idx'), [encodeSidecar(segment, use.fileBytes, entries)]);
      use.sidecarStale = false;
    } catch (error) {
      this.#log.warn('sidecar-not-written', { segment, error: messageOf(error) });
    }
  }

  /** Appends a record; the place is good for reading at once and for keeping after `sync`. */
  async append(parts: readonly Uint8Array[], bodyBytes: number): Promise<Place> {
    const writer = await this.#currentWriter();
    const appended = writer.append(parts);
    const use = this.segments.get(writer.segment);
    assert(use !== undefined, 'an open segment has an entry');
    use.fileBytes = writer.end;
    const bodyOffset = await appended;
    use.liveBytes += recordBytes(bodyBytes);
    return { segment: writer.segment, bodyOffset };
  }

  async #currentWriter(): Promise<SegmentWriter> {
    const writer = this.#writer;
    if (writer && !writer.broken && writer.end < this.#segmentBytes) return writer;
    this.#rolling ??= this.#roll().finally(() => {
      this.#rolling = undefined;
    });
    return this.#rolling;
  }

  async #roll(): Promise<SegmentWriter> {
    this.finishSegment();
    const segment = this.#lastSegment + 1;
    const file = await this.#disk.openNew(this.#fileOf(segment, 'seg')).catch((error: unknown) => {
      // Another process has taken this number; the next attempt takes the one after it.
      if (errnoOf(error) === 'EEXIST') this.#lastSegment = segment;
      throw error;
    });
    this.#lastSegment = segment;
    this.#folderDirty = true;
    this.segments.set(segment, { fileBytes: segmentHeaderBytes, liveBytes: 0, sidecarStale: false });
    this.#writer = new SegmentWriter(segment, file, encodeSegmentHeader(segment));
    return this.#writer;
  }

  /** Appends no more to the present segment; it is sealed by the next `sync`. */
  finishSegment(): void {
    if (this.#writer) this.#finished.push(this.#writer);
    this.#writer = undefined;
  }

  isOpen(segment: number): boolean {
    return this.#writer?.segment === segment || this.#finished.some((writer) => writer.segment === segment);
  }

  get unsynced(): boolean {
    return this.#finished.length > 0 || this.#folderDirty || (this.#writer?.unsynced ?? false);
  }

  /** Puts everything appended so far on the medium. Returns the segments that will not be written to any more. */
  async sync(): Promise<number[]> {
    const finished = this.#finished;
    this.#finished = [];
    const writers = this.#writer?.unsynced ? [...finished, this.#writer] : finished;
    try {
      for (const writer of writers) await writer.sync();
      if (this.#folderDirty) {
        this.#folderDirty = false;
        await this.#disk.syncFolder(this.folder);
      }
    } catch (error) {
      this.finishSegment();
      this.#folderDirty = true;
      throw error;
    } finally {
      await Promise.allSettled(finished.map((writer) => writer.file.close()));
    }
    return finished.map((writer) => writer.segment);
  }

  /** The bytes at this place, unverified; shorter than asked where the file ends. */
  async read(place: Place, bodyBytes: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafeSlow(bodyBytes);
    const read = await this.#readers.read(place.segment, buffer, place.bodyOffset);
    return read === bodyBytes ? buffer : buffer.subarray(0, read);
  }

  async removeSegment(segment: number): Promise<void> {
    this.#readers.retire(segment);
    // The list goes last: a segment without one is scanned, a list without a segment is ignored.
    await this.#disk.remove(this.#fileOf(segment, 'seg'));
    await this.#disk.remove(this.#fileOf(segment, 'idx'));
    this.segments.delete(segment);
  }

  get bytes(): number {
    let bytes = 0;
    for (const use of this.segments.values()) bytes += use.fileBytes;
    return bytes;
  }

  async close(): Promise<void> {
    this.finishSegment();
    await Promise.allSettled(this.#finished.map((writer) => writer.file.close()));
    await this.#readers.close();
  }

  #fileOf(segment: number, kind: 'seg' | 'idx'): string {
    return `${this.folder}/${String(segment).padStart(8, '0')}.${kind}`;
  }
}

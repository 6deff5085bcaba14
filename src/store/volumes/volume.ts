/**
 * One directory of a replicated store: its segment files, their lists, its state. It appends, flushes, reads and deletes; which blob is
 * where, how many copies there are and what to do about a failure is the business of `volumes.ts` and `volume-set.ts`.
 *
 * `ok` takes writes, `degraded` is only read, `failed` is not asked at all.
 */
import { assert, messageOf, type Log } from '../../kernel/index.ts';
import { type Disk, errnoOf } from '../../kernel/disk.ts';
import {
  checkSegmentHeader, encodeSidecar, parseSidecar, recordBytes, scanRecords, SegmentAppender, segmentHeaderBytes, segmentNumber, segmentPath,
  type SidecarEntry,
} from '../segments/index.ts';
import type { Place } from './blob-index.ts';
import { refusal } from './identity.ts';
import { ReadHandles } from './read-handles.ts';

export interface SegmentUse {
  fileBytes: number;
  /** Of records that are still wanted. */
  liveBytes: number;
  /** Whether the sidecar lists records that are no longer wanted. */
  sidecarStale: boolean;
}

export type VolumeState = 'ok' | 'degraded' | 'failed';

export class Volume {
  readonly path: string;
  readonly segments = new Map<number, SegmentUse>();
  state: VolumeState = 'failed';
  error: string | undefined;
  /** Monotonic time before which a volume that is not `ok` is left alone. */
  retryAtMs = 0;
  readonly #disk: Disk;
  readonly #log: Log;
  readonly #segmentBytes: number;
  readonly #readers: ReadHandles;
  #appender: SegmentAppender | undefined;

  constructor(path: string, options: { disk: Disk; log: Log; segmentBytes: number }) {
    this.path = path;
    this.#disk = options.disk;
    this.#log = options.log.with({ volume: path });
    this.#segmentBytes = options.segmentBytes;
    this.#readers = new ReadHandles(options.disk, (segment) => segmentPath(this.folder, segment));
  }

  get folder(): string {
    return `${this.path}/blobs`;
  }

  /** Whether what it holds is known. */
  get loaded(): boolean {
    return this.#appender !== undefined;
  }

  /** Reads what is there and tells `found` of every record, older segments first. */
  async load(found: (segment: number, entry: SidecarEntry) => void): Promise<void> {
    this.segments.clear();
    await this.#disk.makeFolder(this.folder);
    let last = 0;
    for (const name of (await this.#disk.list(this.folder)).sort()) {
      if (name.endsWith('.tmp')) await this.#disk.remove(`${this.folder}/${name}`).catch(() => undefined);
      const segment = segmentNumber(name);
      if (segment === undefined) continue;
      last = segment;
      await this.#loadSegment(segment, found);
    }
    this.#appender = new SegmentAppender({ disk: this.#disk, folder: this.folder, segmentBytes: this.#segmentBytes, last });
  }

  async #loadSegment(segment: number, found: (segment: number, entry: SidecarEntry) => void): Promise<void> {
    const path = segmentPath(this.folder, segment);
    const fileBytes = await this.#disk.size(path);
    this.segments.set(segment, { fileBytes, liveBytes: 0, sidecarStale: false });
    const sidecar = await this.#readSidecar(segment);
    if (sidecar && sidecar.coveredBytes === fileBytes) {
      for (const entry of sidecar.entries()) found(segment, entry);
      return;
    }
    const bytes = await this.#disk.readWhole(path);
    const header = checkSegmentHeader(bytes, segment);
    if (header === 'newer') throw refusal(this.path, `segment ${segment} is of a newer format`, 'use the newer Foreshadow, or another directory');
    if (header === 'bad') this.#log.warn('segment-header-damaged', { segment });
    const entries = [...scanRecords(bytes)];
    for (const entry of entries) found(segment, entry);
    // What a scan found may still be only in the system's memory, and a later put will rely on it being kept.
    const file = await this.#disk.openForReading(path);
    await file.sync().finally(() => file.close());
    await this.writeSidecar(segment, entries);
  }

  async #readSidecar(segment: number): Promise<ReturnType<typeof parseSidecar>> {
    try {
      return parseSidecar(await this.#disk.readWhole(segmentPath(this.folder, segment, 'idx')), segment);
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
      await this.#disk.replace(segmentPath(this.folder, segment, 'idx'), [encodeSidecar(segment, use.fileBytes, entries)]);
      use.sidecarStale = false;
    } catch (error) {
      this.#log.warn('sidecar-not-written', { segment, error: messageOf(error) });
    }
  }

  /** Appends a record; the place is good for reading at once and for keeping after `sync`. */
  async append(parts: readonly Uint8Array[], bodyBytes: number): Promise<Place> {
    assert(this.#appender !== undefined, 'a volume is loaded before it is written');
    const place = await this.#appender.append(parts, (segment, endBytes) => {
      const use = this.segments.get(segment);
      if (use) use.fileBytes = endBytes;
      else this.segments.set(segment, { fileBytes: Math.max(endBytes, segmentHeaderBytes), liveBytes: 0, sidecarStale: false });
    });
    this.addLive(place.segment, recordBytes(bodyBytes));
    return place;
  }

  addLive(segment: number, bytes: number): void {
    const use = this.segments.get(segment);
    if (!use) return;
    use.liveBytes += bytes;
    if (bytes < 0) use.sidecarStale = true;
  }

  /** Appends no more to the present segment; it is sealed by the next `sync`. */
  finishSegment(): void {
    this.#appender?.finishSegment();
  }

  isOpen(segment: number): boolean {
    return this.#appender?.isOpen(segment) ?? false;
  }

  get unsynced(): boolean {
    return this.#appender?.unsynced ?? false;
  }

  /** Puts everything appended so far on the medium. Returns the segments that will not be written to any more. */
  async sync(): Promise<number[]> {
    return this.#appender?.sync() ?? [];
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
    await this.#disk.remove(segmentPath(this.folder, segment));
    await this.#disk.remove(segmentPath(this.folder, segment, 'idx'));
    this.segments.delete(segment);
  }

  get bytes(): number {
    let bytes = 0;
    for (const use of this.segments.values()) bytes += use.fileBytes;
    return bytes;
  }

  async close(): Promise<void> {
    await this.#appender?.close();
    await this.#readers.close();
  }
}

/**
 * Bodies of the local store: append-only segment files of the same format as the volumes', read with `pread` so that they take no mapped memory
 * (docs/decisions: 100,000 bodies of 8 KiB in LMDB put 1.3 GB of mapped pages into the process's RSS). Reading is synchronous; where a body lies is the index's to know.
 */
import { closeSync, mkdirSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs';
import { systemDisk } from '../../kernel/disk.ts';
import { encodeRecord, encodeSegmentHeader, SegmentWriter } from '../segments/index.ts';

const openMax = 64;
const segmentName = /^(\d{8})\.seg$/;

export interface BodyPlace {
  readonly segment: number;
  readonly offset: number;
  readonly bytes: number;
  readonly sum: bigint;
}

/** Reading only: what a second process uses. */
export class BodyReader {
  readonly folder: string;
  /** Least recently used first. */
  readonly #open = new Map<number, number>();

  constructor(folder: string) {
    this.folder = folder;
  }

  /** The bytes, when they are all there and have their sum. */
  read(place: BodyPlace): Uint8Array | undefined {
    let fd: number;
    try {
      fd = this.#descriptor(place.segment);
    } catch {
      return undefined;
    }
    const body = Buffer.allocUnsafeSlow(place.bytes);
    try {
      for (let done = 0; done < place.bytes; ) {
        const read = readSync(fd, body, done, place.bytes - done, place.offset + done);
        if (read === 0) return undefined;
        done += read;
      }
    } catch {
      this.forget(place.segment);
      return undefined;
    }
    return Bun.hash.xxHash3(body) === place.sum ? body : undefined;
  }

  /** Closes the file of this segment. */
  forget(segment: number): void {
    const fd = this.#open.get(segment);
    if (fd === undefined) return;
    this.#open.delete(segment);
    closeSync(fd);
  }

  close(): void {
    for (const segment of [...this.#open.keys()]) this.forget(segment);
  }

  #descriptor(segment: number): number {
    const known = this.#open.get(segment);
    if (known !== undefined) {
      // Few files are in use; keeping the order exact would cost two map changes a read.
      return known;
    }
    const fd = openSync(segmentPath(this.folder, segment), 'r');
    this.#open.set(segment, fd);
    if (this.#open.size > openMax) {
      for (const oldest of this.#open.keys()) {
        this.forget(oldest);
        break;
      }
    }
    return fd;
  }
}

export class BodyFiles extends BodyReader {
  /** Bytes of each segment file. */
  readonly segments = new Map<number, number>();
  readonly #segmentBytes: number;
  #writer: SegmentWriter | undefined;
  #finished: SegmentWriter[] = [];
  #rolling: Promise<SegmentWriter> | undefined;
  #lastSegment = 0;

  constructor(folder: string, segmentBytes: number) {
    super(folder);
    this.#segmentBytes = segmentBytes;
    mkdirSync(folder, { recursive: true });
    for (const name of readdirSync(folder)) {
      const segment = Number(segmentName.exec(name)?.[1] ?? 0);
      if (segment === 0) continue;
      this.segments.set(segment, statSync(`${folder}/${name}`).size);
      this.#lastSegment = Math.max(this.#lastSegment, segment);
    }
  }

  get bytes(): number {
    let bytes = 0;
    for (const size of this.segments.values()) bytes += size;
    return bytes;
  }

  isOpen(segment: number): boolean {
    return this.#writer?.segment === segment;
  }

  async append(digest: Uint8Array, body: Uint8Array): Promise<BodyPlace> {
    const writer = await this.#currentWriter();
    const sum = Bun.hash.xxHash3(body);
    const appended = writer.append(encodeRecord(digest, body, sum));
    this.segments.set(writer.segment, writer.end);
    return { segment: writer.segment, offset: await appended, bytes: body.byteLength, sum };
  }

  async sync(): Promise<void> {
    const finished = this.#finished.splice(0);
    for (const writer of finished) await writer.sync().finally(() => writer.file.close());
    if (this.#writer?.unsynced) await this.#writer.sync();
    await systemDisk.syncFolder(this.folder);
  }

  remove(segment: number): void {
    this.forget(segment);
    rmSync(segmentPath(this.folder, segment), { force: true });
    this.segments.delete(segment);
  }

  async finish(): Promise<void> {
    if (this.#writer) this.#finished.push(this.#writer);
    this.#writer = undefined;
    await this.sync().catch(() => undefined);
    this.close();
  }

  async #currentWriter(): Promise<SegmentWriter> {
    if (this.#writer && !this.#writer.broken && this.#writer.end < this.#segmentBytes) return this.#writer;
    this.#rolling ??= this.#roll().finally(() => {
      this.#rolling = undefined;
    });
    return this.#rolling;
  }

  /** A run never appends to a file of an earlier run, whose end may be torn. */
  async #roll(): Promise<SegmentWriter> {
    if (this.#writer) this.#finished.push(this.#writer);
    this.#writer = undefined;
    const segment = this.#lastSegment + 1;
    const file = await systemDisk.openNew(segmentPath(this.folder, segment));
    this.#lastSegment = segment;
    this.#writer = new SegmentWriter(segment, file, encodeSegmentHeader(segment));
    return this.#writer;
  }
}

export function segmentPath(folder: string, segment: number): string {
  return `${folder}/${String(segment).padStart(8, '0')}.seg`;
}

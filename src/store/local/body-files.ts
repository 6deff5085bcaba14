/**
 * Bodies of the local store: append-only segment files of the same format as the volumes', read with `pread` so that they take no mapped memory
 * (docs/decisions: 100,000 bodies of 8 KiB in LMDB put 1.3 GB of mapped pages into the process's RSS). Reading is synchronous; where a body lies is the index's to know.
 */
import { closeSync, mkdirSync, openSync, readdirSync, readSync, rmSync, statSync } from 'node:fs';
import { systemDisk } from '../../kernel/disk.ts';
import { bodySum, encodeRecord, SegmentAppender, segmentNumber, segmentPath } from '../segments/index.ts';

const openMax = 256;

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
    return bodySum(body) === place.sum ? body : undefined;
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
  readonly #appender: SegmentAppender;

  constructor(folder: string, segmentBytes: number) {
    super(folder);
    mkdirSync(folder, { recursive: true });
    let last = 0;
    for (const name of readdirSync(folder).sort()) {
      const segment = segmentNumber(name);
      if (segment === undefined) continue;
      this.segments.set(segment, statSync(`${folder}/${name}`).size);
      last = segment;
    }
    this.#appender = new SegmentAppender({ disk: systemDisk, folder, segmentBytes, last });
  }

  get bytes(): number {
    let bytes = 0;
    for (const size of this.segments.values()) bytes += size;
    return bytes;
  }

  isOpen(segment: number): boolean {
    return this.#appender.isOpen(segment);
  }

  async append(digest: Uint8Array, body: Uint8Array): Promise<BodyPlace> {
    const sum = bodySum(body);
    const { segment, bodyOffset } = await this.#appender.append(encodeRecord(digest, body, sum), (reserved, endBytes) => {
      this.segments.set(reserved, endBytes);
    });
    return { segment, offset: bodyOffset, bytes: body.byteLength, sum };
  }

  async sync(): Promise<void> {
    await this.#appender.sync();
  }

  /** Flushes and closes files that are full, so that they can be rewritten or deleted. */
  async settle(): Promise<void> {
    if (this.#appender.hasFinished) await this.#appender.sync();
  }

  remove(segment: number): void {
    this.forget(segment);
    rmSync(segmentPath(this.folder, segment), { force: true });
    this.segments.delete(segment);
  }

  async finish(): Promise<void> {
    this.#appender.finishSegment();
    // Bodies that could not be flushed are found by their sums and fetched again: no reason not to close.
    await this.#appender.sync().catch(() => undefined);
    await this.#appender.close();
    this.close();
  }
}

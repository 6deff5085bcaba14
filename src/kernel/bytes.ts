/**
 * Small binary formats: a four-letter name, a version byte, then variable-length whole numbers (LEB128, up to 2⁵³ − 1),
 * doubles, UTF-8 strings and raw columns, and a CRC-32 of it all at the end. The reader checks every length before it
 * allocates and throws `bytes-invalid` for anything that is not exactly what the writer makes.
 */
import { crc32 } from 'node:zlib';
import { ForeshadowError, assert } from './errors.ts';

const headBytes = 5;
const sumBytes = 4;
const utf8 = new TextEncoder();

export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #length = 0;
  /** What is written already and not in `#bytes`, in order. */
  readonly #before: Uint8Array[] = [];

  constructor(magic: string, version: number) {
    assert(magic.length === 4 && version > 0 && version < 256, 'a format has a four-letter name and a version');
    this.raw(utf8.encode(magic));
    this.#room(1);
    this.#bytes[this.#length++] = version;
  }

  uint(value: number): void {
    assert(Number.isSafeInteger(value) && value >= 0, `a whole number is written (${value})`);
    this.#room(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) + 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  double(value: number): void {
    this.#room(8);
    new DataView(this.#bytes.buffer).setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  string(text: string): void {
    const bytes = utf8.encode(text);
    this.uint(bytes.length);
    this.raw(bytes);
  }

  /** Bytes as they are; the reader has to know how many. */
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** The same without copying them, for columns of megabytes: they must not change until everything is taken out. */
  view(bytes: Uint8Array): void {
    this.#before.push(this.#bytes.subarray(0, this.#length), bytes);
    this.#bytes = new Uint8Array(1024);
    this.#length = 0;
  }

  /** Everything in pieces of at most `bytesMax`; nothing may be written any more. */
  *parts(bytesMax: number): Generator<Uint8Array> {
    let sum = 0;
    for (const bytes of [...this.#before, this.#bytes.subarray(0, this.#length)]) {
      for (let from = 0; from < bytes.length; from += bytesMax) {
        const part = bytes.subarray(from, from + bytesMax);
        sum = crc32(part, sum);
        yield part;
      }
    }
    const last = new Uint8Array(sumBytes);
    new DataView(last.buffer).setUint32(0, sum, true);
    yield last;
  }

  finish(): Uint8Array {
    const whole = new Uint8Array(this.#before.reduce((length, bytes) => length + bytes.length, this.#length + sumBytes));
    let at = 0;
    for (const part of this.parts(whole.length)) {
      whole.set(part, at);
      at += part.length;
    }
    return whole;
  }

  #room(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  readonly #what: string;
  readonly #text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #at = headBytes;

  /** `what` names the content in messages. Checks name, version and checksum at once. */
  constructor(bytes: Uint8Array, magic: string, version: number, what: string) {
    // Never a Node Buffer, whose `slice` does not copy: who reads a column out would keep, and share, the whole.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#what = what;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.length - sumBytes;
    if (this.#end < headBytes) throw this.#invalid('it is too short');
    const name = utf8.encode(magic);
    if (name.some((byte, i) => bytes[i] !== byte)) throw this.#invalid('it is something else');
    if (bytes[4] !== version) throw this.#invalid(`its format version is ${bytes[4] ?? 0}, not ${version}`);
    if (crc32(bytes.subarray(0, this.#end)) !== this.#view.getUint32(this.#end, true)) throw this.#invalid('its checksum is wrong');
  }

  uint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.#bytes[this.#take(1)] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (!Number.isSafeInteger(value)) break;
        return value;
      }
      scale *= 0x80;
    }
    throw this.#invalid('a number is too large');
  }

  /** The number of things that follow, each of which takes at least `bytesEach`: never more than there are bytes for. */
  length(bytesEach: number): number {
    const length = this.uint();
    if (length * bytesEach > this.#end - this.#at) throw this.#invalid('it ends too early');
    return length;
  }

  double(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  string(bytesMax: number): string {
    const length = this.uint();
    if (length > bytesMax) throw this.#invalid('a string is too long');
    try {
      return this.#text.decode(this.raw(length));
    } catch (cause) {
      if (cause instanceof ForeshadowError) throw cause;
      throw this.#invalid('a string is not UTF-8');
    }
  }

  /** The next bytes, as a view. */
  raw(length: number): Uint8Array {
    const from = this.#take(length);
    return this.#bytes.subarray(from, from + length);
  }

  /** Everything has been read. */
  end(): void {
    if (this.#at !== this.#end) throw this.#invalid('there is more than there should be');
  }

  #take(length: number): number {
    const from = this.#at;
    if (from + length > this.#end) throw this.#invalid('it ends too early');
    this.#at = from + length;
    return from;
  }

  #invalid(why: string): ForeshadowError {
    return new ForeshadowError('bytes-invalid', {
      source: 'internal', message: `${this.#what} can not be read: ${why}`, hint: 'run the same version of Foreshadow everywhere',
    });
  }
}

/**
 * Content codings made ahead, so that nobody compresses while a visitor waits: of text of 1 KiB to 8 MiB that people ask for, or that pages are made of,
 * where a coding makes it at least a tenth smaller. One body at a time, in the runtime's own threads, and at most a quarter of the time, so that
 * thinking goes on. Equal bodies are coded once. Never of bodies that are coded already, must not be transformed, or are put together where they are served.
 * The codings go to the publisher with the copy as it then is, a version or so after it.
 */
import { brotliCompress, constants, gzip, zstdCompress, type InputType } from 'node:zlib';
import { promisify } from 'node:util';
import { contentKind, shadowId, type CodedBody, type ShadowRecord } from '../catalog/index.ts';
import type { ContentCoding } from '../config/types.ts';
import { headerReader } from '../http/index.ts';
import { messageOf, type BlobDigest, type Clock, type Log, type ResourceKey } from '../kernel/index.ts';
import type { BlobStore } from '../store/blob-store.ts';
import type { Frontier } from './frontier.ts';
import type { Holdings } from './holdings.ts';
import type { Publisher } from './publisher.ts';
import type { Schedule } from './schedule.ts';
import type { Site } from './site.ts';

export const codedBytesMin = 1024;
export const codedBytesMax = 8 * 1024 * 1024;
/** A coding is kept when it is at most this part of the plain body, and at most that of a coding that at least as many clients understand. */
const paysBelow = 0.9;
const betterBelow = 0.97;
/** Bodies waiting to be coded; further ones are offered again when they are renewed. */
export const encoderWaitingMax = 2000;
/** Bodies whose outcome is remembered, the longest untouched forgotten: they are coded again. */
const encoderRememberedMax = 50_000;
/** After each body, as many times what it took. */
const restFactor = 3;
/**
 * Style sheets and scripts up to this size are coded as small as can be: about 1 ms a KiB once, for 3 to 12 % less on every visit. Measured (two cores, Bun 1.4,
 * 8 to 340 KiB of HTML, JSON and JavaScript): brotli 9 takes 0.02 ms a KiB, 10 some twenty times that for 2 to 9 % less, 11 35 to 90 times; zstd 9 takes 0.01, 12 up to five
 * times that for at most 2 %; gzip 9 twice the time of 6 for at most 2 %.
 */
const thoroughBytesMax = 256 * 1024;
const brotliQuality = { usual: 9, thorough: 11 } as const;
const zstdLevel = 9;
const gzipLevel = 6;

/** How many clients understand it: gzip all, brotli all browsers, zstd some. */
const reach: Readonly<Record<ContentCoding, number>> = { gzip: 3, br: 2, zstd: 1 };

export interface EncoderParts {
  readonly blobs: Pick<BlobStore, 'get'>;
  readonly holdings: Holdings;
  readonly publisher: Pick<Publisher, 'writing' | 'put'>;
  readonly schedule: Pick<Schedule, 'track' | 'after'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly site: () => Site;
  readonly codings: () => readonly ContentCoding[];
  /** Whether anybody asks for it, or a page is made of it. */
  readonly wanted: (record: ShadowRecord) => boolean;
  readonly rememberedMax?: number;
}

export interface EncoderCounts {
  readonly bodies: number;
  /** Bytes of bodies and of the smallest coding of each. */
  readonly plainBytes: number;
  readonly codedBytes: number;
  /** Bodies no coding pays for. */
  readonly unpaid: number;
  /** The one under way included. */
  readonly waiting: number;
  readonly dropped: number;
}

interface Wanting {
  readonly thorough: boolean;
  /** Copies with this body, by `shadowId`. */
  readonly copies: Map<string, ResourceKey>;
}

export class Encoder {
  readonly #parts: EncoderParts;
  readonly #waiting = new Map<BlobDigest, Wanting>();
  readonly #known = new Map<BlobDigest, readonly CodedBody[]>();
  #running = false;
  #bodies = 0;
  #plainBytes = 0;
  #codedBytes = 0;
  #unpaid = 0;
  #dropped = 0;

  constructor(parts: EncoderParts) {
    this.#parts = parts;
  }

  get counts(): EncoderCounts {
    return { bodies: this.#bodies, plainBytes: this.#plainBytes, codedBytes: this.#codedBytes, unpaid: this.#unpaid, waiting: this.#waiting.size, dropped: this.#dropped };
  }

  /** A copy as it was put or renewed; one that has codings, or needs none, costs next to nothing here. */
  offer(record: ShadowRecord): void {
    const { holdings, wanted, codings, site } = this.#parts;
    if (record.codings || codings().length === 0 || !mayBeCoded(record, site()) || !wanted(record)) return;
    const known = this.#known.get(record.body);
    if (known?.every(({ body }) => holdings.holds(body))) {
      if (known.length > 0) this.#attach(shadowId(record), record.resource, record.body, known);
      return;
    }
    const before = this.#waiting.get(record.body);
    if (before) before.copies.set(shadowId(record), record.resource);
    else if (this.#waiting.size >= encoderWaitingMax) this.#dropped++;
    else this.#waiting.set(record.body, { thorough: isAsset(record), copies: new Map([[shadowId(record), record.resource]]) });
    this.#next();
  }

  #next(): void {
    if (this.#running) return;
    for (const [digest, wanting] of this.#waiting) {
      this.#running = true;
      this.#parts.schedule.track(() => this.#code(digest, wanting));
      return;
    }
  }

  async #code(digest: BlobDigest, { thorough, copies }: Wanting): Promise<void> {
    const { clock, schedule, log, blobs, publisher, codings } = this.#parts;
    const startedMs = clock.monotonicMs();
    try {
      const body = await blobs.get(digest);
      const coded = body ? await codingsOf(body, codings(), thorough) : [];
      await publisher.writing(async (put) => {
        const list: CodedBody[] = [];
        for (const { coding, bytes } of coded) list.push({ coding, body: await put(bytes), bodyBytes: bytes.length });
        if (!body) return;
        this.#count(body, list);
        this.#remember(digest, list);
        if (list.length > 0) for (const [id, resource] of copies) this.#attach(id, resource, digest, list);
        this.#waiting.delete(digest); // from here on it is known
      });
    } catch (error) {
      log.error('body-not-coded', { body: digest, problem: messageOf(error) });
    } finally {
      this.#waiting.delete(digest);
      schedule.after((clock.monotonicMs() - startedMs) * restFactor, () => {
        this.#running = false;
        this.#next();
      });
    }
  }

  /** To the copy as it is now: it may have been renewed meanwhile, or replaced. */
  #attach(id: string, resource: ResourceKey, digest: BlobDigest, codings: readonly CodedBody[]): void {
    const held = this.#parts.holdings.get(id, resource);
    if (held?.body === digest && !held.codings) this.#parts.publisher.put({ ...held, codings, version: 0 });
  }

  #count(body: Uint8Array, list: readonly CodedBody[]): void {
    const smallest = list[0];
    if (!smallest) {
      this.#unpaid++;
      return;
    }
    this.#bodies++;
    this.#plainBytes += body.length;
    this.#codedBytes += smallest.bodyBytes;
  }

  #remember(digest: BlobDigest, list: readonly CodedBody[]): void {
    this.#known.delete(digest);
    this.#known.set(digest, list);
    if (this.#known.size <= (this.#parts.rememberedMax ?? encoderRememberedMax)) return;
    const oldest = this.#known.keys().next();
    if (!oldest.done) this.#known.delete(oldest.value);
  }
}

interface Coded {
  readonly coding: ContentCoding;
  readonly bytes: Uint8Array;
}

/** The codings that pay, smallest first. */
export async function codingsOf(body: Uint8Array, wanted: readonly ContentCoding[], thorough: boolean): Promise<readonly Coded[]> {
  const made: Coded[] = [];
  for (const coding of wanted) {
    const bytes = await encoders[coding](body, thorough && body.length <= thoroughBytesMax);
    if (bytes.length <= body.length * paysBelow) made.push({ coding, bytes });
  }
  const dearer = (one: Coded, other: Coded): boolean => reach[other.coding] > reach[one.coding] && one.bytes.length > other.bytes.length * betterBelow;
  return made.filter((one) => !made.some((other) => dearer(one, other))).sort((a, b) => a.bytes.length - b.bytes.length);
}

const brotli = promisify(brotliCompress);
const zstd = promisify(zstdCompress);
const gzipped: (body: InputType, options: { readonly level: number }) => Promise<Uint8Array> = promisify(gzip);

const encoders: Readonly<Record<ContentCoding, (body: Uint8Array, thorough: boolean) => Promise<Uint8Array>>> = {
  br: (body, thorough) => brotli(body, { params: { [constants.BROTLI_PARAM_QUALITY]: thorough ? brotliQuality.thorough : brotliQuality.usual, [constants.BROTLI_PARAM_SIZE_HINT]: body.length } }),
  zstd: (body) => zstd(body, { params: { [constants.ZSTD_c_compressionLevel]: zstdLevel } }),
  gzip: (body) => gzipped(body, { level: gzipLevel }),
};

/** Text in other clothes. */
const packable = /^(?:font\/(?:ttf|otf|sfnt)|application\/(?:wasm|vnd\.ms-fontobject|x-font-ttf)|image\/(?:bmp|x-icon|vnd\.microsoft\.icon))\b/i;

/** Requests a minute from which on a copy counts as asked for. */
const askedPerMinute = 0.01;

/** Captures were asked for, and pages are made of assets; what waits for its first visitor can be coded when it has one. */
export function isWorthCoding(record: ShadowRecord, frontier: Frontier, demand: ReadonlyMap<ResourceKey, number>): boolean {
  return record.madeBy === 'capture' || frontier.get(record.resource)?.source === 'asset' || (demand.get(record.resource) ?? 0) >= askedPerMinute;
}

function mayBeCoded(record: ShadowRecord, site: Site): boolean {
  if (record.status !== 200 || record.bodyBytes < codedBytesMin || record.bodyBytes > codedBytesMax) return false;
  const headers = headerReader(record.headers);
  const contentType = headers.get('content-type') ?? '';
  const kind = contentKind(contentType);
  if (headers.get('content-encoding') !== null || (kind === 'other' && !packable.test(contentType))) return false;
  // Only HTML and JSON are ever put together.
  const composed = site.route(record.resource).dynamics.any && (kind === 'html' || kind === 'data');
  return !composed && !/\bno-transform\b/i.test(headers.get('cache-control') ?? '');
}

function isAsset(record: ShadowRecord): boolean {
  const kind = contentKind(headerReader(record.headers).get('content-type') ?? '');
  return kind === 'text' || kind === 'other';
}

/**
 * A trace as minutes in order, from any number of files whose lines need not be in order within a day. Files are read side by
 * side where they overlap in time. Strings become numbers at once; a request takes 14 bytes until its minute is complete,
 * which is when nothing read later can still belong to it. Bounded: at `bufferedMax` requests the oldest hour is let go early.
 */
import { classifyDemand, isCrawler } from '../../demand/index.ts';
import type { DemandKind } from '../../demand/index.ts';
import { TraceFindings, firstTimeMs, readTraceFile } from '../../demand/trace/index.ts';
import type { TraceFormat, TraceRequest } from '../../demand/trace/index.ts';
import { headerReader } from '../../http/index.ts';
import { ForeshadowError } from '../../kernel/index.ts';
import type { RegionName, ResourceKey } from '../../kernel/index.ts';
import { everywhere } from '../forecaster.ts';
import { KeyTable } from '../state/key-table.ts';

const hourMs = 3_600_000;
const minuteMs = 60_000;
const disorderMs = 24 * hourMs;
const bufferedMax = 20_000_000;
const agentsMax = 10_000;
/** A line this far from the one before it is not believed, unless the next one agrees with it. */
const leapMs = 366 * 24 * hourMs;
const noHeaders = headerReader([]);

/** A request that people made and that was answered with something a shadow could be. */
export const isDemand = 1;
/** A GET that was answered so, by whomever made: it renews the copy in passing. */
export const captures = 2;

/** One minute of a trace; the columns have one entry a request, in order of time. Requests that neither count nor capture are left out. */
export interface TraceMinute {
  readonly minuteMs: number;
  readonly timeMs: Float64Array;
  readonly resource: Int32Array;
  readonly region: Int32Array;
  /** `isDemand`, `captures` or both. */
  readonly flags: Uint8Array;
}

export interface TraceTotals {
  /** Requests of each kind, whatever their answer. */
  readonly kinds: Record<DemandKind, number>;
  /** People's GET and HEAD requests answered well: what is scored. */
  demand: number;
  /** Requests answered with an error, or of other methods. */
  otherwise: number;
}

interface Source {
  readonly path: string;
  readonly firstMs: number;
  batches: AsyncGenerator<TraceRequest[]> | undefined;
  latestMs: number;
  /** The time of the line before, believed or not. */
  beforeMs: number;
}

interface Bucket {
  timeMs: Float64Array;
  resource: Int32Array;
  region: Int32Array;
  flags: Uint8Array;
  length: number;
}

export class TraceMinutes {
  readonly resources = new KeyTable<ResourceKey>();
  readonly regions = new KeyTable<RegionName>();
  readonly totals: TraceTotals = { kinds: { person: 0, crawler: 0, prefetch: 0, generated: 0 }, demand: 0, otherwise: 0 };
  readonly #format: TraceFormat;
  readonly #findings: TraceFindings;
  readonly #resourcesMax: number;
  readonly #crawlers = new Map<string, boolean>();
  readonly #hours = new Map<number, Bucket>();
  #buffered = 0;
  /** Everything before this has been handed out. */
  #doneMs = 0;

  constructor(options: { readonly format: TraceFormat; readonly findings: TraceFindings; readonly resourcesMax: number }) {
    this.#format = options.format;
    this.#findings = options.findings;
    this.#resourcesMax = options.resourcesMax;
  }

  /** Minutes that have requests, in order. `onRead` is told how far the reading has come, in trace time. */
  async *read(files: readonly string[], onRead: (timeMs: number) => void): AsyncGenerator<TraceMinute> {
    const waiting = await this.#order(files);
    const open: Source[] = [];
    for (;;) {
      const behind = open.reduce((least: Source | undefined, source) => (!least || source.latestMs < least.latestMs ? source : least), undefined);
      const due = waiting[0];
      if (due && (!behind || due.firstMs <= behind.latestMs)) {
        waiting.shift();
        open.push({ ...due, batches: readTraceFile(due.path, this.#format, this.#findings) });
        continue;
      }
      if (!behind?.batches) break;
      const next = await behind.batches.next();
      if (next.done) open.splice(open.indexOf(behind), 1);
      else {
        this.#take(next.value, behind);
        onRead(behind.latestMs);
      }
      const reachedMs = Math.min(waiting[0]?.firstMs ?? Infinity, ...open.map((source) => source.latestMs));
      yield* this.#release(reachedMs === Infinity ? -Infinity : reachedMs - disorderMs);
    }
    yield* this.#release(Infinity);
  }

  async #order(files: readonly string[]): Promise<Source[]> {
    const sources: Source[] = [];
    for (const path of files) {
      const firstMs = await firstTimeMs(path, this.#format, new TraceFindings());
      // A file without a good line is read all the same, so that its lines are counted.
      sources.push({ path, firstMs: firstMs ?? 0, batches: undefined, latestMs: firstMs ?? 0, beforeMs: firstMs ?? 0 });
    }
    return sources.sort((a, b) => a.firstMs - b.firstMs);
  }

  #take(batch: readonly TraceRequest[], source: Source): void {
    for (const request of batch) {
      const leap = Math.abs(request.timeMs - source.beforeMs) > leapMs;
      source.beforeMs = request.timeMs;
      if (leap) {
        this.#findings.add('bad-time', source.path, `${new Date(request.timeMs).toISOString()} ${request.resource}`);
        continue;
      }
      if (request.timeMs > source.latestMs) source.latestMs = request.timeMs;
      if (request.timeMs < this.#doneMs) {
        this.#findings.add('out-of-order', source.path, `${new Date(request.timeMs).toISOString()} ${request.resource}`);
        continue;
      }
      const kind = this.#kindOf(request.userAgent);
      this.totals.kinds[kind]++;
      const good = request.status >= 200 && request.status < 400;
      const get = request.method === 'GET';
      if (!good || (!get && request.method !== 'HEAD')) {
        this.totals.otherwise++;
        continue;
      }
      const flags = (kind === 'person' ? isDemand : 0) | (get ? captures : 0);
      if (flags === 0) continue;
      if (this.resources.size >= this.#resourcesMax && this.resources.indexOf(request.resource) === undefined) {
        this.#findings.add('too-many-resources', source.path, request.resource);
        continue;
      }
      if (kind === 'person') this.totals.demand++;
      this.#put(request.timeMs, this.resources.intern(request.resource), this.regions.intern(request.region ?? everywhere), flags);
    }
  }

  #kindOf(userAgent: string): DemandKind {
    let crawler = this.#crawlers.get(userAgent);
    if (crawler === undefined) {
      crawler = isCrawler(userAgent);
      if (this.#crawlers.size < agentsMax) this.#crawlers.set(userAgent, crawler);
    }
    return classifyDemand(noHeaders, crawler);
  }

  #put(timeMs: number, resource: number, region: number, flags: number): void {
    const hour = Math.floor(timeMs / hourMs);
    let bucket = this.#hours.get(hour);
    if (!bucket) {
      bucket = { timeMs: new Float64Array(64), resource: new Int32Array(64), region: new Int32Array(64), flags: new Uint8Array(64), length: 0 };
      this.#hours.set(hour, bucket);
    }
    if (bucket.length === bucket.flags.length) grow(bucket);
    bucket.timeMs[bucket.length] = timeMs;
    bucket.resource[bucket.length] = resource;
    bucket.region[bucket.length] = region;
    bucket.flags[bucket.length] = flags;
    bucket.length++;
    this.#buffered++;
  }

  /** Hands out the hours that end by `untilMs`, and more if there are too many requests waiting. */
  *#release(untilMs: number): Generator<TraceMinute> {
    while (this.#hours.size > 0) {
      const hour = Math.min(...this.#hours.keys());
      const endMs = (hour + 1) * hourMs;
      const bucket = this.#hours.get(hour);
      if (!bucket || (endMs > untilMs && this.#buffered <= bufferedMax)) return;
      this.#hours.delete(hour);
      this.#buffered -= bucket.length;
      this.#doneMs = endMs;
      yield* minutesOf(bucket);
    }
  }
}

function grow(bucket: Bucket): void {
  const length = bucket.flags.length * 2;
  const { timeMs, resource, region, flags } = bucket;
  bucket.timeMs = new Float64Array(length);
  bucket.timeMs.set(timeMs);
  bucket.resource = new Int32Array(length);
  bucket.resource.set(resource);
  bucket.region = new Int32Array(length);
  bucket.region.set(region);
  bucket.flags = new Uint8Array(length);
  bucket.flags.set(flags);
}

function* minutesOf(bucket: Bucket): Generator<TraceMinute> {
  const time = bucket.timeMs;
  // Sorting is stable, so requests of the same time keep their order.
  const order = Uint32Array.from({ length: bucket.length }, (_, i) => i).sort((a, b) => (time[a] ?? 0) - (time[b] ?? 0) || a - b);
  for (let from = 0; from < order.length;) {
    const minute = Math.floor((time[order[from] ?? 0] ?? 0) / minuteMs);
    let to = from;
    while (to < order.length && Math.floor((time[order[to] ?? 0] ?? 0) / minuteMs) === minute) to++;
    const rows = order.subarray(from, to);
    yield {
      minuteMs: minute * minuteMs,
      timeMs: Float64Array.from(rows, (row) => time[row] ?? 0),
      resource: Int32Array.from(rows, (row) => bucket.resource[row] ?? 0),
      region: Int32Array.from(rows, (row) => bucket.region[row] ?? 0),
      flags: Uint8Array.from(rows, (row) => bucket.flags[row] ?? 0),
    };
    from = to;
  }
}

/** The span from the first time to the last, read no further than `enoughMs`. */
export async function traceLengthMs(files: readonly string[], format: TraceFormat, findings: TraceFindings, enoughMs: number): Promise<number> {
  const firsts: { readonly path: string; readonly ms: number }[] = [];
  for (const path of files) {
    const ms = await firstTimeMs(path, format, findings);
    if (ms !== undefined) firsts.push({ path, ms });
  }
  if (firsts.length === 0) {
    throw new ForeshadowError('trace-unreadable', {
      source: 'client', message: `no line of ${files.join(', ')} can be read (${findings.list().map(({ kind, count }) => `${count} ${kind}`).join(', ')})`, hint: 'give a combined or common access log, or JSON lines with time and url',
    });
  }
  let least = Math.min(...firsts.map(({ ms }) => ms));
  let greatest = Math.max(...firsts.map(({ ms }) => ms));
  for (const { path } of firsts.sort((a, b) => b.ms - a.ms)) {
    if (greatest - least >= enoughMs) break;
    for await (const batch of readTraceFile(path, format, findings)) {
      for (const { timeMs } of batch) {
        if (timeMs > greatest) greatest = timeMs;
        if (timeMs < least) least = timeMs;
      }
      if (greatest - least >= enoughMs) break;
    }
  }
  return greatest - least;
}

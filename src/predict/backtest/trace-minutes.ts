/**
 * A trace as minutes in order, from any number of files whose lines need not be in order within a day. Files are read side by
 * side where they overlap in time. Strings become numbers at once; a request takes 25 bytes until its minute is complete,
 * which is when nothing read later can still belong to it. Bounded: at `bufferedMax` requests the oldest hour is let go early.
 */
import { classifyDemand, isCrawler } from '../../demand/index.ts';
import type { DemandKind } from '../../demand/index.ts';
import { TraceFindings, firstTimeMs, readTraceFile } from '../../demand/trace/index.ts';
import type { TraceFormat, TraceRequest } from '../../demand/trace/index.ts';
import { headerReader } from '../../http/index.ts';
import { fnv1a, ForeshadowError } from '../../kernel/index.ts';
import type { RegionName, ResourceKey } from '../../kernel/index.ts';
import { everywhere } from '../forecaster.ts';
import { captures, HourBucket, isDemand } from './hour-bucket.ts';
import type { TraceMinute } from './hour-bucket.ts';
import { KeyTable } from '../state/key-table.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const disorderMs = 24 * hourMs;
const bufferedMax = 20_000_000;
const agentsMax = 10_000;
/** A line this far from the one before it is not believed, unless the next one agrees with it. */
const leapMs = 366 * 24 * hourMs;
const noHeaders = headerReader([]);

export interface TraceTotals {
  /** Requests of each kind, whatever their answer. */
  readonly kinds: Record<DemandKind, number>;
  /** People's GET and HEAD requests answered well: what is scored. */
  demand: number;
  /** Requests answered with an error, or of other methods. */
  otherwise: number;
  /** Requests left out because their client made more than `clientRequestsMax` that day. */
  heavyClients: number;
}

export interface TraceOptions {
  readonly format: TraceFormat;
  readonly findings: TraceFindings;
  readonly resourcesMax: number;
  /** Clients with more good answers than this in a day (UTC) are left out altogether. To tell them takes the whole day, so that a cut trace is another trace. */
  readonly clientRequestsMax?: number;
}

interface Source {
  readonly path: string;
  readonly firstMs: number;
  batches: AsyncGenerator<TraceRequest[]> | undefined;
  latestMs: number;
  /** The time of the line before, believed or not. */
  beforeMs: number;
}

export class TraceMinutes {
  readonly resources = new KeyTable<ResourceKey>();
  readonly regions = new KeyTable<RegionName>();
  readonly totals: TraceTotals = { kinds: { person: 0, crawler: 0, prefetch: 0, generated: 0 }, demand: 0, otherwise: 0, heavyClients: 0 };
  readonly #format: TraceFormat;
  readonly #findings: TraceFindings;
  readonly resourcesMax: number;
  readonly #crawlers = new Map<string, boolean>();
  readonly #hours = new Map<number, HourBucket>();
  readonly #clientRequestsMax: number;
  /** Requests of each client in each day that is not over; empty where nobody wants to know. */
  readonly #clientDays = new Map<number, Map<number, number>>();
  #buffered = 0;
  #bytesRead = 0;
  #readToMs = 0;
  /** Everything before this has been handed out. */
  #doneMs = 0;

  constructor(options: TraceOptions) {
    this.#format = options.format;
    this.#findings = options.findings;
    this.resourcesMax = options.resourcesMax;
    this.#clientRequestsMax = options.clientRequestsMax ?? Infinity;
  }

  /** How far the reading has come: bytes of the files, and trace time. It is ahead of the minutes handed out. */
  get reading(): { readonly bytes: number; readonly toMs: number } {
    return { bytes: this.#bytesRead, toMs: this.#readToMs };
  }

  /** Minutes that have requests, in order. */
  async *read(files: readonly string[]): AsyncGenerator<TraceMinute> {
    const waiting = await this.#order(files);
    const open: Source[] = [];
    for (;;) {
      const behind = open.reduce((least: Source | undefined, source) => (!least || source.latestMs < least.latestMs ? source : least), undefined);
      const due = waiting[0];
      if (due && (!behind || due.firstMs <= behind.latestMs)) {
        waiting.shift();
        open.push({ ...due, batches: this.#open(due.path) });
        continue;
      }
      if (!behind?.batches) break;
      const next = await behind.batches.next();
      if (next.done) open.splice(open.indexOf(behind), 1);
      else {
        this.#take(next.value, behind);
        this.#readToMs = behind.latestMs;
      }
      const reachedMs = Math.min(waiting[0]?.firstMs ?? Infinity, ...open.map((source) => source.latestMs));
      yield* this.#release(reachedMs === Infinity ? -Infinity : reachedMs - disorderMs);
    }
    yield* this.#release(Infinity);
  }

  #open(path: string): AsyncGenerator<TraceRequest[]> {
    let before = 0;
    return readTraceFile(path, this.#format, this.#findings, (bytes) => {
      this.#bytesRead += bytes - before;
      before = bytes;
    });
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
      if (this.resources.size >= this.resourcesMax && this.resources.indexOf(request.resource) === undefined) {
        this.#findings.add('too-many-resources', source.path, request.resource);
        continue;
      }
      if (kind === 'person') this.totals.demand++;
      this.#put(this.resources.intern(request.resource), this.regions.intern(request.region ?? everywhere), flags, request);
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

  #put(resource: number, region: number, flags: number, request: TraceRequest): void {
    const { timeMs } = request;
    const client = clientTag(request.client);
    if (this.#clientRequestsMax < Infinity) this.#countClient(timeMs, client);
    const hour = Math.floor(timeMs / hourMs);
    let bucket = this.#hours.get(hour);
    if (!bucket) {
      bucket = new HourBucket();
      this.#hours.set(hour, bucket);
    }
    bucket.put(timeMs, resource, region, flags, client, request.referer === undefined ? -1 : this.resources.indexOf(request.referer) ?? -1);
    this.#buffered++;
  }

  #countClient(timeMs: number, client: number): void {
    if (client === 0) return;
    const day = Math.floor(timeMs / dayMs);
    const counts = this.#clientDays.get(day) ?? new Map<number, number>();
    if (counts.size === 0) this.#clientDays.set(day, counts);
    counts.set(client, (counts.get(client) ?? 0) + 1);
  }

  /** Hours wait a day before they are handed out (`disorderMs`), so that their own day has been read. */
  #dropHeavyClients(bucket: HourBucket, hour: number): void {
    const day = Math.floor((hour * hourMs) / dayMs);
    for (const known of this.#clientDays.keys()) if (known < day) this.#clientDays.delete(known);
    const counts = this.#clientDays.get(day);
    bucket.drop((client, flags) => {
      if ((counts?.get(client) ?? 0) <= this.#clientRequestsMax) return false;
      this.totals.heavyClients++;
      if ((flags & isDemand) !== 0) this.totals.demand--;
      return true;
    });
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
      if (this.#clientRequestsMax < Infinity) this.#dropHeavyClients(bucket, hour);
      yield* bucket.minutes();
    }
  }
}

/** A number from a client's name (32 bits): two of a hundred thousand clients in one day may share theirs, which no sum notices. */
function clientTag(client: string): number {
  return client === '' ? 0 : fnv1a(client) | 0 || 1;
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

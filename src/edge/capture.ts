/**
 * Passive capture: the good answers that pass by anyway become copies. Decides whether one may be kept, makes the record, and
 * hands it to the edge's copies and to whoever spreads the word. Never keeps what is one person's.
 */
import { doubtOf, type Doubt, type ShadowRecord } from '../catalog/index.ts';
import {
  cacheRefusal, headerReader, shadowRefusal, storableFields, updateStored, variedHeaders, varyValues,
  type HeaderList, type KeepRefusal,
} from '../http/index.ts';
import { digestOf } from '../store/index.ts';
import type { Copies, Copy } from './copies.ts';
import { repeatsForeignHost } from './foreign-host.ts';
import type { Rulebook } from './rulebook.ts';
import type { OriginResult } from './origin-client.ts';
import { seedOf } from './seed-of.ts';
import type { SiteRules } from './site-rules.ts';
import type { Visit } from './visit.ts';

export type WholeAnswer = Extract<OriginResult, { kind: 'whole' }>;
/**
 * Beyond what HTTP forbids: the answer repeats a Host that nobody declared, so that it may be made for that visitor alone; or it
 * redirects to what has the same key (another scheme, host, or without tracking parameters), so that a copy would lead in a circle.
 */
export type CaptureRefusal = KeepRefusal | 'foreign-host' | 'self-redirect' | Doubt;

/** What pages for one person usually say; read in full it costs ten times as much, for each of them. */
const plainNoStore = /^no-store$|^(?:private|no-cache), ?no-store/;

export interface CaptureOptions {
  readonly copies: Copies;
  /** A coded body whose page will be put together is decoded up to this size. */
  readonly decodedBytesMax: number;
  readonly site: SiteRules;
  readonly rulebook: Rulebook;
  /** Told of every record that was kept. */
  readonly kept: (record: ShadowRecord) => void;
  /** Told of every answer that was not, and why. */
  readonly refused: (visit: Visit, answer: WholeAnswer, reason: CaptureRefusal) => void;
  readonly failed: (error: unknown) => void;
  /** Told of the Host of a request whose answer was not kept because it repeats that name. */
  readonly undeclared: (host: string) => void;
}

export class Capture {
  readonly #options: CaptureOptions;
  readonly #counts = new Map<string, number>();

  constructor(options: CaptureOptions) {
    this.#options = options;
  }

  /** `kept` and each reason for not keeping → answers. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }

  /** Keeps a whole answer if it may be kept, and gives the copy. */
  take(visit: Visit, passing: WholeAnswer): Copy | undefined {
    const { rules } = visit;
    if (rules.shadow !== 'always' && plainNoStore.test(passing.headers.get('cache-control') ?? '') && !passing.headers.has('cdn-cache-control')) {
      this.#count('no-store');
      this.#options.refused(visit, passing, 'no-store');
      return undefined;
    }
    const { resource } = visit;
    if (this.#options.rulebook.any && this.#options.rulebook.holds({ resource, headers: [...passing.headers] }, passing.responseTimeMs)) {
      this.#count('held');
      return undefined;
    }
    const seed = seedOf(visit, passing, this.#options.decodedBytesMax);
    const answer = seed === 'cookie' ? passing : seed;
    const exchange = {
      method: visit.request.method, request: visit, status: answer.status, response: answer.headers,
      responseTimeMs: answer.responseTimeMs, otherCookies: visit.otherCookies,
    };
    const asCache = rules.cache === 'off' ? 'route' : cacheRefusal(exchange);
    const refusal = asCache === undefined ? undefined : shadowRefusal(exchange, rules.shadow);
    const why = refusal ?? (seed === 'cookie' ? seed : undefined) ?? this.#unshared(visit, answer) ?? this.#doubt(visit, answer);
    this.#count(why ?? 'kept');
    if (why === 'foreign-host') this.#options.undeclared(visit.host);
    if (why !== undefined) {
      this.#options.refused(visit, answer, why);
      return undefined;
    }
    this.#options.site.learn(visit.target, answer.headers.get('no-vary-search'));
    const fields = storableFields([...answer.headers]);
    return this.#keep(this.#withCodings(this.#record(visit, answer, fields)), answer.body ?? new Uint8Array());
  }

  /** The same body as before still has the codings that were prepared of it. */
  #withCodings(record: ShadowRecord): ShadowRecord {
    const before = this.#options.copies.all(record.resource, record.variation).find((copy) => copy.record.body === record.body && copy.record.codings !== undefined);
    return before?.record.codings ? { ...record, codings: before.record.codings } : record;
  }

  /** Brings a copy up to date from a 304, or from a HEAD that is about the same representation. */
  renew(copy: Copy, answer: WholeAnswer): Copy {
    const headers = updateStored(copy.record.headers, storableFields([...answer.headers]));
    const record = { ...copy.record, headers, requestTimeMs: answer.requestTimeMs, responseTimeMs: answer.responseTimeMs, version: 0 };
    this.#count('renewed');
    return this.#keep(record, copy.body);
  }

  #record(visit: Visit, answer: WholeAnswer, headers: HeaderList): ShadowRecord {
    const body = answer.body ?? new Uint8Array();
    const read = headerReader(headers);
    // A coded body is for those who accept the coding, whether the origin says so (Vary) or forgets to, as nginx does by default.
    const vary = read.get('content-encoding') === null ? read.get('vary') : `${read.get('vary') ?? ''},accept-encoding`;
    const varied = variedHeaders(vary, visit.rules.standIns);
    // A plain seed is everybody's: which coding its pages go out in is decided when they do.
    const names = visit.rules.dynamics.any && read.get('content-encoding') === null ? varied.filter((name) => name !== 'accept-encoding') : varied;
    return {
      resource: visit.resource, variation: visit.variation, vary: varyValues(names, { get: (name) => visit.varied(name) }),
      status: answer.status, headers, body: digestOf(body), bodyBytes: body.byteLength,
      requestTimeMs: answer.requestTimeMs, responseTimeMs: answer.responseTimeMs, madeBy: 'capture', version: 0,
    };
  }

  #keep(record: ShadowRecord, body: Uint8Array): Copy {
    const { copy, stored } = this.#options.copies.keep(record, body);
    stored.then(() => { this.#options.kept(record); }, (error: unknown) => { this.#options.failed(error); });
    return copy;
  }

  #unshared(visit: Visit, answer: WholeAnswer): 'foreign-host' | 'self-redirect' | undefined {
    if (repeatsForeignHost(visit, answer, this.#options.site)) return 'foreign-host';
    return answer.status >= 300 && answer.status < 400 && this.#leadsToItself(visit, answer.headers.get('location')) ? 'self-redirect' : undefined;
  }

  /** Whether the target of a redirect has the same key: only scheme, host or parameters that don't count differ. */
  #leadsToItself(visit: Visit, location: string | null): boolean {
    const { site } = this.#options;
    const host = visit.host === '' ? 'host.invalid' : visit.host;
    const to = location === null ? null : URL.parse(location, `${visit.entrance.proto}://${host}${visit.target}`);
    if (!to || (to.host !== host && !site.ownsHost(to.host))) return false;
    return site.resolve(to.pathname + to.search, to.host).resource === visit.resource;
  }

  /** A doubtful answer goes to whoever asked, and no further; if it is the new truth the generator finds out. */
  #doubt(visit: Visit, answer: WholeAnswer): Doubt | undefined {
    const previous = this.#options.copies.find(visit.resource, visit.variation, visit)?.record;
    const contentType = (list: HeaderList): string => headerReader(list).get('content-type') ?? '';
    return doubtOf(
      { status: answer.status, contentType: answer.headers.get('content-type') ?? '', body: answer.body ?? new Uint8Array() },
      previous && { status: previous.status, contentType: contentType(previous.headers), bodyBytes: previous.bodyBytes },
    );
  }

  #count(what: CaptureRefusal | 'held' | 'kept' | 'renewed'): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }
}

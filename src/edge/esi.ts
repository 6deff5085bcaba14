/**
 * The last phase of routes with `esi: true`: what the pipeline answers, from the origin or from a copy, is put together before the visitor gets it.
 * Fragments are requests like any visitor's, through the same pipeline: cached, captured, rescued, bounded like them, so that pages come together
 * from copies while the origin is down. What was put together is never kept; no request leaves for another host.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { evaluateEsi, mayHoldEsi, pageBytesMax, parseEsi, wantsEsi, type EsiFacts } from '../compose/esi/index.ts';
import { chooseCoding, decodeBody } from '../http/index.ts';
import type { AnswerRecord } from './answer-record.ts';
import { assembledHeaders, fieldsOf, withoutSurrogateFields, type PartFields } from './esi-answer.ts';
import { depthMax, entranceFor, fragmentAddress, fragmentRequest, fragmentsMax, pageId, type FragmentAddress, type FragmentRules } from './esi-fragment.ts';
import type { PartOf } from './part-of.ts';
import type { Entrance, Visit } from './visit.ts';
import { wholeBody } from './whole-body.ts';

export interface EsiParts extends FragmentRules {
  /** Longest wait for everything a page includes: as long as the origin may take for the page itself. */
  readonly patienceMs: number;
  /** The pipeline's answer to another request. */
  readonly ask: (request: Request, entrance: Entrance) => Response | Promise<Response>;
  /** Whether a copy of the page could answer in the origin's stead. */
  readonly hasCopy: (visit: Visit) => boolean;
  /** The answer, recorded, where the page can't be put together. */
  readonly fail: (visit: Visit) => Response;
  readonly record: (record: AnswerRecord) => void;
}

/** Smaller bodies don't shrink. */
const codedBytesMin = 1_024;
/** Statuses of answers about a part or a state of the page before it was put together. */
const selectionStatuses: ReadonlySet<number> = new Set([206, 304, 412, 416]);

export class Esi {
  readonly #parts: EsiParts;
  readonly #held = new WeakMap<Visit, AnswerRecord>();

  constructor(parts: EsiParts) {
    this.#parts = parts;
  }

  /** Whether this is kept back, because what becomes of the request is known only when its page is put together. */
  withholds(record: AnswerRecord): boolean {
    const { visit } = record;
    if (!visit?.holdsRecord) return false;
    this.#held.set(visit, record);
    return true;
  }

  /** `act` answers the visit as on any route. Answers that are no pages pass within the same turn. */
  answer(visit: Visit, act: () => Response | Promise<Response>): Response | Promise<Response> {
    visit.holdsRecord = true;
    // As the visitor sent them: sending them on changes them.
    const asked = new Headers(visit.request.headers);
    const untilMs = visit.entrance.part?.untilMs ?? performance.now() + this.#parts.patienceMs;
    const answered = act();
    return answered instanceof Promise ? answered.then((response) => this.#finish(visit, asked, untilMs, response)) : this.#finish(visit, asked, untilMs, answered);
  }

  #finish(visit: Visit, asked: Headers, untilMs: number, response: Response): Response | Promise<Response> {
    const type = response.headers.get('content-type') ?? visit.found?.record.headers.find(([name]) => name === 'content-type')?.[1] ?? '';
    if (!mayHoldEsi(type) || answeredBy(response, 'none') || isPlain(visit, response)) return this.#released(visit, response);
    if (selectionStatuses.has(response.status) && visit.method === 'read') return this.#askWhole(visit, asked, response);
    if (visit.head) return this.#released(visit, described(response));
    return response.body === null ? this.#released(visit, response) : this.#assemble(visit, asked, untilMs, response);
  }

  /** What the client has or wants a part of was never a page of ours: it gets the whole one. */
  async #askWhole(visit: Visit, asked: Headers, response: Response): Promise<Response> {
    await response.body?.cancel();
    const headers = new Headers(asked);
    for (const name of ['if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since', 'if-range', 'range']) headers.delete(name);
    const { request } = visit;
    return this.#parts.ask(new Request(request.url, { method: request.method, headers, signal: request.signal }), entranceFor(visit, visit.entrance.part));
  }

  async #assemble(visit: Visit, asked: Headers, untilMs: number, response: Response): Promise<Response> {
    const sent = await readWhole(response, { left: pageBytesMax });
    if (!sent) return this.#failed(visit);
    const body = decodeBody(sent, response.headers.get('content-encoding'), pageBytesMax);
    if (!body || !wantsEsi(response.headers.get('surrogate-control'), body)) {
      const headers = withoutSurrogateFields(new Headers(response.headers));
      return this.#released(visit, new Response(wholeBody(sent, true, true), { status: response.status, headers }));
    }
    const page = parseEsi(body);
    const fragments = new Fragments(this.#parts, visit, asked);
    const facts: EsiFacts = { header: (name) => asked.get(name), host: visit.host, query: visit.target.split('?').slice(1).join('?') };
    const result = page && await evaluateEsi(page, { facts, nowMs: () => performance.now(), untilMs }, (reference, byMs) => fragments.get(reference, byMs));
    if (!result || (result.missing.length > 0 && !this.#parts.hasCopy(visit))) return this.#failed(visit);
    const headers = assembledHeaders(response.headers, { fragments: fragments.fields, personal: result.personal, missing: result.missing.length }, Date.now());
    const coded = await this.#coded(result.body, asked, headers, response.headers);
    return this.#released(visit, new Response(wholeBody(coded, true, true), { status: response.status, headers }));
  }

  /** Gzip off this thread: what is one visitor's can't be coded beforehand, and unlike a copy it is sent once. */
  async #coded(body: Uint8Array, asked: Headers, headers: Headers, page: Headers): Promise<Uint8Array> {
    if (body.byteLength < codedBytesMin || /\bno-transform\b/i.test(page.get('cache-control') ?? '')) return body;
    if (!/\baccept-encoding\b/i.test(headers.get('vary') ?? '')) headers.append('vary', 'Accept-Encoding');
    if (chooseCoding(asked.get('accept-encoding'), ['gzip']) !== 'gzip') return body;
    headers.set('content-encoding', 'gzip');
    return gzipped(body, { level: 5 });
  }

  #failed(visit: Visit): Response {
    visit.holdsRecord = false;
    return this.#parts.fail(visit);
  }

  #released(visit: Visit, response: Response): Response {
    visit.holdsRecord = false;
    const record = this.#held.get(visit);
    if (record) this.#parts.record(record);
    withoutSurrogateFields(response.headers);
    return response;
  }
}

function answeredBy(response: Response, source: 'none' | 'origin'): boolean {
  return response.headers.get('foreshadow')?.startsWith(`source=${source};`) ?? false;
}

/** Whether the answer is a copy that is known to have nothing to process: all that holds for copies holds for it. */
function isPlain({ found, rules }: Visit, response: Response): boolean {
  if (!found || rules.dynamics.slots.length > 0 || answeredBy(response, 'origin')) return false;
  const field = (name: string): string | undefined => found.record.headers.find(([key]) => key === name)?.[1];
  return field('content-encoding') === undefined && !wantsEsi(field('surrogate-control') ?? null, found.body);
}

const gzipped = promisify<Uint8Array, { level: number }, Uint8Array>(gzip);

/** HEAD of a page that may be put together: how long it would be, and which tag it has, nobody knows. */
function described(response: Response): Response {
  const control = response.headers.get('surrogate-control');
  if (control !== null && !wantsEsi(control, new Uint8Array())) return response;
  const headers = assembledHeaders(response.headers, { fragments: [], personal: false, missing: 0 }, Date.now());
  // An empty body would be told as Content-Length: 0; a stream has none.
  const empty = new ReadableStream({ type: 'direct', pull: (controller) => { void controller.end(); } });
  return new Response(empty, { status: response.status, headers });
}

/** The fragments of one page. Each is asked for once, however often it is included. */
class Fragments {
  readonly fields: PartFields[] = [];
  readonly #parts: EsiParts;
  readonly #visit: Visit;
  readonly #asked: Headers;
  readonly #depth: number;
  readonly #budget: PartOf['budget'];
  readonly #ancestors: readonly string[];
  readonly #known = new Map<string, Promise<Uint8Array | undefined>>();
  /** Bytes that all of them together may have. */
  readonly #room = { left: pageBytesMax };

  constructor(parts: EsiParts, visit: Visit, asked: Headers) {
    const { part } = visit.entrance;
    this.#parts = parts;
    this.#visit = visit;
    this.#asked = asked;
    this.#depth = (part?.depth ?? 0) + 1;
    this.#budget = part?.budget ?? { left: fragmentsMax };
    this.#ancestors = [...(part?.ancestors ?? []), pageId(visit)];
  }

  get(reference: string, untilMs: number): Promise<Uint8Array | undefined> {
    const address = this.#depth > depthMax ? undefined : fragmentAddress(reference, this.#visit, this.#parts);
    if (!address || this.#ancestors.includes(address.id)) return Promise.resolve(undefined);
    const known = this.#known.get(address.id);
    if (known) return known;
    if (this.#budget.left <= 0) return Promise.resolve(undefined);
    this.#budget.left--;
    const asked = this.#ask(address, untilMs);
    this.#known.set(address.id, asked);
    return asked;
  }

  /** Given up when time is over or the visitor leaves. */
  async #ask(address: FragmentAddress, untilMs: number): Promise<Uint8Array | undefined> {
    const stop = new AbortController();
    const { signal } = this.#visit.request;
    const part = { depth: this.#depth, budget: this.#budget, untilMs, ancestors: this.#ancestors };
    const request = fragmentRequest(address, this.#asked, stop.signal);
    const { promise: over, resolve: giveUp } = Promise.withResolvers<undefined>();
    const end = (): void => {
      giveUp(undefined);
      stop.abort();
    };
    const timer = setTimeout(end, Math.max(0, untilMs - performance.now()));
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
    try {
      const answer = this.#read(await Promise.race([this.#parts.ask(request, entranceFor(this.#visit, part)), over]));
      return await Promise.race([answer, over]);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
    }
  }

  async #read(response: Response | undefined): Promise<Uint8Array | undefined> {
    if (!response) return undefined;
    if (!response.ok) {
      await response.body?.cancel();
      return undefined;
    }
    const body = response.body === null ? new Uint8Array() : await readWhole(response, this.#room);
    const plain = body && decodeBody(body, response.headers.get('content-encoding'), pageBytesMax);
    if (plain) this.fields.push(fieldsOf(response.headers, Date.now()));
    return plain;
  }
}

/** Undefined where there is no room for the body, or it breaks off. */
async function readWhole(response: Response, room: { left: number }): Promise<Uint8Array | undefined> {
  if (Number(response.headers.get('content-length') ?? 0) > room.left) {
    await response.body?.cancel();
    return undefined;
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const givenUp = (): undefined => {
    room.left += bytes;
    return undefined;
  };
  try {
    const stream: AsyncIterable<Uint8Array> | null = response.body;
    for await (const chunk of stream ?? []) {
      room.left -= chunk.byteLength;
      bytes += chunk.byteLength;
      if (room.left < 0) return givenUp();
      chunks.push(chunk);
    }
  } catch {
    return givenUp(); // the origin broke off in the middle of it; its failure has been observed where it was read
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks);
}

/**
 * One exchange with the origin, seen to its end: sent, observed by routing, captured. Several visits may wait for it; it is
 * aborted when the last of them leaves, unless a shadow has already answered because it was late: then it may finish,
 * because its answer is a fresh copy.
 */
import type { AttemptKind, AttemptOutcome, OriginRouting } from '../route/index.ts';
import { headMatches, proxyStatusMember, validationFields, headerReader } from '../http/index.ts';
import type { Capture } from './capture.ts';
import type { Copy } from './copies.ts';
import { heedInPlace } from './esi-answer.ts';
import type { Overtaken } from './overtaken.ts';
import type { OriginClient, OriginExchange, OriginResult } from './origin-client.ts';
import type { Visit } from './visit.ts';

/** What came of it. `copy`: what was kept of the answer, or the copy that a 304 confirmed. */
export type FlightOutcome =
  | { readonly kind: 'answered'; readonly result: Exclude<OriginResult, { kind: 'failed' }>; readonly copy: Copy | undefined; readonly confirmed: boolean }
  | { readonly kind: 'failed'; readonly why: Exclude<AttemptOutcome, 'ok' | 'late'>; readonly proxyStatus: string; readonly result: OriginResult };

export interface FlightParts {
  readonly client: OriginClient;
  readonly routing: OriginRouting;
  readonly capture: Capture;
  readonly overtaken: Overtaken;
  readonly wholeBytesMax: number;
  /** Milliseconds on routing's clock. */
  readonly now: () => number;
  /** Makes the visit's header fields (or a copy of them) the origin's, in place. */
  readonly prepare: (visit: Visit, headers: Headers) => Headers;
  /** Told of every attempt that is over. */
  readonly ended: (kind: AttemptKind, outcome: AttemptOutcome) => void;
}

const errorStatuses: ReadonlySet<number> = new Set([429, 500, 502, 503, 504]);

export class Flight {
  readonly outcome: Promise<FlightOutcome>;
  readonly #parts: FlightParts;
  readonly #visit: Visit;
  readonly #kind: AttemptKind;
  readonly #exchange: OriginExchange;
  readonly #startedMs = performance.now();
  #members = 0;
  #late = false;

  /** Whether the visitor's leaving ends it by itself. */
  readonly tied: boolean;

  /** `kind` `generate` is a refresh in the background: it holds no slot. `alone`: nobody else can come to wait for it. */
  constructor(visit: Visit, kind: AttemptKind, parts: FlightParts, alone: boolean) {
    this.#parts = parts;
    this.#visit = visit;
    this.#kind = kind;
    const validating = conditionsOf(visit);
    if (validating) {
      visit.putSelectionAside();
      for (const [name, value] of validating) visit.request.headers.set(name, value);
    }
    if (kind !== 'generate') parts.routing.begin();
    this.tied = alone && visit.found === undefined;
    const { request } = visit;
    const validated = validating ? visit.found : undefined;
    const { promise, resolve, reject } = Promise.withResolvers<FlightOutcome>();
    this.outcome = promise;
    this.#exchange = parts.client.ask(
      {
        target: visit.target, method: request.method, headers: parts.prepare(visit, request.headers),
        body: request.body, wholeBytesMax: parts.wholeBytesMax,
        tie: this.tied ? request.signal : undefined,
      },
      (result) => {
        try {
          resolve(this.#conclude(result, validated));
        } catch (error) {
          reject(error);
        }
      },
    );
    // They were ours, not the visitor's: what it asked for is judged later.
    if (validating) for (const [name] of validating) request.headers.delete(name);
  }

  join(): void {
    this.#members++;
  }

  leave(): void {
    if (--this.#members <= 0 && !this.#late && this.#kind !== 'generate') this.#exchange.abort();
  }

  /** A shadow answers in its place now. */
  overtake(): void {
    if (this.#late) return;
    this.#late = true;
    this.#parts.overtaken.add(this.#exchange);
    this.#observe('late', performance.now() - this.#startedMs);
  }

  #conclude(result: OriginResult, validated: Copy | undefined): FlightOutcome {
    const outcome: AttemptOutcome = result.kind === 'failed' ? result.outcome : errorStatuses.has(result.status) ? 'error-status' : 'ok';
    this.#observe(outcome, result.latencyMs);
    this.#parts.ended(this.#kind, outcome);
    this.#parts.overtaken.delete(this.#exchange);
    if (result.kind === 'failed') return { kind: 'failed', why: result.outcome, proxyStatus: proxyStatusMember({ error: result.error, details: result.details }), result };
    if (this.#visit.rules.dynamics.esi) heedInPlace(result.headers);
    if (outcome === 'error-status') return { kind: 'failed', why: 'error-status', proxyStatus: proxyStatusMember({ receivedStatus: result.status }), result };
    if (result.kind === 'stream') return { kind: 'answered', result, copy: undefined, confirmed: false };
    if (result.status === 304 && validated) return { kind: 'answered', result, copy: this.#parts.capture.renew(validated, result), confirmed: true };
    const copy = this.#visit.method === 'read' && !this.#visit.head && result.status !== 304 ? this.#parts.capture.take(this.#visit, result) : undefined;
    if (this.#visit.head) this.#freshenByHead(result);
    return { kind: 'answered', result, copy, confirmed: false };
  }

  #freshenByHead(result: Extract<OriginResult, { kind: 'whole' }>): void {
    const { found, copy } = this.#visit;
    if (!found || copy === 'stand-in' || result.status !== 200 || found.record.status !== 200) return;
    if (headMatches(found.record.headers, found.body.byteLength, result.headers)) this.#parts.capture.renew(found, result);
  }

  #observe(outcome: AttemptOutcome, latencyMs: number): void {
    const afterLate = this.#late && outcome !== 'late';
    this.#parts.routing.observe({
      atMs: this.#parts.now(), outcome, latencyMs, route: this.#visit.route, kind: this.#kind, ...(afterLate && { afterLate }),
    });
  }
}

/** Fields that ask the origin whether our copy is still good; undefined where there is none to ask about. */
function conditionsOf(visit: Visit): readonly (readonly [string, string])[] | undefined {
  const { found } = visit;
  if (!found || visit.copy === 'stand-in' || visit.request.method !== 'GET' || !found.freshness.validator) return undefined;
  if (found.record.variation !== visit.variation || visit.demands.noStore) return undefined;
  return validationFields(headerReader(found.record.headers));
}

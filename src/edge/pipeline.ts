/**
 * The life of a request, as a closed set of phases: accept → identify → look up → decide → act (compose and serve | ask the origin, with
 * rescue | refuse) → record. docs/life-of-a-request.md tells it. A copy answers synchronously; nothing here waits for the brain, a
 * disk write, or another region.
 */
import { appendMember, appendVia, buildForeshadowField, cacheStatusMember, invalidatedTargets, plainHost, type ForwardReason } from '../http/index.ts';
import type { Config } from '../config/index.ts';
import type { ResourceKey } from '../kernel/index.ts';
import type { Decision, OriginRouting, Reason, Source } from '../route/index.ts';
import { answerFromCopy } from './answer.ts';
import type { AnswerRecord } from './answer-record.ts';
import type { Copies, Copy } from './copies.ts';
import { Esi } from './esi.ts';
import { Flight, type FlightOutcome, type FlightParts } from './flight.ts';
import { identify, type IdentifyRules } from './identify.ts';
import { lookUp, type LookupRules } from './lookup.ts';
import type { Outgoing } from './outgoing.ts';
import { forVisitor, nameHeldTag, pseudonym, relativeToUs } from './origin-headers.ts';
import type { OriginResult } from './origin-client.ts';
import type { Peers } from './peers.ts';
import { refuse } from './refusal.ts';
import type { SiteRules } from './site-rules.ts';
import type { SharedFlights, Ticket } from './shared-flights.ts';
import { wholeBody } from './whole-body.ts';
import { changesThings, Visit, type Entrance, type RefusalReason } from './visit.ts';

export interface PipelineParts {
  readonly config: Config;
  readonly site: SiteRules;
  readonly peers: Peers;
  readonly copies: Copies;
  readonly routing: OriginRouting;
  readonly flight: FlightParts;
  readonly outgoing: Outgoing;
  readonly record: (record: AnswerRecord) => void;
  readonly invalidated: (resources: readonly ResourceKey[]) => void;
  readonly draining: () => boolean;
}

export type { AnswerRecord } from './answer-record.ts';

/** How often a request that waits for a free slot asks again. */
const slotPollMs = 20;
const unavailable = 503;

export class Pipeline {
  readonly #parts: PipelineParts;
  readonly #shared: SharedFlights;
  readonly #lookup: LookupRules;
  readonly #identify: IdentifyRules;
  readonly #ownUrl: string | undefined;
  readonly #esi: Esi;

  constructor(parts: PipelineParts, shared: SharedFlights) {
    const { origin } = parts.config;
    this.#parts = parts;
    this.#lookup = {
      copies: parts.copies, serveStaleForMs: parts.config.freshness.serveStaleForMs,
      decodes: (copy) => parts.outgoing.decodes(copy),
    };
    this.#identify = { site: parts.site, peers: parts.peers, siteName: parts.config.site, limits: parts.config.limits };
    this.#ownUrl = origin.host === 'origin' ? origin.url : undefined;
    this.#shared = shared;
    this.#esi = this.#makeEsi(parts);
  }

  /** The answer, or the visit that is to be upgraded to a WebSocket. */
  handle(request: Request, entrance: Entrance): Response | Promise<Response> | { readonly upgrade: Visit } {
    const parts = this.#parts;
    const identified = identify(request, entrance, this.#identify);
    if (!(identified instanceof Visit)) return this.#refuse(undefined, request, entrance, identified);
    const nowMs = parts.flight.now();
    lookUp(identified, this.#lookup, nowMs);
    identified.route = parts.routing.groupOf(identified.rules.index, identified.target);
    const decision = parts.routing.decide(identified, nowMs);
    if (decision.reason === 'upgrade') return { upgrade: identified };
    if (identified.rules.dynamics.esi) return this.#esi.answer(identified, () => this.#act(identified, decision, nowMs));
    return this.#act(identified, decision, nowMs);
  }

  /** Records what became of an upgrade; where there was none, gives the answer. */
  afterUpgrade(visit: Visit, done: 'upgraded' | 'refused' | 'timeout' | 'bad-request'): Response | undefined {
    if (done !== 'upgraded') {
      const status = done === 'bad-request' ? 400 : 502;
      return this.#refuse(visit, visit.request, visit.entrance, { status, reason: done });
    }
    this.#parts.record({ visit, request: visit.request, entrance: visit.entrance, source: 'origin', reason: 'upgrade', status: 101 });
    return undefined;
  }

  #act(visit: Visit, decision: Decision, nowMs: number, late = false): Response | Promise<Response> {
    switch (decision.action) {
      case 'serve': return this.#serve(visit, 'shadow', decision.reason, nowMs, late);
      case 'serve-and-refresh': return this.#serveAndRefresh(visit, decision.reason, nowMs, late);
      case 'origin': case 'origin-or-rescue': return this.#askOrigin(visit, decision);
      case 'refuse': return decision.waitMs > 0 ? this.#waitForSlot(visit, decision) : this.#refuse(visit, visit.request, visit.entrance, refusalOf(decision));
    }
  }

  /** `late` is false only within the request's own callback. */
  #serve(visit: Visit, source: Source, reason: Reason, nowMs: number, late: boolean, proxyStatus?: string): Response {
    const { found } = visit;
    if (!found) throw new Error('broken invariant: a visit is served from a copy it has');
    const { outgoing } = this.#parts;
    const copy = outgoing.concerns(found, visit) ? outgoing.of(found, visit, nowMs, reason, this.#originGone()) : found;
    const response = answerFromCopy({ copy, source, reason, region: visit.entrance.region, head: visit.head, nowMs, late, proxyStatus, ownUrl: this.#ownUrl }, visit);
    return this.#recorded(visit, source, reason, response);
  }

  #serveAndRefresh(visit: Visit, reason: Reason, nowMs: number, late: boolean): Response {
    const response = this.#serve(visit, 'shadow', reason, nowMs, late);
    if (!visit.head) this.#shared.refresh(visit, () => new Flight(visit, 'generate', this.#parts.flight, false));
    return response;
  }

  async #waitForSlot(visit: Visit, refused: Decision): Promise<Response> {
    const untilMs = performance.now() + refused.waitMs;
    while (performance.now() < untilMs && !visit.request.signal.aborted) {
      await Bun.sleep(slotPollMs);
      const nowMs = this.#parts.flight.now();
      const decision = this.#parts.routing.decide(visit, nowMs);
      if (decision.action !== 'refuse') return this.#act(visit, decision, nowMs, true);
      if (decision.waitMs === 0) return this.#refuse(visit, visit.request, visit.entrance, refusalOf(decision));
    }
    return this.#refuse(visit, visit.request, visit.entrance, refusalOf(refused));
  }

  async #askOrigin(visit: Visit, decision: Decision): Promise<Response> {
    const kind = this.#parts.routing.kindOf(decision);
    const ticket = this.#shared.board(visit, kind === 'request', (alone) => new Flight(visit, kind, this.#parts.flight, alone));
    const { flight } = ticket;
    const outcome = await (flight.tied ? flight.outcome : this.#awaitOutcome(visit, decision, flight));
    if (outcome === 'late') {
      flight.overtake();
      return this.#serve(visit, 'rescue', 'late', this.#parts.flight.now(), true);
    }
    if (outcome.kind === 'failed') return this.#afterFailure(visit, decision, outcome);
    if (ticket.joined) return this.#fromShared(visit, decision, outcome, ticket);
    if (visit.method === 'write') this.#invalidate(visit, outcome.result);
    else if (!isReusable(outcome.copy)) this.#shared.avoid(ticket);
    return this.#passOn(visit, decision.reason, outcome);
  }

  /** The outcome, or `late` when the rescue delay is over first. A client that leaves takes its request with it. */
  #awaitOutcome(visit: Visit, decision: Decision, flight: Flight): Promise<FlightOutcome | 'late'> {
    flight.join();
    const { signal } = visit.request;
    return new Promise((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const left = (): void => { flight.leave(); };
      signal.addEventListener('abort', left, { once: true });
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', left);
      };
      if (decision.action === 'origin-or-rescue') timer = setTimeout(() => { settle(); resolve('late'); }, decision.rescueAfterMs);
      flight.outcome.then((outcome) => { settle(); resolve(outcome); }, (error: unknown) => { settle(); reject(error instanceof Error ? error : new Error(String(error))); });
    });
  }

  #afterFailure(visit: Visit, decision: Decision, outcome: Extract<FlightOutcome, { kind: 'failed' }>): Response | Promise<Response> {
    const reason = outcome.why === 'aborted' ? 'client-left' : outcome.why;
    const nowMs = this.#parts.flight.now();
    if (visit.found && visit.shadowAllowed && visit.copy !== 'none') return this.#serve(visit, 'rescue', reason, nowMs, true, outcome.proxyStatus);
    // Another visitor's request may have brought a copy meanwhile.
    if (visit.method === 'read' && outcome.why !== 'aborted') {
      lookUp(visit, this.#lookup, nowMs);
      if (visit.copy !== 'none' && visit.shadowAllowed) return this.#serve(visit, 'rescue', reason, nowMs, true, outcome.proxyStatus);
    }
    if (outcome.result.kind !== 'failed') return this.#passOn(visit, decision.reason, { kind: 'answered', result: outcome.result, copy: undefined, confirmed: false }, outcome.proxyStatus);
    // Nobody sees this status; it is the one other servers log for it.
    const status = outcome.why === 'aborted' ? 499 : outcome.why === 'timeout' ? 504 : outcome.why === 'cut' ? 502 : unavailable;
    return this.#refuse(visit, visit.request, visit.entrance, { status, reason }, outcome.proxyStatus);
  }

  /** The answer to somebody else's equal request. Only a copy that is good for this visit too is shared. */
  #fromShared(visit: Visit, decision: Decision, outcome: Extract<FlightOutcome, { kind: 'answered' }>, ticket: Ticket): Response | Promise<Response> {
    const { copy } = outcome;
    const nowMs = this.#parts.flight.now();
    if (copy && isReusable(copy) && copy.freshness.freshUntilMs > nowMs && visit.matches(copy.record.vary)) {
      visit.found = copy;
      return this.#serve(visit, 'shadow', 'coalesced', nowMs, true);
    }
    this.#shared.avoid(ticket);
    return this.#askOrigin(visit, decision);
  }

  /** The origin's answer: as it came, or out of the copy made of it where the client wanted a part or had preconditions. */
  #passOn(visit: Visit, reason: Reason, outcome: Extract<FlightOutcome, { kind: 'answered' }>, proxyStatus?: string): Response {
    const { result, copy, confirmed } = outcome;
    if (copy && confirmed) {
      visit.found = copy;
      return this.#serve(visit, 'shadow', 'revalidated', this.#parts.flight.now(), true, proxyStatus);
    }
    const cacheStatus = cacheStatusMember({ kind: 'forwarded', reason: this.#forwardReason(visit), status: result.status, ...(copy && { stored: true }) });
    // A copy without its visitor's own tokens is no answer for that visitor.
    if (copy && visit.selectionAside && visit.rules.dynamics.tokens.length === 0) {
      const answer = { copy, source: 'origin', reason, region: visit.entrance.region, head: visit.head, nowMs: this.#parts.flight.now(), late: true, cacheStatus, ownUrl: this.#ownUrl } as const;
      return this.#recorded(visit, 'origin', reason, answerFromCopy(answer, visit));
    }
    const headers = forVisitor(result.headers);
    headers.set('cache-status', appendMember(headers.get('cache-status'), cacheStatus));
    headers.set('foreshadow', buildForeshadowField({ source: 'origin', reason, region: visit.entrance.region, variation: visit.variation }));
    headers.set('via', appendVia(headers.get('via'), '1.1', pseudonym));
    if (proxyStatus !== undefined) headers.set('proxy-status', appendMember(headers.get('proxy-status'), proxyStatus));
    relativeToUs(headers, this.#ownUrl);
    if (result.status === 304) nameHeldTag(headers, visit);
    if (result.kind === 'whole' && !visit.head) headers.delete('content-length');
    return this.#recorded(visit, 'origin', reason, new Response(bodyOf(result), { status: statusOf(result), headers }));
  }

  /** What a page offers that needs the origin can't be had now, whatever the copy's age. */
  #originGone(): boolean {
    const { state } = this.#parts.routing.view();
    return state === 'failing' || state === 'down';
  }

  #forwardReason(visit: Visit): ForwardReason {
    if (visit.method !== 'read') return 'method';
    if (visit.rules.cache === 'off') return 'bypass';
    if (visit.demands.noCache || visit.demands.noStore) return 'request';
    return visit.found && visit.copy !== 'stand-in' ? 'stale' : 'miss';
  }

  #invalidate(visit: Visit, result: OriginResult): void {
    if (!changesThings(visit) || result.kind === 'failed') return;
    const { request, host, target } = visit;
    relativeToUs(result.headers, this.#ownUrl);
    const authority = host === '' ? new URL(this.#parts.config.origin.url).host : host;
    const targets = invalidatedTargets(request.method, result.status, visit.entrance.proto, authority, target, result.headers);
    if (targets.length === 0) return;
    const resources = targets.map((changed) => this.#parts.site.resolve(changed, host).resource);
    for (const resource of resources) this.#parts.copies.invalidate(resource, this.#parts.flight.now());
    this.#parts.invalidated(resources);
  }

  #makeEsi(parts: PipelineParts): Esi {
    const { config, site } = parts;
    return new Esi({
      site, patienceMs: config.timeouts.firstByteMs, originHost: this.#ownUrl === undefined ? undefined : plainHost(new URL(this.#ownUrl).host),
      ask: async (request, entrance) => {
        const answered = await this.handle(request, entrance);
        if ('upgrade' in answered) throw new Error('broken invariant: no fragment is asked for with Upgrade');
        return answered;
      },
      hasCopy: (visit) => {
        lookUp(visit, this.#lookup, this.#parts.flight.now());
        return visit.copy !== 'none' && visit.shadowAllowed;
      },
      fail: (visit) => this.#refuse(visit, visit.request, visit.entrance, { status: 502, reason: 'fragment-failed' }),
      record: parts.record,
    });
  }

  #record(record: AnswerRecord): void {
    if (!this.#esi.withholds(record)) this.#parts.record(record);
  }

  #refuse(visit: Visit | undefined, request: Request, entrance: Entrance, why: RefusalReason, proxyStatus?: string): Response {
    const position = visit?.position ?? 0;
    const again = why.status === unavailable || why.status === 504 || why.status === 502;
    const response = refuse(
      {
        ...why, region: entrance.region, proxyStatus,
        retryAfterS: again ? this.#parts.routing.retryAfterS(this.#parts.flight.now(), position) : undefined,
      },
      { accept: request.headers.get('accept'), head: request.method === 'HEAD' },
    );
    this.#record({ visit, request, entrance, source: 'none', reason: why.reason, status: why.status });
    return response;
  }

  #recorded(visit: Visit, source: Source, reason: Reason, response: Response): Response {
    this.#record({ visit, request: visit.request, entrance: visit.entrance, source, reason, status: response.status });
    if (this.#parts.draining()) response.headers.set('connection', 'close');
    return response;
  }
}

function refusalOf(decision: Decision): RefusalReason {
  return { status: decision.reason === 'only-if-cached' ? 504 : unavailable, reason: decision.reason };
}

function bodyOf(result: Exclude<OriginResult, { kind: 'failed' }>): ReturnType<typeof wholeBody> {
  if (result.kind === 'stream') return result.body;
  return result.body && wholeBody(result.body, true, Boolean(result.headers.get('content-type')));
}

/** Whether an answer can be shared between equal requests at all. */
function isReusable(copy: Copy | undefined): boolean {
  return copy !== undefined && copy.cacheable && !copy.freshness.alwaysValidate && copy.freshness.freshUntilMs > copy.record.responseTimeMs;
}

/** The runtime can't send status codes it does not know. */
function statusOf(result: Exclude<OriginResult, { kind: 'failed' }>): number {
  return result.status >= 200 && result.status <= 599 ? result.status : 502;
}

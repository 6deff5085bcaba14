/**
 * Intelligent Traffic Routing as the edge sees it: one object for one origin, shared by every listener of the process. It
 * owns what is known of the origin (latency, health, slots) and answers for each request where it goes. Pure: no I/O, no
 * clock, bounded memory. `nowMs` is milliseconds since the epoch on a clock that never goes back (the wall time at start
 * plus the monotonic clock), the same for all calls.
 *
 * An attempt at the origin: `decide` says origin or origin-or-rescue → `begin` → `observe` once when it is over. Where a shadow
 * answers because the origin is late: `observe` with `late` at that moment, let the origin finish (its answer is a fresh
 * copy, and tells slow from dead), and `observe` again with `afterLate: true` when it is over. Probes and background
 * fetches have no `begin`.
 */
import { decide, isEligible } from './decide.ts';
import { LatencyBook } from './latency-book.ts';
import { OriginHealth } from './origin-health.ts';
import { OriginSlots } from './origin-slots.ts';
import { retryAfterS } from './retry-after.ts';
import type { RampOptions } from './return-ramp.ts';
import { ShareBound } from './share-bound.ts';
import type { Decision, OriginAttempt, OriginTransition, OriginView, RoutedRequest, Standing } from './types.ts';

export interface RoutingOptions {
  /** How many routes are declared. */
  readonly routes: number;
  readonly probe: { readonly intervalMs: number; readonly timeoutMs: number };
  readonly limits: { readonly latencyP95Ms: number | undefined; readonly errorRate: number };
  readonly recovery: RampOptions;
  readonly rescueAfterMs: number | 'auto';
  /** Called at once, inside the call that caused it. */
  readonly onChange?: (change: OriginTransition) => void;
}

/** Paths outside declared routes are grouped by their first segment, so that a broken part of a site is seen by itself. */
const pathGroups = 64;
const segmentLengthMax = 48;
const slash = 47;
/** How much more than its share the origin may get where chance brings more clients of its side; a strained one is meant to be relieved. */
const returnMargin = 1.2;
const strainedMargin = 1;
/**
 * An edge that has just started knows nothing: until one probe or request was answered well, a copy at hand is not kept waiting
 * for the second that an unknown latency deserves, and no more than this many wait at once.
 */
const unprovenRescueMs = 200;
const unprovenInFlight = 16;

export class OriginRouting {
  readonly #routes: number;
  readonly #probeIntervalMs: number;
  readonly #book: LatencyBook;
  readonly #health: OriginHealth;
  readonly #slots: OriginSlots;
  readonly #bound: ShareBound;
  readonly #unprovenRescueMs: number;
  /** Reused for every decision. */
  readonly #standing: { -readonly [Key in keyof Standing]: Standing[Key] } = {
    state: 'healthy', onOriginSide: true, slotForCovered: true, slotForUncovered: true, trialDue: false, rescueAfterMs: 0,
  };

  constructor(options: RoutingOptions, nowMs: number) {
    const groups = options.routes + pathGroups;
    this.#routes = options.routes;
    this.#probeIntervalMs = options.probe.intervalMs;
    this.#book = new LatencyBook({ groups, rescueAfterMs: options.rescueAfterMs, latencyP95Ms: options.limits.latencyP95Ms }, nowMs);
    this.#slots = new OriginSlots(nowMs);
    this.#bound = new ShareBound(nowMs);
    this.#unprovenRescueMs = options.rescueAfterMs === 'auto' ? unprovenRescueMs : options.rescueAfterMs;
    this.#health = new OriginHealth(
      { groups, errorRate: options.limits.errorRate, recovery: options.recovery, probe: options.probe, isCrowded: () => this.#slots.crowded, onSlower: (factor) => { this.#slots.stretch(factor); } },
      this.#book, nowMs,
      (change) => {
        if (change.to === 'recovering') this.#slots.restart();
        if (change.to === 'recovering' || change.to === 'strained') this.#bound.restart();
        if (change.from === 'recovering' && change.to === 'healthy') this.#slots.returned(change.atMs);
        options.onChange?.(change);
      },
    );
  }

  /** The group a request is observed in: its declared route (index, or -1 for none), else its path's first segment. */
  groupOf(route: number, path: string): number {
    if (route >= 0) return route;
    let hash = 0;
    const end = Math.min(path.length, segmentLengthMax);
    for (let i = 1; i < end; i++) {
      const code = path.charCodeAt(i);
      if (code === slash) break;
      hash = (Math.imul(hash, 31) + code) | 0;
    }
    return this.#routes + ((hash ^ (hash >>> 15)) & (pathGroups - 1));
  }

  /** Where this request goes. A trial, or the share's part of a request, is spent by deciding for it. Well below a microsecond. */
  decide(request: RoutedRequest, nowMs: number): Decision {
    const standing = this.#standingFor(request, nowMs);
    const decision = decide(request, standing);
    if (decision.reason === 'trial') {
      const { state } = this.#health.log.view;
      if (state === 'failing' || state === 'down') this.#health.trials.take(nowMs);
      else this.#health.groups.tried(request.route, nowMs);
    }
    if (decision.reason === 'overloaded' ? decision.action === 'serve' : decision.reason === 'origin-recovering' && standing.onOriginSide) {
      this.#slots.turnedAway();
    }
    return decision;
  }

  /** As what an attempt that was decided for is to be reported. */
  kindOf(decision: Decision): 'request' | 'trial' | 'write' {
    if (decision.reason === 'trial') return 'trial';
    return decision.reason === 'method' || decision.reason === 'upgrade' ? 'write' : 'request';
  }

  /** A request decided for the origin is about to be sent. */
  begin(): void {
    this.#slots.begin();
  }

  /** An attempt is over, or is late, or a probe is. */
  observe(attempt: OriginAttempt): void {
    if (attempt.kind !== 'probe' && attempt.kind !== 'generate') this.#observeSlot(attempt);
    this.#health.observe(attempt);
  }

  /** To be called about ten times a second, so that time passes without traffic too. */
  tick(nowMs: number): void {
    this.#health.refresh(nowMs);
    this.#slots.refresh(nowMs);
  }

  /** Whether the caller is to probe now; yes is said once for each probe. To be asked at each tick. */
  takeProbe(nowMs: number): boolean {
    return this.#health.takeProbe(nowMs);
  }

  view(): OriginView {
    return this.#health.log.view;
  }

  /** The latest transitions, oldest first. */
  history(): readonly OriginTransition[] {
    return this.#health.log.history;
  }

  /** Route groups that are served from shadows by themselves. */
  brokenGroups(): readonly number[] {
    return this.#health.groups.notWell();
  }

  rescueDelayMs(group: number): number {
    return this.#book.rescueDelayMs(group);
  }

  /** For `Retry-After` in a refusal. */
  retryAfterS(nowMs: number, position: number): number {
    const { state, sinceMs } = this.#health.log.view;
    return retryAfterS(state, sinceMs, this.#health.holdRemainingMs(nowMs), this.#probeIntervalMs, nowMs, position);
  }

  /** What the brain is told (`OriginReport` of the bus). */
  report(nowMs: number): {
    readonly atMs: number; readonly view: OriginView; readonly latencyP95Ms: number | undefined; readonly usualP95Ms: number | undefined;
    readonly requestsPerSecond: number; readonly inFlight: number;
  } {
    const window = this.#health.window;
    return {
      atMs: nowMs,
      view: this.#health.log.view,
      latencyP95Ms: window.latencyP95Ms(nowMs),
      usualP95Ms: this.#book.usualP95Ms(),
      requestsPerSecond: window.answersPerSecond(nowMs),
      inFlight: this.#slots.inFlight,
    };
  }

  #observeSlot(attempt: OriginAttempt): void {
    if (attempt.outcome === 'late') {
      this.#slots.wasLate(attempt.atMs);
      return;
    }
    if (attempt.outcome === 'ok' && attempt.afterLate !== true) this.#slots.succeeded(this.#health.log.view.state === 'healthy');
    else if (attempt.outcome !== 'ok' && attempt.outcome !== 'aborted') this.#slots.failed(attempt.atMs);
    this.#slots.end(attempt.afterLate === true);
  }

  /** The site's state and the group's verdict, whichever is worse, as the decision needs them. */
  #standingFor(request: RoutedRequest, nowMs: number): Standing {
    const standing = this.#standing;
    const { state, share } = this.#health.log.view;
    const well = state === 'healthy' || state === 'strained';
    standing.state = state;
    standing.slotForCovered = well ? this.#slots.freeWhileWell : this.#slots.freeForReturned;
    standing.slotForUncovered = well || this.#slots.freeForUncovered(state === 'failing', request.method === 'read');
    standing.trialDue = (state === 'failing' || state === 'down') && this.#health.trialDue(nowMs);
    standing.rescueAfterMs = this.#book.rescueDelayMs(request.route);
    let returned = 1 - share;
    if (state !== 'failing' && state !== 'down') {
      if (!this.#health.proven) this.#applyDoubt();
      returned = this.#applyVerdict(request.route, returned, nowMs);
    }
    standing.onOriginSide = standing.state === 'healthy' || (isPartial(standing.state) && isEligible(request)
      && this.#bound.admit(request.position, returned, standing.state === 'strained' ? strainedMargin : returnMargin, nowMs));
    return standing;
  }

  #applyDoubt(): void {
    this.#standing.rescueAfterMs = Math.min(this.#standing.rescueAfterMs, this.#unprovenRescueMs);
    this.#standing.slotForCovered &&= this.#slots.inFlight < unprovenInFlight;
  }

  /** The fraction of clients on the origin's side, as far as the group's own verdict leaves it. */
  #applyVerdict(group: number, returned: number, nowMs: number): number {
    const status = this.#health.groups.status(group);
    if (status === 'well') return returned;
    const standing = this.#standing;
    if (status === 'broken') {
      standing.state = 'failing';
      standing.trialDue = this.#health.groups.trialDue(group, nowMs);
      return 0;
    }
    standing.state = 'recovering';
    return Math.min(returned, this.#health.groups.returned(group));
  }
}

function isPartial(state: Standing['state']): boolean {
  return state === 'strained' || state === 'recovering';
}

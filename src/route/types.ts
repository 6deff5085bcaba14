/**
 * The words of routing: what is observed of the origin, what follows from it, what is asked and what is decided. All plain
 * data. Times are milliseconds of one clock that never goes back; the caller chooses it and passes it in.
 */
import type { Reason } from './reasons.ts';

/** What became of one attempt at the origin. `late`: a shadow answered because the origin took too long. `aborted`: the client left; says nothing of the origin. */
export type AttemptOutcome = 'ok' | 'late' | 'refused' | 'timeout' | 'error-status' | 'cut' | 'aborted';

export interface OriginAttempt {
  readonly atMs: number;
  readonly outcome: AttemptOutcome;
  /** To the whole answer, or to its first byte where it is streamed; for a failure, the time spent on it. */
  readonly latencyMs: number;
  /** Route group (`OriginRouting.groupOf`), which latency and failures are kept for; -1 where there is none (probes). */
  readonly route: number;
  readonly kind: AttemptKind;
  /** True for the second report of an attempt whose first was `late`: how it ended after the shadow had answered. */
  readonly afterLate?: boolean;
}

/**
 * `request` is a person's read, `trial` one that tries an origin that is not trusted; `write` everything else people send, whose
 * latency is not judged; `generate` any fetch of our own: the generator's, and refreshes in the background.
 */
export type AttemptKind = 'request' | 'trial' | 'write' | 'probe' | 'generate';

export type OriginState = 'healthy' | 'strained' | 'failing' | 'down' | 'recovering';

export interface OriginView {
  readonly state: OriginState;
  /** Why it is in this state. */
  readonly because: string;
  /** Fraction of eligible traffic that goes to shadows, 0 to 1. */
  readonly share: number;
  readonly sinceMs: number;
}

/** One change of state, for the status page and the API. */
export interface OriginTransition {
  readonly atMs: number;
  readonly from: OriginState;
  readonly to: OriginState;
  readonly because: string;
}

/** The best copy there is for a request. */
export type CopyAtHand =
  | 'none'
  /** May answer as it is by the origin's headers, and the route is cached. */
  | 'fresh'
  /** Within the origin's stale-while-revalidate. */
  | 'stale-while-revalidate'
  /** Of exactly this variation; may answer only in the origin's stead: stale, to be validated, or the route is not cached. */
  | 'stale'
  /** Of another variation that may stand in while the origin can't answer. */
  | 'stand-in';

/** What of a request bears on where it goes. The caller may reuse one object for every request. */
export interface RoutedRequest {
  /** `read` is GET and HEAD, `upgrade` a WebSocket or other upgrade, `write` everything else. */
  readonly method: 'read' | 'write' | 'upgrade';
  readonly onlyIfCached: boolean;
  /** Whether shadows may answer here at all: neither the route nor the request's or origin's headers forbid it. */
  readonly shadowAllowed: boolean;
  readonly copy: CopyAtHand;
  /** Route group, by `OriginRouting.groupOf`. */
  readonly route: number;
  /** The client's fixed place, 0 to 2^32 (a hash of its address or cookie), so that it stays on one side. Many clients may have the same. */
  readonly position: number;
}

/** How the origin stands towards one request: the other half of what a decision depends on. */
export interface Standing {
  readonly state: OriginState;
  /** Whether this request belongs to the part that a strained or recovering origin has. */
  readonly onOriginSide: boolean;
  /** Whether the origin has room for a request that a shadow could answer. */
  readonly slotForCovered: boolean;
  /** Whether the origin has room for a request that nothing else can answer. */
  readonly slotForUncovered: boolean;
  /** Whether a trial of the origin is due. */
  readonly trialDue: boolean;
  readonly rescueAfterMs: number;
}

export type Action = 'serve' | 'serve-and-refresh' | 'origin' | 'origin-or-rescue' | 'refuse';

export interface Decision {
  readonly action: Action;
  readonly reason: Reason;
  /** For `origin-or-rescue`: how long the origin has before the copy answers. A failure is rescued at once. 0 otherwise. */
  readonly rescueAfterMs: number;
  /** For `refuse` with `overloaded`: how long the request may wait for a free slot, asking again, before it is refused. 0 otherwise. */
  readonly waitMs: number;
}

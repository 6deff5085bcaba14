/**
 * The words of routing: what is observed of the origin, what follows from it, and the closed list of reasons. All plain data.
 */

/** What became of one attempt at the origin. `late`: a shadow answered because the origin took too long. `aborted`: the client left; says nothing of the origin. */
export type AttemptOutcome = 'ok' | 'late' | 'refused' | 'timeout' | 'error-status' | 'cut' | 'aborted';

export interface OriginAttempt {
  readonly atMs: number;
  readonly outcome: AttemptOutcome;
  /** To the whole answer, or to its first byte where it is streamed; for a failure, the time spent on it. */
  readonly latencyMs: number;
  /** Route index in the config (latency is learned for each route); -1 for no declared route. */
  readonly route: number;
  readonly kind: 'request' | 'probe' | 'trial' | 'generate';
}

export type OriginState = 'healthy' | 'strained' | 'failing' | 'down' | 'recovering';

export interface OriginView {
  readonly state: OriginState;
  /** Why it is in this state. */
  readonly because: string;
  /** Fraction of eligible traffic that goes to shadows, 0 to 1. */
  readonly share: number;
  readonly sinceMs: number;
}

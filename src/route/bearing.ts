/** What a person's attempt bears on: answers that belong to another time, or that can't be judged, prove nothing of the origin's health. Pure. */
import type { LatencyBook } from './latency-book.ts';
import type { OriginAttempt, OriginState } from './types.ts';

/** It is evidence; of nothing; only that something comes back; only how long the route takes. */
type Bearing = 'evidence' | 'nothing' | 'reachable' | 'latency';

interface Present {
  readonly state: OriginState;
  readonly sinceMs: number;
  readonly failingSinceMs: number;
  /** When the present run of good answers of a failing origin began; undefined while there is none. */
  readonly wellSinceMs: number | undefined;
}

export function bearingOf(attempt: OriginAttempt, book: LatencyBook, present: Present): Bearing {
  const isTolerable = attempt.outcome === 'ok' && attempt.latencyMs <= book.tolerableMs(attempt.route);
  const isFailing = present.state === 'failing' || present.state === 'down';
  const startedMs = attempt.atMs - attempt.latencyMs;
  // What began before the present state says nothing about it, except that what answers, however badly, is not down.
  if (!isFailing && startedMs < present.sinceMs) return 'nothing';
  if (isFailing && isTolerable && startedMs < present.failingSinceMs) return 'nothing';
  // What is bad and began before the present run of good answers belongs to the time before it.
  if (isFailing && !isTolerable && startedMs < (present.wellSinceMs ?? present.failingSinceMs)) return attempt.outcome === 'ok' ? 'reachable' : 'nothing';
  if (attempt.outcome !== 'ok' || isTolerable) return 'evidence';
  // How long a write takes is also up to its client (an upload) or its nature.
  if (attempt.kind === 'write') return isFailing ? 'reachable' : 'nothing';
  // A route nothing is known of may be slow by nature, so that a well origin's answer is only learned from.
  return present.state === 'healthy' && !book.knows(attempt.route) ? 'latency' : 'evidence';
}

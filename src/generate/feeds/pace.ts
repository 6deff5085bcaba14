/** When a feed is asked again. Pure. */

/** Longest wait of a feed that fails. */
export const failureWaitMaxMs = 60_000;
/** A feed's own Retry-After counts up to this. */
export const retryAfterMaxMs = 10 * 60_000;
const firstWaitMs = 1000;
/** A stream is expected to say something this often, be it a comment. */
const silentMaxMs = 60_000;

export interface FailureFacts {
  /** In a row, this one included. */
  readonly failures: number;
  /** Time between two attempts while all is well. */
  readonly everyMs: number;
  readonly maxAgeMs: number;
  /** Since the value was heard; undefined: there is none. */
  readonly heardAgoMs: number | undefined;
  readonly retryAfterMs: number | undefined;
}

/**
 * Doubles from a second (or `everyMs`, where that is less) to a minute. While there is a value that may still be shown, never more than a quarter
 * of `maxAge`, so that it is asked for several times more before it is lost. Retry-After is the least there is in any case.
 */
export function failureWaitMs({ failures, everyMs, maxAgeMs, heardAgoMs, retryAfterMs }: FailureFacts): number {
  const shortestMs = Math.min(everyMs, firstWaitMs);
  const doubledMs = shortestMs * 2 ** Math.min(failures - 1, 20);
  const showable = heardAgoMs !== undefined && heardAgoMs < maxAgeMs;
  const longestMs = showable ? Math.max(shortestMs, Math.min(maxAgeMs / 4, failureWaitMaxMs)) : failureWaitMaxMs;
  return Math.max(Math.min(doubledMs, longestMs), Math.min(retryAfterMs ?? 0, retryAfterMaxMs));
}

/** How long a stream may say nothing before it is opened anew. */
export function silenceMs(maxAgeMs: number): number {
  return Math.max(1000, Math.min(silentMaxMs, maxAgeMs / 2));
}

/** Up to a tenth earlier, so that many feeds do not keep step. Never later: `every` is what was asked for. */
export function jittered(ms: number, unit: number): number {
  return ms * (1 - unit / 10);
}

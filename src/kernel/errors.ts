/**
 * The one error shape. Expected failures (bad input, a failing upstream, a full disk) are `ForeshadowError`s with a code
 * from the closed list below; anything else that is thrown is a broken invariant. `docs/errors.md` lists every code, and
 * a test holds the two together.
 */
export const errorCodes = {
  'config-invalid': 'The configuration has one or more problems; each is named with its path.',
  'config-unreadable': 'The configuration file, or a file it names, can not be read.',
  'usage': 'The command line is not understood.',
  'listen-failed': 'An address can not be bound.',
  'origin-unreachable': 'The origin can not be connected to.',
  'origin-timeout': 'The origin did not answer in time.',
  'origin-cut': 'The origin ended its answer before it was whole.',
  'origin-bad-answer': 'The origin answered with something that is not usable.',
  'blob-missing': 'A body named by the catalog is on no volume.',
  'blob-corrupt': 'A stored body does not have the digest it is filed under.',
  'catalog-corrupt': 'A catalog file does not have its checksum, or is not of the known format.',
  'catalog-conflict': 'A catalog version was published on a base that is no longer the newest.',
  'storage-full': 'No volume takes the write.',
  'storage-failed': 'A volume or the local store failed.',
  'body-too-large': 'A body is larger than its limit.',
  'trace-unreadable': 'A trace file can not be read.',
  'feed-invalid': 'A sitemap, feed or page could not be parsed.',
  'api-failed': 'The API answered with an error or not at all.',
  'snapshot-overtaken': 'What was being written to a snapshot changed meanwhile.',
  'bytes-invalid': 'Bytes from another process or an earlier run are damaged or of an unknown format.',
  'not-available': 'The feature is not available yet.',
  'work-lost': 'Training of the forecast\'s models was lost: its thread died or took too long.',
  'brain-lost': 'The brain process ended; it is being started again.',
} as const;

export type ErrorCode = keyof typeof errorCodes;
export type ErrorSource = 'client' | 'origin' | 'storage' | 'bus' | 'config' | 'internal';

export class ForeshadowError extends Error {
  override readonly name = 'ForeshadowError';
  readonly code: ErrorCode;
  readonly source: ErrorSource;
  /** Whether the same call may succeed later without anything being changed. */
  readonly retry: boolean;
  /** What to do about it, for the person who reads it. */
  readonly hint: string;

  constructor(
    code: ErrorCode,
    facts: { source: ErrorSource; message: string; hint?: string; retry?: boolean; cause?: unknown },
  ) {
    super(facts.message, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.code = code;
    this.source = facts.source;
    this.retry = facts.retry ?? false;
    this.hint = facts.hint ?? '';
  }

  /** What, where, what to do: what a person reads. Not `line`: JavaScriptCore gives every error an own property of that name. */
  get sentence(): string {
    return this.hint ? `${this.message}; ${this.hint}` : this.message;
  }
}

/** The message of anything thrown, for logs. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof ForeshadowError) return thrown.sentence;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** Checks an invariant: a failure is a defect in Foreshadow, never a user's mistake. */
export function assert(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(`broken invariant: ${what}`);
}

/**
 * One instance of a feed: its last good value, and what there is to tell about it. Sources hand it bytes, confirmations and refusals; whatever
 * comes, a good value is only ever replaced by another good one, and never by one that was true earlier. It asks nobody for anything.
 */
import { isDeepStrictEqual } from 'node:util';
import type { FeedConfig } from '../../config/types.ts';
import { messageOf, type Clock, type Log } from '../../kernel/index.ts';
import { readDocument, type Refused, type Schema } from './document.ts';
import type { FeedAddress } from './instances.ts';
import type { FeedRefusal } from './refusals.ts';
import type { FeedState, FeedValue } from './types.ts';

/** Bytes of the last good documents of all feeds together, as they came. */
const valuesBytesMax = 64 * 1024 * 1024;
/** A feed that flaps changes its state in the log no more often. */
const logEveryMs = 10_000;

/** One way to get at a feed. */
export interface FeedSource {
  /** One poll, one look, or one connection as long as it lasts. Never throws for what the other side does; gives the wait until the next attempt, ms. */
  attempt(signal: AbortSignal): Promise<number>;
}

/** What all instances hold together. */
export interface Held {
  bytes: number;
}

export interface Validators {
  readonly etag: string | undefined;
  readonly lastModified: string | undefined;
}

export const noValidators: Validators = { etag: undefined, lastModified: undefined };

export interface Kept extends FeedValue {
  /** As it came, decoded. */
  readonly bytes: Uint8Array;
  readonly validators: Validators;
}

export interface InstanceParts {
  readonly feed: FeedConfig;
  readonly address: FeedAddress;
  readonly schema: Schema | undefined;
  readonly held: Held;
  readonly clock: Clock;
  readonly log: Log;
  /** The document became another one. */
  readonly changed: () => void;
}

export class FeedInstance {
  readonly parts: InstanceParts;
  /** When the source asks next; undefined while it is at it. */
  nextAttemptMs: number | undefined;
  #kept: Kept | undefined;
  #error: { readonly text: string; readonly atMs: number } | undefined;
  /** It is not asked any more; what still comes is too late. */
  #retired = false;
  #failing = false;
  #loggedFailing = false;
  #loggedMs = -Infinity;
  #polls = 0;
  #changes = 0;
  readonly #refused = new Map<FeedRefusal, number>();

  constructor(parts: InstanceParts) {
    this.parts = parts;
  }

  get kept(): Kept | undefined {
    return this.#kept;
  }

  began(): void {
    this.#polls++;
    this.nextAttemptMs = undefined;
  }

  /** Takes a document that was current at `heardMs`; false when it was refused. */
  take(bytes: Uint8Array, heardMs: number, validators: Validators = noValidators): boolean {
    if (this.#retired) return false;
    const before = this.#kept;
    if (before && Buffer.compare(before.bytes, bytes) === 0) {
      this.#keep({ ...before, ...timesOf(before, heardMs), validators });
      this.#well();
      return true;
    }
    const read = readDocument(bytes, this.parts.schema);
    if (read.kind === 'refused') return this.refuse(read);
    const same = before !== undefined && isDeepStrictEqual(before.document, read.document);
    if (same) {
      this.#keep({ ...before, ...timesOf(before, heardMs), bytes, validators });
      this.#well();
      return true;
    }
    if (this.parts.held.bytes + bytes.length - (before?.bytes.length ?? 0) > valuesBytesMax) {
      return this.refuse({ kind: 'refused', reason: 'memory-full', message: `the values of all feeds together would take more than ${valuesBytesMax} bytes` });
    }
    this.#keep({ document: read.document, bytes, validators, valueTimeMs: heardMs, heardMs });
    this.#changes++;
    this.#well();
    this.#tellChanged();
    return true;
  }

  /** The source says that the value is still current, as of `heardMs`. */
  confirm(heardMs: number): void {
    if (this.#retired) return;
    if (this.#kept) this.#keep({ ...this.#kept, ...timesOf(this.#kept, heardMs) });
    this.#well();
  }

  refuse({ reason, message }: Refused): false {
    if (this.#retired) return false;
    this.count(reason);
    this.#failing = true;
    this.#error = { text: message, atMs: this.parts.clock.nowMs() };
    this.#tellState(reason);
    return false;
  }

  /** Counts something left out that is no failure. */
  count(reason: FeedRefusal): void {
    this.#refused.set(reason, (this.#refused.get(reason) ?? 0) + 1);
  }

  /** A value of before, from another instance or an earlier run; false when it may not be used (any more). */
  adopt(bytes: Uint8Array, { valueTimeMs, heardMs }: Pick<FeedValue, 'valueTimeMs' | 'heardMs'>, validators: Validators): boolean {
    const read = readDocument(bytes, this.parts.schema);
    if (read.kind === 'refused' || this.#kept || this.parts.held.bytes + bytes.length > valuesBytesMax) return false;
    this.#keep({ document: read.document, bytes, validators, valueTimeMs, heardMs });
    return true;
  }

  /** Gives its bytes back: it is not asked any more. */
  retire(): void {
    this.parts.held.bytes -= this.#kept?.bytes.length ?? 0;
    this.#kept = undefined;
    this.#retired = true;
  }

  state(): FeedState {
    const { feed, address } = this.parts;
    return {
      key: address.key, name: feed.name, kind: feed.source.kind, source: address.shown,
      state: !this.#kept ? 'never' : this.#failing ? 'failing' : 'ok',
      maxAgeMs: feed.maxAgeMs, valueTimeMs: this.#kept?.valueTimeMs, heardMs: this.#kept?.heardMs,
      error: this.#error?.text, errorTimeMs: this.#error?.atMs, bytes: this.#kept?.bytes.length ?? 0,
      polls: this.#polls, changes: this.#changes, refused: Object.fromEntries(this.#refused), nextAttemptMs: this.nextAttemptMs,
    };
  }

  #keep(kept: Kept): void {
    this.parts.held.bytes += kept.bytes.length - (this.#kept?.bytes.length ?? 0);
    this.#kept = kept;
  }

  #well(): void {
    this.#failing = false;
    this.#tellState(undefined);
  }

  #tellState(reason: FeedRefusal | undefined): void {
    const { clock, log, address, feed } = this.parts;
    const nowMs = clock.monotonicMs();
    if (this.#failing === this.#loggedFailing || nowMs - this.#loggedMs < logEveryMs) return;
    this.#loggedFailing = this.#failing;
    this.#loggedMs = nowMs;
    const fields = { feed: address.key, source: address.shown };
    if (this.#failing) log.warn('feed-failing', { ...fields, reason, problem: this.#error?.text, heardMs: this.#kept?.heardMs, maxAgeMs: feed.maxAgeMs });
    else log.info('feed-well', fields);
  }

  #tellChanged(): void {
    try {
      this.parts.changed();
    } catch (error) {
      this.parts.log.error('feed-change-failed', { feed: this.parts.address.key, problem: messageOf(error) });
    }
  }
}

/** After the clock was set back the value must not seem younger than it is. */
function timesOf({ valueTimeMs }: FeedValue, heardMs: number): Pick<FeedValue, 'valueTimeMs' | 'heardMs'> {
  return { valueTimeMs: Math.min(valueTimeMs, heardMs), heardMs };
}

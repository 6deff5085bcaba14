/**
 * A feed that is polled. One request at a time, conditional once there is a value (RFC 9110 §13), jittered; a 304 or the same bytes again confirm
 * the value. A value is as old as the request that brought it, and the Age a cache on the way admits (RFC 9111 §5.1).
 */
import { parseHttpDate } from '../../http/index.ts';
import type { Random } from '../../kernel/index.ts';
import type { FeedInstance, FeedSource, Validators } from './instance.ts';
import { failureWaitMs, jittered } from './pace.ts';
import { askDocument, type Answer, type RefusedAnswer } from './request.ts';
import type { Turns } from './turns.ts';

/** Reading large documents takes at most one part in so many of the brain's time. */
export const restPerWork = 10;
const validatorCharactersMax = 1024;

export interface PollParts {
  readonly instance: FeedInstance;
  readonly everyMs: number;
  readonly random: Random;
  readonly userAgent: string;
  /** Shared by the instances of a feed. */
  readonly turns: Turns;
}

export class PollSource implements FeedSource {
  readonly #parts: PollParts;
  #failures = 0;

  constructor(parts: PollParts) {
    this.#parts = parts;
  }

  async attempt(signal: AbortSignal): Promise<number> {
    const giveBack = await this.#parts.turns.take(signal);
    if (!giveBack) return 0;
    try {
      return await this.#poll(signal);
    } finally {
      giveBack();
    }
  }

  async #poll(signal: AbortSignal): Promise<number> {
    const { instance, everyMs, random } = this.#parts;
    const { clock, address } = instance.parts;
    const startMs = clock.monotonicMs();
    const sentMs = clock.nowMs();
    const answer = await askDocument({ url: address.address, headers: this.#headers(), clock, signal });
    if (answer.kind === 'given-up') return 0;
    if (answer.kind === 'refused') {
      instance.refuse(answer);
      return this.#failed(answer);
    }
    const comeMs = clock.monotonicMs();
    const good = this.#took(answer, sentMs);
    const readMs = clock.monotonicMs() - comeMs;
    if (!good) return Math.max(this.#failed(undefined), restPerWork * readMs);
    this.#failures = 0;
    return Math.max(everyMs / 10, jittered(everyMs, random.next()) - (comeMs - startMs), restPerWork * readMs);
  }

  #took(answer: Answer, sentMs: number): boolean {
    const { instance } = this.#parts;
    const { kept } = instance;
    const heardMs = sentMs - ageMsOf(answer.headers);
    // Something heard since is newer than this answer. (After the clock was set back, nothing was.)
    const late = kept !== undefined && heardMs < kept.heardMs && kept.heardMs <= sentMs;
    if (answer.status === 304) {
      if (!kept) return instance.refuse({ kind: 'refused', reason: 'status', message: 'the answer has status 304 although the request had no condition' });
      instance.confirm(late ? kept.heardMs : heardMs);
      return true;
    }
    if (late && Buffer.compare(kept.bytes, answer.body) !== 0) {
      return instance.refuse({ kind: 'refused', reason: 'outdated', message: 'by its Age the answer is older than what has been heard since' });
    }
    return instance.take(answer.body, late ? kept.heardMs : heardMs, validatorsOf(answer.headers));
  }

  #failed(answer: RefusedAnswer | undefined): number {
    const { instance, everyMs, random } = this.#parts;
    const { kept, parts: { clock, feed } } = instance;
    this.#failures++;
    const nowMs = clock.nowMs();
    const wait = { failures: this.#failures, everyMs, maxAgeMs: feed.maxAgeMs, heardAgoMs: kept && nowMs - kept.heardMs };
    const retryAfterMs = retryAfterMsOf(answer?.retryAfter, nowMs);
    return Math.max(jittered(failureWaitMs({ ...wait, retryAfterMs: undefined }), random.next()), retryAfterMs === undefined ? 0 : failureWaitMs({ ...wait, retryAfterMs }));
  }

  #headers(): Record<string, string> {
    const { instance: { kept, parts: { feed } }, userAgent } = this.#parts;
    const { etag, lastModified } = kept?.validators ?? {};
    return {
      'accept': 'application/json, */*;q=0.1', 'user-agent': userAgent, ...feed.headers,
      ...etag !== undefined && { 'if-none-match': etag },
      ...lastModified !== undefined && { 'if-modified-since': lastModified },
    };
  }
}

function validatorsOf(headers: Headers): Validators {
  const short = (value: string | null): string | undefined => (value === null || value === '' || value.length > validatorCharactersMax ? undefined : value);
  return { etag: short(headers.get('etag')), lastModified: short(headers.get('last-modified')) };
}

function ageMsOf(headers: Headers): number {
  const age = headers.get('age')?.trim() ?? '';
  return /^\d{1,10}$/.test(age) ? Number(age) * 1000 : 0;
}

/** RFC 9110 §10.2.3: seconds or a date. */
function retryAfterMsOf(field: string | undefined, nowMs: number): number | undefined {
  if (field === undefined) return undefined;
  if (/^\s*\d{1,10}\s*$/.test(field)) return Number(field) * 1000;
  const dateMs = parseHttpDate(field, nowMs);
  return dateMs === undefined ? undefined : Math.max(0, dateMs - nowMs);
}

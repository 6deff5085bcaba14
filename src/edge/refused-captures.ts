/**
 * The origin's word that something is not to be kept, gathered for the generator, so that it asks for no copy it could not keep. Only words
 * that any visitor would have got count: of requests without cookies of their own and without credentials, and of reasons that lie in the
 * answer. What one visitor's request brought about (its own no-store, a login, a strange header) must not keep others from a copy.
 */
import type { KeepRefusal, RefusedAnswer } from '../http/index.ts';
import type { WholeAnswer } from './capture.ts';
import type { Visit } from './visit.ts';

/** Told at most so many between two readings, each variation of a resource once; the rest is said again when it passes again. */
export const refusedMax = 1000;

const ofTheAnswer: ReadonlySet<string> = new Set<KeepRefusal>(['private', 'set-cookie', 'vary-star']);
/** Other codes depend on more than the URL (400, 401, 403, 406), or on the hour (429, 5xx). */
const plainStatus: ReadonlySet<number> = new Set([302, 303, 307, 404, 410]);

type Asked = Pick<Visit, 'method' | 'authorized' | 'otherCookies' | 'resource' | 'variation'>;
type Answered = Pick<WholeAnswer, 'status' | 'headers'>;

export class RefusedCaptures {
  #refused = new Map<string, RefusedAnswer>();

  note(visit: Asked, answer: Answered, reason: string): void {
    const why = wordOf(answer, reason);
    if (why === undefined || visit.method !== 'read' || visit.authorized || visit.otherCookies || this.#refused.size >= refusedMax) return;
    const { resource, variation } = visit;
    this.#refused.set(`${resource}\n${variation}`, { resource, variation, reason: why });
  }

  /** Everything since the last time. */
  take(): readonly RefusedAnswer[] {
    if (this.#refused.size === 0) return [];
    const taken = [...this.#refused.values()];
    this.#refused = new Map();
    return taken;
  }
}

function wordOf(answer: Answered, reason: string): KeepRefusal | undefined {
  if (reason === 'no-store') return /\bno-store\b/i.test(answer.headers.get('cache-control') ?? '') ? reason : undefined;
  if (reason === 'status') return plainStatus.has(answer.status) ? reason : undefined;
  return ofTheAnswer.has(reason) ? reason as KeepRefusal : undefined; // the set holds nothing else
}

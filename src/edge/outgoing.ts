/**
 * The phase between a decision to answer from a copy and the answer: what goes out in the copy's stead. Pages with dynamic parts are put
 * together, bodies go out in a coding the client accepts. Never changes what is kept; whatever it can't make, the copy itself goes out.
 */
import { mayHoldEsi } from '../compose/esi/index.ts';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Config } from '../config/index.ts';
import type { Reason } from '../route/index.ts';
import { CodedBodies } from './coded-bodies.ts';
import { Composer } from './composer.ts';
import type { Copies, Copy } from './copies.ts';
import { decodedFactorMax } from './decoding.ts';
import type { Fillings } from './fillings.ts';
import { decodedCopy } from './made-copy.ts';
import { PreparedMemory } from './prepared-memory.ts';
import type { Visit } from './visit.ts';

export interface OutgoingOptions {
  readonly copies: Pick<Copies, 'codedBody'>;
  readonly fillings: Fillings;
  readonly limits: Pick<Config['limits'], 'memoryCacheBytes' | 'captureBytes'>;
  /** A nonce that nobody can guess, base64. */
  readonly nonce: () => string;
}

const gzipped = promisify(gzip);
/** 15 KiB of HTML: 0.11 ms of a helper thread, 1 % larger than at level 9. */
const gzipLevel = 6;
/** Of `limits.memoryCache`, what copies take as they are kept; what is made of them, and fillings, share the rest equally. */
export const keptShare = 0.75;
export const madeShare = (1 - keptShare) / 2;
/** Answers as any cache would give them while the origin is well: nothing stands in for anybody. */
const asCache: ReadonlySet<Reason> = new Set(['fresh', 'revalidated', 'stale-while-revalidate', 'coalesced']);

export class Outgoing {
  readonly composer: Composer;
  readonly #memory: PreparedMemory;
  readonly #coded: CodedBodies;
  readonly #decodedBytesMax: number;

  constructor(options: OutgoingOptions) {
    const { copies, fillings, nonce, limits } = options;
    this.#memory = new PreparedMemory(limits.memoryCacheBytes * madeShare);
    this.composer = new Composer({ fillings, memory: this.#memory, nonce });
    this.#coded = new CodedBodies({ memory: this.#memory, read: (digest) => copies.codedBody(digest), gzip: (body) => gzipped(body, { level: gzipLevel }) });
    this.#decodedBytesMax = limits.captureBytes * decodedFactorMax;
  }

  /** Whether a copy may have to go out as something else; most do not, and this is all it costs them. */
  concerns(copy: Copy, visit: Visit): boolean {
    return visit.rules.dynamics.any || copy.record.codings !== undefined || visit.decodes;
  }

  /** What goes out in the copy's stead. `originGone`: the origin is known not to answer. */
  of(copy: Copy, visit: Visit, nowMs: number, reason: Reason, originGone: boolean): Copy {
    const { any } = visit.rules.dynamics;
    const esi = visit.rules.dynamics.esi && mayHoldEsi(copy.record.headers.find(([name]) => name === 'content-type')?.[1] ?? '');
    const coded = copy.coding !== undefined;
    if (any) {
      const seed = coded ? this.decoded(copy) : copy;
      const page = seed && this.composer.compose(seed, visit, nowMs, originGone || !asCache.has(reason));
      // Includes are processed in plain bytes, by whoever comes next.
      if (page && (page !== seed || esi)) return esi ? page : this.#coded.coded(page, visit);
    }
    return visit.decodes && coded ? this.decoded(copy) ?? copy : this.#coded.coded(copy, visit);
  }

  /** Whether the copy may go out without its content coding, and can. */
  decodes(copy: Copy): boolean {
    return !copy.keepsForm && this.decoded(copy) !== undefined;
  }

  /** The copy without its content coding. */
  decoded(copy: Copy): Copy | undefined {
    return this.#memory.obtain(copy, 'decoded', () => decodedCopy(copy, this.#decodedBytesMax));
  }

  /** Bytes in memory of what was made of copies. */
  get bytes(): number {
    return this.#memory.bytes;
  }
}

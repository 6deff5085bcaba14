/**
 * What the generator remembers of each target (one variation of one resource) besides its copy: when it may be tried again,
 * the last refusal, and a suspicion that is not yet believed. Bounded: the longest untouched goes first, and is then
 * simply tried again. Plain state over given times; no clock of its own.
 */
import type { Suspicion } from './admission.ts';
import type { Refusal } from './refusals.ts';

const ledgerMax = 200_000;

/** After trouble that passes: doubling from the first to the longest wait. */
const troubleMs = { first: 5000, longest: 600_000 } as const;
/** After a doubt: so that the sightings that make it believed are apart. */
const doubtMs = 300_000;
/** After the site's own word that this is not to be kept: doubling, for sites change their minds seldom. */
const wordMs = { first: 600_000, longest: 86_400_000 } as const;

const trouble: ReadonlySet<Refusal> = new Set(['origin-refused', 'origin-timeout', 'origin-cut', 'error-status', 'error-page', 'maybe-cut', 'missing-body']);
const doubts: ReadonlySet<Refusal> = new Set(['gone-unconfirmed', 'emptied', 'shrunken', 'type-changed']);

export interface LedgerEntry {
  readonly reason: Refusal;
  readonly suspicion: Suspicion | undefined;
  readonly notBeforeMs: number;
  /** Refusals in a row. */
  readonly times: number;
}

export class Ledger {
  readonly #entries = new Map<string, LedgerEntry>();
  readonly #max: number;

  constructor(max = ledgerMax) {
    this.#max = max;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(id: string): LedgerEntry | undefined {
    return this.#entries.get(id);
  }

  /** Whether the target may be tried at `nowMs`. */
  mayTry(id: string, nowMs: number): boolean {
    const entry = this.#entries.get(id);
    return entry === undefined || entry.notBeforeMs <= nowMs;
  }

  refused(id: string, reason: Refusal, suspicion: Suspicion | undefined, nowMs: number): void {
    // Given up for our own reasons: says nothing of the target.
    if (reason === 'aborted' || reason === 'invalidated' || reason === 'robots' || reason === 'storage-full') return;
    const before = this.#entries.get(id);
    const times = (before?.times ?? 0) + 1;
    this.#put(id, { reason, suspicion, times, notBeforeMs: nowMs + waitMs(reason, times) });
  }

  /**
   * Somebody else's answer was refused: tried again after the first wait for such a word, never longer, because a request of which nothing
   * is known but that it was a stranger's must not put off a copy for a day. What is known already stays.
   */
  advised(id: string, reason: Refusal, nowMs: number): void {
    if (!this.mayTry(id, nowMs)) return;
    const before = this.#entries.get(id);
    this.#put(id, { reason, suspicion: before?.suspicion, times: before?.times ?? 1, notBeforeMs: nowMs + waitMs(reason, 1) });
  }

  /** Takes an entry of an earlier run, in the order `entries` gave them. A clock that was put back since can't stretch the wait. */
  restore(id: string, entry: LedgerEntry, nowMs: number): void {
    this.#entries.set(id, { ...entry, notBeforeMs: Math.min(entry.notBeforeMs, nowMs + wordMs.longest) });
  }

  /** The longest untouched first. */
  entries(): Iterable<readonly [string, LedgerEntry]> {
    return this.#entries;
  }

  /** A good answer, or an invalidation: whatever was held against the target is forgotten. */
  clear(id: string): void {
    this.#entries.delete(id);
  }

  #put(id: string, entry: LedgerEntry): void {
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    if (this.#entries.size <= this.#max) return;
    const oldest = this.#entries.keys().next();
    if (!oldest.done) this.#entries.delete(oldest.value);
  }

  /** How many targets are waiting, by why. */
  waiting(nowMs: number): Partial<Record<Refusal, number>> {
    const counts: Partial<Record<Refusal, number>> = {};
    for (const entry of this.#entries.values()) if (entry.notBeforeMs > nowMs) counts[entry.reason] = (counts[entry.reason] ?? 0) + 1;
    return counts;
  }
}

function waitMs(reason: Refusal, times: number): number {
  if (doubts.has(reason)) return doubtMs;
  const { first, longest } = trouble.has(reason) ? troubleMs : wordMs;
  return Math.min(longest, first * 2 ** Math.min(20, times - 1));
}

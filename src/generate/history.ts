/**
 * What good copies of each target were like: their lengths and words, of the last few. One odd copy then neither becomes the measure of the
 * next nor makes its honest successor look shrunken, and a page that shrinks a little each time is still noticed. Bounded: the longest untouched
 * target is forgotten, and judged by its copy alone. Plain state.
 */
import type { UsualText } from './text-doubt.ts';

/** Targets remembered. */
export const historyMax = 50_000;
/** Good copies of each. */
export const sightingsMax = 5;

/** One good copy. Words are 0 for what is not text. */
export interface GoodCopy extends UsualText {
  readonly bytes: number;
}

export class History {
  readonly #copies = new Map<string, readonly GoodCopy[]>();

  get size(): number {
    return this.#copies.size;
  }

  observe(id: string, copy: GoodCopy): void {
    const before = this.#copies.get(id) ?? [];
    this.#put(id, [...before.slice(-(sightingsMax - 1)), copy]);
  }

  /** The middle of each figure (of an even number, the greater); undefined where nothing is known. */
  usual(id: string): GoodCopy | undefined {
    const copies = this.#copies.get(id);
    if (!copies) return undefined;
    return { bytes: middle(copies.map(({ bytes }) => bytes)), words: middle(copies.map(({ words }) => words)), mainWords: middle(copies.map(({ mainWords }) => mainWords)) };
  }

  /** What was usual is so no more: a doubt was believed, or the copy was declared wrong. */
  forget(id: string): void {
    this.#copies.delete(id);
  }

  restore(id: string, copies: readonly GoodCopy[]): void {
    if (copies.length > 0) this.#put(id, copies);
  }

  /** The longest untouched first. */
  entries(): Iterable<readonly [string, readonly GoodCopy[]]> {
    return this.#copies;
  }

  #put(id: string, copies: readonly GoodCopy[]): void {
    this.#copies.delete(id);
    this.#copies.set(id, copies);
    if (this.#copies.size <= historyMax) return;
    const oldest = this.#copies.keys().next();
    if (!oldest.done) this.#copies.delete(oldest.value);
  }
}

function middle(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
}

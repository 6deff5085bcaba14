/** Fillings of values that have not come yet but probably will: rendered while there is nothing else to do, so that a change of state costs a look-up. Bounded. */
import type { FillingId } from '../../compose/types.ts';
import type { Versions } from './recipe.ts';

/** Prepared fillings; beyond, the longest untouched goes. */
export const preparedMax = 20_000;
/** Characters of them all. */
export const preparedCharactersMax = 16 * 1024 * 1024;

export class Prepared {
  readonly #known = new Map<string, Versions>();
  #characters = 0;
  /** Rendered ahead, and of these used, since the start. */
  made = 0;
  hits = 0;

  get size(): number {
    return this.#known.size;
  }

  has(id: FillingId, value: unknown): boolean {
    return this.#known.has(nameOf(id, value));
  }

  put(id: FillingId, value: unknown, versions: Versions): void {
    const name = nameOf(id, value);
    this.#forget(name);
    this.#known.set(name, versions);
    this.made++;
    this.#characters += costOf(versions);
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= preparedMax && this.#characters <= preparedCharactersMax) break;
      this.#forget(oldest);
    }
  }

  /** A hit is counted, and stays: states come back. */
  find(id: FillingId, value: unknown): Versions | undefined {
    if (this.#known.size === 0) return undefined;
    const found = this.#known.get(nameOf(id, value));
    if (found) this.hits++;
    return found;
  }

  clear(): void {
    this.#known.clear();
    this.#characters = 0;
  }

  #forget(name: string): void {
    const versions = this.#known.get(name);
    if (!versions) return;
    this.#known.delete(name);
    this.#characters -= costOf(versions);
  }
}

function nameOf(id: FillingId, value: unknown): string {
  return `${id}\n${JSON.stringify(value)}`;
}

function costOf(versions: Versions): number {
  return versions.ok ? versions.versions.reduce((sum, { text }) => sum + text.length, 0) : versions.message.length;
}

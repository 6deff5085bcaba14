/**
 * A site's keys in the order of lists (`demand/sweep-order.ts`), as positions: what lies between two of them, and what comes next, is read off and never searched for.
 * Begun when the first sweep comes: 12 to 15 bytes a key, nothing for sites without. Keys are put in by codes, by names only where codes are equal.
 */
import { SweepOrder } from '../../demand/index.ts';
import type { ResourceKey } from '../../kernel/index.ts';
import { widenedDoubles, widenedInts } from '../state/columns.ts';
import type { KeyTable } from '../state/key-table.ts';

/** Keys put into the order in a minute; a site with more is in order some minutes after its first sweep. (Of a million alike in their first six bytes: 9 µs each.) */
export const placedMax = 16_384;
const growth = 1.25;

export class KeyOrder {
  readonly #resources: KeyTable<ResourceKey>;
  readonly #order = new SweepOrder();
  /** By key; 0 for one that is not in the order. */
  #codes = new Float64Array(0);
  #keys = new Int32Array(0);
  #length = 0;
  #hasGone = false;

  constructor(resources: KeyTable<ResourceKey>) {
    this.#resources = resources;
  }

  get bytes(): number {
    return this.#codes.byteLength + this.#keys.byteLength;
  }

  get length(): number {
    return this.#length;
  }

  keyAt(position: number): number {
    return this.#keys[position] ?? 0;
  }

  /** −1 for a key that has not been put in. */
  positionOf(key: number): number {
    const code = this.#codes[key] ?? 0;
    if (code === 0) return -1;
    let position = this.#first(code);
    while (position < this.#length && this.#keys[position] !== key) position++;
    return position < this.#length ? position : -1;
  }

  /** The key's index will be another key's: to be followed by `renew` before anything is read. */
  forget(key: number): void {
    if ((this.#codes[key] ?? 0) === 0) return;
    this.#codes[key] = 0;
    this.#hasGone = true;
  }

  /** Takes out what was forgotten, and puts in what is new. */
  renew(): void {
    if (this.#hasGone) this.#dropGone();
    const fresh = this.#fresh();
    if (fresh.length === 0) return;
    const names = new Map(fresh.map((key) => [key, this.#nameOf(key)]));
    for (const key of fresh) this.#codes[key] = this.#order.code(names.get(key) ?? '');
    fresh.sort((a, b) => (this.#codes[a] ?? 0) - (this.#codes[b] ?? 0) || this.#order.compare(names.get(a) ?? '', names.get(b) ?? ''));
    if (this.#keys.length < this.#length + fresh.length) {
      this.#keys = widenedInts(this.#keys, Math.ceil((this.#length + fresh.length) * growth));
    }
    // From the last to the first, so that each key moves once.
    let end = this.#length;
    for (let left = fresh.length; left > 0; left--) {
      const key = fresh[left - 1] ?? 0;
      const position = this.#placeFor(this.#codes[key] ?? 0, names.get(key) ?? '', end);
      this.#keys.copyWithin(position + left, position, end);
      this.#keys[position + left - 1] = key;
      end = position;
    }
    this.#length += fresh.length;
  }

  #fresh(): number[] {
    const { span } = this.#resources;
    if (this.#codes.length < span) this.#codes = widenedDoubles(this.#codes, Math.ceil(span * growth));
    const fresh: number[] = [];
    for (let key = 0; key < span && fresh.length < placedMax; key++) if (this.#codes[key] === 0 && this.#resources.has(key)) fresh.push(key);
    return fresh;
  }

  #dropGone(): void {
    let kept = 0;
    for (let position = 0; position < this.#length; position++) {
      const key = this.#keys[position] ?? 0;
      if ((this.#codes[key] ?? 0) > 0) this.#keys[kept++] = key;
    }
    this.#length = kept;
    this.#hasGone = false;
  }

  /** The first position below `end` of a key that comes after this one. */
  #placeFor(code: number, name: string, end: number): number {
    let low = 0;
    let high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const key = this.#keys[middle] ?? 0;
      const difference = (this.#codes[key] ?? 0) - code;
      if (difference > 0 || (difference === 0 && this.#order.compare(this.#nameOf(key), name) > 0)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The first position of a key of this code or a greater one. */
  #first(code: number): number {
    let low = 0;
    let high = this.#length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#codes[this.#keys[middle] ?? 0] ?? 0) < code) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #nameOf(key: number): string {
    return this.#resources.keyAt(key) ?? '';
  }
}

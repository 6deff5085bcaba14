/**
 * What came after what among siblings, counted: which text after which, and which edit to texts of which form. Old counts fade when newer ones come; what has
 * been untouched longest is forgotten beyond a bound. Pure.
 */
import { ForeshadowError, type ByteReader, type ByteWriter } from '../../kernel/index.ts';

/** Different texts (or forms) of one family of siblings of which it is known what followed. */
export const statesMax = 256;
/** Different followers of one; beyond, the rarest gives way. */
export const followersMax = 24;
/** What earlier followers count when one more comes: half after 34. */
const fade = 0.98;
const countMin = 0.05;
const textBytesMax = 4096;

export class Followers {
  readonly #states = new Map<string, Map<string, number>>();

  of(state: string): ReadonlyMap<string, number> | undefined {
    return this.#states.get(state);
  }

  add(state: string, follower: string): void {
    const counts = this.#states.get(state) ?? new Map<string, number>();
    this.#states.delete(state);
    this.#states.set(state, counts);
    if (this.#states.size > statesMax) this.#forgetOldest();
    for (const [name, count] of counts) {
      if (count * fade < countMin) counts.delete(name);
      else counts.set(name, count * fade);
    }
    counts.set(follower, (counts.get(follower) ?? 0) + 1);
    if (counts.size > followersMax) forgetRarest(counts, follower);
  }

  write(writer: ByteWriter): void {
    writer.uint(this.#states.size);
    for (const [state, counts] of this.#states) {
      writer.string(state);
      writer.uint(counts.size);
      for (const [follower, count] of counts) {
        writer.string(follower);
        writer.double(count);
      }
    }
  }

  read(reader: ByteReader): void {
    for (let left = bounded(reader.length(2), statesMax); left > 0; left--) {
      const counts = new Map<string, number>();
      this.#states.set(reader.string(textBytesMax), counts);
      for (let more = bounded(reader.length(9), followersMax); more > 0; more--) counts.set(reader.string(textBytesMax), reader.double());
    }
  }

  #forgetOldest(): void {
    for (const oldest of this.#states.keys()) {
      this.#states.delete(oldest);
      return;
    }
  }
}

/** Not more than there can be; throws `bytes-invalid`. */
export function bounded(count: number, max: number): number {
  if (count <= max) return count;
  throw new ForeshadowError('bytes-invalid', { source: 'internal', message: `what was learned of feeds' values can not be read: ${count} is more than there can be`, hint: 'it is set aside, and learning begins anew' });
}

function forgetRarest(counts: Map<string, number>, but: string): void {
  let rarest: string | undefined;
  for (const [name, count] of counts) if (name !== but && (rarest === undefined || count < (counts.get(rarest) ?? 0))) rarest = name;
  if (rarest !== undefined) counts.delete(rarest);
}

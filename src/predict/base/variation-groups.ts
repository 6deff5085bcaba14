/**
 * How requests divide over variations in groups of resources: by route class and by region. A resource that little is known of is divided as its
 * class is, and in a region as that region tilts it. Counts decay over a day. Bounded: at the limit the weakest quarter of the pairs goes.
 */
import type { ByteReader, ByteWriter, ResourceKey } from '../../kernel/index.ts';

const tauMs = 1440 * 60_000;
/** Beyond this exponent the landmark moves: e^20 stays far inside a double. */
const exponentMax = 20;
/** (group, variation) pairs. */
export const groupPairsMax = 131_072;
const droppedPart = 1 / 4;
/** Variations have numbers below this (`facetsMax` of the intake). */
const variationsMax = 4096;
const classes = 1024;
const [slash, point, question] = [0x2f, 0x2e, 0x3f] as const;

export class VariationGroups {
  #weights = new Map<number, number>();
  #landmarkMs = 0;

  /** `groups` and `variations` by number, one entry a count; equal pairs may come again. */
  add(groups: Int32Array, variations: Int32Array, counts: Float64Array, atMs: number): void {
    if (atMs - this.#landmarkMs > exponentMax * tauMs) this.#moveLandmark(atMs);
    const unit = Math.exp((atMs - this.#landmarkMs) / tauMs);
    for (let i = 0; i < groups.length; i++) {
      const pair = (groups[i] ?? 0) * variationsMax + (variations[i] ?? 0);
      this.#weights.set(pair, (this.#weights.get(pair) ?? 0) + (counts[i] ?? 0) * unit);
    }
    if (this.#weights.size > groupPairsMax) this.#dropWeakest();
  }

  /** Decayed requests of a variation in a group as of `nowMs`. */
  count(group: number, variation: number, nowMs: number): number {
    return (this.#weights.get(group * variationsMax + variation) ?? 0) * Math.exp((this.#landmarkMs - nowMs) / tauMs);
  }

  get size(): number {
    return this.#weights.size;
  }

  /** As if `ms` had not passed. */
  skip(ms: number): void {
    if (this.#landmarkMs > 0) this.#landmarkMs += ms;
  }

  write(writer: ByteWriter): void {
    writer.double(this.#landmarkMs);
    writer.uint(this.#weights.size);
    for (const [pair, weight] of this.#weights) {
      writer.uint(pair);
      writer.double(weight);
    }
  }

  read(reader: ByteReader): void {
    const landmarkMs = reader.double();
    this.#landmarkMs = Number.isFinite(landmarkMs) && landmarkMs > 0 ? landmarkMs : 0;
    const length = reader.length(9);
    for (let i = 0; i < length; i++) {
      const pair = reader.uint();
      const weight = reader.double();
      if (Number.isFinite(weight) && weight > 0 && this.#weights.size < groupPairsMax) this.#weights.set(pair, weight);
    }
  }

  #moveLandmark(nowMs: number): void {
    const factor = this.#landmarkMs === 0 ? 1 : Math.exp((this.#landmarkMs - nowMs) / tauMs);
    for (const [pair, weight] of this.#weights) this.#weights.set(pair, weight * factor);
    this.#landmarkMs = nowMs;
  }

  #dropWeakest(): void {
    const ordered = [...this.#weights].sort((a, b) => b[1] - a[1]);
    this.#weights = new Map(ordered.slice(0, Math.floor(groupPairsMax * (1 - droppedPart))));
  }
}

/**
 * The class a resource's route belongs to, as far as its path tells: first segment and extension, as one of 1,024 numbers. Asked for every count of a minute: goes
 * over the characters once and makes no strings (160 ns with them).
 */
export function variationClass(resource: ResourceKey): number {
  // A key with a host begins with two slashes (`resourceTarget`).
  const hostEnd = resource.startsWith('//') ? resource.indexOf('/', 2) : 0;
  const from = hostEnd < 0 ? resource.length : hostEnd;
  let hash = 0x811c_9dc5;
  let first = hash;
  let second = -1;
  let dot = -1;
  let at = from + 1;
  for (; at < resource.length; at++) {
    const code = resource.charCodeAt(at);
    if (code === question) break;
    if (code === slash) {
      if (second < 0) {
        second = at;
        first = hash;
      }
      dot = -1;
    } else if (code === point) {
      dot = at;
    }
    if (second < 0) hash = Math.imul(hash ^ code, 0x0100_0193);
  }
  hash = Math.imul(first ^ slash, 0x0100_0193);
  for (let i = dot; dot >= 0 && i < at; i++) hash = Math.imul(hash ^ resource.charCodeAt(i), 0x0100_0193);
  return (hash >>> 8) % classes;
}

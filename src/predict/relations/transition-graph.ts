/**
 * Which resources are asked for after which, as a bounded graph over key indexes: a number of sources, each with the few targets most often gone to. Counts
 * decay over days. A source's targets are kept by frequent-items counting (Misra & Gries 1982): a target without room weakens the weakest one and takes
 * its place when nothing is left of it, so that what is rare can't push out what is frequent. When there are too many sources, the least asked for of a few goes.
 */
import type { ByteReader, ByteWriter } from '../../kernel/index.ts';
import type { KeyNumbers } from '../stage.ts';
import { widenedInts } from '../state/columns.ts';

const sourcesMax = 16_384;
export const targetsEach = 16;
const tauMs = 5 * 86_400_000;
/** Beyond this exponent the landmark moves (see `../state/decayed-counts.ts`). */
const exponentMax = 20;
/** How many sources are compared to find a weak one. */
const sampleSize = 8;
const none = -1;

export class TransitionGraph {
  /** Key of each source; −1 where there is none. */
  readonly keys: Int32Array;
  /** Requests of each source since it is one, in units of the landmark. */
  readonly visits: Float64Array;
  /** `targetsEach` a source: the key gone to, −1 for none, and the steps, in units of the landmark. */
  readonly targets: Int32Array;
  readonly steps: Float64Array;
  #sources = new Int32Array(0);
  #span = 0;
  #landmarkMs = 0;
  #hand = 0;
  #gone: Uint8Array | undefined;

  constructor(sources = sourcesMax) {
    this.keys = new Int32Array(sources).fill(none);
    this.visits = new Float64Array(sources);
    this.targets = new Int32Array(sources * targetsEach).fill(none);
    this.steps = new Float64Array(sources * targetsEach);
  }

  /** One more than the highest source in use. */
  get span(): number {
    return this.#span;
  }

  get bytes(): number {
    return this.keys.length * (12 + 12 * targetsEach) + this.#sources.length * 4;
  }

  /** The source of a key, or −1. */
  sourceOf(key: number): number {
    return (this.#sources[key] ?? 0) - 1;
  }

  /** What turns counts into decayed ones as of `nowMs`. */
  factor(nowMs: number): number {
    return Math.exp(-(nowMs - this.#landmarkMs) / tauMs);
  }

  /** Called before counting at `nowMs`: lets go what was forgotten, and moves the landmark if need be. */
  advance(nowMs: number): void {
    if (this.#gone) this.#dropGone(this.#gone);
    if (nowMs - this.#landmarkMs <= exponentMax * tauMs) return;
    const factor = this.factor(nowMs);
    for (let i = 0; i < this.visits.length; i++) this.visits[i] = (this.visits[i] ?? 0) * factor;
    for (let i = 0; i < this.steps.length; i++) this.steps[i] = (this.steps[i] ?? 0) * factor;
    this.#landmarkMs = nowMs;
  }

  /** Counts requests of a key, if it is a source. `weight`: 1 ÷ `factor`, times their number. */
  visit(key: number, weight: number): void {
    const source = this.sourceOf(key);
    if (source >= 0) this.visits[source] = (this.visits[source] ?? 0) + weight;
  }

  step(from: number, to: number, weight: number): void {
    let source = this.sourceOf(from);
    if (source < 0) source = this.#add(from, weight);
    const first = source * targetsEach;
    let weakest = first;
    for (let edge = first; edge < first + targetsEach; edge++) {
      const target = this.targets[edge] ?? none;
      if (target === to) {
        this.steps[edge] = (this.steps[edge] ?? 0) + weight;
        return;
      }
      if (target === none) {
        weakest = edge;
        this.steps[edge] = 0;
        break;
      }
      if ((this.steps[edge] ?? 0) < (this.steps[weakest] ?? 0)) weakest = edge;
    }
    const left = (this.steps[weakest] ?? 0) - weight;
    if (left <= 0) this.targets[weakest] = to;
    this.steps[weakest] = Math.abs(left);
  }

  /** The key's index will be another key's. */
  forget(key: number): void {
    const source = this.sourceOf(key);
    if (source >= 0) this.#release(source);
    // Edges that lead to it go with the next minute, all in one pass.
    if (!this.#gone || this.#gone.length <= key) {
      const wider = new Uint8Array(Math.max(1024, 2 * key));
      if (this.#gone) wider.set(this.#gone);
      this.#gone = wider;
    }
    this.#gone[key] = 1;
  }

  write(writer: ByteWriter, numbers: KeyNumbers): void {
    writer.double(this.#landmarkMs);
    const kept: number[] = [];
    for (let source = 0; source < this.#span; source++) if (numbers.has(this.keys[source] ?? none)) kept.push(source);
    writer.uint(kept.length);
    for (const source of kept) {
      writer.uint(numbers.get(this.keys[source] ?? none) ?? 0);
      writer.double(this.visits[source] ?? 0);
      for (let edge = source * targetsEach; edge < (source + 1) * targetsEach; edge++) {
        const number = numbers.get(this.targets[edge] ?? none);
        writer.uint(number === undefined ? 0 : number + 1);
        writer.double(number === undefined ? 0 : this.steps[edge] ?? 0);
      }
    }
  }

  read(reader: ByteReader): void {
    this.#landmarkMs = sane(reader.double());
    const length = reader.length(9 + 9 * targetsEach);
    for (let i = 0; i < length; i++) {
      const key = reader.uint();
      const visits = sane(reader.double());
      const source = i < this.keys.length && this.sourceOf(key) < 0 ? this.#add(key, visits) : none;
      for (let at = 0; at < targetsEach; at++) {
        const target = reader.uint() - 1;
        const steps = sane(reader.double());
        if (source === none || target < 0) continue;
        this.targets[source * targetsEach + at] = target;
        this.steps[source * targetsEach + at] = steps;
      }
    }
  }

  /** A place for a new source; its first request is the one the step came from. */
  #add(key: number, visits: number): number {
    const source = this.#span < this.keys.length ? this.#span++ : this.#makeRoom();
    if (key >= this.#sources.length) this.#sources = widenedInts(this.#sources, Math.max(1024, 2 * key));
    this.#sources[key] = source + 1;
    this.keys[source] = key;
    this.visits[source] = visits;
    return source;
  }

  #makeRoom(): number {
    let weakest = this.#hand;
    for (let i = 0; i < sampleSize; i++) {
      this.#hand = (this.#hand + 1) % this.keys.length;
      if ((this.visits[this.#hand] ?? 0) < (this.visits[weakest] ?? 0)) weakest = this.#hand;
    }
    this.#release(weakest);
    return weakest;
  }

  #release(source: number): void {
    const key = this.keys[source] ?? none;
    if (key >= 0) this.#sources[key] = 0;
    this.keys[source] = none;
    this.visits[source] = 0;
    this.targets.fill(none, source * targetsEach, (source + 1) * targetsEach);
    this.steps.fill(0, source * targetsEach, (source + 1) * targetsEach);
  }

  #dropGone(gone: Uint8Array): void {
    for (let edge = 0; edge < this.#span * targetsEach; edge++) {
      const target = this.targets[edge] ?? none;
      if (target < 0 || gone[target] !== 1) continue;
      this.targets[edge] = none;
      this.steps[edge] = 0;
    }
    this.#gone = undefined;
  }
}

function sane(value: number): number {
  return Number.isFinite(value) && value > 0 ? value : 0;
}
